"""Rules about what the scenario's own faults meet: restart times that are too short, orders that lose packets."""

from collections.abc import Iterator, Sequence
from math import isfinite

from simbgp.profiles import Law
from simbgp.scenario.findings import Finding, of_fault, of_restart
from simbgp.scenario.plan import FaultPlan, PeeringPlan, Plan, RouterPlan


def _most(law: Law) -> float:
    end = law.support[1]
    return end if isfinite(end) else law.quantile(0.99)


def _restarts(plan: Plan) -> dict[str, int]:
    """The shortest restart time in a session of each node that offers graceful restart."""
    found: dict[str, int] = {}
    for peering in plan.peerings:
        if peering.restart.enabled:
            mine = peering.restart.restart_time_s
            found[peering.node] = min(mine, found.get(peering.node, mine))
    return found


def restart_too_short(plan: Plan) -> Iterator[Finding]:
    """The restart time runs from the loss to the new session (RFC 4724 §4.2): container, agent and first dial."""
    restarts = _restarts(plan)
    for fault in plan.faults:
        away = _away(fault)
        restart = min((restarts[node] for node in fault.nodes or restarts if node in restarts), default=None)
        if away is None or restart is None:
            continue
        back_s = _most(away) + _most(plan.agent_startup) + _most(plan.speaker.first_dial)
        if back_s > restart:
            pull = fault.kind == "agent-upgrade"
            yield of_restart(
                "restartTimeSeconds",
                f"restartTimeSeconds {restart} is below the {back_s:.0f} s that {fault.kind} {fault.name!r} may take "
                "until the agent dials again: the routes go meanwhile; raise it to "
                f"{min(4095, int(back_s * 1.25) + 1)}{' or pull the image before (prePulled: true)' if pull else ''}",
            )


def _away(fault: FaultPlan) -> Law | None:
    """How long the agent's container is away, if it comes back."""
    if fault.kind in ("agent-crash", "agent-restart"):
        return fault.down_for
    if fault.kind == "agent-upgrade":
        pull: Law | None = fault.options["image_pull"]
        return pull or Law.constant(0.0)
    return None


def restart_hides_dead_nodes(plan: Plan) -> Iterator[Finding]:
    """With the N bit, hold expiry starts the restart time (RFC 8538 §4.1): a dead node keeps its traffic for both."""
    if not any(service.policy == "Cluster" for service in plan.services):
        return
    sessions = plan.sessions
    keeping = {router.name for router in plan.routers if _keeps_the_dead(router, sessions.get(router.name, ()))}
    kept = {p.node for p in plan.peerings if p.router in keeping and p.restart.enabled}
    for fault in plan.faults:
        if fault.kind == "node-down" and not kept.isdisjoint(fault.nodes):
            yield of_restart(
                "restartTimeSeconds",
                f"a node lost by fault {fault.name!r} keeps its share of Cluster services for hold and restart time "
                "together; shorten restartTimeSeconds to what an agent restart needs, or shorten the hold time",
            )


def _keeps_the_dead(router: RouterPlan, sessions: Sequence[PeeringPlan]) -> bool:
    profile = router.profile
    rule = profile.keeps_stale.hold_expired
    notifies = profile.notification and any(p.restart.notification for p in sessions)
    long_lived = profile.long_lived and any(p.restart.long_lived_s for p in sessions)
    held = (rule == "notification" and notifies) or (rule == "long_lived" and long_lived)
    return profile.helper and (rule == "gr" or held)


def steps_after_poweroff(plan: Plan) -> Iterator[Finding]:
    """A node without power says no goodbye: what comes after it is waited for by timers."""
    for place, fault in enumerate(plan.faults):
        order = fault.options.get("order", ())
        late = order[order.index("poweroff") + 1 :] if "poweroff" in order else ()
        if late:
            what = f"{', '.join(late)} after poweroff finds the node dead: its routes wait for the hold timer"
            yield of_fault(place, f"{what}; put poweroff last", "order")


def poweroff_without_unlabel(plan: Plan) -> Iterator[Finding]:
    """Drain means nothing to BGP: a node that is emptied and still announced attracts traffic until it is noticed."""
    for place, fault in enumerate(plan.faults):
        order = fault.options.get("order", ())
        if "poweroff" in order and "unlabel" not in order:
            what = "the node is switched off while BGP announces it: a drain takes no route away"
            yield of_fault(place, f"{what}; put unlabel and wait before poweroff", "order")


RULES = (restart_too_short, restart_hides_dead_nodes, steps_after_poweroff, poweroff_without_unlabel)
