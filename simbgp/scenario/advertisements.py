"""What nodes announce to their peers, and with which attributes, as CiliumBGPAdvertisements have it.

Source: cilium ``pkg/bgp/manager/reconciler/pod_cidr.go``, ``pod_ip_pool.go``, ``service.go``. What is announced of
Services is worked out once for a peer: of it no more differs from node to node than who has pods of Local ones.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simbgp.scenario.cluster_services import ClusterService, prefix_of
from simbgp.scenario.crd_advertisements import Advertised, ServiceOptions
from simbgp.scenario.crd_pools import PodIpPool
from simbgp.scenario.crds import PeerConfigSpec
from simbgp.scenario.label_index import LabelIndex
from simbgp.scenario.objects import Item, Objects
from simbgp.scenario.plan import AnnouncementPlan, Family, NodePlan
from simbgp.scenario.route_policies import (
    Announced,
    RoutePolicies,
    family_of,
    pod_policy,
    pool_policy,
    service_policy,
)
from simbgp.scenario.service_routes import ServiceRoutes

FAMILIES: tuple[Family, ...] = ("ipv4", "ipv6")
_ORDER = {"PodCIDR": 30, "Service": 40, "CiliumPodIPPool": 50}
"""The priorities of the reconcilers, lowest first."""
Entry = tuple[Family, Advertised]


@dataclass(frozen=True, slots=True)
class Announcements:
    """All that a node may ever announce to a peer: PodCIDRs, then Services, then pools.

    ``services`` is one tuple for all nodes that announce the same of them; ``overwritten`` says of what several entries
    were, and which counts.
    """

    pods: tuple[Announced, ...]
    services: tuple[Announced, ...]
    pools: tuple[Announced, ...]
    overwritten: tuple[str, ...]

    @property
    def parts(self) -> tuple[tuple[Announced, ...], ...]:
        """All of them, in three parts."""
        return self.pods, self.services, self.pools

    def at_start(self) -> tuple[str, ...]:
        """The prefixes that it announces at time 0, each once."""
        entries = itertools.chain.from_iterable(self.parts)
        return tuple(dict.fromkeys([entry.plan.prefix for entry in entries if entry.at_start]))

    def __len__(self) -> int:
        return sum(map(len, self.parts))


class Advertisements:
    """What the nodes announce by the objects.

    Where several entries of advertisements are for the same thing, `RoutePolicies` says what counts: with ``merges``
    (MergeRoutePolicies, since 1.18) those for a Service are merged; PodCIDRs and pools never are.
    """

    def __init__(self, objects: Objects, services: Sequence[ClusterService], merges: bool) -> None:
        self._objects, self.services, self.merges = objects, services, merges
        self._labelled = LabelIndex((service.labels, service) for service in services)
        self._to: dict[tuple[int, str], ToPeer] = {}

    def to(self, config: PeerConfigSpec, peer: str) -> "ToPeer":
        """What is announced to a peer of a name and a configuration."""
        key = id(config), peer
        if key not in self._to:
            self._to[key] = ToPeer(self, config, peer)
        return self._to[key]

    def entries(self, config: PeerConfigSpec) -> list[Entry]:
        """Those of the advertisements that the families of ``config`` select, in the order of the reconcilers."""
        found = [
            (afi, entry)
            for family in config.families or ()
            for afi in FAMILIES
            if afi == family.afi and family.advertisements is not None
            for item in self._objects.labelled_advertisements.selected(family.advertisements)
            for entry in item.body.spec.advertisements
        ]
        return sorted(found, key=lambda pair: _ORDER.get(pair[1].advertisement_type, 99))

    def selected(self, entry: Advertised) -> Iterator[ClusterService]:
        """The Services that an entry is for; without a selector it is for none."""
        return iter(()) if entry.selector is None else self._labelled.selected(entry.selector)

    def pools(self, entry: Advertised) -> Iterator[str]:
        """The names of the CiliumPodIPPools that an entry is for; without a selector it is for none."""
        for item in self._objects.of(PodIpPool):
            if entry.selector is not None and entry.selector.matches(_pool_labels(item)):
                yield item.name


class ToPeer:
    """What the nodes announce to one peer."""

    def __init__(self, source: Advertisements, config: PeerConfigSpec, peer: str) -> None:
        self._config = config  # held, for it is known by its place in memory
        self._peer = peer
        entries = source.entries(config)
        self._of_pods = _deciding([pair for pair in entries if pair[1].advertisement_type == "PodCIDR"])
        self._of_pools = [
            (pair, tuple(source.pools(pair[1]))) for pair in entries if pair[1].advertisement_type == "CiliumPodIPPool"
        ]
        policies = RoutePolicies(source.merges)
        for family, entry in entries:
            if entry.advertisement_type == "Service" and entry.service is not None:
                found = source.selected(entry)
                made = (each for one in found for each in _of_service(entry.service, family, peer, one))
                policies.add(entry, made)
        self._services = ServiceRoutes(policies.announced, source.services)
        self._overwritten = policies.overwritten

    def of(self, node: NodePlan) -> Announcements:
        """All that the node may ever announce to the peer."""
        pods, pools = RoutePolicies(merges=False), RoutePolicies(merges=False)
        for family, entry in self._of_pods:
            own = (cidr for cidr in node.pod_cidrs if family_of(cidr) == family)
            policy = pod_policy(self._peer, family)
            pods.add(entry, (Announced(AnnouncementPlan(cidr, policy)) for cidr in own))
        for (family, entry), names in self._of_pools if node.pools else ():
            pools.add(entry, self._pool_cidrs(node, family, names))
        overwritten = (*pods.overwritten, *self._overwritten, *pools.overwritten)
        return Announcements(pods.announced, self._services.of(node.name), pools.announced, overwritten)

    def _pool_cidrs(self, node: NodePlan, family: Family, names: Sequence[str]) -> Iterator[Announced]:
        """The node's own CIDRs of some pools."""
        for name in names:
            for cidr in node.pools.get(name, ()):
                if family_of(cidr) == family:
                    yield Announced(AnnouncementPlan(cidr, pool_policy(self._peer, family, name)))


def _deciding(entries: Sequence[Entry]) -> list[Entry]:
    """Of entries that overwrite each other, the last of each family, and the last that says something else."""
    kept: list[Entry] = []
    for family, entry in reversed(entries):
        later = [other for afi, other in kept if afi == family]
        if len(later) < 2 and all(entry.attributes != other.attributes for other in later):
            kept.append((family, entry))
    return kept[::-1]


def _pool_labels(item: Item) -> dict[str, str]:
    """Its labels and Cilium's two pseudo-labels."""
    pseudo = {"io.cilium.podippool.name": item.name, "io.cilium.podippool.namespace": ""}
    return {**(item.body.metadata.labels or {}), **pseudo}


def _of_service(options: ServiceOptions, family: Family, peer: str, service: ClusterService) -> Iterator[Announced]:
    """Its addresses of a family; those of which a pod's node alone announces are not announced at time 0 as yet."""
    length = options.aggregation_length_ipv4 if family == "ipv4" else options.aggregation_length_ipv6
    for kind in options.addresses:
        policy, local = service_policy(peer, family, service.name, kind), service.local(kind)
        for address in service.addresses(kind):
            if family_of(address) == family:
                plan = AnnouncementPlan(prefix_of(address, length, local), policy)
                yield Announced(plan, not local, service.name, kind)
