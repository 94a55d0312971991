"""LB-IPAM: which address a LoadBalancer Service gets from which pool.

Source: cilium ``operator/pkg/lbipam/lbipam.go``.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from simbgp.scenario.crd_pools import IpPool
from simbgp.scenario.k8s import ServiceObject
from simbgp.scenario.lbipam_pools import Range, ranges_of
from simbgp.scenario.lbipam_requests import Address, address_of, families, requested, responsible
from simbgp.scenario.lbipam_sharing import Owners, sharer
from simbgp.scenario.lbipam_store import RangeStore


@dataclass(frozen=True)
class Given:
    """What a Service got: addresses, and LB-IPAM's condition ``cilium.io/IPAMRequestSatisfied``."""

    addresses: tuple[str, ...]
    satisfied: bool
    reason: str
    message: str


class LbIpam:
    """All pools, and what is given from them. Services are served in order; addresses they already have come first.

    ``enabled`` are the cluster's IP versions, ``abilities`` those of the release (`SpeakerProfile.lbipam`).
    """

    def __init__(
        self,
        pools: Iterable[IpPool],
        services: Sequence[tuple[str, ServiceObject]],
        enabled: Collection[int],
        abilities: Collection[str],
    ) -> None:
        self.warnings: list[str] = []
        """What the operator logs about pools that it cannot read."""
        self.ranges = ranges_of(pools, abilities, self.warnings)
        self._enabled, self._abilities = enabled, abilities
        wanting = [(name, service) for name, service in services if responsible(service)] if self.ranges else []
        self._sharers = {name: sharer(name, service, abilities) for name, service in wanting}
        self._store = RangeStore(self.ranges, wanting)
        kept = {name: list(self._keep(name, service)) for name, service in wanting}
        self.given: Mapping[str, Given] = {name: self._serve(name, service, kept[name]) for name, service in wanting}

    def _keep(self, name: str, service: ServiceObject) -> Iterator[Address]:
        """Addresses of the status that it may have: asked for, of a pool of its own, free or shared."""
        asked, wanted = requested(service), families(service, self._enabled)
        for ingress in service.status.load_balancer.ingress:
            if ingress.ip is None:
                continue
            address = address_of(ingress.ip)
            if (address not in asked) if asked else (address.version not in wanted):
                continue
            place = self._store.holding(address, name)
            if isinstance(place, Range) and self._refusal(name, place.taken.get(address)) is None:
                place.take(address, self._sharers[name])
                yield address

    def _serve(self, name: str, service: ServiceObject, has: list[Address]) -> Given:
        refused = ("", "")
        for wanted in requested(service):
            if wanted not in has:
                refusal = self._specific(name, wanted)
                if refusal is None:
                    has.append(wanted)
                refused = refusal or refused
        for version in () if requested(service) else families(service, self._enabled):
            if all(address.version != version for address in has):
                got = self._shared(name, version) or self._any(name, version)
                if isinstance(got, tuple):
                    refused = got
                else:
                    has.append(got)
        shown = tuple(str(address) for address in has)
        return Given(shown, not refused[0], refused[0] or "satisfied", refused[1])

    def _specific(self, name: str, wanted: Address) -> tuple[str, str] | None:
        """Takes an address that the service asks for, or says why not."""
        place = self._store.holding(wanted, name)
        if place is True:
            what = f"The pool with the CIDR containing '{wanted}', doesn't select this service"
            return "pool_selector_mismatch", what
        if not isinstance(place, Range):
            return "no_pool", f"No pool exists with a CIDR containing '{wanted}'"
        owners = place.taken.get(wanted)
        why = self._refusal(name, owners)
        if why is None:
            place.take(wanted, self._sharers[name])
            return None
        if owners is None or not (owners.sharers and self._sharers[name].key):
            return "already_allocated", f"The IP '{wanted}' is already allocated to another service"
        if "tells-why" in self._abilities:
            what = f"The IP '{wanted}' is already allocated to an incompatible service. Reason: {why}"
            return "already_allocated_incompatible_service", what
        what = f"The IP '{wanted}' is already allocated to another service with a different sharing key"
        return "already_allocated_different_sharing_key", what

    def _refusal(self, name: str, owners: Owners | None) -> str | None:
        """Why an address of these owners cannot be the service's too; it can where nobody has it."""
        if owners is None:
            return None
        if not (owners.sharers and self._sharers[name].key):
            return "reserved, or not shared"
        return owners.refusal(self._sharers[name])

    def _shared(self, name: str, version: int) -> Address | None:
        """An address that services of its key have and that it can have with them.

        Where there are several, the first of the first pool; the operator has them in the order in which they were
        given.
        """
        service = self._sharers[name]
        for entry in self.ranges if service.key else ():
            address = entry.shareable(service) if entry.first.version == version else None
            if address is not None:
                entry.take(address, service)
                return address
        return None

    def _any(self, name: str, version: int) -> "Address | tuple[str, str]":
        full = False
        for entry in self._store.serving(name):
            if entry.first.version != version:
                continue
            address = entry.free()
            if address is not None:
                entry.take(address, self._sharers[name])
                return address
            full = True
        if full:
            what = "All enabled CiliumLoadBalancerIPPools that match this service ran out of allocatable IPs"
            return "out_of_ips", what
        return "no_pool", "There are no enabled CiliumLoadBalancerIPPools that match this service"
