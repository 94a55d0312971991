"""How long to wait after a node is unlabelled until no router forwards anything to it.

The model runs with an ``unlabel`` in place of the scenario's faults, as often as the quantile needs, and once more for
every other way in which the profiles' open switches may stand.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from simbgp.measure import Value, estimate
from simbgp.measure.intervals import runs_for_quantile
from simbgp.measure.session_loss import SessionLoss
from simbgp.measure.spans import Span
from simbgp.profiles import Law
from simbgp.scenario import Plan, Scenario
from simbgp.scenario.plan import FaultPlan, RouterPlan
from simbgp.study.alternatives import other_ways
from simbgp.study.replay import played
from simbgp.study.waiting import OfProfile, Waiting, WayOut
from simbgp.timeline import RouteChanged

_AT_S = 60.0
_PATIENCE_S = 2 * 3600.0
"""The longest restart time is 4095 s (12 bits, RFC 4724 §3)."""
_FEWEST_RUNS = 400


def wait(
    scenario: Scenario,
    p: float = 99.9,
    runs: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Waiting:
    """The ``p`` % quantile of the time from a change of a node's label until the last router has forgotten the node.

    The node is the first that a fault of the scenario names, else the one of all that takes longest.
    """
    plan, nodes = _still(scenario.plan()), _nodes(scenario.plan())
    runs = runs or max(_FEWEST_RUNS, runs_for_quantile(p / 100))
    asked = _Asked(p, runs, seed)
    ways = [((), plan), *((way.choices, way.plan) for way in other_ways(_unlabelled(plan, nodes[0])))]
    total = len(ways) * len(nodes)
    found: list[WayOut] = []
    for choices, other in ways:
        of_nodes = []
        for node in nodes:
            of_nodes.append(WayOut(choices, node, tuple(_answers(_unlabelled(other, node), asked))))
            progress(len(found) * len(nodes) + len(of_nodes), total)
        found.append(max(of_nodes, key=lambda out: out.worst.estimate.value if out.profiles else -1.0))
    return Waiting(p, seed, tuple(found))


@dataclass(frozen=True, slots=True)
class _Asked:
    p: float
    runs: int
    seed: int


def _still(plan: Plan) -> Plan:
    """The cluster in steady state with all its nodes, without clients and bounds."""
    plan = replace(plan, nodes=tuple(replace(node, joins=False) for node in plan.nodes))
    return replace(
        plan, horizon_us=round((_AT_S + _PATIENCE_S) * 1e6), cold_start=False, traffic=(), slo=(), background=()
    )


def _unlabelled(plan: Plan, node: str) -> Plan:
    fault = FaultPlan("wait", "unlabel", Law.constant(_AT_S), (node,), (), None)
    return replace(plan, faults=(fault,))


def _nodes(plan: Plan) -> list[str]:
    """The first node that a fault names, else one of each sort: nodes with equal sessions wait equally long."""
    named = [fault.nodes[0] for fault in plan.faults if fault.nodes and fault.random_nodes is None]
    if named:
        return named[:1]
    profiles = {router.name: router.profile.name for router in plan.routers}
    sorts: dict[object, str] = {}
    for node in plan.nodes:
        peerings = [peering for peering in plan.peerings if peering.node == node.name]
        like = tuple(
            (profiles[p.router], p.hold_s, p.keepalive_s, p.restart, p.families, len(p.prefixes)) for p in peerings
        )
        sorts.setdefault(like, node.name)
    return list(sorts.values())


def _answers(plan: Plan, asked: _Asked) -> Iterator[OfProfile]:
    """One answer for each router profile that has a session with the node."""
    node = plan.faults[0].nodes[0]
    mine = {peering.router for peering in plan.peerings if peering.node == node}
    of_profile: dict[str, list[RouterPlan]] = defaultdict(list)
    for router in plan.routers:
        if router.name in mine:
            of_profile[router.profile.name].append(router)
    times, exact = _times(plan, node, asked)
    for profile, routers in of_profile.items():
        names = tuple(router.name for router in routers)
        values = [max((time[name] for name in names), key=lambda v: (v.censored, v.value)) for time in times]
        found = estimate(f"p{asked.p:g}", values, seed=asked.seed, purpose=f"wait/{profile}", exact=exact)
        losses = [_loss(plan, node, router) for router in routers]
        closed = _widest([loss.withdrawn() for loss in losses])
        yield OfProfile(profile, names, found, closed, decides(losses[0]), tuple(values))


def _loss(plan: Plan, node: str, router: RouterPlan) -> SessionLoss:
    peering = next(p for p in plan.peerings if (p.node, p.router) == (node, router.name))
    return SessionLoss(plan, plan.faults[0], peering, router.profile)


def _widest(spans: Sequence[Span | None]) -> Span | None:
    known = [span for span in spans if span is not None]
    if len(known) < len(spans):
        return None
    return Span(min(span.low for span in known), max(span.high for span in known), known[0].text)


def _times(plan: Plan, node: str, asked: _Asked) -> tuple[list[dict[str, Value]], bool]:
    """In each run, by router, when it had forgotten the node; and whether every run is the same."""
    times: list[dict[str, Value]] = []
    for run in range(asked.runs):
        log, used_luck = played(plan, asked.seed, run)
        held = {
            router: {prefix for prefix, nodes in table.items() if node in nodes}
            for router, table in log.start.next_hops.items()
        }
        last_us = dict.fromkeys(held, round(_AT_S * 1e6))
        for fact in log.of(RouteChanged):
            if fact.node == node and fact.event == "withdrawn":
                held[fact.router].discard(fact.prefix)
                last_us[fact.router] = fact.time_us
        times.append({router: _since(last_us[router], bool(held[router])) for router in held})
        if not used_luck:
            return times, True
    return times, False


def _since(time_us: int, held: bool) -> Value:
    return Value(_PATIENCE_S, censored=True) if held else Value(time_us / 1e6 - _AT_S)


def decides(loss: SessionLoss) -> str:
    """Which capability of the router or the speaker makes the wait short or long."""
    speaker, restart_s = loss.plan.speaker, loss.peering.restart.restart_time_s
    if not loss.peering.restart.enabled:
        return "graceful restart is off at the node: the router drops the routes with the session"
    if not loss.router.helper:
        return "the router does not help a graceful restart: it drops the routes with the session"
    if loss.loss() == "hard_reset":
        return (
            f"Hard Reset: GoBGP {speaker.gobgp} ends the session by Cease 6/9 where both ends set the N bit, and the "
            f"router drops the routes at once (RFC 8538 §4); a GoBGP before 3.26 leaves them for {restart_s} s"
        )
    if loss.keeps():
        return (
            "the N bit without Hard Reset: the speaker sends a plain Cease 6/3, as GoBGP before 3.26 does, and the "
            f"router keeps the routes for the {loss.kept().text} s (RFC 8538 §4)"
        )
    lacks = "router" if loss.peering.restart.notification else "node"
    return f"no N bit at the {lacks}: a NOTIFICATION ends the routes with the session (RFC 4724 §4)"
