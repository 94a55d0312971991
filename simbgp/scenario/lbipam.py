"""LB-IPAM: which address a LoadBalancer Service gets from which pool.

Source: cilium ``operator/pkg/lbipam/lbipam.go``; the order within a pool is that of ``pkg/ipalloc`` (the first address
of the smallest free block).
"""

import ipaddress
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from simbgp.scenario.crds import IpBlock, IpPool
from simbgp.scenario.k8s import ServiceObject

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_IPS = ("lbipam.cilium.io/ips", "io.cilium/lb-ipam-ips")
_SHARING = ("lbipam.cilium.io/sharing-key", "io.cilium/lb-ipam-sharing-key")
CLASSES = (None, "io.cilium/bgp-control-plane")
"""Load balancer classes that the BGP control plane announces, and that LB-IPAM serves with it."""


@dataclass
class Range:
    """A block of a pool; ``taken`` has the services of each address that is given, none for a reserved one."""

    pool: IpPool
    first: Address
    last: Address
    taken: dict[Address, list[str]] = field(default_factory=dict)
    conflict: str | None = None

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
        edges = [int(self.first) - 1, *sorted(map(int, self.taken)), int(self.last) + 1]
        gaps = [(b - a - 1, a + 1) for a, b in itertools.pairwise(edges) if b - a > 1]
        return type(self.first)(min(gaps)[1]) if gaps else None

    def size(self) -> int:
        """How many addresses there are."""
        return int(self.last) - int(self.first) + 1


@dataclass(frozen=True)
class Given:
    """What a Service got: addresses, and LB-IPAM's condition ``cilium.io/IPAMRequestSatisfied``."""

    addresses: tuple[str, ...]
    satisfied: bool
    reason: str
    message: str


class LbIpam:
    """All pools, and what is given from them. Services are served in order; addresses they already have come first."""

    def __init__(self, pools: Iterable[IpPool], services: Sequence[tuple[str, ServiceObject]]) -> None:
        self.warnings: list[str] = []
        """What the operator logs about pools that it cannot read."""
        self.ranges = [made for pool in pools for made in _ranges(pool, self.warnings)]
        self._conflicts()
        wanting = [(name, service) for name, service in services if responsible(service)] if self.ranges else []
        kept = {name: self._keep(name, service) for name, service in wanting}
        self.given: Mapping[str, Given] = {
            name: self._serve(name, service, list(kept[name]), sharing_key(service)) for name, service in wanting
        }

    def _conflicts(self) -> None:
        """A pool that overlaps itself, or is later than one that it overlaps, is in conflict and gives nothing."""
        for place, early in enumerate(self.ranges):
            own = (late for late in self.ranges[place + 1 :] if late.pool is early.pool and late.overlaps(early))
            rival = next(own, None)
            if rival is not None and early.conflict is None:
                message = f"Pool conflicts since range '{_shown(early)}' overlaps range '{_shown(rival)}'"
                early.conflict = f"{message} from IP Pool '{early.pool.metadata.name}'"
        self._spread()
        for place, late in enumerate(self.ranges):
            for early in self.ranges[:place]:
                if early.conflict is None and late.conflict is None and late.overlaps(early):
                    message = f"Pool conflicts since range '{_shown(late)}' overlaps range '{_shown(early)}'"
                    late.conflict = f"{message} from IP Pool '{early.pool.metadata.name}'"
                    break
        self._spread()

    def _spread(self) -> None:
        """A conflict is one of the whole pool; that of its first range is told."""
        broken = {r.pool.metadata.name: r.conflict for r in reversed(self.ranges) if r.conflict}
        for entry in self.ranges:
            entry.conflict = broken.get(entry.pool.metadata.name)

    def _keep(self, name: str, service: ServiceObject) -> Iterator[Address]:
        """Addresses of the status that a pool of the service has, and that are free."""
        found = []
        for ingress in service.status.load_balancer.ingress:
            if ingress.ip is None:
                continue
            address = ipaddress.ip_address(ingress.ip)
            if requested(service) and address not in requested(service):
                continue
            place = self._range_of(address, name, service)
            if isinstance(place, Range) and address not in place.taken:
                place.taken[address] = [name]
                found.append(address)
        return iter(found)

    def _range_of(self, address: Address, name: str, service: ServiceObject) -> "Range | bool":
        """The range that has the address for this service, else whether any pool has it at all."""
        known = [entry for entry in self.ranges if not entry.disabled and entry.holds(address)]
        chosen = (entry for entry in known if _selects(entry.pool, name, service))
        return next(chosen, bool(known))

    def _serve(self, name: str, service: ServiceObject, has: list[Address], key: str | None) -> Given:
        refused = ("", "")
        for wanted in requested(service):
            if wanted not in has:
                refused = self._specific(name, service, wanted, key) or refused
                if not refused[0] or wanted in self._of(name):
                    has.append(wanted)
        for version in () if requested(service) else families(service):
            if all(address.version != version for address in has):
                got = self._any(name, service, version, key)
                if isinstance(got, tuple):
                    refused = got
                else:
                    has.append(got)
        shown = tuple(str(address) for address in has)
        return Given(shown, not refused[0], refused[0] or "satisfied", refused[1])

    def _of(self, name: str) -> set[Address]:
        return {address for entry in self.ranges for address, owners in entry.taken.items() if name in owners}

    def _specific(self, name: str, service: ServiceObject, wanted: Address, key: str | None) -> tuple[str, str] | None:
        """Takes an address that the service asks for, or says why not."""
        place = self._range_of(wanted, name, service)
        if place is True:
            what = f"The pool with the CIDR containing '{wanted}', doesn't select this service"
            return "pool_selector_mismatch", what
        if not isinstance(place, Range):
            return "no_pool", f"No pool exists with a CIDR containing '{wanted}'"
        owners = place.taken.setdefault(wanted, [])
        if owners and key is None:
            return "already_allocated", f"The IP '{wanted}' is already allocated to another service"
        owners.append(name)
        return None

    def _any(self, name: str, service: ServiceObject, version: int, key: str | None) -> "Address | tuple[str, str]":
        full = False
        for entry in self.ranges:
            if entry.disabled or entry.first.version != version or not _selects(entry.pool, name, service):
                continue
            address = entry.free()
            if address is not None:
                entry.taken[address] = [name]
                return address
            full = True
        if full:
            what = "All enabled CiliumLoadBalancerIPPools that match this service ran out of allocatable IPs"
            return "out_of_ips", what
        return "no_pool", "There are no enabled CiliumLoadBalancerIPPools that match this service"


