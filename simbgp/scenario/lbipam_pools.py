"""The pools of LB-IPAM: their ranges, conflicts among them, and the address that is given next.

Source: cilium ``operator/pkg/lbipam/range_store.go``, ``lbipam.go`` (``checkPools``, ``handleNewPool``); the order
within a pool is that of ``pkg/ipalloc`` (the first address of the smallest free block).
"""

import heapq
import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf

from simbgp.scenario.crd_pools import IpBlock, IpPool
from simbgp.scenario.lbipam_requests import Address, address_of, network_ends
from simbgp.scenario.lbipam_sharing import Owners, Sharer


@dataclass(eq=False)
class Range:
    """A block of a pool; ``taken`` has the owners of each address that is given, none of a reserved one."""

    pool: IpPool
    first: Address
    last: Address
    taken: dict[Address, Owners] = field(default_factory=dict)
    conflict: str | None = None
    _shared: dict[str, list[Address]] = field(default_factory=dict)
    """By sharing key, in the order in which they were given."""
    _free: list[tuple[int, int]] | None = None
    """A heap of the free blocks, size and first address of each; None: to be made."""

    @property
    def disabled(self) -> bool:
        """Whether nothing new is given from it."""
        return self.pool.spec.disabled or self.conflict is not None

    @property
    def ends(self) -> tuple[int, int]:
        """The first and the last address as numbers."""
        return int(self.first), int(self.last)

    def overlaps(self, other: "Range") -> bool:
        """Whether both have an address in common."""
        low, high = max(self.ends[0], other.ends[0]), min(self.ends[1], other.ends[1])
        return self.first.version == other.first.version and low <= high

    def free(self) -> Address | None:
        """The first address of the smallest free block."""
        if self._free is None:
            edges = [int(self.first) - 1, *sorted(map(int, self.taken)), int(self.last) + 1]
            self._free = [(b - a - 1, a + 1) for a, b in itertools.pairwise(edges) if b - a > 1]
            heapq.heapify(self._free)
        return type(self.first)(self._free[0][1]) if self._free else None

    def shareable(self, service: Sharer) -> Address | None:
        """The first address that it can have with those that have it."""
        known = self._shared.get(service.key, ()) if service.key else ()
        return next((address for address in known if self.taken[address].admits(service)), None)

    def take(self, address: Address, service: Sharer) -> None:
        """Give the address to a service, beside those that have it."""
        if address not in self.taken:
            if self._free and self._free[0][1] == int(address):
                size, first = heapq.heappop(self._free)
                if size > 1:
                    heapq.heappush(self._free, (size - 1, first + 1))
            else:
                self._free = None
            self.taken[address] = Owners()
            self._shared.setdefault(service.key, []).append(address)
        self.taken[address].add(service)

    def size(self) -> int:
        """How many addresses there are."""
        return int(self.last) - int(self.first) + 1


def ranges_of(pools: Iterable[IpPool], abilities: Collection[str], warnings: list[str]) -> list[Range]:
    """The ranges of all pools, conflicts marked; ``abilities`` are those of the release's LB-IPAM."""
    found = [made for pool in pools for made in _ranges(pool, abilities, warnings)]
    _mark_conflicts(found)
    return found


def _mark_conflicts(ranges: Sequence[Range]) -> None:
    """A pool that overlaps itself, or is later than one that it overlaps, is in conflict and gives nothing."""
    for _, own in itertools.groupby(ranges, key=lambda entry: id(entry.pool)):
        _mark_overlap_of_one(list(own))
    _spread(ranges)
    for version in (4, 6):
        _mark_later([entry for entry in ranges if entry.first.version == version])
    _spread(ranges)


