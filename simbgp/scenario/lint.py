"""What is allowed and seldom meant: each rule says what it costs and what to do instead."""

from collections.abc import Callable, Iterator

from simbgp.scenario import lint_faults, lint_sessions
from simbgp.scenario.plan import Plan

Rule = Callable[[Plan], Iterator[str]]


def maglev_with_snat(plan: Plan) -> Iterator[str]:
    """The new node has another source address, so its connection is another one (Cilium docs, kube-proxy-free)."""
    balancer = plan.load_balancer
    if plan.services and balancer.algorithm == "maglev" and balancer.mode == "snat":
        yield (
            "loadBalancer: maglev with snat saves no connection that moves to another node: the new node has another "
            "source address; dsr does"
        )


def rarer_than_conntrack(plan: Plan) -> Iterator[str]:
    """Nothing but packets keeps an entry (Cilium, bpf-ct-timeout-regular-tcp)."""
    lifetime_s = plan.speaker.conntrack_tcp_s
    for traffic in plan.traffic:
        if traffic.request_interval_s > lifetime_s:
            yield (
                f"traffic {traffic.service}: requests every {traffic.request_interval_s:g} s are rarer than the "
                f"{lifetime_s} s for which a node remembers a silent connection, and that it forgets these is not "
                f"simulated; send more often"
            )


def budget_without_room(plan: Plan) -> Iterator[str]:
    """A disruption budget that allows no disruption (Kubernetes, Disruptions)."""
    if not any(fault.kind == "node-drain" for fault in plan.faults):
        return
    for service in plan.services:
        if service.backends and service.min_available >= len(service.backends):
            yield (
                f"services {service.name}: minAvailable {service.min_available} of {len(service.backends)} backends "
                f"lets none be evicted, and a drain of their nodes never ends; lower it, or add a backend"
            )


RULES: tuple[Rule, ...] = (
    maglev_with_snat,
    rarer_than_conntrack,
    budget_without_room,
    *lint_sessions.RULES,
    *lint_faults.RULES,
)


def lint(plan: Plan) -> Iterator[str]:
    """Warnings about a plan, rule by rule."""
    for rule in RULES:
        yield from rule(plan)
