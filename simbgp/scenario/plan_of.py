"""A checked scenario expanded to its plan: every default filled in, every name resolved."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from simbgp.profiles import Law, RouterProfile, SpeakerProfile, newest_speaker, router, speaker
from simbgp.scenario.layout import Layout, Upstream
from simbgp.scenario.lint import lint
from simbgp.scenario.little import population
from simbgp.scenario.manifests import Objects
from simbgp.scenario.metrics import read_bound
from simbgp.scenario.peerings import peering_plans
from simbgp.scenario.plan import (
    EcmpPlan,
    FaultPlan,
    LoadBalancerPlan,
    PeeringPlan,
    Plan,
    RouterPlan,
    ServicePlan,
    SloPlan,
    TrafficPlan,
)
from simbgp.scenario.schema import AnyFault, Document, LoadBalancer, Requests, RouterSettings, Slo, Traffic
from simbgp.scenario.schema.base import read_prefix
from simbgp.scenario.selection import Selection
from simbgp.scenario.services import service_plans

_NODE_STARTUP, _AGENT_STARTUP, _AT_ONCE = Law.constant(60.0), Law.constant(10.0), Law.constant(0.0)
_NODE_MONITOR_GRACE = Law.constant(50.0)  # --node-monitor-grace-period since Kubernetes 1.32
_ENDPOINT_PROPAGATION = Law("uniform", (0.1, 1.0))


def plan_of(document: Document, name: str, layout: Layout, objects: Objects, selection: Selection) -> Plan:
    """The plan of a scenario that all checks have passed; ``name`` is for one that has none of its own."""
    cluster = document.cluster
    profile = speaker(cluster.cilium or newest_speaker())
    services = service_plans(document.services, layout.nodes)
    peerings = peering_plans(cluster, layout, selection if objects.configs else None, services)
    startup = _startup(document, profile)
    clocks = cluster.kubernetes
    plan = Plan(
        name=document.name or name,
        horizon_us=round(document.horizon * 1e6),
        cold_start=document.start == "cold",
        up_for_us=round(document.up_for * 1e6),
        speaker=profile,
        nodes=layout.nodes,
        routers=tuple(_router(upstream) for upstream in layout.routers),
        peerings=peerings,
        services=services,
        load_balancer=_load_balancer(cluster.load_balancer),
        traffic=tuple(_traffic(entry, document.horizon) for entry in document.traffic),
        faults=tuple(_fault(i, fault, layout) for i, fault in enumerate(document.faults)),
        slo=tuple(_slo(entry) for entry in document.slo),
        node_startup=startup[0],
        agent_startup=startup[1],
        node_monitor_grace=clocks.node_monitor_grace_period or _NODE_MONITOR_GRACE,
        endpoint_propagation=clocks.endpoint_propagation or _ENDPOINT_PROPAGATION,
        assumptions=tuple(_assumptions(document, layout, services, peerings)),
    )
    return replace(plan, warnings=(*objects.warnings, *selection.warnings, *lint(plan)))


def _startup(document: Document, profile: SpeakerProfile) -> tuple[Law, Law]:
    written = document.cluster.startup
    defaults = (_AT_ONCE, _AT_ONCE) if profile.bare else (_NODE_STARTUP, _AGENT_STARTUP)
    return written.node or defaults[0], written.agent or defaults[1]


def _router(upstream: Upstream) -> RouterPlan:
    settings = upstream.settings
    profile = overridden(router(settings.profile), settings)
    return RouterPlan(
        upstream.name, profile, settings.asn, upstream.addresses, EcmpPlan(profile.ecmp_hash), settings.link
    )


def overridden(profile: RouterProfile, settings: RouterSettings) -> RouterProfile:
    """The profile with what the scenario says instead; a keepalive that nobody wrote follows a lower hold time."""
    timers, helper = settings.timers, settings.graceful_restart
    hold = timers.hold_time_seconds or profile.hold_s
    keepalive = timers.keep_alive_time_seconds or min(profile.keepalive_s, max(1, hold // 3))
    changes: dict[str, Any] = {
        "hold_s": hold,
        "keepalive_s": keepalive if timers.model_fields_set else profile.keepalive_s,
        "helper": helper.helper,
        "notification": helper.notification,
        "stale_path_s": helper.stale_path_time_seconds,
        "ecmp_hash": settings.ecmp.hash,
    }
    return replace(profile, **{key: value for key, value in changes.items() if value is not None})


def _load_balancer(written: LoadBalancer) -> LoadBalancerPlan:
    mode: Any = written.mode  # hybrid was refused
    return LoadBalancerPlan(written.algorithm, mode, written.maglev.table_size, written.maglev.hash_seed)


def _traffic(written: Traffic, horizon_s: float) -> TrafficPlan:
    connections, arrivals, lifetime = population(written, horizon_s)
    poisson = isinstance(written.requests, Requests)
    rate = written.requests.poisson if isinstance(written.requests, Requests) else written.requests
    client = written.client
    return TrafficPlan(
        service=written.service,
        connections=connections,
        arrivals_per_s=arrivals,
        lifetime=lifetime,
        request_interval_s=1 / rate,
        poisson_requests=poisson,
        client=client.profile,
        connect_timeout_s=client.connect_timeout,
        request_timeout_s=client.request_timeout,
    )


_UNTIL = ("down_for", "relabel_after", "stall_for")
"""How long a fault lasts, by the name it has in its kind."""
_OPTIONS = ("share", "direction", "host", "how")


def _fault(index: int, fault: AnyFault, layout: Layout) -> FaultPlan:
    """Targets by name; a kind between nodes and routers that names no router means all of them."""
    node, chosen = getattr(fault, "node", None), getattr(fault, "router", None)
    between = "router" in type(fault).model_fields and fault.kind != "stall"
    routers = chosen.pick(layout.router_names) if chosen else tuple(layout.router_names) if between else ()
    repeat = fault.repeat
    return FaultPlan(
        name=index if fault.name is None else fault.name,
        kind=fault.kind,
        at=fault.at,
        nodes=node.pick(layout.labels) if node else (),
        routers=routers,
        down_for=next((law for law in (getattr(fault, key, None) for key in _UNTIL) if law is not None), None),
        random_nodes=node.random if node else None,
        times=repeat.times if repeat else 1,
        every=repeat.every if repeat else _AT_ONCE,
        options={key: getattr(fault, key) for key in _OPTIONS if hasattr(fault, key)},
    )


def _slo(written: Slo) -> SloPlan:
    return SloPlan(
        metric=written.metric,
        stat=written.stat,
        max_value=None if written.max is None else read_bound(written.metric, written.max),
        min_value=None if written.min is None else read_bound(written.metric, written.min),
        service=written.service,
        router=written.router,
        fault=written.fault,
        prefix=None if written.prefix is None else read_prefix(written.prefix),
        min_share=written.min_share,
    )


def _assumptions(
    document: Document, layout: Layout, services: Sequence[ServicePlan], peerings: Sequence[PeeringPlan]
) -> Iterator[str]:
    if services and len({peering.router for peering in peerings}) > 1:
        yield "clients enter at all routers in equal shares"
    if services and document.cluster.load_balancer.algorithm == "maglev":
        yield "pod addresses are made up from the podCIDRs; other addresses give another Maglev table of the same kind"
    for entry in document.traffic:
        if entry.lifetime is None:
            yield f"lifetimes of connections to {entry.service} are exponential with the mean that Little's law gives"
