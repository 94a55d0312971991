"""Small plans and timelines, written by hand."""

from dataclasses import replace
from typing import Any

from simbgp import profiles
from simbgp.profiles import Law
from simbgp.scenario.plan import (
    BackendPlan,
    EcmpPlan,
    GracefulRestartPlan,
    LoadBalancerPlan,
    NodePlan,
    PeeringPlan,
    Plan,
    RouterPlan,
    ServicePlan,
    TrafficPlan,
)
from simbgp.timeline import Fact, PathChanged, Start, Timeline

SECOND = 1_000_000
VIP = "192.0.2.10/32"
ZERO = Law.constant(0.0)
LOSSES = [0.0, 0.0, 0.1, 0.6, 1.0]
"""What may vanish of the packets of one way."""


def nodes(count: int, weights: tuple[int, ...] | None = None) -> tuple[NodePlan, ...]:
    return tuple(
        NodePlan(f"n{i + 1}", (f"10.0.0.{i + 1}",), (f"10.244.{i + 1}.0/24",), ecmp_weight=weights[i] if weights else 1)
        for i in range(count)
    )


def service(backends: int, node_count: int, policy: str = "Cluster") -> ServicePlan:
    pods = tuple(
        BackendPlan(f"web-{i}", f"n{i % node_count + 1}", f"[10.244.{i % node_count + 1}.{i + 1}:80/TCP,State:active]")
        for i in range(backends)
    )
    return ServicePlan("web", (VIP,), policy, pods)  # type: ignore[arg-type]


def clients(connections: int = 0, arrivals_per_s: float = 0.0, interval_s: float = 1.0, **more: Any) -> TrafficPlan:
    given: dict[str, Any] = {
        "lifetime": Law.constant(10_000_000.0), "poisson_requests": False, "client": "linux-6.5",
        "connect_timeout_s": None, "request_timeout_s": None,
    }  # fmt: skip
    return TrafficPlan("web", connections, arrivals_per_s, request_interval_s=interval_s, **(given | more))


def plan(
    *,
    node_count: int = 4,
    backends: int = 8,
    policy: str = "Cluster",
    routers: int = 1,
    hash: str = "hash-threshold",
    weights: tuple[int, ...] | None = None,
    traffic: TrafficPlan | None = None,
    balancer: LoadBalancerPlan | None = None,
    horizon_s: float = 600.0,
    **changes: Any,
) -> Plan:
    made = Plan(
        name="by-hand", horizon_us=round(horizon_s * SECOND), cold_start=False, up_for_us=3_600 * SECOND,
        speaker=profiles.speaker("1.20"), nodes=nodes(node_count, weights),
        routers=tuple(
            RouterPlan(f"tor-{i + 1}", profiles.router("frr-8.4"), 65000, (f"10.0.0.{254 - i}",), EcmpPlan(hash))  # type: ignore[arg-type]
            for i in range(routers)
        ),
        peerings=(), services=(service(backends, node_count, policy),), load_balancer=balancer or LoadBalancerPlan(),
        traffic=(traffic,) if traffic else (), faults=(), slo=(), node_startup=ZERO, agent_startup=ZERO,
        node_monitor_grace=ZERO, endpoint_propagation=ZERO,
    )  # fmt: skip
    return replace(made, **changes)


def timeline(plan: Plan, *facts: Fact) -> Timeline:
    """All nodes announce the VIP and their PodCIDR to all routers; ``facts`` follow in order of time."""
    names = tuple(node.name for node in plan.nodes)
    hops = {VIP: names} | {node.pod_cidrs[0]: (node.name,) for node in plan.nodes}
    views = {item.name: tuple(backend.name for backend in item.backends) for item in plan.services}
    made = Timeline(Start({router.name: hops for router in plan.routers}, views), plan.horizon_us)
    for fact in sorted(facts, key=lambda fact: fact.time_us):
        made.write(fact)
    return made


def pod_names(plan: Plan) -> tuple[str, ...]:
    """The backends of the first service."""
    return tuple(backend.name for backend in plan.services[0].backends)


def path(time_us: int, router: str, node: str, to_node: float, to_router: float, carrier: bool = True) -> PathChanged:
    """What vanishes each way; a link without carrier loses all."""
    carrier = carrier or (to_node, to_router) != (1.0, 1.0)
    either = 1.0 - (1.0 - to_node) * (1.0 - to_router)
    return PathChanged(time_us, router, node, either, to_node, to_router, carrier)


def links(*of_nodes: tuple[str, ...]) -> tuple[PeeringPlan, ...]:
    """Sessions of nodes, each a name and the routers that it is linked to."""
    return tuple(
        PeeringPlan(node, router, 9, 3, 120, GracefulRestartPlan(False), (VIP,))
        for node, *routers in of_nodes
        for router in routers
    )
