"""Sessions expanded: who peers with whom, with which timers, announcing what."""

from collections.abc import Iterator, Mapping, Sequence, Set

from simbgp.scenario.advertisements import family_of, pool_policy, service_policy
from simbgp.scenario.crds import PeerConfigSpec
from simbgp.scenario.layout import Layout, Upstream
from simbgp.scenario.plan import AnnouncementPlan, Family, GracefulRestartPlan, NodePlan, PeeringPlan, ServicePlan
from simbgp.scenario.schema import Cluster
from simbgp.scenario.selection import Selected, Selection

CONNECT_RETRY_S, HOLD_S, KEEPALIVE_S, RESTART_S = 120, 90, 30, 120
"""Defaults of the CRD CiliumBGPPeerConfig."""


def session_pairs(layout: Layout, selection: Selection | None) -> Set[tuple[str, str]]:
    """Node and router of every session; ``selection`` is None where no CiliumBGPClusterConfig decides."""
    if selection is not None:
        return {(session.node, session.router) for session in selection.sessions}
    return {(node, router.name) for router in layout.routers for node in router.nodes}


def peering_plans(
    cluster: Cluster, layout: Layout, selection: Selection | None, services: Sequence[ServicePlan]
) -> tuple[PeeringPlan, ...]:
    """Every session, node by node, then in the order of the routers (or of the objects)."""
    if selection is not None:
        sites = {node.name: node for node in layout.nodes}, {router.name: router for router in layout.routers}
        return tuple(_of_objects(cluster, sites, session, services) for session in selection.sessions)
    served = [(router, set(router.nodes)) for router in layout.routers]
    timers, restart = _timers(cluster, PeerConfigSpec()), _restart(cluster, PeerConfigSpec())
    plans = []
    for node in layout.nodes:
        prefixes = _prefixes(cluster, node, services)
        families: tuple[Family, ...] = ("ipv4", "ipv6") if any(":" in prefix for prefix in prefixes) else ("ipv4",)
        plans += [
            PeeringPlan(
                node.name,
                router.name,
                *timers,
                restart,
                _spoken(router, prefixes),
                families,
                instance=str(cluster.local_asn),
                peer=router.name,
                local_asn=cluster.local_asn,
                peer_address=router.addresses[0],
                local_address=_local_address(node, router.addresses[0]),
                announcements=tuple(
                    entry
                    for entry in _inline_announcements(cluster, node, router.name, services)
                    if _speaks(router, entry.prefix)
                ),
            )
            for router, nodes in served
            if node.name in nodes
        ]
    return tuple(plans)


def _of_objects(
    cluster: Cluster,
    sites: tuple[Mapping[str, NodePlan], Mapping[str, Upstream]],
    session: Selected,
    services: Sequence[ServicePlan],
) -> PeeringPlan:
    node, router = sites[0][session.node], sites[1][session.router]
    not_yet = {p for service in services if not _announces(service, node.name) for p in service.prefixes}
    return PeeringPlan(
        session.node,
        session.router,
        *_timers(cluster, session.config),
        _restart(cluster, session.config),
        tuple(prefix for prefix in _spoken(router, session.prefixes) if prefix not in not_yet),
        session.families,
        md5=session.config.auth_secret_ref is not None,
        instance=session.instance,
        peer=session.peer,
        local_asn=session.local_asn,
        peer_address=session.peer_address,
        local_address=session.local_address or _local_address(node, session.peer_address),
        announcements=tuple(entry.plan for entry in session.announcements if _speaks(router, entry.plan.prefix)),
        origin=session.origin,
        ebgp_multihop_ttl=1 if session.local_asn == router.settings.asn else session.config.ebgp_multihop,
    )


def _speaks(router: Upstream, prefix: str) -> bool:
    """Whether the prefix's family is active on the router; of another the session carries nothing (RFC 4760 §8)."""
    return family_of(prefix) in router.settings.families


