"""What is forwarded where at a moment of a run, and why."""

from collections.abc import Iterable

import click

from simbgp.report.mid_flow import mid_flow
from simbgp.report.numbers import columns, listed, percent, plural, seconds
from simbgp.report.story import tell
from simbgp.scenario.plan import Plan, ServicePlan
from simbgp.timeline import FaultBegan, Timeline
from simbgp.traffic import History, Inflow, NextHop, NextHops, obstacles, settled

_FACTS = 8


def explanation(plan: Plan, timeline: Timeline, at_us: int, service: str | None = None) -> list[str]:
    """Lines for each router and prefix: its next hops with their shares, what becomes of a packet there, and why.

    Without ``service`` these are all service prefixes, and the PodCIDRs of nodes that a fault has touched by then.
    """
    history = settled(plan, timeline)
    lines = []
    for router, prefix in _places(plan, timeline, history, at_us, service):
        lines += [*_prefix_lines(plan, history, router, prefix, at_us), ""]
    return [
        *(lines or ["no prefix to explain: no service yet, and no fault before this moment", ""]),
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
        for router in plan.forwarders
        if (since_us := history.since_us(router.name, prefix)) is not None and since_us <= at_us
    ]


def _prefix_lines(plan: Plan, history: History, router: str, prefix: str, at_us: int) -> list[str]:
    """One prefix at one router."""
    if history.is_spine(router):
        return _spine_lines(plan, history, router, prefix, at_us)
    hops = obstacles(plan, history, router, prefix, at_us)
    title, service = _title(plan, router, prefix, at_us), _service(plan, prefix)
    inflow = Inflow(plan, history)
    gets = inflow.spread(router, prefix, at_us)
    if not gets.total:
        return [f"{title}: no spine sends anything here; {plural(len(hops), 'next hop')}"]
    if gets.total == gets.astray:
        return [f"{title}: " + click.style("the spines that sent here last have no router left", fg="red")]
    if not hops:
        return [f"{title}: " + click.style("no next hop, all of it is lost (no-route)", fg="red")]
    kind = next(item.ecmp.hash for item in plan.routers if item.name == router)
    group = history.groups(router, prefix).at(at_us)
    lost = sum(hop.share * hop.obstacle.lost for hop in hops) + gets.astray / gets.total
    summary = click.style(f"{percent(lost)} is lost", fg="red") if lost else click.style("nothing is lost", fg="green")
    rows = [
        (percent(hop.share), hop.node, _fate(hop) + _why_share(plan, group, place)) for place, hop in enumerate(hops)
    ]
    told = [f"  {line}" for line in _unused(history, router, prefix, at_us, "node")]
    told += [f"  {line}" for line in mid_flow(plan, service)] if service else []
    how = f"{plural(len(hops), 'next hop')} by {kind}"
    if history.spines_over(router):
        how += f"; spines send {percent(inflow.share(router, prefix, at_us))} of the prefix's traffic here"
    return [f"{title}: {summary}; {how}", *columns(rows, right=frozenset({0})), *told]


def _spine_lines(plan: Plan, history: History, spine: str, prefix: str, at_us: int) -> list[str]:
    """One prefix at a router of the second tier: who gets which share, and who of them has nobody to send it to."""
    title = _title(plan, spine, prefix, at_us)
    routers = history.groups(spine, prefix).at(at_us)
    if not routers.members:
        return [f"{title}: " + click.style("no router to send it to, all of it is lost (no-route)", fg="red")]
    sizes, total, _ = Inflow(plan, history).spread(spine, prefix, at_us)
    known = next(item for item in plan.fabric if item.name == spine)
    rows = []
    for place, (router, size) in enumerate(zip(routers.members, sizes, strict=True)):
        offers = history.next_hops(router, prefix).at(at_us)
        fate = "ok" if offers else "no-route: it has no next hop, and the spine has not noticed yet"
        rows.append((percent(size / total), router, fate + _why_share(plan, routers, place)))
    how = f"{plural(len(rows), 'router')} by {known.ecmp.hash}, seed {known.hash_seed}"
    told = [f"  {line}" for line in _unused(history, spine, prefix, at_us, "router")]
    return [f"{title}: {how}", *columns(rows, right=frozenset({0})), *told]


def _title(plan: Plan, router: str, prefix: str, at_us: int) -> str:
    service = _service(plan, prefix)
    return f"{service.name + ' ' if service else ''}{prefix} at {router}, t = {seconds(at_us / 1e6)}"


def _service(plan: Plan, prefix: str) -> ServicePlan | None:
    return next((item for item in plan.services if prefix in item.prefixes), None)


def _unused(history: History, router: str, prefix: str, at_us: int, kind: str) -> list[str]:
    """Who announces the prefix too, and gets none of its traffic."""
    members = history.groups(router, prefix).at(at_us).members
    rest = [name for name in history.next_hops(router, prefix).at(at_us) if name not in members]
    end = f"{plural(len(rest), f'more {kind}')} at the group's end, beyond maximumPaths: {listed(rest)}"
    return [end] if rest else []


def _why_share(plan: Plan, group: NextHops, place: int) -> str:
    """Where a next hop's share comes from: its buckets in a resilient group, else its weight where weights differ."""
    if group.table:
        return f"; has {group.buckets_of(place)} of {plural(len(group.table) // 2, 'bucket')}"
    by_node = {node.name: node.ecmp_weight for node in plan.nodes} | {router.name: 1 for router in plan.routers}
    weights = [by_node[node] for node in group.members]
    return f"; has weight {weights[place]} of {sum(weights)}" if len(set(weights)) > 1 else ""


def _fate(hop: NextHop) -> str:
    """What becomes of the packets that a next hop is sent."""
    cause, lost, backends, unheard = hop.obstacle
    if hop.skipped and not hop.share:
        return "skipped: its neighbour entry failed, and the next in the group gets its flows"
    match cause:
        case "link" if lost == 1.0:
            return "link: packets from the router do not get here, though the node is alive"
        case "link" if unheard:
            return (
                f"link: {percent(lost)} of the packets sent here get no answer: the node of {listed(unheard)} answers "
                "past a link that loses packets (dsr)"
            )
        case "link":
            return f"link: {percent(lost)} of the packets from the router are lost on the way or behind it"
        case "dead-next-hop":
            return "dead-next-hop: the node forwards nothing, and the router still sends to it"
        case "no-backend":
            return "no-backend: the node knows no backend"
        case "dead-backend":
            return f"dead-backend: {percent(lost)} of its picks are {listed(backends)}, dead and not yet removed"
    return "ok" if hop.picks_among is None else f"ok, picks among {plural(hop.picks_among, 'backend')}"


def _why(timeline: Timeline, at_us: int) -> list[str]:
    """The facts up to the moment, the least telling left out."""
    before = Timeline(timeline.start, at_us)
    for fact in timeline:
        if fact.time_us <= at_us:
            before.write(fact)
    rows = [(seconds(said.time_us / 1e6), said.text) for said in tell(before, most=_FACTS)]
    return ["what led here", *(columns(rows, right=frozenset({0})) or ["  nothing has happened yet"])]
