"""Load: which share of the service traffic each router sends to each node, whenever it changes."""

from dataclasses import dataclass

from simbgp.scenario.plan import Plan
from simbgp.timeline import Timeline
from simbgp.traffic.ecmp import ALL_HASHES, Dealer, NextHops
from simbgp.traffic.history import History
from simbgp.traffic.populations import settled
from simbgp.traffic.steps import Steps


@dataclass(frozen=True, slots=True)
class LoadRow:
    """From ``time_us`` on ``router`` sends this share of the service traffic that it receives to ``node``."""

    time_us: int
    router: str
    node: str
    share: float


def load(plan: Plan, timeline: Timeline, seed: int = 0, run: int = 0) -> list[LoadRow]:
    """One row per router, node and change, from time 0 on; every service prefix has the same traffic.

    The shares of a router sum to 1, or to less while a prefix has no next hop there. A service that is created during
    the run has traffic from then on.
    """
    history, dealer = settled(plan, timeline, seed, run), Dealer(plan)
    rows = [row for router in plan.routers for row in _rows(plan, history, dealer, router.name)]
    return sorted(rows, key=lambda row: row.time_us)


def _rows(plan: Plan, history: History, dealer: Dealer, router: str) -> list[LoadRow]:
    of_services = [prefix for service in plan.services for prefix in service.prefixes]
    prefixes = [prefix for prefix in of_services if (router, prefix) in history.announced]
    nodes = dict.fromkeys(node for prefix in prefixes for node in history.origins(router, prefix))
    groups = [(history.announced[router, prefix], history.groups(router, prefix)) for prefix in prefixes]
    rows: list[LoadRow] = []
    before: dict[str, float] = {}
    for time_us in sorted({max(time_us, since_us, 0) for since_us, steps in groups for time_us in steps.times}):
        present = [steps for since_us, steps in groups if since_us <= time_us]
        shares = _shares(dealer, router, present, time_us)
        for node in nodes:
            share = shares.get(node, 0.0)
            if before.get(node) != share:
                rows.append(LoadRow(time_us, router, node, share))
                before[node] = share
    return rows


def _shares(dealer: Dealer, router: str, groups: list[Steps[NextHops]], time_us: int) -> dict[str, float]:
    sizes: dict[str, int] = {}
    for steps in groups:
        hops = steps.at(time_us)
        if hops.members:
            for node, size in zip(hops.members, dealer.group(router, hops).sizes().tolist(), strict=True):
                sizes[node] = sizes.get(node, 0) + size
    return {node: size / (ALL_HASHES * len(groups)) for node, size in sizes.items()}
