"""What is allowed and seldom meant: each rule says what it costs and what to do instead."""

from collections.abc import Callable, Iterator

from simbgp.scenario import lint_fabric, lint_faults, lint_sessions
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
    budget_without_room,
    *lint_sessions.RULES,
    *lint_faults.RULES,
    *lint_fabric.RULES,
)


def lint(plan: Plan) -> Iterator[str]:
    """Warnings about a plan, rule by rule."""
    for rule in RULES:
        yield from rule(plan)
