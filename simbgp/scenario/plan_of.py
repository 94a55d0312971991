"""A checked scenario expanded to its plan: every default filled in, every name resolved."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

from simbgp.profiles import Law, RouterProfile, SpeakerProfile, newest_speaker, router, settled, speaker
from simbgp.scenario.cluster_services import ADDRESS_TYPES, ClusterServices
from simbgp.scenario.disagreements import against_status
from simbgp.scenario.fault_plans import fault_plan
from simbgp.scenario.incidents import IncidentBook
from simbgp.scenario.layout import Layout, Upstream
from simbgp.scenario.little import population
from simbgp.scenario.metrics import read_bound
from simbgp.scenario.newcomers import added_services, with_newcomers
from simbgp.scenario.objects import Objects
from simbgp.scenario.peerings import peering_plans
from simbgp.scenario.plan import (
    BfdPlan,
    LoadBalancerPlan,
    OperatorPlan,
    PeeringPlan,
    Plan,
    RouterPlan,
    ServicePlan,
    SloPlan,
    TrafficPlan,
    ecmp_plan,
)
from simbgp.scenario.pod_keys import PodAddresses
from simbgp.scenario.processes import background_plans, mix_plan
from simbgp.scenario.schema import Document, LoadBalancer, Requests, RouterSettings, Slo, Traffic
from simbgp.scenario.schema.base import read_prefix
from simbgp.scenario.selection import Selection
from simbgp.scenario.services import host_prefix, service_plans
from simbgp.scenario.spines import idle_timers, spine_assumptions, spine_plan
from simbgp.scenario.workloads import workload

_NODE_STARTUP, _AGENT_STARTUP, _AT_ONCE = Law.constant(60.0), Law.constant(10.0), Law.constant(0.0)
_NODE_MONITOR_GRACE = Law.constant(50.0)  # --node-monitor-grace-period since Kubernetes 1.32
_OLDER_GRACE, _LONGER_GRACE_SINCE = Law.constant(40.0), 32  # kubernetes/kubernetes#126287
_EVICTION_TIMEOUT = Law.constant(300.0)  # DefaultTolerationSeconds of unreachable:NoExecute
_AFFINITY_ENTRIES = 65536  # bpf-lb-map-max
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
        routers=tuple(_router(upstream) for upstream in layout.routers),
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
        assumptions=tuple(_assumptions(document, profile.bare, layout, services, peerings)),
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


def _router(upstream: Upstream) -> RouterPlan:
    settings = upstream.settings
    profile = overridden(router(settings.profile), settings)
    bfd = settings.bfd
    return RouterPlan(
        upstream.name,
        profile,
        settings.asn,
        upstream.addresses,
        ecmp_plan(profile),
        settings.link,
        BfdPlan(bfd.interval, bfd.detect_multiplier, bfd.control_plane_independent) if bfd and bfd.enabled else None,
        tuple(dict.fromkeys(settings.families)),
        settings.hash_seed,
    )


def overridden(profile: RouterProfile, settings: RouterSettings) -> RouterProfile:
    """The profile with what the scenario says instead; a keepalive that nobody wrote follows a lower hold time."""
    timers, helper, ecmp = settings.timers, settings.graceful_restart, settings.ecmp
    hold = timers.hold_time_seconds or profile.hold_s
    keepalive = timers.keep_alive_time_seconds or min(profile.keepalive_s, max(1, hold // 3))
    changes: dict[str, Any] = {
        "hold_s": hold,
        "keepalive_s": keepalive if timers.model_fields_set else profile.keepalive_s,
        "helper": helper.helper,
        "notification": helper.notification,
        "stale_path_s": helper.stale_path_time_seconds,
        "long_lived": helper.long_lived,
        "fib_after_crash": "kept" if helper.preserve_forwarding else None,
        "ecmp_hash": ecmp.hash,
        "ecmp_buckets": ecmp.buckets,
        "ecmp_idle_s": ecmp.idle_timer,
        "ecmp_unbalanced_s": ecmp.unbalanced_timer,
        "ecmp_on_change": ecmp.on_change,
        "ecmp_addition": ecmp.addition,
        "ecmp_order": ecmp.order,
        "ecmp_maximum_paths": ecmp.maximum_paths,
        "neighbour_check": settings.neighbour_check,
    }
    written = {key: value for key, value in changes.items() if value is not None}
    return replace(settled(profile, written), **written)


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


def _assumptions(
    document: Document, bare: bool, layout: Layout, services: Sequence[ServicePlan], peerings: Sequence[PeeringPlan]
) -> Iterator[str]:
    entries = {spine.name for spine in document.fabric} or {peering.router for peering in peerings}
    if services and len(entries) > 1:
        yield f"clients enter at all {'spines' if document.fabric else 'routers'} in equal shares"
    if services and document.cluster.load_balancer.algorithm == "maglev":
        yield "pod addresses are made up from the podCIDRs; other addresses give another Maglev table of the same kind"
    balancer = document.cluster.load_balancer
    if services and balancer.mode == "hybrid":
        yield "hybrid load balancing is DSR here, as for all TCP"
    restart = document.cluster.graceful_restart
    if not bare and restart is not None and restart.long_lived is not None and restart.long_lived.enabled:
        yield (
            "gracefulRestart.longLived is a what-if (RFC 9494): no Cilium release offers it (capability 71), nor can "
            "one be configured to"
        )
    for upstream in layout.routers:
        ecmp = ecmp_plan(overridden(router(upstream.settings.profile), upstream.settings))
        if ecmp.hash == "resilient" and ecmp.on_change == "new-group":
            yield f"{upstream.name} deals a resilient group anew at each change of next hops (ecmp.onChange: new-group)"
        yield from idle_timers(upstream.name, ecmp, upstream.settings.ecmp)
    for spine in document.fabric:
        yield from spine_assumptions(spine)
    sticky = {service.name for service in services if service.affinity_s is not None}
    for entry in document.traffic:
        if entry.clients is not None and entry.service not in sticky:
            yield f"{entry.service} has no sessionAffinity: how many client addresses there are changes nothing"
        if entry.service in sticky and (entry.clients or _AFFINITY_ENTRIES + 1) > _AFFINITY_ENTRIES:
            yield f"no client of {entry.service} is pushed out of a node's affinity map ({_AFFINITY_ENTRIES} entries)"
        if entry.clients is None and entry.service in sticky:
            yield f"each connection to {entry.service} comes from a client address of its own (traffic clients)"
        if entry.lifetime == workload("web-search"):
            yield f"web-search connections to {entry.service} live as long as their bytes last at 1 MB/s"
        if entry.lifetime is None:
            yield f"lifetimes of connections to {entry.service} are exponential with the mean that Little's law gives"
