"""Prediction against measurement: the figures of a scenario, how they fit, and what a difference hints at."""

from dataclasses import dataclass
from statistics import fmean

from simbgp.lab.readings import Place
from simbgp.lab.score import Seen, beside, crps, floor, interval
from simbgp.lab.shares import Share, hint_of
from simbgp.scenario import Plan

INSIDE = 0.95
"""Share of the measured values that must lie inside of the predicted 99 % for the two to agree."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one session: every run's prediction, every repetition's measurement, in seconds; None: never."""

    place: Place
    name: str
    predicted: tuple[Seen, ...]
    measured: tuple[Seen, ...]
    seen_s: float

    @property
    def interval(self) -> tuple[Seen, Seen]:
        """The predicted central 99 %."""
        return interval(self.predicted)

    @property
    def beside(self) -> tuple[float, ...]:
        """How far each measured value lies outside, in seconds."""
        return tuple(beside(value, self.predicted, self.seen_s) for value in self.measured)

    @property
    def inside(self) -> int:
        """How many measured values lie inside."""
        return sum(away == 0 for away in self.beside)

    @property
    def crps(self) -> float:
        """Mean score of the measured values."""
        return fmean(crps(value, self.predicted, self.seen_s) for value in self.measured)

    @property
    def floor(self) -> float | None:
        """What the truth itself would score; None from one repetition."""
        return floor(self.measured, self.seen_s)


@dataclass(frozen=True)
class Comparison:
    """All figures of a scenario."""

    plan: Plan
    runs: int
    figures: tuple[Figure, ...]
    shares: tuple[Share, ...] = ()

    @property
    def inside(self) -> int:
        """Measured values inside of their prediction."""
        return sum(figure.inside for figure in self.figures) + sum(share.inside for share in self.shares)

    @property
    def values(self) -> int:
        """Measured values."""
        of_shares = sum(len(share.measured) for share in self.shares)
        return sum(len(figure.measured) for figure in self.figures) + of_shares

    @property
    def agrees(self) -> bool:
        """Whether enough of them lie inside."""
        return self.values > 0 and self.inside >= INSIDE * self.values

    @property
    def largest(self) -> Figure | None:
        """The figure with the value that lies farthest outside; None if all are inside."""
        worst = max(self.figures, key=lambda figure: max(figure.beside), default=None)
        return worst if worst is not None and max(worst.beside) > 0 else None

    @property
    def largest_share(self) -> Share | None:
        """The outcome with the share that lies farthest outside; None if all are inside."""
        worst = max(self.shares, key=lambda share: max(share.beside), default=None)
        return worst if worst is not None and max(worst.beside) > 0 else None

    def figure(self, place: Place, name: str) -> Figure | None:
        """A figure by its name."""
        return next((each for each in self.figures if (each.place, each.name) == (place, name)), None)


_HINTS = {
    "session_loss_s": "how the router notices: hold_jitter, timer_grain_s, fast_fallover of its profile, or its timers",
    "withdrawn_s": "how fast its FIB follows: fib_withdraw, fib_hold, fib_expire of its profile",
    "reestablished_s": "who waits before the session is back: first_dial, idle_hold of the speaker, idle_after of the "
    "router",
    "route_back_s": "what holds the first UPDATE back: update_delay, waits_for_end_of_rib of the speaker, "
    "fib_install of the router",
    "blackhole_s": "whether packets reach the node: the link, or neighbour_check of the router",
    "no_route_s": "how long the route is away: see the moments of its loss and of its return",
}


def hint(found: Comparison) -> str | None:
    """What the largest difference points to, moments before shares, which follow them; None if nothing differs."""
    largest = found.largest
    if largest is None:
        share = found.largest_share
        return None if share is None else hint_of(share)
    return _kept(found, largest) or _HINTS[largest.name]


def _kept(found: Comparison, largest: Figure) -> str | None:
    """Whether only one of the two kept the routes over the loss of the session."""
    gaps = []
    for side in ("measured", "predicted"):
        lost, gone = (found.figure(largest.place, name) for name in ("session_loss_s", "withdrawn_s"))
        if lost is None or gone is None:
            return None
        pairs = zip(getattr(lost, side), getattr(gone, side), strict=True)
        known = [b - a for a, b in pairs if a is not None and b is not None]
        gaps.append(fmean(known) if known else None)
    real, model = gaps
    if real is None or model is None or abs(real - model) < 1:
        return None
    kept = (
        "the router kept the routes, the profile drops them"
        if real > model
        else ("the router dropped the routes, the profile keeps them")
    )
    return f"{kept}: keeps_stale and notification of its profile, {real:.2f} s against {model:.2f} s after the loss"
