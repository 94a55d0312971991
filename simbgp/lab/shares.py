"""Outcomes of connections, predicted and measured: each as a share of all connections of a service."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from simbgp.lab.score import crps, floor
from simbgp.scenario import Plan
from simbgp.traffic import ServiceOutcome

OUTCOMES = {
    "moved": "met another node",
    "unaffected": "unaffected",
    "delayed": "delayed",
    "reset": "reset",
    "timed_out": "timed out",
    "not_opened": "not opened",
}
"""What is compared; the first is no outcome."""
NOISE = 0.01
"""What a machine of two cores adds to a share at worst: a busy one loses a packet, or holds one up."""
_ALL = 1.0
_HINTS = {
    "moved": "who is hashed to another node: ecmp.hash, order and onChange of the router, buckets and timers of a "
    "resilient group",
    "unaffected": "what the others met: see their shares",
    "delayed": "how long nothing answered, and who sent meanwhile: the windows, or requests of the traffic",
    "reset": "what a node does with a connection that it does not know: cluster.loadBalancer",
    "timed_out": "who is not answered at all: dead backends, or a RST that the client never sees "
    "(dsr_reset_reaches_client of the speaker)",
    "not_opened": "how long nobody could connect: the windows, or connectTimeout of the clients",
}


@dataclass(frozen=True, slots=True)
class Share:
    """One outcome of a service: every run's predicted share of its connections, every repetition's measured one."""

    service: str
    name: str
    predicted: tuple[float, ...]
    measured: tuple[float, ...]

    @property
    def interval(self) -> tuple[float, float]:
        """The predicted central 99 %."""
        values = sorted(self.predicted)
        last = len(values) - 1
        return values[int(0.005 * last)], values[min(last, int(0.995 * last) + 1)]

    @property
    def beside(self) -> tuple[float, ...]:
        """How far each measured share lies outside of that and its noise."""
        low, high = self.interval
        return tuple(max(0.0, low - NOISE - share, share - high - NOISE) for share in self.measured)

    @property
    def inside(self) -> int:
        """How many measured shares lie inside."""
        return sum(away == 0 for away in self.beside)

    @property
    def apart(self) -> float:
        """Mean of the measured shares less that of the predicted ones."""
        return fmean(self.measured) - fmean(self.predicted)

    @property
    def crps(self) -> float:
        """Mean score of the measured shares."""
        return fmean(crps(share, self.predicted, _ALL) for share in self.measured)

    @property
    def floor(self) -> float | None:
        """What the truth itself would score; None from one repetition."""
        return floor(self.measured, _ALL)


def shares(
    plan: Plan, predicted: Sequence[Sequence[ServiceOutcome]], measured: Sequence[Sequence[ServiceOutcome]]
) -> Iterator[Share]:
    """For each service with clients each outcome that somebody met, from the rows of runs and of repetitions."""
    for service in dict.fromkeys(traffic.service for traffic in plan.traffic):
        for name in OUTCOMES:
            both = [tuple(_share(rows, service, name) for rows in side) for side in (predicted, measured)]
            if any(share > 0 for side in both for share in side):
                yield Share(service, name, *both)


def _share(rows: Sequence[ServiceOutcome], service: str, name: str) -> float:
    whole = [row for row in rows if row.service == service and row.fault is None]
    total = sum(row.total for row in whole)
    return sum(getattr(row, name) for row in whole) / total if total else 0.0


def hint_of(share: Share) -> str:
    """What a difference of this share points to."""
    return _HINTS[share.name]
