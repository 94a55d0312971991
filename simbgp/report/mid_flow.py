"""What a node does with packets of connections that it did not open, in words."""

from simbgp.scenario.plan import Plan, ServicePlan


def mid_flow(plan: Plan, service: ServicePlan) -> list[str]:
    """What becomes of an open connection that the router sends to another node than before, and whom a node knows."""
    lines = [f"an open connection that is moved to another node {_fate(plan, service)}"]
    if service.affinity_s is not None:
        lines.append(
            f"each node gives a client address to one backend for {service.affinity_s:g} s after its last packet; "
            f"another node {_elsewhere(plan)}"
        )
    return lines


def _fate(plan: Plan, service: ServicePlan) -> str:
    balancer = plan.load_balancer
    if balancer.unknown_flow == "reset":
        return "is reset: the node knows no such connection and answers itself (tcpLoose: false)"
    if balancer.unknown_flow == "drop":
        return "times out: the node knows no such connection and nobody answers (tcpLoose: false)"
    if service.policy == "Local":
        return "is reset: the backends of that node do not know it (externalTrafficPolicy: Local)"
    if balancer.mode == "snat":
        return "is reset: its backend knows it by the first node's address (snat)"
    heard = "is reset" if plan.speaker.dsr_reset_reaches_client else "times out, for the backend's RST is not heard"
    if balancer.algorithm == "maglev":
        return f"goes on where both nodes' tables have the same backend in its slot, else {heard} (dsr, maglev)"
    return f"goes on if the node happens to pick its backend, else {heard} (dsr, random)"


def _elsewhere(plan: Plan) -> str:
    if plan.load_balancer.algorithm == "maglev":
        return "gives it to the same one while their tables agree (maglev)"
    return "knows nothing of it and picks anew (random)"
