"""What a plan takes for granted, said to its reader."""

from collections.abc import Iterator, Sequence

from simbgp.profiles import router
from simbgp.scenario.layout import Layout
from simbgp.scenario.plan import PeeringPlan, ServicePlan, ecmp_plan
from simbgp.scenario.routers import overridden
from simbgp.scenario.schema import Document
from simbgp.scenario.spines import idle_timers, spine_assumptions
from simbgp.scenario.workloads import workload

_AFFINITY_ENTRIES = 65536  # bpf-lb-map-max


def assumptions(
    document: Document, bare: bool, layout: Layout, services: Sequence[ServicePlan], peerings: Sequence[PeeringPlan]
) -> Iterator[str]:
    """A line for each thing that a reader of the result should know; ``bare``: the speaker is no Cilium."""
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
