"""What is allowed and seldom meant."""

from collections.abc import Iterator

from simbgp.scenario.plan import Plan


def lint(plan: Plan) -> Iterator[str]:
    """Warnings about a plan."""
    balancer = plan.load_balancer
    if plan.services and balancer.algorithm == "maglev" and balancer.mode == "snat":
        yield (
            "loadBalancer: maglev with snat saves no connection that moves to another node: the new node has another "
            "source address; dsr does"
        )
    slow = sorted(
        {(peering.keepalive_s, peering.hold_s) for peering in plan.peerings if 3 * peering.keepalive_s > peering.hold_s}
    )
    for keepalive, hold in slow:
        yield (
            f"timers: keepAliveTimeSeconds {keepalive} is above a third of holdTimeSeconds {hold} (RFC 4271 §10): "
            f"one or two lost keepalives end the session"
        )
