"""Next-hop groups: which member of a group a flow's hash belongs to.

Every group has the same face: `NextHopGroup.owners` for many flows, `NextHopGroup.sizes` for the exact fractions.
"""

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from simbgp.scenario.plan import Plan
from simbgp.timeline import require
from simbgp.traffic.lookup import FEW, how_many_reached
from simbgp.traffic.mixing import uniform
from simbgp.traffic.plan_index import index_of

ALL_HASHES = 2**32
_CELLS = 2**16


class Bands(NamedTuple):
    """Members own bands of the hash space: the hashes from the last end to before the next go to its owner."""

    ends: NDArray[np.int64]
    owners: NDArray[np.int64]


class Cycle(NamedTuple):
    """Members own remainders: a hash goes to the owner at its remainder by the length."""

    owners: NDArray[np.int64]


class NextHopGroup(Protocol):
    """An ordered, non-empty list of next hops and a rule that gives every hash to one of them."""

    def owners(self, hashes: NDArray[np.uint32]) -> NDArray[np.int64]:
        """The index of the member that gets each 32-bit hash."""
        ...

    def sizes(self) -> NDArray[np.int64]:
        """How many of the 2^32 hashes each member gets."""
        ...

    def shape(self) -> Bands | Cycle | None:
        """Which hashes those are; None if they are scattered as if drawn for each member anew."""
        ...


