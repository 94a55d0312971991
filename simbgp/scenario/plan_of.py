"""A checked scenario expanded to its plan: every default filled in, every name resolved."""

import itertools
from dataclasses import replace
from typing import Literal

from simbgp.profiles import Law, SpeakerProfile, newest_speaker, speaker
from simbgp.scenario.assumptions import assumptions
from simbgp.scenario.cluster_services import ADDRESS_TYPES, ClusterServices
from simbgp.scenario.disagreements import against_status
from simbgp.scenario.fault_plans import fault_plan
from simbgp.scenario.incidents import IncidentBook
from simbgp.scenario.layout import Layout
from simbgp.scenario.little import population
from simbgp.scenario.metrics import read_bound
from simbgp.scenario.newcomers import added_services, with_newcomers
from simbgp.scenario.objects import Objects
from simbgp.scenario.peerings import peering_plans
from simbgp.scenario.plan import (
    LoadBalancerPlan,
    OperatorPlan,
    Plan,
    SloPlan,
    TrafficPlan,
)
from simbgp.scenario.pod_keys import PodAddresses
from simbgp.scenario.processes import background_plans, mix_plan
from simbgp.scenario.routers import router_plan
from simbgp.scenario.schema import Document, LoadBalancer, Requests, Slo, Traffic
from simbgp.scenario.schema.base import read_prefix
from simbgp.scenario.selection import Selection
from simbgp.scenario.services import host_prefix, service_plans
from simbgp.scenario.spines import spine_plan

_NODE_STARTUP, _AGENT_STARTUP, _AT_ONCE = Law.constant(60.0), Law.constant(10.0), Law.constant(0.0)
_NODE_MONITOR_GRACE = Law.constant(50.0)  # --node-monitor-grace-period since Kubernetes 1.32
_OLDER_GRACE, _LONGER_GRACE_SINCE = Law.constant(40.0), 32  # kubernetes/kubernetes#126287
_EVICTION_TIMEOUT = Law.constant(300.0)  # DefaultTolerationSeconds of unreachable:NoExecute
_POD_STARTUP = Law("uniform", (2.0, 10.0))
_ENDPOINT_PROPAGATION = Law("uniform", (0.1, 1.0))


def plan_of(
    document: Document,
    name: str,
    layout: Layout,
    objects: Objects,
    selection: Selection,
    of_objects: ClusterServices,
    incidents: IncidentBook,
) -> Plan:
    """The plan of a scenario that all checks have passed; ``name`` is for one that has none of its own."""
    cluster = document.cluster
    profile = speaker(cluster.cilium or newest_speaker())
    keys = PodAddresses(layout.nodes)
    inline = service_plans(document.services, layout.nodes, keys)
    from_objects = of_objects.plans(_announced_prefixes(document, objects, selection, of_objects), keys)
    services = with_newcomers((*inline, *from_objects), layout, added_services(document), profile.bare)
    peerings = peering_plans(cluster, layout, selection if objects.deciding else None, services)
    startup = _startup(document, profile)
    clocks = cluster.kubernetes
    plan = Plan(
        name=document.name or name,
        horizon_us=round(document.horizon * 1e6),
        cold_start=document.start == "cold",
        up_for_us=round(document.up_for * 1e6),
        speaker=profile,
        nodes=layout.nodes,
        routers=tuple(router_plan(upstream) for upstream in layout.routers),
        peerings=peerings,
        services=services,
        load_balancer=_load_balancer(cluster.load_balancer),
        traffic=tuple(_traffic(entry, document.horizon) for entry in document.traffic),
        faults=tuple(fault_plan(i, fault, layout) for i, fault in enumerate(document.faults)),
        background=background_plans(document, layout),
        mix=mix_plan(document, layout, incidents, bare=profile.bare),
        slo=tuple(_slo(entry) for entry in document.slo),
        node_startup=startup[0],
        agent_startup=startup[1],
        node_monitor_grace=clocks.node_monitor_grace_period or _grace(clocks.version),
        endpoint_propagation=clocks.endpoint_propagation or _ENDPOINT_PROPAGATION,
        eviction_timeout=clocks.eviction_timeout or _EVICTION_TIMEOUT,
        pod_startup=clocks.pod_startup or _POD_STARTUP,
        operator=OperatorPlan(
            cluster.operator.replicas, cluster.operator.lease_duration, cluster.operator.retry_period
        ),
        ipam=cluster.ipam.mode,
        status_report=cluster.status_report is None or cluster.status_report.enabled,
        counts_patches=cluster.status_report is not None,
        routable_without_endpoints=cluster.enable_no_service_endpoints_routable,
        fabric=tuple(spine_plan(written) for written in document.fabric),
        assumptions=tuple(assumptions(document, profile.bare, layout, services, peerings)),
    )
    compared = against_status(objects, peerings, plan.routers, bool(cluster.timers.model_fields_set))
    return replace(plan, warnings=(*objects.warnings, *of_objects.warnings(), *selection.warnings, *compared))


def _announced_prefixes(
    document: Document, objects: Objects, selection: Selection, of_objects: ClusterServices
) -> dict[str, dict[str, dict[str, None]]]:
    """Under which prefixes the Services of the manifests are announced, by service and kind of address."""
    found: dict[str, dict[str, dict[str, None]]] = {}
    if not objects.deciding:
        for service in of_objects.services:
            kinds = [kind for kind in ADDRESS_TYPES if kind in document.cluster.advertise]
            found[service.name] = {kind: dict.fromkeys(map(host_prefix, service.addresses(kind))) for kind in kinds}
    shared = {id(session.announced.services): session.announced.services for session in selection.sessions}
    for entry in itertools.chain.from_iterable(shared.values()):
        if entry.service is not None and entry.kind is not None:
            found.setdefault(entry.service, {}).setdefault(entry.kind, {})[entry.plan.prefix] = None
    return found


def _startup(document: Document, profile: SpeakerProfile) -> tuple[Law, Law]:
    written = document.cluster.startup
    defaults = (_AT_ONCE, _AT_ONCE) if profile.bare else (_NODE_STARTUP, _AGENT_STARTUP)
    return written.node or defaults[0], written.agent or defaults[1]


def _grace(version: str | None) -> Law:
    """The default grace period of a Kubernetes release, of the newest if it is not said."""
    older = version is not None and int(version.removeprefix("v").split(".")[1]) < _LONGER_GRACE_SINCE
    return _OLDER_GRACE if older else _NODE_MONITOR_GRACE


def _load_balancer(written: LoadBalancer) -> LoadBalancerPlan:
    """Hybrid is DSR for TCP, and all traffic is TCP."""
    mode: Literal["snat", "dsr"] = "snat" if written.mode == "snat" else "dsr"
    unknown: Literal["pick", "reset", "drop"] = "reset" if written.vip_on_node and not written.drop_invalid else "drop"
    maglev = written.maglev
    return LoadBalancerPlan(
        written.algorithm, mode, maglev.table_size, maglev.hash_seed, "pick" if written.tcp_loose else unknown
    )


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
        tcp_retries2=client.tcp_retries2,
        user_timeout_s=client.user_timeout,
        clients=written.clients,
        reconnects=client.reconnect,
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
