"""What a router gets of a prefix's traffic and how it spreads it: all hashes, or those that spines leave to it."""

from collections import Counter
from typing import NamedTuple

from simbgp.scenario.plan import Plan
from simbgp.traffic.ecmp import ALL_HASHES, Dealer, NextHops
from simbgp.traffic.history import History
from simbgp.traffic.plan_index import index_of
from simbgp.traffic.polarisation import joint


class Spread(NamedTuple):
    """Traffic in one unit: ``sizes`` of it per next hop, ``total`` in all.

    ``astray`` is of spines that have nobody to send to: lost there, and put down to the routers that they sent to last.
    """

    sizes: list[int]
    total: int
    astray: int = 0


class Inflow:
    """The spreads of one run. Under spines the unit is a spine's traffic over 2^64, for two hashes decide."""

    def __init__(self, plan: Plan, history: History) -> None:
        self._history, self._dealer = history, Dealer(plan)
        self._seeds = index_of(plan).hash_seeds
        alike: dict[tuple[str, int], str] = {}
        self._alike = {s.name: alike.setdefault((s.ecmp.hash, s.hash_seed), s.name) for s in plan.fabric}
        """For each spine the first that spreads flows as it does."""

    def spread(self, router: str, prefix: str, time_us: int) -> Spread:
        """What a router or a spine has at a moment, by next hop in the group's order."""
        hops = self._history.groups(router, prefix).at(time_us)
        spines = self._history.spines_over(router)
        if not spines:
            return Spread(self._dealer.group(router, hops).sizes().tolist() if hops.members else [], ALL_HASHES)
        sent, astray = Counter[tuple[str, NextHops]](), 0
        for spine in spines:
            upper = self._history.groups(spine, prefix).at(time_us)
            if router in upper.members:
                sent[self._alike[spine], upper] += 1
            elif not upper.members:
                last = self._history.last_routers(spine, prefix, time_us)
                astray += ALL_HASHES**2 // len(last) if router in last else 0
        sizes, total = [0] * len(hops.members), astray
        for (spine, upper), times in sent.items():
            part, below = self._through(spine, upper, router, hops)
            total += part * times
            sizes = [size + more * times for size, more in zip(sizes, below, strict=True)]
        return Spread(sizes, total, astray)

    def share(self, router: str, prefix: str, time_us: int) -> float:
        """Which share of a prefix's traffic, wherever it enters, the spines send to a router."""
        spread = self.spread(router, prefix, time_us)
        return (spread.total - spread.astray) / (len(self._history.entries({prefix})) * ALL_HASHES**2)

    def times(self, router: str, prefix: str) -> frozenset[int]:
        """When the spread may change."""
        names = (router, *self._history.spines_over(router))
        return frozenset(time_us for name in names for time_us in self._history.groups(name, prefix).times)

    def _through(self, spine: str, upper: NextHops, router: str, hops: NextHops) -> tuple[int, list[int]]:
        """What a spine sends to a router, and what of it goes to each of that router's next hops."""
        above, place = self._dealer.group(spine, upper), upper.members.index(router)
        part = int(above.sizes()[place])
        if not hops.members:
            return part * ALL_HASHES, []
        below = self._dealer.group(router, hops)
        both = None
        if self._seeds[spine] == self._seeds[router]:
            both = joint(above, place, below, len(hops.members))
        if both is None:
            return part * ALL_HASHES, [part * size for size in below.sizes().tolist()]
        return sum(both) * ALL_HASHES, [size * ALL_HASHES for size in both]
