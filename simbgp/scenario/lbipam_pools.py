"""The pools of LB-IPAM: their ranges, conflicts among them, and the address that is given next.

Source: cilium ``operator/pkg/lbipam/range_store.go``, ``lbipam.go`` (``checkPools``, ``handleNewPool``); the order
within a pool is that of ``pkg/ipalloc`` (the first address of the smallest free block).
"""

import heapq
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from simbgp.scenario.crd_pools import IpBlock, IpPool
from simbgp.scenario.k8s import ServiceObject
from simbgp.scenario.lbipam_requests import Address, address_of, labels_of, network_ends


@dataclass(eq=False)
class Range:
    """A block of a pool; ``taken`` has the services of each address that is given, none for a reserved one."""

    pool: IpPool
    first: Address
    last: Address
    taken: dict[Address, list[str]] = field(default_factory=dict)
    conflict: str | None = None
    _free: list[tuple[int, int]] | None = None
    """A heap of the free blocks, size and first address of each; None: to be made."""

    @property
    def disabled(self) -> bool:
        """Whether nothing new is given from it."""
        return self.pool.spec.disabled or self.conflict is not None

    def holds(self, address: Address) -> bool:
        """Whether it is within the block."""
        return address.version == self.first.version and int(self.first) <= int(address) <= int(self.last)

    def overlaps(self, other: "Range") -> bool:
        """Whether both have an address in common."""
        return self.holds(other.first) or self.holds(other.last) or other.holds(self.first)

    def free(self) -> Address | None:
        """The first address of the smallest free block."""
        if self._free is None:
            edges = [int(self.first) - 1, *sorted(map(int, self.taken)), int(self.last) + 1]
            self._free = [(b - a - 1, a + 1) for a, b in itertools.pairwise(edges) if b - a > 1]
            heapq.heapify(self._free)
        return type(self.first)(self._free[0][1]) if self._free else None

    def take(self, address: Address, service: str) -> None:
        """Give the address to a service, beside those that have it."""
        if address not in self.taken:
            if self._free and self._free[0][1] == int(address):
                size, first = heapq.heappop(self._free)
                if size > 1:
                    heapq.heappush(self._free, (size - 1, first + 1))
            else:
                self._free = None
        self.taken.setdefault(address, []).append(service)

    def size(self) -> int:
        """How many addresses there are."""
        return int(self.last) - int(self.first) + 1

    def selects(self, name: str, service: ServiceObject) -> bool:
        """Whether its pool is for the service."""
        selector = self.pool.spec.service_selector
        return selector is None or selector.matches(labels_of(name, service))


def ranges_of(pools: Iterable[IpPool], abilities: Collection[str], warnings: list[str]) -> list[Range]:
    """The ranges of all pools, conflicts marked; ``abilities`` are those of the release's LB-IPAM."""
    found = [made for pool in pools for made in _ranges(pool, abilities, warnings)]
    _mark_conflicts(found)
    return found


def _mark_conflicts(ranges: Sequence[Range]) -> None:
    """A pool that overlaps itself, or is later than one that it overlaps, is in conflict and gives nothing."""
    for place, early in enumerate(ranges):
        own = (late for late in ranges[place + 1 :] if late.pool is early.pool and late.overlaps(early))
        rival = next(own, None)
        if rival is not None and early.conflict is None:
            message = f"Pool conflicts since range '{_shown(early)}' overlaps range '{_shown(rival)}'"
            early.conflict = f"{message} from IP Pool '{early.pool.metadata.name}'"
    _spread(ranges)
    for place, late in enumerate(ranges):
        for early in ranges[:place]:
            if early.conflict is None and late.conflict is None and late.overlaps(early):
                message = f"Pool conflicts since range '{_shown(late)}' overlaps range '{_shown(early)}'"
                late.conflict = f"{message} from IP Pool '{early.pool.metadata.name}'"
                break
    _spread(ranges)


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
            made.taken |= {made.first: [], made.last: []}
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
