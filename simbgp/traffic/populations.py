"""Who talks to each service in one run, and what their packets leave behind in the routers' next-hop groups."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from simbgp.scenario.plan import Plan, ServicePlan, TrafficPlan
from simbgp.timeline import FaultLog, Timeline
from simbgp.traffic.causes import Causes
from simbgp.traffic.connections import Connections
from simbgp.traffic.datapath import Datapath
from simbgp.traffic.flows import Counts, counts, draw
from simbgp.traffic.history import History
from simbgp.traffic.packets import Merged
from simbgp.traffic.resilient import Usage

_MOST_ROUNDS = 40

Entry = tuple[str, str]
"""Router or spine, and prefix."""


@dataclass(frozen=True, slots=True)
class Draws:
    """What of one run decides who its clients are."""

    seed: int
    run: int


def entries_of(history: History, service: ServicePlan) -> list[Entry]:
    """Where clients of a service enter."""
    return history.entries(service.prefixes)


def sizes(traffic: TrafficPlan, history: History, entries: list[Entry], draws: Draws) -> Counts:
    """How many connections enter at each: at all routers (or spines) in equal shares, there at all of its prefixes."""
    at_router = Counter(router for router, _ in entries)
    shares = [1 / (len(at_router) * at_router[router]) for router, _ in entries]
    return counts(traffic, history.horizon_us, shares, draws.seed, draws.run)


def populations(
    plan: Plan, history: History, faults: FaultLog, traffic: TrafficPlan, service: ServicePlan, draws: Draws
) -> Iterator[tuple[Entry, Connections, Causes]]:
    """The populations of a service that can meet anything, after their run."""
    entries = entries_of(history, service)
    many = sizes(traffic, history, entries, draws)
    for (router, prefix), now, later in zip(entries, many.open, many.arriving, strict=bool(entries)):
        path = Datapath(plan, history, router, prefix, service)
        disturbed = path.disturbed(history.horizon_us)
        if disturbed is None:
            continue
        since_us, until_us = disturbed
        if _remembering(history, (router, prefix)):  # what is not hurt itself is still seen by the group
            since_us, until_us = 0, history.horizon_us
        name = f"{router}/{prefix}"
        flows = draw(traffic, name, now, later, until_us, history.horizon_us, draws.seed, draws.run)
        causes = Causes(path, faults)
        hurt = Connections(plan, traffic, path, flows.lasting_until(since_us), causes, history.horizon_us)
        hurt.run()
        yield (router, prefix), hurt, causes


def settled(plan: Plan, timeline: Timeline, seed: int = 0, run: int = 0) -> History:
    """The history of a run with all next-hop groups as its traffic leaves them.

    What a resilient group does at a moment depends on the packets before, and these on what it did earlier: a round
    with all connections gets at least one more change of each group right, and ends when nothing changes any more.
    """
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
            for entry, hurt, _ in populations(plan, history, FaultLog(timeline), traffic, service, draws):
                for router, prefix in _remembering(history, entry):
                    seen[router, prefix].append(hurt.packets_at(router))
    changed = [history.use(*group, Merged(parts)) for group, parts in seen.items()]
    return any(changed)


def _remembering(history: History, entry: Entry) -> list[Entry]:
    """The groups on the way from an entry whose state depends on the packets that they met."""
    return [(r, entry[1]) for r in history.on_the_way(*entry) if history.remembers(r, entry[1])]
