"""Load: which share of the service traffic each router sends to each node, whenever it changes."""

from dataclasses import dataclass
from math import fsum

from simbgp.scenario.plan import Plan
from simbgp.timeline import Timeline
from simbgp.traffic.ecmp import next_hop_group
from simbgp.traffic.history import History


@dataclass(frozen=True, slots=True)
class LoadRow:
    """From ``time_us`` on ``router`` sends this share of the service traffic that it receives to ``node``."""

    time_us: int
    router: str
    node: str
    share: float


def load(plan: Plan, timeline: Timeline) -> list[LoadRow]:
    """One row per router, node and change, from time 0 on; every service prefix has the same traffic.

    The shares of a router sum to 1, or to less while a prefix has no next hop there.
    """
    history = History(plan, timeline)
    rows = [row for router in plan.routers for row in _rows(plan, history, router.name)]
    return sorted(rows, key=lambda row: row.time_us)


def _rows(plan: Plan, history: History, router: str) -> list[LoadRow]:
    of_services = [prefix for service in plan.services for prefix in service.prefixes]
    prefixes = [prefix for prefix in of_services if (router, prefix) in history.announced]
    nodes = dict.fromkeys(node for prefix in prefixes for node in history.origins(router, prefix))
    changes = {max(time_us, 0) for prefix in prefixes for time_us in history.next_hops(router, prefix).times}
    rows: list[LoadRow] = []
    before: dict[str, float] = {}
    for time_us in sorted(changes):
        shares = _shares(plan, history, router, prefixes, time_us)
        for node in nodes:
            share = shares.get(node, 0.0)
            if before.get(node) != share:
                rows.append(LoadRow(time_us, router, node, share))
                before[node] = share
    return rows


def _shares(plan: Plan, history: History, router: str, prefixes: list[str], time_us: int) -> dict[str, float]:
    kind = next(item.ecmp.hash for item in plan.routers if item.name == router)
    weights = {node.name: node.ecmp_weight for node in plan.nodes}
    parts: dict[str, list[float]] = {}
    for prefix in prefixes:
        members = history.next_hops(router, prefix).at(time_us)
        if members:
            group = next_hop_group(kind, tuple(weights[node] for node in members))
            for node, share in zip(members, group.shares(), strict=True):
                parts.setdefault(node, []).append(share)
    return {node: fsum(shares) / len(prefixes) for node, shares in parts.items()}
