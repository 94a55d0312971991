"""One failure at a time: a class of failures, cut into strata, each the plan of a healthy cluster that it strikes.

A year holds a handful of failures and a great deal of health, so nobody plays the health. The expected cost of a year
is the sum over the classes of their rate times the expected cost of one failure, and that is found by playing one
failure per run. What an estimate of it needs are the rare long ones, so how long a failure lasts is drawn by strata:
each stratum is a part of the law with its own two runs, one from its shorter half and one from its longer, and counts
as much as it is likely (Cochran, *Sampling Techniques*, §5.3; that the halves differ makes intervals a little too
wide, §5A.12).

Failures that overlap are left out of the sum: to first order in the rates they do not meet.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import floor

from simbgp.profiles import Law
from simbgp.scenario import Plan
from simbgp.scenario.plan import FaultPlan, MixPlan, ProcessPlan, TrafficPlan

LEAD_S = 10.0
"""Health before the failure: connections and timers are in their steady state anyhow."""
_AFTER_S = 1200.0
"""A client's kernel gives up after 924 s (tcp_retries2 15); conntrack, evictions and dials are done by then."""
_NEARLY_ALWAYS = 0.9999
_MOST_CONNECTIONS = 12_000
"""Played of a service in a run: their shares stand for all."""
ASSUMED_CONNECTIONS = 1000
"""Open at any time to each service of a scenario without traffic."""
_OF_TIMERS = frozenset({"agent-restart", "agent-crash", "stall", "router-restart"})
"""How long these last decides by a timer whether they cost anything: their rare long ones get runs of their own."""
_THINNING = 3
"""Beyond the first q of the strata lie (1 - q)^3 of the failures: the last tenth of them has one in a thousand."""
_LOOK = {True: 5, False: 2}
"""Strata of a look: of kinds that timers decide on, and of others."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """The part of a failure's durations between two probabilities."""

    low: float
    high: float

    @property
    def weight(self) -> float:
        """How likely a failure is of this part."""
        return self.high - self.low

    def part(self, place: int, parts: int) -> "Stratum":
        """One of so many equal parts of it."""
        width = self.weight / parts
        return Stratum(self.low + place * width, self.low + (place + 1) * width)


@dataclass(frozen=True, slots=True)
class FailureClass:
    """A process of the mix with its strata and how long one failure is looked at."""

    process: ProcessPlan
    strata: tuple[Stratum, ...]
    horizon_us: int

    @property
    def name(self) -> str:
        """That of the process."""
        return str(self.process.fault.name)

    @property
    def lasts(self) -> Law:
        """How long it lasts; 0 where the kind does not last."""
        return self.process.fault.down_for or Law.constant(0.0)


def classes_of(plan: Plan, longest_hold_s: float, longest_restart_s: float, strata: int) -> tuple[FailureClass, ...]:
    """The classes of a plan's mix in so many strata, each looked at until the slowest setting is done with it."""
    timers_s = longest_hold_s + longest_restart_s
    return tuple(
        FailureClass(process, _strata(process.fault, strata), _horizon_us(plan, process.fault, timers_s))
        for process in plan.mix.processes
        if process.in_all > 0
    )


def _strata(fault: FaultPlan, number: int) -> tuple[Stratum, ...]:
    """So many parts of a law, equally likely, or ever less likely the longer they last where timers decide."""
    power = _THINNING if fault.kind in _OF_TIMERS else 1
    ends = [1 - (1 - k / number) ** power for k in range(number + 1)]
    return tuple(Stratum(low, high) for low, high in pairwise(ends))


def _horizon_us(plan: Plan, fault: FaultPlan, timers_s: float) -> int:
    away_s = 0.0 if fault.down_for is None else fault.down_for.quantile(_NEARLY_ALWAYS)
    start_s = plan.node_startup.quantile(_NEARLY_ALWAYS) + plan.agent_startup.quantile(_NEARLY_ALWAYS)
    return round((LEAD_S + away_s + start_s + timers_s + _AFTER_S) * 1e6)


def healthy(plan: Plan) -> Plan:
    """The cluster in steady state with all its nodes and nothing that fails."""
    nodes = tuple(replace(node, joins=False) for node in plan.nodes)
    services = tuple(
        replace(service, added=False, backends=tuple(replace(b, late=False) for b in service.backends))
        for service in plan.services
    )
    calm = replace(plan, nodes=nodes, services=services, cold_start=False, faults=(), background=(), slo=())
    return replace(calm, mix=MixPlan(), counts_patches=False, traffic=plan.traffic or _assumed_traffic(plan))


def _assumed_traffic(plan: Plan) -> tuple[TrafficPlan, ...]:
    """Clients of a scenario that has none."""
    lifetime = Law("lognormal", (30.0, 1200.0))
    mean_s = sum(lifetime.quantile((k + 0.5) / 10_000) for k in range(10_000)) / 10_000
    arrivals_per_s = ASSUMED_CONNECTIONS / mean_s
    return tuple(
        TrafficPlan(
            service=service.name,
            connections=ASSUMED_CONNECTIONS,
            arrivals_per_s=arrivals_per_s,
            lifetime=lifetime,
            request_interval_s=1.0,
            poisson_requests=False,
            client="linux-6.5",
            connect_timeout_s=None,
            request_timeout_s=None,
        )
        for service in plan.services
    )


def struck(plan: Plan, of: FailureClass, process: ProcessPlan, stratum: Stratum) -> tuple[Plan, Sequence[float]]:
    """A `healthy` plan in which one failure of a stratum strikes, and how many connections each that is played stands
    for, by traffic entry. ``process`` is that of the class as the setting has it."""
    lasts = process.fault.down_for
    part = None if lasts is None else lasts.part(stratum.low, stratum.high)
    fault = replace(process.fault, at=Law.constant(LEAD_S), down_for=part)
    traffic, scales = [], []
    for entry in plan.traffic:
        small, scale = _sampled(entry, of.horizon_us / 1e6)
        traffic.append(small)
        scales.append(scale)
    return replace(plan, faults=(fault,), horizon_us=of.horizon_us, traffic=tuple(traffic)), scales


def _sampled(entry: TrafficPlan, horizon_s: float) -> tuple[TrafficPlan, float]:
    """Fewer clients, if there are many within the horizon, and how many each of them stands for."""
    total = entry.connections + entry.arrivals_per_s * horizon_s
    entry = replace(entry, reconnects=False)  # who dials again is no outcome of the connection that broke
    if total <= _MOST_CONNECTIONS:
        return entry, 1.0
    kept = _MOST_CONNECTIONS / total
    if entry.connections:
        kept = max(1, floor(entry.connections * kept)) / entry.connections
    small = replace(entry, connections=round(entry.connections * kept), arrivals_per_s=entry.arrivals_per_s * kept)
    return small, 1 / kept


def looked_at(of: FailureClass) -> FailureClass:
    """The class with fewer, larger strata, for a look."""
    fault = of.process.fault
    return replace(of, strata=_strata(fault, _LOOK[fault.kind in _OF_TIMERS]))
