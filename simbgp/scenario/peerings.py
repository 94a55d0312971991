"""Sessions expanded: who peers with whom, with which timers, announcing what."""

from collections.abc import Iterator, Sequence

from simbgp.scenario.advertisements import FAMILIES
from simbgp.scenario.crds import PeerConfigSpec
from simbgp.scenario.layout import Layout, Upstream
from simbgp.scenario.plan import AnnouncementPlan, Family, GracefulRestartPlan, NodePlan, PeeringPlan, ServicePlan
from simbgp.scenario.route_policies import Announced, family_of, pod_policy, pool_policy, service_policy
from simbgp.scenario.schema import Cluster
from simbgp.scenario.selection import Selected, Selection
from simbgp.scenario.service_routes import ServicePrefixes

CONNECT_RETRY_S, HOLD_S, KEEPALIVE_S, RESTART_S = 120, 90, 30, 120
"""Defaults of the CRD CiliumBGPPeerConfig."""


def peering_plans(
    cluster: Cluster, layout: Layout, selection: Selection | None, services: Sequence[ServicePlan]
) -> tuple[PeeringPlan, ...]:
    """Every session, node by node, then in the order of the routers (or of the objects)."""
    if selection is not None:
        of_objects = _OfObjects(cluster, layout, services)
        return tuple(of_objects.plan(session) for session in selection.sessions)
    return tuple(_inline(cluster, layout, services if "LoadBalancerIP" in cluster.advertise else ()))


def _inline(cluster: Cluster, layout: Layout, services: Sequence[ServicePlan]) -> Iterator[PeeringPlan]:
    """The sessions that the routers' ``nodes`` make, announcing what ``cluster.advertise`` says."""
    at_start = ServicePrefixes(services)
    timers, restart = _timers(cluster, PeerConfigSpec()), _restart(cluster, PeerConfigSpec())
    served: dict[str, list[tuple[Upstream, list[AnnouncementPlan]]]] = {}
    for router in layout.routers:
        of_services = _of_services(router, services)
        for name in router.nodes:
            served.setdefault(name, []).append((router, of_services))
    for node in layout.nodes:
        pods = tuple(cidr for cidr, _ in _of_pods(cluster, node, ""))
        prefixes = pods + at_start.of(node.name).announced
        families: tuple[Family, ...] = ("ipv4", "ipv6") if any(":" in prefix for prefix in prefixes) else ("ipv4",)
        for router, of_services in served.get(node.name, ()):
            own = (AnnouncementPlan(cidr, policy) for cidr, policy in _of_pods(cluster, node, router.name))
            yield PeeringPlan(
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
                announcements=(*(entry for entry in own if _speaks(router, entry.prefix)), *of_services),
            )


def _of_services(router: Upstream, services: Sequence[ServicePlan]) -> list[AnnouncementPlan]:
    """With the policies that CiliumBGPAdvertisements without attributes would make."""
    return [
        AnnouncementPlan(prefix, service_policy(router.name, family_of(prefix), service.name, "LoadBalancerIP"))
        for service in services
        for prefix in service.prefixes
        if _speaks(router, prefix)
    ]


def _of_pods(cluster: Cluster, node: NodePlan, peer: str) -> Iterator[tuple[str, str]]:
    """What the node has for its pods and announces, with the name of the policy."""
    if "PodCIDR" in cluster.advertise:
        yield from ((cidr, pod_policy(peer, family_of(cidr))) for cidr in node.pod_cidrs)
    if "CiliumPodIPPool" in cluster.advertise:
        for pool, cidrs in node.pools.items():
            yield from ((cidr, pool_policy(peer, family_of(cidr), pool)) for cidr in cidrs)


class _OfObjects:
    """Makes plans of the sessions that Cilium's objects ask for."""

    def __init__(self, cluster: Cluster, layout: Layout, services: Sequence[ServicePlan]) -> None:
        self._cluster = cluster
        self._nodes = {node.name: node for node in layout.nodes}
        self._routers = {router.name: router for router in layout.routers}
        self._services = ServicePrefixes(services)
        self._known: dict[tuple[int, str], tuple[AnnouncementPlan, ...]] = {}

    def plan(self, session: Selected) -> PeeringPlan:
        """The plan of a session."""
        cluster, node, router = self._cluster, self._nodes[session.node], self._routers[session.router]
        withheld = self._services.of(node.name).withheld
        pods, services, pools = session.announced.parts
        return PeeringPlan(
            session.node,
            session.router,
            *_timers(cluster, session.config),
            _restart(cluster, session.config),
            tuple(p for p in _spoken(router, session.announced.at_start()) if p not in withheld),
            session.families,
            md5=session.config.auth_secret_ref is not None,
            instance=session.instance,
            peer=session.peer,
            local_asn=session.local_asn,
            peer_address=session.peer_address,
            local_address=session.local_address or _local_address(node, session.peer_address),
            announcements=(*_plans(router, pods), *self._of_services(router, services), *_plans(router, pools)),
            origin=session.origin,
            ebgp_multihop_ttl=1 if session.local_asn == router.settings.asn else session.config.ebgp_multihop,
        )

    def _of_services(self, router: Upstream, services: tuple[Announced, ...]) -> tuple[AnnouncementPlan, ...]:
        """Once for all sessions that share the tuple, which the selection holds."""
        key = id(services), router.name
        if key not in self._known:
            self._known[key] = _plans(router, services)
        return self._known[key]


def _plans(router: Upstream, announced: Sequence[Announced]) -> tuple[AnnouncementPlan, ...]:
    return tuple(entry.plan for entry in announced if _speaks(router, entry.plan.prefix))


def _speaks(router: Upstream, prefix: str) -> bool:
    """Whether the prefix's family is active on the router; of another the session carries nothing (RFC 4760 §8)."""
    return family_of(prefix) in router.settings.families


def _spoken(router: Upstream, prefixes: Sequence[str]) -> tuple[str, ...]:
    if set(FAMILIES) <= set(router.settings.families):
        return tuple(prefixes)
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
