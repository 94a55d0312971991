"""A rollout step by step: how many next hops and sessions are left while so many nodes are upgraded."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from simbgp.measure.observed import Observed
from simbgp.timeline import RolloutAdvanced, RouteChanged, SessionChanged


@dataclass(frozen=True, slots=True)
class ProgressRow:
    """While ``upgraded`` of ``nodes`` had an available agent of the new release, from ``start_us`` to ``end_us``, the
    prefix never had fewer next hops at the router, and the router never fewer sessions. The last step lasts to the
    horizon, for sessions return after the rollout's end."""

    fault: str | int
    router: str
    prefix: str
    service: str
    upgraded: int
    nodes: int
    start_us: int
    end_us: int
    min_next_hops: int
    min_sessions: int


class _Count:
    """A number that goes up and down, as it stands between instants."""

    def __init__(self, start: int, changes: Iterable[tuple[int, int]]) -> None:
        self._times_us, self._values = [-1], [start]
        for time_us, change in changes:
            if time_us != self._times_us[-1]:
                self._times_us.append(time_us)
                self._values.append(self._values[-1])
            self._values[-1] += change

    def least(self, start_us: int, end_us: int) -> int:
        """The least it is from ``start_us`` until before ``end_us``."""
        first = bisect_right(self._times_us, start_us) - 1
        return min(self._values[first : bisect_left(self._times_us, end_us)])


def progress(run: Observed) -> list[ProgressRow]:
    """The steps of every rollout, for each service prefix at each router to which it is announced."""
    steps = list(_steps(run))
    if not steps:
        return []
    places = [
        (router.name, prefix, service.name)
        for router in run.plan.routers
        for service in run.plan.services
        for prefix in service.prefixes
        if any(prefix in peering.prefixes for peering in run.plan.peerings if peering.router == router.name)
    ]
    hops, sessions = _hops(run, {place[:2] for place in places}), _sessions(run)
    return [
        ProgressRow(
            at.fault,
            *place,
            at.upgraded,
            at.nodes,
            at.time_us,
            end_us,
            hops[place[:2]].least(at.time_us, end_us),
            sessions[place[0]].least(at.time_us, end_us),
        )
        for place in places
        for at, end_us in steps
    ]


def _steps(run: Observed) -> Iterator[tuple[RolloutAdvanced, int]]:
    """One rollout is on at a time: each step ends where the next begins; those of no duration are left out."""
    facts = run.timeline.of(RolloutAdvanced)
    yield from ((fact, after.time_us) for fact, after in pairwise(facts) if fact.time_us < after.time_us)
    if facts:
        yield facts[-1], run.timeline.horizon_us


def _hops(run: Observed, places: set[tuple[str, str]]) -> dict[tuple[str, str], _Count]:
    start = run.timeline.start.next_hops
    changes: dict[tuple[str, str], list[tuple[int, int]]] = {place: [] for place in places}
    for fact in run.timeline.of(RouteChanged):
        change = {"added": 1, "withdrawn": -1}.get(fact.event)
        if change is not None and (fact.router, fact.prefix) in changes:
            changes[fact.router, fact.prefix].append((fact.time_us, change))
    return {
        (router, prefix): _Count(len(start.get(router, {}).get(prefix, ())), found)
        for (router, prefix), found in changes.items()
    }


def _sessions(run: Observed) -> dict[str, _Count]:
    changes: dict[str, list[tuple[int, int]]] = {router.name: [] for router in run.plan.routers}
    for fact in run.timeline.of(SessionChanged):
        if fact.side == "router" and "established" in (fact.from_state, fact.to_state):
            changes[fact.router].append((fact.time_us, 1 if fact.to_state == "established" else -1))
    start = dict.fromkeys(changes, 0)
    for peering in run.plan.peerings:
        start[peering.router] += not run.plan.cold_start
    return {name: _Count(start[name], found) for name, found in changes.items()}
