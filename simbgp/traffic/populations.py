"""Who talks to each service in one run, and what their packets leave behind in the routers' next-hop groups."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from simbgp.scenario.plan import Plan, ServicePlan, TrafficPlan
from simbgp.timeline import FaultLog, Timeline
from simbgp.traffic.addresses import addressed
from simbgp.traffic.affinity import Affinity
from simbgp.traffic.causes import Causes
from simbgp.traffic.connections import Connections
from simbgp.traffic.datapath import Datapath
from simbgp.traffic.flows import Counts, Flows, counts, draw
from simbgp.traffic.history import History
from simbgp.traffic.packets import Merged
from simbgp.traffic.reconnects import Reconnects, reconnects
from simbgp.traffic.resilient import Usage
from simbgp.traffic.steps import START_US
from simbgp.traffic.touched import Calm, only_touched

_MOST_ROUNDS = 40

Entry = tuple[str, str]
"""Router or spine, and prefix."""


@dataclass(frozen=True, slots=True)
class Draws:
    """What of one run decides who its clients are."""

    seed: int
    run: int


class Population(NamedTuple):
    """The connections that enter at one place, after their run, and what their clients did when these broke."""

    entry: Entry
    hurt: Connections
    causes: Causes
    reconnects: Reconnects | None


def entries_of(history: History, service: ServicePlan) -> list[Entry]:
    """Where clients of a service enter."""
    return history.entries(service.prefixes)


def sizes(traffic: TrafficPlan, history: History, entries: list[Entry], draws: Draws) -> Counts:
    """How many connections enter at each: at all routers (or spines) in equal shares, there at all of its prefixes."""
    at_router = Counter(router for router, _ in entries)
    shares = [1 / (len(at_router) * at_router[router]) for router, _ in entries]
    service = next(service for service in history.services if service.name == traffic.service)
    span_us = arrivals_us(history, service)
    return counts(traffic, span_us, shares, draws.seed, draws.run, service.added)


def arrivals_us(history: History, service: ServicePlan) -> tuple[int, int]:
    """From and until when clients of a service arrive: the whole run, or what of it is left once it is created."""
    first_us = history.added_us.get(service.name, history.horizon_us if service.added else 0)
    return first_us, history.horizon_us


def populations(
    plan: Plan,
    history: History,
    faults: FaultLog,
    traffic: TrafficPlan,
    service: ServicePlan,
    draws: Draws,
    many: Counts | None = None,
) -> Iterator[Population]:
    """The populations of a service that can meet anything, after their run; ``many`` is what `sizes` says, if known."""
    entries = entries_of(history, service)
    many = many or sizes(traffic, history, entries, draws)
    for (router, prefix), now, later in zip(entries, many.open, many.arriving, strict=bool(entries)):
        path = Datapath(plan, history, router, prefix, service)
        asked = _asked(path, history, (router, prefix))
        if asked is None:
            continue
        name = f"{router}/{prefix}"
        flows = draw(traffic, name, now, later, asked.until_us, arrivals_us(history, service), draws.seed, draws.run)
        if service.affinity_s is not None:
            flows = addressed(flows, traffic, name, draws.seed, draws.run)
        player = _Player(plan, history, traffic, path, Causes(path, faults), len(entries))
        hurt = player.play(only_touched(path, asked.calm, flows) if asked.calm else flows.before(asked.until_us))
        again = reconnects(hurt, player.play) if traffic.reconnects else None
        yield Population((router, prefix), hurt, player.causes, again)


class _Asked(NamedTuple):
    """Which connections are of interest: those that dial before ``until_us``, and of these, if none depends on another,
    only those to whom something happens where it is not ``calm``."""

    until_us: int
    calm: Calm | None


def _asked(path: Datapath, history: History, entry: Entry) -> _Asked | None:
    """Whose connections are to be played; None if nobody can meet anything."""
    until_us = path.disturbed_until(history.horizon_us)
    if until_us is None:
        return None
    if _remembering(history, entry):  # what is not hurt itself is still seen by the group
        return _Asked(history.horizon_us, None)
    if path.service.affinity_s is not None:  # and what ended before leaves its client's entry behind
        return _Asked(until_us, None)
    calm = Calm(path)
    return None if calm.newcomers_us == START_US else _Asked(min(until_us, calm.newcomers_us), calm)


class _Player:
    """Plays connections that enter at one place, in the order in which they are asked for."""

    def __init__(
        self, plan: Plan, history: History, traffic: TrafficPlan, path: Datapath, causes: Causes, entries: int
    ) -> None:
        self._plan, self._traffic, self._path, self.causes = plan, traffic, path, causes
        self._horizon_us = history.horizon_us
        self._affinity: Affinity | None = None
        self._visits_per_s = 0.0
        if traffic.clients:
            ways = entries * max(1, path.routing.most_nodes())
            self._visits_per_s = traffic.arrivals_per_s / (traffic.clients * ways)

    def play(self, flows: Flows) -> Connections:
        """Run more connections; the nodes remember the clients of those before."""
        self._remember(flows)
        played = Connections(
            self._plan, self._traffic, self._path, flows, self.causes, self._horizon_us, self._affinity
        )
        played.run()
        return played

    def _remember(self, flows: Flows) -> None:
        timeout_s = self._path.service.affinity_s
        if timeout_s is None:
            return
        if self._affinity is None:
            timeout_us = round(timeout_s * 1e6)
            self._affinity = Affinity(self._path, flows, timeout_us, self._visits_per_s, self._horizon_us)
        else:
            self._affinity = self._affinity.joined_by(flows)


_latest: tuple[Plan, Timeline, tuple[int, int, int], History] | None = None
"""What `settled` was asked last, and its answer."""


def settled(plan: Plan, timeline: Timeline, seed: int = 0, run: int = 0) -> History:
    """The history of a run with all next-hop groups as its traffic leaves them.

    What a resilient group does at a moment depends on the packets before, and these on what it did earlier: a round
    with all connections gets at least one more change of each group right, and ends when nothing changes any more.
    The latest is kept: windows, outcomes and load of one run ask for the same.
    """
    global _latest
    counts = len(timeline), seed, run
    if _latest is None or _latest[0] is not plan or _latest[1] is not timeline or _latest[2] != counts:
        _latest = plan, timeline, counts, _settled(plan, timeline, seed, run)
    return _latest[3]


def _settled(plan: Plan, timeline: Timeline, seed: int, run: int) -> History:
    history = History(plan, timeline)
    remembering = [s for s in history.services if any(_remembering(history, e) for e in entries_of(history, s))]
    for _ in range(_MOST_ROUNDS if remembering else 0):
        changed = [_round(plan, timeline, history, service, Draws(seed, run)) for service in remembering]
        if not any(changed):
            break
    return history


def _round(plan: Plan, timeline: Timeline, history: History, service: ServicePlan, draws: Draws) -> bool:
    seen: dict[Entry, list[Usage]] = {g: [] for e in entries_of(history, service) for g in _remembering(history, e)}
    for traffic in plan.traffic:
        if traffic.service == service.name:
            for entry, hurt, _, again in populations(plan, history, FaultLog(timeline), traffic, service, draws):
                played = (hurt, *(again.later if again else ()))
                for router, prefix in _remembering(history, entry):
                    seen[router, prefix] += [part.packets_at(router) for part in played]
    changed = [history.use(*group, Merged(parts)) for group, parts in seen.items()]
    return any(changed)


def _remembering(history: History, entry: Entry) -> list[Entry]:
    """The groups on the way from an entry whose state depends on the packets that they met."""
    return [(r, entry[1]) for r in history.on_the_way(*entry) if history.remembers(r, entry[1])]
