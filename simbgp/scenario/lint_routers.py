"""Rules about how routers spread what they forward."""

from collections import Counter
from collections.abc import Iterator

from simbgp.scenario.findings import Finding, of_router
from simbgp.scenario.plan import Plan


def more_than_maximum_paths(plan: Plan) -> Iterator[Finding]:
    """A router installs at most ``maximum-paths`` next hops: the other announcers stand by (256 in Debian's FRR)."""
    sessions = plan.sessions
    for router in plan.routers:
        most = router.ecmp.maximum_paths
        announced = Counter(prefix for p in sessions.get(router.name, ()) for prefix in p.prefixes)
        prefix, count = max(announced.items(), key=lambda item: item[1], default=("", 0))
        if most is not None and count > most:
            yield of_router(
                router.name,
                f"{count} nodes announce {prefix}, and maximumPaths {most} of them get its traffic; raise maximumPaths "
                "on the router, or have fewer nodes announce it",
                ("ecmp", "maximumPaths"),
                ("profile",),
            )


def per_packet(plan: Plan) -> Iterator[Finding]:
    """RFC 2991 §2: a TCP connection that is sprayed over paths is reordered; here it meets another load balancer."""
    for router in plan.routers:
        if router.ecmp.hash == "per-packet":
            yield of_router(
                router.name,
                f"{router.name} sends the packets of one connection to all nodes: with SNAT or a Local service every "
                "connection is reset by the second node, and Maglev seems broken (projectcalico/calico#12432); have it "
                "hash flows (5-tuple)",
                ("ecmp", "hash"),
            )


RULES = (more_than_maximum_paths, per_packet)
