"""Work that settings share: where several lead to the same facts for traffic, the traffic is played once.

Settings of one run share their luck, so a restart time that is long enough leads to the same facts as any longer one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from simbgp.scenario import Plan
from simbgp.scenario.plan import GracefulRestartPlan, PeeringPlan
from simbgp.timeline import Fact, RouteChanged, SessionChanged, Timeline
from simbgp.traffic import ServiceOutcome, Window, outcomes, windows

_UNSEEN_EVENTS = frozenset({"stale", "refreshed"})


@dataclass(frozen=True, slots=True)
class Effect:
    """What the facts of a run did to traffic."""

    windows: Sequence[Window]
    outcomes: Sequence[ServiceOutcome]


def effect_of(plan: Plan, happened: Timeline, seed: int, run: int) -> Effect:
    """What ``happened`` does to the traffic of ``plan``."""
    return Effect(windows(plan, happened, seed, run), outcomes(plan, happened, seed, run))


class Shared:
    """The effects that are known of one run; ``worlds`` numbers plans that traffic cannot tell apart alike."""

    def __init__(self, seed: int, run: int) -> None:
        self._seed, self._run = seed, run
        self._known: dict[tuple[int, tuple[Fact, ...]], Effect] = {}

    def effect(self, plan: Plan, world: int, happened: Timeline) -> Effect:
        """What ``happened`` does to the traffic of ``plan``."""
        key = world, tuple(fact for fact in happened if _is_seen(fact))
        if key not in self._known:
            self._known[key] = effect_of(plan, happened, self._seed, self._run)
        return self._known[key]


def _is_seen(fact: Fact) -> bool:
    """Whether traffic may notice: it sees no session, and of routes only the FIB."""
    if isinstance(fact, RouteChanged):
        return fact.event not in _UNSEEN_EVENTS
    return not isinstance(fact, SessionChanged)


def worlds(plans: Sequence[Plan]) -> tuple[int, ...]:
    """For each plan the place of the first that differs from it in nothing but what only sessions see."""
    known: list[Plan] = []
    places = []
    for plan in map(_seen, plans):
        if plan not in known:
            known.append(plan)
        places.append(known.index(plan))
    return tuple(places)


def _seen(plan: Plan) -> Plan:
    """``plan`` without what traffic never reads: timers of sessions, bounds, words."""
    peerings = tuple(map(_without_timers, plan.peerings))
    return replace(plan, name="", peerings=peerings, slo=(), assumptions=(), warnings=())


def _without_timers(peering: PeeringPlan) -> PeeringPlan:
    restart = GracefulRestartPlan(enabled=False)
    return replace(peering, hold_s=0, keepalive_s=0, connect_retry_s=0, restart=restart)
