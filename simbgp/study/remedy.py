"""The nearest setting that passes a breached outage SLO, found by trying a few.

Few changes of timers help at all: a shorter hold time where detection is slow, a shorter restart time or none where the
router keeps forwarding to the dead, a longer one where the agent comes back too late. They are tried one at a time, the
smallest change first, then in pairs with the hold time.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from simbgp.measure import Question, SloResult, Verdict
from simbgp.measure.verdict import bound_of
from simbgp.scenario import Plan, Scenario, ScenarioError
from simbgp.scenario.plan import SloPlan
from simbgp.study.advice import Advice, Remedy
from simbgp.study.alternatives import other_ways
from simbgp.study.command import run_command
from simbgp.study.local import records
from simbgp.study.replay import Job
from simbgp.study.result import Result
from simbgp.study.stats import Stats

_FIRST_LOOK, _RUNS = 10, 100
_MARGIN_S = 1
"""Room for the FIB and for a timer that fires late."""
_GREATEST_RESTART_S = 4095  # RFC 4724 §3: 12 bits

_HOLD = "cluster.timers.holdTimeSeconds"
_KEEPALIVE = "cluster.timers.keepAliveTimeSeconds"
_ENABLED = "cluster.gracefulRestart.enabled"
_RESTART = "cluster.gracefulRestart.restartTimeSeconds"


@dataclass(frozen=True, slots=True)
class _Change:
    label: str
    settings: Mapping[str, int | bool]

    def __add__(self, other: "_Change") -> "_Change":
        return _Change(f"{self.label}, {other.label}", {**self.settings, **other.settings})


def advise(result: Result) -> Advice | None:
    """What would meet the first breached ``blackhole_s`` bound; None if none is breached."""
    outages = (found for found in result.slo if found.slo.metric == "blackhole_s" and found.slo.max_value is not None)
    breached = next((found for found in outages if found.verdict is Verdict.BREACHED), None)
    if breached is None:
        return None
    tried: list[str] = []
    for change in _changes(result, breached):
        changed = _changed(result, change)
        if changed is None:
            continue
        tried.append(change.label)
        remedy = _tried(result, breached, change, changed)
        if remedy is not None:
            return Advice(breached.slo, tuple(tried), remedy)
    return Advice(breached.slo, tuple(tried), None)


def _changes(result: Result, breached: SloResult) -> Iterator[_Change]:
    """Candidates, the smallest change first."""
    plan, bound_s = result.plan, bound_of(breached.slo)
    hold_s = max(peering.hold_s for peering in plan.peerings)
    lower = [_hold(*times) for times in ((9, 3), (3, 1)) if times[0] < hold_s]
    restarts = [peering.restart.restart_time_s for peering in plan.peerings if peering.restart.enabled]
    restart_s = max(restarts, default=0)
    worst_s = result.stats(Question.of(breached.slo)).max
    longer_s = math.ceil(restart_s + worst_s) + _MARGIN_S
    longer = [_restart(longer_s)] if longer_s <= _GREATEST_RESTART_S else []
    shorter = [restart for restart in _shorter(plan, bound_s, hold_s) if restart_s]
    off = [_Change("graceful restart off", {_ENABLED: False})] if restart_s else []
    yield from (*longer, *shorter, *lower, *off)
    for change in lower:
        yield from (change + restart for restart in _shorter(plan, bound_s, int(change.settings[_HOLD])) if restart_s)
        yield from (change + other for other in off)


def _shorter(plan: Plan, bound_s: float, hold_s: int) -> list[_Change]:
    """The restart time that leaves room for the hold time before it, if it is shorter than the present one."""
    restart_s = math.floor(bound_s - hold_s) - _MARGIN_S
    present_s = max(peering.restart.restart_time_s for peering in plan.peerings)
    return [_restart(restart_s)] if 1 <= restart_s < present_s else []


def _hold(hold_s: int, keepalive_s: int) -> _Change:
    return _Change(f"hold {hold_s} s, keepalive {keepalive_s} s", {_HOLD: hold_s, _KEEPALIVE: keepalive_s})


def _restart(restart_s: int) -> _Change:
    return _Change(f"restart time {restart_s} s", {_ENABLED: True, _RESTART: restart_s})


def _changed(result: Result, change: _Change) -> Scenario | None:
    """The scenario with the change; None if that is not allowed, or changes nothing."""
    try:
        changed = result.scenario.with_(**change.settings)
        return None if changed.plan().peerings == result.plan.peerings else changed
    except ScenarioError:
        return None


def _tried(result: Result, breached: SloResult, change: _Change, changed: Scenario) -> Remedy | None:
    """The remedy if the change passes: a first look at ten runs, then a hundred."""
    runs = min(_RUNS, result.runs)
    for some in (min(_FIRST_LOOK, runs), runs):
        value_s = _value_s(result, breached.slo, changed, some)
        if value_s > bound_of(breached.slo):
            return None
    return Remedy(change.label, value_s, runs, run_command(changed, result.runs, result.seed))


def _value_s(result: Result, slo: SloPlan, changed: Scenario, runs: int) -> float:
    """The statistic over a few runs, infinite if unknown or cut off; the worst, where a profile leaves something open.

    Traffic decides no outage, so there is none.
    """
    plan = replace(changed.plan(), traffic=())
    return max(_value_of_s(result, slo, plan, runs) for plan in (plan, *(way.plan for way in other_ways(plan))))


def _value_of_s(result: Result, slo: SloPlan, plan: Plan, runs: int) -> float:
    job = Job(plan, result.seed, (Question.of(slo),))
    values = [record.values[0] for record in records(job, range(runs))]
    found = Stats(Question.of(slo), values, result.seed, result.exact).estimate(slo.stat)
    return math.inf if found is None or found.censored else found.value
