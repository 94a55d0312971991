"""What is allowed and seldom meant: each rule says what it costs and what to do instead."""

from collections.abc import Callable, Iterator

from simbgp.scenario import lint_fabric, lint_faults, lint_routers, lint_sessions
from simbgp.scenario.findings import Finding
from simbgp.scenario.plan import Plan

Rule = Callable[[Plan], Iterator[Finding]]


def maglev_with_snat(plan: Plan) -> Iterator[Finding]:
    """The new node has another source address, so its connection is another one (Cilium docs, kube-proxy-free)."""
    balancer = plan.load_balancer
    if plan.services and balancer.algorithm == "maglev" and balancer.mode == "snat":
        yield Finding(
            "maglev with snat saves no connection that moves to another node: the new node has another source address; "
            "dsr does",
            (("cluster", "loadBalancer", "mode"), ("cluster", "loadBalancer", "algorithm")),
        )


def rarer_than_conntrack(plan: Plan) -> Iterator[Finding]:
    """Nothing but packets keeps an entry (Cilium, bpf-ct-timeout-regular-tcp)."""
    lifetime_s = plan.speaker.conntrack_tcp_s
    for place, traffic in enumerate(plan.traffic):
        if traffic.request_interval_s > lifetime_s:
            yield Finding(
                f"requests of {traffic.service} every {traffic.request_interval_s:g} s are rarer than the {lifetime_s} "
                "s for which a node remembers a silent connection, and that it forgets these is not simulated; send "
                "more often",
                (("traffic", place, "requests"), ("traffic", place)),
            )


def budget_without_room(plan: Plan) -> Iterator[Finding]:
    """A disruption budget that allows no disruption (Kubernetes, Disruptions)."""
    if not any(fault.kind == "node-drain" for fault in plan.faults):
        return
    for place, service in enumerate(plan.services):
        if service.backends and service.min_available >= len(service.backends):
            yield Finding(
                f"minAvailable {service.min_available} of {len(service.backends)} backends of {service.name} lets none "
                "be evicted, and a drain of their nodes never ends; lower it, or add a backend",
                (("services", place, "minAvailable"),),
                objects=True,
            )


def flag_not_heeded(plan: Plan) -> Iterator[Finding]:
    """Before cilium/cilium#40717 the flag was one of the load balancer alone."""
    if plan.services and not plan.routable_without_endpoints and not plan.speaker.withdraws_without_backends:
        yield Finding(
            f"{plan.speaker.name} announces a Cluster service without endpoints all the same (cilium/cilium#40438); "
            "take 1.19 or later",
            (("cluster", "enableNoServiceEndpointsRoutable"),),
        )


RULES: tuple[Rule, ...] = (
    maglev_with_snat,
    rarer_than_conntrack,
    budget_without_room,
    flag_not_heeded,
    *lint_sessions.RULES,
    *lint_routers.RULES,
    *lint_fabric.RULES,
    *lint_faults.RULES,
)


def lint(plan: Plan) -> Iterator[Finding]:
    """What is seldom meant in a plan, rule by rule."""
    for rule in RULES:
        yield from rule(plan)