def _mark_overlap_of_one(pool: Sequence[Range]) -> None:
    """Marks the first range of a pool that overlaps another; the message has the first of those."""
    overlapping: list[int] = []
    highest: tuple[int, int] | None = None
    places = sorted(range(len(pool)), key=lambda place: (pool[place].first.version, pool[place].ends))
    for place, following in itertools.zip_longest(places, places[1:]):
        entry = pool[place]
        within = highest is not None and (entry.first.version, entry.ends[0]) <= highest
        if within or (following is not None and entry.overlaps(pool[following])):
            overlapping.append(place)
        end = entry.first.version, entry.ends[1]
        highest = end if highest is None else max(highest, end)
    if overlapping:
        first = min(overlapping)
        _mark(pool[first], next(late for late in pool[first + 1 :] if late.overlaps(pool[first])))


def _mark_later(ranges: Sequence[Range]) -> None:
    """Marks, of one IP version, each range that overlaps an earlier one without conflict; the message has that."""
    apart: list[tuple[int, int, int]] = []
    """Both ends and the place of those without conflict so far, none of which overlaps another."""
    for place, late in enumerate(ranges):
        if late.conflict is not None:
            continue
        low, high = late.ends
        begin = bisect_left(apart, (low,))
        if begin > 0 and apart[begin - 1][1] >= low:
            begin -= 1
        rivals = apart[begin : bisect_right(apart, (high, inf))]
        if rivals:
            _mark(late, ranges[min(rival[2] for rival in rivals)])
        else:
            apart.insert(begin, (low, high, place))


def _mark(entry: Range, rival: Range) -> None:
    message = f"Pool conflicts since range '{_shown(entry)}' overlaps range '{_shown(rival)}'"
    entry.conflict = f"{message} from IP Pool '{rival.pool.metadata.name}'"


def _spread(ranges: Sequence[Range]) -> None:
    """A conflict is one of the whole pool; that of its first range is told."""
    broken = {r.pool.metadata.name: r.conflict for r in reversed(ranges) if r.conflict}
    for entry in ranges:
        entry.conflict = broken.get(entry.pool.metadata.name)


def _ranges(pool: IpPool, abilities: Collection[str], warnings: list[str]) -> Iterator[Range]:
    """Its ranges up to the first block that the operator cannot read: that one ends its work on the pool."""
    name = pool.metadata.name
    if pool.spec.cidrs and "reads-cidrs" not in abilities:
        gone = "spec.cidrs is no more since Cilium 1.16: nothing is given from it; write spec.blocks"
        warnings.append(f"CiliumLoadBalancerIPPool {name}: {gone}")
    own_ends = pool.spec.allow_first_last_ips or ("Yes" if "gives-ends" in abilities else "No")
    for block in (*(pool.spec.cidrs if "reads-cidrs" in abilities else ()), *pool.spec.blocks):
        try:
            first, last = _ends(block)
        except ValueError as error:
            log = f'the operator logs "pool upsert failed", error="poolOnUpsert: handleNewPool: {error}"'
            warnings.append(f"CiliumLoadBalancerIPPool {name}: its blocks from this one on give nothing: {log}")
            return
        made = Range(pool, first, last)
        if block.cidr is not None and own_ends == "No" and made.size() > 2:
            made.taken |= {made.first: Owners(), made.last: Owners()}
        yield made


def _ends(block: IpBlock) -> tuple[Address, Address]:
    """The first and the last address. ValueError in the operator's words (pkg/ipalloc, NewHashAllocator)."""
    if block.cidr is not None:
        return network_ends(block.cidr)
    if block.start is None:
        raise ValueError("error parsing ip block: error parsing start ip '': ParseAddr(\"\"): unable to parse IP")
    first = address_of(block.start)
    last = address_of(block.stop) if block.stop is not None else first
    if first.version != last.version:
        raise ValueError("error making LB Range for '': 'start' must be the same address family as 'stop'")
    if int(first) > int(last):
        raise ValueError("error making LB Range for '': 'start' must be less then or equal to 'stop'")
    return first, last


def _shown(entry: Range) -> str:
    return f"{entry.first} - {entry.last}"
