"""What a node announces to a peer, and with which attributes, as CiliumBGPAdvertisements have it.

Source: cilium ``pkg/bgp/manager/reconciler/pod_cidr.go``, ``pod_ip_pool.go``, ``service.go``, ``policies.go``;
cilium/cilium#35721, #36414 (entries for the same Service).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from simbgp.scenario.cluster_services import ClusterService, prefix_of
from simbgp.scenario.crd_pools import PodIpPool
from simbgp.scenario.crds import Advertised, PeerConfigSpec, ServiceOptions
from simbgp.scenario.manifests import Objects
from simbgp.scenario.plan import AnnouncementPlan, Family, NodePlan

FAMILIES: tuple[Family, ...] = ("ipv4", "ipv6")
_ORDER = {"PodCIDR": 30, "Service": 40, "CiliumPodIPPool": 50}
"""The priorities of the reconcilers, lowest first."""


def family_of(prefix: str) -> Family:
    """The address family of a prefix."""
    return "ipv6" if ":" in prefix else "ipv4"


def service_policy(peer: str, family: Family, service: str, addresses: str) -> str:
    """The name of a service's route policy; a service without a namespace is taken to be in ``default``."""
    namespace, _, name = service.rpartition("/")
    return f"{peer}-{family}-Service-{name}-{namespace or 'default'}-{addresses}"


def pool_policy(peer: str, family: Family, pool: str) -> str:
    """The name of the route policy of a CiliumPodIPPool."""
    return f"{peer}-{family}-CiliumPodIPPool-{pool}"


@dataclass(frozen=True, slots=True)
class Announced:
    """One prefix that a node announces; ``service`` and ``kind`` of address are None for one of pods."""

    plan: AnnouncementPlan
    at_start: bool = True
    service: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Announcements:
    """All that a node may announce to a peer; ``overwritten`` says of what several entries were, and which counts."""

    entries: tuple[Announced, ...]
    overwritten: tuple[str, ...]


def announced(
    objects: Objects,
    config: PeerConfigSpec,
    peer: str,
    node: NodePlan,
    services: Sequence[ClusterService],
    merges: bool,
) -> Announcements:
    """All that the node may ever announce to the peer: PodCIDRs, then Services, then pools.

    Where several entries of advertisements are for the same thing, they make one route policy: with ``merges`` that of
    a Service has the communities of all and the highest local preference (MergeRoutePolicies, since 1.18); otherwise,
    and for PodCIDRs and pools in all releases, it is the last entry's, and what others alone had is not announced.
    """
    found: _Found = {}
    overwritten: dict[str, None] = {}
    for family, entry in entries(objects, config):
        of_pools = _of_pools(objects, entry, family, peer, node)
        made: _Found = {}
        for one in (*of_pools, *_made(entry, family, peer, node, services)):
            made.setdefault((one.plan.policy, one.plan.prefix), replace(one, plan=_with_attributes(one.plan, entry)))
        if not (merges and entry.advertisement_type == "Service"):
            overwritten |= dict.fromkeys(_overwrite(found, made, entry))
        for key, one in made.items():
            earlier = found.get(key)
            found[key] = replace(earlier, plan=merged(earlier.plan, one.plan)) if earlier is not None else one
    return Announcements(tuple(found.values()), tuple(overwritten))


_Found = dict[tuple[str, str], Announced]
"""By policy and prefix."""


def _overwrite(found: _Found, made: _Found, entry: Advertised) -> Iterator[str]:
    """Takes out what the policies of ``made`` had before; where that changes something, says so."""
    policies = {policy for policy, _ in made}
    before = {key: one.plan for key, one in found.items() if key[0] in policies}
    for key in before:
        del found[key]
    if before and before != {key: one.plan for key, one in made.items()}:
        if entry.advertisement_type == "Service":
            service = next(one.service for one in made.values())
            yield f"Service {service}: up to 1.17 the last one's addresses and attributes alone count"
        else:
            yield f"the {entry.advertisement_type}s of a node: the last one's attributes alone count"


def entries(objects: Objects, config: PeerConfigSpec) -> Iterator[tuple[Family, Advertised]]:
    """Every entry of the advertisements that the families of ``config`` select, in the order of the reconcilers."""
    found = [
        (afi, entry)
        for family in config.families or ()
        for afi in FAMILIES
        if afi == family.afi and family.advertisements is not None
        for item in objects.advertisements
        if family.advertisements.matches(item.body.metadata.labels or {})
        for entry in item.body.spec.advertisements
    ]
    return iter(sorted(found, key=lambda pair: _ORDER.get(pair[1].advertisement_type, 99)))


def _made(
    entry: Advertised, family: Family, peer: str, node: NodePlan, services: Sequence[ClusterService]
) -> Iterator[Announced]:
    if entry.advertisement_type == "PodCIDR":
        for cidr in node.pod_cidrs:
            if family_of(cidr) == family:
                yield Announced(AnnouncementPlan(cidr, f"{peer}-{family}-PodCIDR"))
    if entry.advertisement_type == "Service" and entry.service is not None and entry.selector is not None:
        for service in services:
            if entry.selector.matches(service.labels):
                yield from _of_service(entry.service, family, peer, node, service)


def _of_pools(objects: Objects, entry: Advertised, family: Family, peer: str, node: NodePlan) -> Iterator[Announced]:
    """The node's own CIDRs of the CiliumPodIPPools that the entry selects; without a selector it selects none."""
    if entry.advertisement_type != "CiliumPodIPPool" or entry.selector is None:
        return
    for item in objects.of(PodIpPool):
        labels = {
            **(item.body.metadata.labels or {}),
            "io.cilium.podippool.name": item.name,
            "io.cilium.podippool.namespace": "",
        }
        for cidr in node.pools.get(item.name, ()) if entry.selector.matches(labels) else ():
            if family_of(cidr) == family:
                yield Announced(AnnouncementPlan(cidr, pool_policy(peer, family, item.name)))


def _of_service(
    options: ServiceOptions, family: Family, peer: str, node: NodePlan, service: ClusterService
) -> Iterator[Announced]:
    length = options.aggregation_length_ipv4 if family == "ipv4" else options.aggregation_length_ipv6
    for kind in options.addresses:
        policy = service_policy(peer, family, service.name, kind)
        at_start = service.announced_by(node.name, kind)
        for address in service.addresses(kind):
            if family_of(address) == family:
                plan = AnnouncementPlan(prefix_of(address, length, service.local(kind)), policy)
                yield Announced(plan, at_start, service.name, kind)


def _with_attributes(plan: AnnouncementPlan, entry: Advertised) -> AnnouncementPlan:
    written = entry.attributes
    standard = (*written.communities.standard, *written.communities.well_known)
    large = tuple(dict.fromkeys(written.communities.large))
    return AnnouncementPlan(plan.prefix, plan.policy, tuple(dict.fromkeys(standard)), large, written.local_preference)


def merged(one: AnnouncementPlan, two: AnnouncementPlan) -> AnnouncementPlan:
    """Both together: communities of both, sorted; the higher local preference."""
    preferences = [p for p in (one.local_preference, two.local_preference) if p is not None]
    return AnnouncementPlan(
        one.prefix,
        one.policy,
        tuple(sorted({*one.communities, *two.communities})),
        tuple(sorted({*one.large_communities, *two.large_communities})),
        max(preferences, default=None),
    )
