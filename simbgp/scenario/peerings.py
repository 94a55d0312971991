"""Sessions expanded: who peers with whom, with which timers, announcing what."""

from collections.abc import Sequence, Set

from simbgp.scenario.crds import PeerConfigSpec
from simbgp.scenario.layout import Layout
from simbgp.scenario.plan import Family, GracefulRestartPlan, NodePlan, PeeringPlan, ServicePlan
from simbgp.scenario.schema import Cluster
from simbgp.scenario.selection import Selected, Selection, family_of

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
        return tuple(_of_objects(cluster, session) for session in selection.sessions)
    served = [(router.name, set(router.nodes)) for router in layout.routers]
    plans = []
    for node in layout.nodes:
        prefixes = _prefixes(cluster, node, services)
        families: tuple[Family, ...] = ("ipv4", "ipv6") if any(":" in prefix for prefix in prefixes) else ("ipv4",)
        timers = _timers(cluster, PeerConfigSpec())
        restart = _restart(cluster, PeerConfigSpec())
        plans += [
            PeeringPlan(node.name, router, *timers, restart, prefixes, families)
            for router, nodes in served
            if node.name in nodes
        ]
    return tuple(plans)


def _of_objects(cluster: Cluster, session: Selected) -> PeeringPlan:
    prefixes = tuple(prefix for prefix in session.prefixes if family_of(prefix) in session.families)
    timers, restart = _timers(cluster, session.config), _restart(cluster, session.config)
    return PeeringPlan(session.node, session.router, *timers, restart, prefixes, session.families)


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
    return GracefulRestartPlan(enabled, seconds, notification, inline is None or inline.restart_bit is not False)


def _prefixes(cluster: Cluster, node: NodePlan, services: Sequence[ServicePlan]) -> tuple[str, ...]:
    pods = node.pod_cidrs if "PodCIDR" in cluster.advertise else ()
    vips = [
        prefix
        for service in services
        if "LoadBalancerIP" in cluster.advertise and _announces(service, node.name)
        for prefix in service.prefixes
    ]
    return (*pods, *vips)


def _announces(service: ServicePlan, node: str) -> bool:
    """With externalTrafficPolicy Local only nodes with a backend of their own announce."""
    return service.policy == "Cluster" or any(backend.node == node for backend in service.backends)
