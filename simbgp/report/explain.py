"""What is forwarded where at a moment of a run, and why."""

from collections.abc import Iterable

import click

from simbgp.report.numbers import columns, listed, percent, plural, seconds
from simbgp.report.story import tell
from simbgp.scenario.plan import Plan, ServicePlan
from simbgp.timeline import FaultBegan, Timeline
from simbgp.traffic.balancer import Balancer
from simbgp.traffic.ecmp import next_hop_group
from simbgp.traffic.history import History

_FACTS = 8


def explanation(plan: Plan, timeline: Timeline, at_us: int, service: str | None = None) -> list[str]:
    """Lines for each router and prefix: its next hops with their shares, what becomes of a packet there, and why.

    Without ``service`` these are all service prefixes, and the PodCIDRs of nodes that a fault has touched by then.
    """
    history = History(plan, timeline)
    lines = []
    for router, prefix in _places(plan, timeline, history, at_us, service):
        lines += [*_prefix_lines(plan, history, router, prefix, at_us), ""]
    return [
        *(lines or ["no prefix to explain: no service, and no fault before this moment", ""]),
        *_why(timeline, at_us),
    ]


def _places(
    plan: Plan, timeline: Timeline, history: History, at_us: int, service: str | None
) -> Iterable[tuple[str, str]]:
    """(router, prefix) to speak of, services first."""
    named = [s for s in plan.services if service in (None, s.name)]
    wanted = dict.fromkeys(prefix for item in named for prefix in item.prefixes)
    if service is None:
        touched = {node for fault in timeline.of(FaultBegan) if fault.time_us <= at_us for node in fault.nodes}
        wanted |= dict.fromkeys(prefix for node in plan.nodes if node.name in touched for prefix in node.pod_cidrs)
    return [
        (router.name, prefix)
        for prefix in wanted
        for router in plan.routers
        if (router.name, prefix) in history.announced
    ]


def _prefix_lines(plan: Plan, history: History, router: str, prefix: str, at_us: int) -> list[str]:
    """One prefix at one router."""
    members = history.next_hops(router, prefix).at(at_us)
    service = next((item for item in plan.services if prefix in item.prefixes), None)
    title = f"{service.name + ' ' if service else ''}{prefix} at {router}, t = {seconds(at_us / 1e6)}"
    if not members:
        return [f"{title}: " + click.style("no next hop, all of it is lost (no-route)", fg="red")]
    kind = next(item.ecmp.hash for item in plan.routers if item.name == router)
    weights = {node.name: node.ecmp_weight for node in plan.nodes}
    shares = next_hop_group(kind, tuple(weights[node] for node in members)).shares()
    found = [_obstacle(plan, history, router, node, service, at_us) for node in members]
    lost = sum(share * fraction for share, (fraction, _) in zip(shares, found, strict=True))
    summary = click.style(f"{percent(lost)} is lost", fg="red") if lost else click.style("nothing is lost", fg="green")
    rows = [(percent(share), node, text) for share, node, (_, text) in zip(shares, members, found, strict=True)]
    return [f"{title}: {summary}; {plural(len(members), 'next hop')} by {kind}", *columns(rows, right=frozenset({0}))]


def _obstacle(
    plan: Plan, history: History, router: str, node: str, service: ServicePlan | None, at_us: int
) -> tuple[float, str]:
    """The share of what ``node`` is sent that is lost, and the first obstacle on the packet's way."""
    if not history.path(router, node).at(at_us):
        return 1.0, "link: packets from the router do not get here, though the node is alive"
    if not history.forwarding(node).at(at_us):
        return 1.0, "dead-next-hop: the node forwards nothing, and the router still sends to it"
    if service is None:
        return 0.0, "ok"
    view = history.view(node, service.name).at(at_us)
    if not view:
        return 1.0, "no-backend: the node knows no backend"
    dead = [backend for backend in view if history.life(service.name, backend).at(at_us) % 2]
    if not dead:
        return 0.0, f"ok, picks among {plural(len(view), 'backend')}"
    fraction = Balancer(plan.load_balancer, service).share(view, dead)
    return fraction, f"dead-backend: {percent(fraction)} of its picks are {listed(dead)}, dead and not yet removed"


def _why(timeline: Timeline, at_us: int) -> list[str]:
    """The facts up to the moment, the least telling left out."""
    before = Timeline(timeline.start, at_us)
    for fact in timeline:
        if fact.time_us <= at_us:
            before.write(fact)
    rows = [(seconds(said.time_us / 1e6), said.text) for said in tell(before, most=_FACTS)]
    return ["what led here", *(columns(rows, right=frozenset({0})) or ["  nothing has happened yet"])]
