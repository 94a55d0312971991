"""What one run left behind: all that a metric may read."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from simbgp.scenario.per_plan import PerPlan
from simbgp.scenario.plan import Plan, SloPlan
from simbgp.timeline import FaultBegan, FaultLog, Timeline
from simbgp.traffic import ServiceOutcome, Window


class Value(NamedTuple):
    """A metric of one run; ``censored`` means that the horizon cut it off, so the truth is at least this."""

    value: float
    censored: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A metric and what it is narrowed to; ``min_share`` leaves out smaller holes."""

    metric: str
    service: str | None = None
    router: str | None = None
    fault: str | int | None = None
    prefix: str | None = None
    min_share: float = 0.0

    @classmethod
    def of(cls, slo: SloPlan) -> "Question":
        """The question whose answers ``slo`` bounds."""
        return cls(slo.metric, slo.service, slo.router, slo.fault, slo.prefix, slo.min_share)


@dataclass(frozen=True)
class Observed:
    """One run: what was asked, what happened, and what it did to traffic."""

    plan: Plan
    timeline: Timeline
    windows: Sequence[Window]
    outcomes: Sequence[ServiceOutcome]
    seed: int = 0
    run: int = 0
    faults: FaultLog = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "faults", FaultLog(self.timeline))

    def began(self, asked: Question) -> list[FaultBegan]:
        """The occurrences of faults that ``asked`` speaks of."""
        return [fault for fault in self.faults.began if asked.fault is None or fault.fault == asked.fault]

    def happened(self, asked: Question) -> bool:
        """Whether the fault to which ``asked`` is narrowed occurred; True if it is not narrowed to one."""
        return asked.fault is None or bool(self.began(asked))


class _Scopes:
    """What the SLOs of one plan speak of: the same in every run."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._plans: dict[tuple[str | None, str | None], Plan] = {}
        self._prefixes: dict[tuple[str | None, str | None], frozenset[str]] = {}

    def plan(self, service: str | None, prefix: str | None) -> Plan:
        """The plan with only these; the plan itself if that is all of it, for then its history serves too."""
        if (service, prefix) not in self._plans:
            named = [each for each in self._plan.services if service in (None, each.name)]
            kept = [replace(each, prefixes=tuple(p for p in each.prefixes if prefix in (None, p))) for each in named]
            services = tuple(each for each in kept if each.prefixes)
            whole = services == self._plan.services
            self._plans[service, prefix] = self._plan if whole else replace(self._plan, services=services)
        return self._plans[service, prefix]

    def prefixes(self, service: str | None, prefix: str | None) -> frozenset[str]:
        """All prefixes of these services."""
        if (service, prefix) not in self._prefixes:
            services = self.plan(service, prefix).services
            self._prefixes[service, prefix] = frozenset(prefix for each in services for prefix in each.prefixes)
        return self._prefixes[service, prefix]


_scopes_of = PerPlan(_Scopes)


def narrowed(plan: Plan, asked: Question) -> Plan:
    """``plan`` with only those services and service prefixes that ``asked`` speaks of."""
    return _scopes_of(plan).plan(asked.service, asked.prefix)


def prefixes_of(plan: Plan, asked: Question) -> frozenset[str]:
    """The prefixes ``asked`` speaks of: those of services, or the one it names, which may be a PodCIDR."""
    if asked.prefix is not None and asked.service is None:
        return frozenset({asked.prefix})
    return _scopes_of(plan).prefixes(asked.service, asked.prefix)