def _spoken(router: Upstream, prefixes: Sequence[str]) -> tuple[str, ...]:
    return tuple(prefix for prefix in prefixes if _speaks(router, prefix))


def _local_address(node: NodePlan, peer_address: str) -> str:
    """The node's address of the peer's family, where it has one: the kernel's choice of a source address."""
    return next((own for own in node.addresses if (":" in own) == (":" in peer_address)), node.addresses[0])


def _timers(cluster: Cluster, config: PeerConfigSpec) -> tuple[int, int, int]:
    """Hold, keepalive, connect retry: written here, else in the PeerConfig, else the CRD's defaults.

    A hold time written here lowers a keepalive time that is not to at most a third of it, so one key does for both.
    """
    inline, object_ = cluster.timers, config.timers
    hold = inline.hold_time_seconds or object_.hold_time_seconds or HOLD_S
    keepalive = object_.keep_alive_time_seconds or KEEPALIVE_S
    if inline.hold_time_seconds or not object_.keep_alive_time_seconds:
        keepalive = min(keepalive, max(1, hold // 3))
    retry = inline.connect_retry_time_seconds or object_.connect_retry_time_seconds or CONNECT_RETRY_S
    return hold, min(inline.keep_alive_time_seconds or keepalive, hold), retry


def _restart(cluster: Cluster, config: PeerConfigSpec) -> GracefulRestartPlan:
    inline, object_ = cluster.graceful_restart, config.graceful_restart
    written = [block.restart_time_seconds for block in (inline, object_) if block is not None]
    enabled = inline.enabled if inline is not None else object_ is not None and object_.enabled
    seconds = next((value for value in written if value is not None), RESTART_S)
    notification = inline is None or inline.notification is not False
    restart_bit = inline is None or inline.restart_bit is not False
    long_lived = inline.long_lived if inline is not None else None
    stale_s = long_lived.stale_time_seconds if long_lived is not None and long_lived.enabled else 0
    return GracefulRestartPlan(enabled, seconds, notification, restart_bit, stale_s)


def _prefixes(cluster: Cluster, node: NodePlan, services: Sequence[ServicePlan]) -> tuple[str, ...]:
    pods = [cidr for cidr, _ in _of_pods(cluster, node, "")]
    vips = [
        prefix
        for service in _advertised(cluster, services)
        if _announces(service, node.name)
        for prefix in service.prefixes
    ]
    return (*pods, *vips)


def _advertised(cluster: Cluster, services: Sequence[ServicePlan]) -> Sequence[ServicePlan]:
    return services if "LoadBalancerIP" in cluster.advertise else ()


def _inline_announcements(
    cluster: Cluster, node: NodePlan, peer: str, services: Sequence[ServicePlan]
) -> tuple[AnnouncementPlan, ...]:
    """With the policies that CiliumBGPAdvertisements without attributes would make."""
    of_services = [
        AnnouncementPlan(prefix, service_policy(peer, family_of(prefix), service.name, "LoadBalancerIP"))
        for service in _advertised(cluster, services)
        for prefix in service.prefixes
    ]
    return (*(AnnouncementPlan(cidr, policy) for cidr, policy in _of_pods(cluster, node, peer)), *of_services)


def _of_pods(cluster: Cluster, node: NodePlan, peer: str) -> Iterator[tuple[str, str]]:
    """What the node has for its pods and announces, with the name of the policy."""
    if "PodCIDR" in cluster.advertise:
        yield from ((cidr, f"{peer}-{family_of(cidr)}-PodCIDR") for cidr in node.pod_cidrs)
    if "CiliumPodIPPool" in cluster.advertise:
        for pool, cidrs in node.pools.items():
            yield from ((cidr, pool_policy(peer, family_of(cidr), pool)) for cidr in cidrs)


def _announces(service: ServicePlan, node: str) -> bool:
    """With externalTrafficPolicy Local only nodes with a backend of their own announce; at time 0."""
    if service.added or service.policy == "Cluster":
        return not service.added
    return any(backend.node == node and not backend.late for backend in service.backends)
