"""Small scenarios, and runs whose facts are written by hand."""

from simbgp.measure import Observed
from simbgp.scenario import Plan, Scenario, loads
from simbgp.timeline import Fact, Start, Timeline
from simbgp.traffic import windows

WEB = "192.0.2.10/32"
HOPS = ("worker-1", "worker-2", "worker-3", "worker-4")

TEXT = """\
name: world
description: Four nodes and a router.
cluster:
  cilium: "1.20"
  nodes: 4
  gracefulRestart: {enabled: true, restartTimeSeconds: 120}
routers: [{name: tor-1, profile: rfc8538}]
services: [{name: web, vip: 192.0.2.10, backends: 4}]
faults: [{at: 60s, kind: node-down, node: worker-1}]
"""
EXACT = TEXT.replace("node-down", "agent-crash")
"""Nothing in it is random: the agent's death is seen at once, and it does not come back."""


def scenario(text: str = TEXT, **changes: object) -> Scenario:
    """The scenario with values changed at dotted paths, ``__`` standing for the dot."""
    return loads(text).with_(**{path.replace("__", "."): value for path, value in changes.items()})


def observed(plan: Plan, *facts: Fact, outcomes=()) -> Observed:
    """A run of ``plan`` in which just these facts happened; all nodes announce all their prefixes at the start."""
    hops: dict[str, dict[str, list[str]]] = {router.name: {} for router in plan.routers}
    for peering in plan.peerings:
        for prefix in peering.prefixes:
            hops[peering.router].setdefault(prefix, []).append(peering.node)
    start = Start(
        {router: {prefix: tuple(nodes) for prefix, nodes in table.items()} for router, table in hops.items()},
        {service.name: tuple(backend.name for backend in service.backends) for service in plan.services},
    )
    timeline = Timeline(start, plan.horizon_us)
    for fact in facts:
        timeline.write(fact)
    return Observed(plan, timeline, windows(plan, timeline), outcomes)
