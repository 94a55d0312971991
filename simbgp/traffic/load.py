"""Load: which share of the service traffic each router sends to each node, whenever it changes."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from simbgp.scenario.plan import Plan
from simbgp.timeline import Timeline
from simbgp.traffic.history import History
from simbgp.traffic.inflow import Inflow
from simbgp.traffic.populations import settled


@dataclass(frozen=True, slots=True)
class LoadRow:
    """From ``time_us`` on ``router`` sends this share of the service traffic that it receives to ``node``.

    Of a spine, ``node`` is a router below it.
    """

    time_us: int
    router: str
    node: str
    share: float


def load(plan: Plan, timeline: Timeline, seed: int = 0, run: int = 0) -> list[LoadRow]:
    """One row per router, node and change, from time 0 on; every service prefix has the same traffic.

    The shares of a router sum to 1, or to less while a prefix has no next hop there. A router below spines that sends
    nothing because it gets nothing has shares of 0. A service that is created during the run has traffic from then on.
    """
    history = settled(plan, timeline, seed, run)
    inflow = Inflow(plan, history)
    rows = [row for router in plan.forwarders for row in _rows(plan, history, inflow, router.name)]
    return sorted(rows, key=lambda row: row.time_us)


def node_loads(plan: Plan, rows: list[LoadRow]) -> Iterator[tuple[int, dict[str, float]]]:
    """What each node is sent of all the service traffic, whenever it changes, from all the rows of a run.

    Clients enter at all spines in equal shares, without spines at all routers.
    """
    spines = {spine.name for spine in plan.fabric}
    entries = len(spines) or len(plan.routers)
    shares: dict[str, dict[str, float]] = defaultdict(dict)
    for time_us, now in groupby(sorted(rows, key=attrgetter("time_us")), key=attrgetter("time_us")):
        for row in now:
            shares[row.node][row.router] = row.share
        arrives = {router.name: sum(shares[router.name].values()) if spines else 1.0 for router in plan.routers}
        sent = {node: by_router for node, by_router in shares.items() if node not in arrives}
        yield time_us, {n: sum(s * arrives[r] for r, s in by.items()) / entries for n, by in sent.items()}


def _rows(plan: Plan, history: History, inflow: Inflow, router: str) -> list[LoadRow]:
    of_services = [prefix for service in plan.services for prefix in service.prefixes]
    since = {prefix: since_us for prefix in of_services if (since_us := history.since_us(router, prefix)) is not None}
    nodes = dict.fromkeys(node for prefix in since for node in history.origins(router, prefix))
    times = {max(time_us, since[prefix], 0) for prefix in since for time_us in inflow.times(router, prefix)}
    rows: list[LoadRow] = []
    before: dict[str, float] = {}
    for time_us in sorted(times):
        present = [prefix for prefix in since if since[prefix] <= time_us]
        shares = _shares(history, inflow, router, present, time_us)
        for node in nodes:
            share = shares.get(node, 0.0)
            if before.get(node) != share:
                rows.append(LoadRow(time_us, router, node, share))
                before[node] = share
    return rows


def _shares(history: History, inflow: Inflow, router: str, prefixes: list[str], time_us: int) -> dict[str, float]:
    sizes: dict[str, int] = {}
    total = 0
    for prefix in prefixes:
        spread = inflow.spread(router, prefix, time_us)
        total += spread.total - spread.astray
        for node, size in zip(history.groups(router, prefix).at(time_us).members, spread.sizes, strict=True):
            sizes[node] = sizes.get(node, 0) + size
    return {node: size / total for node, size in sizes.items()} if total else {}