class HashThreshold:
    """One region of the hash space per member (RFC 2992), bounds and weights as in Linux.

    The kernel compares the upper 31 bits of the flow's hash with the bounds
    ``DIV_ROUND_CLOSEST(2^31 * weight so far, total weight) - 1`` (`nh_hthr_group_rebalance`, `fib_rebalance`). A dead
    member stands in the list with weight 0: it has no region.
    """

    def __init__(self, weights: tuple[int, ...]) -> None:
        total = sum(weights)
        self.bounds = ((np.cumsum(weights, dtype=np.int64) << 31) + total // 2) // total - 1
        ends = (self.bounds + 1) * 2
        self._ends = ends[ends < ALL_HASHES].astype(np.uint32)
        """The first whole hash beyond each region that has any beyond it."""
        require(int(self.bounds[-1]) == 2**31 - 1, "the regions of a next-hop group cover the hash space")

    def owners(self, hashes: NDArray[np.uint32]) -> NDArray[np.int64]:
        """The first member whose bound is not below the hash."""
        if len(self._ends) <= FEW or len(hashes) < _CELLS:
            return self._searched(hashes)
        owners = np.take(self._cells, hashes >> np.uint32(16))
        unsure = np.flatnonzero(owners < 0)
        owners[unsure] = self._searched(hashes[unsure])
        return owners

    @cached_property
    def _cells(self) -> NDArray[np.int64]:
        """The member of all hashes with the same upper 16 bits, -1 where a bound lies among them."""
        first = np.arange(_CELLS, dtype=np.uint32) << np.uint32(16)
        lowest, highest = self._searched(first), self._searched(first | np.uint32(0xFFFF))
        return np.where(lowest == highest, lowest, -1)

    def _searched(self, hashes: NDArray[np.uint32]) -> NDArray[np.int64]:
        if len(self._ends) > FEW:
            return np.searchsorted(self.bounds, (hashes >> np.uint32(1)).astype(np.int64))
        return how_many_reached(self._ends, hashes)

    def sizes(self) -> NDArray[np.int64]:
        """The width of each region."""
        return self._sizes

    @cached_property
    def _sizes(self) -> NDArray[np.int64]:
        return np.diff(self.bounds, prepend=-1) * 2

    def shape(self) -> Bands:
        """The regions, in whole hashes."""
        return Bands((self.bounds + 1) * 2, np.arange(len(self.bounds)))


class Modulo:
    """The hash modulo the number of places; a member of weight w has w places side by side (RFC 2991, modulo-N)."""

    def __init__(self, weights: tuple[int, ...]) -> None:
        self._places = np.repeat(np.arange(len(weights)), weights)
        self._weights = weights

    def owners(self, hashes: NDArray[np.uint32]) -> NDArray[np.int64]:
        """The member at the place that the remainder names."""
        return np.take(self._places, hashes % np.uint32(len(self._places)))

    def sizes(self) -> NDArray[np.int64]:
        """How many of the 2^32 hashes leave each remainder; the first remainders have one more."""
        least, more = divmod(ALL_HASHES, len(self._places))
        of_places = np.full(len(self._places), least)
        of_places[:more] += 1
        return np.bincount(self._places, of_places).astype(np.int64)

    def shape(self) -> Cycle:
        """The places."""
        return Cycle(self._places)


class Sprayed:
    """Packets in turn, whatever their flow: shares alone are known, for a scenario with clients is refused."""

    def __init__(self, weights: tuple[int, ...]) -> None:
        self._shares = HashThreshold(weights)

    def owners(self, hashes: NDArray[np.uint32]) -> NDArray[np.int64]:
        """A member for each packet, if every packet has a hash of its own."""
        return self._shares.owners(hashes)

    def sizes(self) -> NDArray[np.int64]:
        """What each member gets of 2^32 packets."""
        return self._shares.sizes()

    def shape(self) -> None:
        """None: which member has a packet says nothing of what another router does with it."""


class Hrw:
    """Highest random weight (RFC 2991): the member whose own hash of the flow is greatest, ``-weight / ln(u)``.

    ``salts`` tell members apart, whatever their place in the group. A region has no shape here, so `sizes` is its law.
    """

    def __init__(self, weights: tuple[int, ...], salts: Sequence[int]) -> None:
        self._weights, self._salts = weights, salts

    def owners(self, hashes: NDArray[np.uint32]) -> NDArray[np.int64]:
        """The winner of each hash, the first of equal ones."""
        keys = hashes.astype(np.uint64)
        owners, best = np.zeros(len(keys), dtype=np.int64), np.full(len(keys), -np.inf)
        for place, (weight, salt) in enumerate(zip(self._weights, self._salts, strict=True)):
            score = np.log(uniform(keys, np.full(1, salt)) + 2.0**-54) / weight
            wins = score > best
            owners[wins], best[wins] = place, score[wins]
        return owners

    def sizes(self) -> NDArray[np.int64]:
        """What each member gets in the mean."""
        bounds = np.cumsum(self._weights, dtype=np.int64) * ALL_HASHES // sum(self._weights)
        return np.diff(bounds, prepend=0)

    def shape(self) -> None:
        """None."""


class Buckets:
    """A table that gives each bucket to a member; the kernel takes the upper 31 bits of the hash modulo its length."""

    def __init__(self, table: bytes, members: int) -> None:
        self._owners = np.frombuffer(table, dtype=np.uint16).astype(np.int64)
        self._members = members

    def owners(self, hashes: NDArray[np.uint32]) -> NDArray[np.int64]:
        """The member of each hash's bucket."""
        return np.take(self._owners, (hashes >> np.uint32(1)) % np.uint32(len(self._owners)))

    def sizes(self) -> NDArray[np.int64]:
        """How many of the 2^32 hashes fall into each member's buckets."""
        least, more = divmod(ALL_HASHES // 2, len(self._owners))
        of_buckets = np.full(len(self._owners), least)
        of_buckets[:more] += 1
        return np.bincount(self._owners, of_buckets, minlength=self._members).astype(np.int64) * 2

    def shape(self) -> Cycle:
        """The buckets; two hashes that differ in the lowest bit share one."""
        return Cycle(np.repeat(self._owners, 2))


class Skipping:
    """A group that passes over members whose neighbour entry failed, without a new deal.

    Their flows go to the next reachable member, to the first if none follows (`nexthop_select_path_hthr`). A group
    without any reachable member sends as if all were.
    """

    def __init__(self, group: NextHopGroup, reachable: Sequence[bool]) -> None:
        self._group = group
        there = np.flatnonzero(reachable)
        after = np.searchsorted(there, np.arange(len(reachable))) % max(1, len(there))
        self._takers: NDArray[np.int64] = there[after] if len(there) else np.arange(len(reachable))

    def owners(self, hashes: NDArray[np.uint32]) -> NDArray[np.int64]:
        """The member that takes each hash."""
        owners: NDArray[np.int64] = self._takers[self._group.owners(hashes)]
        return owners

    def sizes(self) -> NDArray[np.int64]:
        """What each member has of its own and takes over."""
        return np.bincount(self._takers, self._group.sizes(), minlength=len(self._takers)).astype(np.int64)

    def shape(self) -> Bands | Cycle | None:
        """That of the group, in other hands."""
        shape = self._group.shape()
        return None if shape is None else shape._replace(owners=self._takers[shape.owners])


@lru_cache(maxsize=256)
def next_hop_group(kind: Literal["modulo", "hash-threshold"], weights: tuple[int, ...]) -> NextHopGroup:
    """The group of a router that hashes by ``kind``; ``weights`` are positive, one per member in the group's order."""
    return HashThreshold(weights) if kind == "hash-threshold" else Modulo(weights)


class NextHops(NamedTuple):
    """The next hops of a prefix at a router in the group's order, and those of them that the kernel skips."""

    members: tuple[str, ...]
    skipped: frozenset[str] = frozenset()
    table: bytes = b""
    """Of a resilient group: bucket -> place in ``members``, two bytes each."""

    def buckets_of(self, place: int) -> int:
        """How many buckets of the table a member has."""
        return int((np.frombuffer(self.table, dtype=np.uint16) == place).sum())


class Dealer:
    """Deals the hashes of a plan's routers to next hops."""

    def __init__(self, plan: Plan) -> None:
        index = index_of(plan)
        self._ecmp, self._weights = index.ecmp, index.weights
        self._salts = {name: place for place, name in enumerate(self._weights)}  # nodes, then routers

    def group(self, router: str, hops: NextHops) -> NextHopGroup:
        """The router's group of these next hops, of which there is at least one."""
        weights = tuple(self._weights[node] for node in hops.members)
        group: NextHopGroup
        match self._ecmp[router].hash:
            case "resilient":  # never asks whether a neighbour is there (nexthop_select_path_res)
                return Buckets(hops.table, len(hops.members))
            case "hrw":
                group = Hrw(weights, [self._salts[node] for node in hops.members])
            case "per-packet":
                there = tuple(0 if node in hops.skipped else self._weights[node] for node in hops.members)
                return Sprayed(there if any(there) else weights)
            case kind:
                group = next_hop_group(kind, weights)
        if not hops.skipped:
            return group
        return Skipping(group, [node not in hops.skipped for node in hops.members])