def _ranges(pool: IpPool, warnings: list[str]) -> Iterator[Range]:
    """Its ranges up to the first block that the operator cannot read: that one ends its work on the pool."""
    for block in pool.spec.blocks:
        try:
            ends = _ends(block)
        except ValueError as error:
            name = pool.metadata.name
            log = f'the operator logs "pool upsert failed", error="poolOnUpsert: handleNewPool: {error}"'
            warnings.append(f"CiliumLoadBalancerIPPool {name}: its blocks from this one on give nothing: {log}")
            return
        made = Range(pool, *ends)
        if block.cidr is not None and pool.spec.allow_first_last_ips == "No" and made.size() > 2:
            made.taken |= {made.first: [], made.last: []}
        yield made


def _ends(block: IpBlock) -> tuple[Address, Address]:
    """The first and the last address. ValueError in the operator's words (pkg/ipalloc, NewHashAllocator)."""
    if block.cidr is not None:
        network = ipaddress.ip_network(block.cidr)
        return network[0], network[-1]
    if block.start is None:
        raise ValueError("error parsing ip block: error parsing start ip '': ParseAddr(\"\"): unable to parse IP")
    first = ipaddress.ip_address(block.start)
    last = ipaddress.ip_address(block.stop) if block.stop is not None else first
    if first.version != last.version:
        raise ValueError("error making LB Range for '': 'start' must be the same address family as 'stop'")
    if int(first) > int(last):
        raise ValueError("error making LB Range for '': 'start' must be less then or equal to 'stop'")
    return first, last


def _shown(entry: Range) -> str:
    return f"{entry.first} - {entry.last}"


def _selects(pool: IpPool, name: str, service: ServiceObject) -> bool:
    selector = pool.spec.service_selector
    return selector is None or selector.matches(labels_of(name, service))


def labels_of(name: str, service: ServiceObject) -> dict[str, str]:
    """Its labels and Cilium's two pseudo-labels."""
    namespace, _, own = name.rpartition("/")
    pseudo = {"io.kubernetes.service.name": own, "io.kubernetes.service.namespace": namespace}
    return dict(service.metadata.labels or {}) | pseudo


def responsible(service: ServiceObject) -> bool:
    """Whether LB-IPAM gives this service its address."""
    return service.spec.type == "LoadBalancer" and service.spec.load_balancer_class in CLASSES


def requested(service: ServiceObject) -> tuple[Address, ...]:
    """The addresses that the service asks for."""
    annotations = service.metadata.annotations or {}
    text = next((annotations[key] for key in _IPS if annotations.get(key)), "")
    wanted = [service.spec.load_balancer_ip] if service.spec.load_balancer_ip else []
    wanted += [part.strip() for part in text.split(",") if _is_address(part.strip())]
    return tuple(dict.fromkeys(ipaddress.ip_address(part) for part in wanted))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def sharing_key(service: ServiceObject) -> str | None:
    """The key under which services share an address."""
    annotations = service.metadata.annotations or {}
    return next((annotations[key] for key in _SHARING if annotations.get(key)), None)


def families(service: ServiceObject) -> tuple[int, ...]:
    """The IP versions that the service wants an address of; IPv4 if it does not say."""
    spec = service.spec
    written = [4 if family == "IPv4" else 6 for family in spec.ip_families or ()]
    if spec.ip_family_policy == "RequireDualStack":
        return 4, 6
    if spec.ip_family_policy == "PreferDualStack":
        return tuple(sorted(written)) or (4, 6)
    return (written[0],) if written else (4,)
