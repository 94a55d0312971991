"""Rules about sessions: their timers, their graceful restart, their families."""

from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address

from simbgp.scenario.plan import PeeringPlan, Plan, RouterPlan

_LEAST_HOLD_S = 20
"""Below it Cisco IOS warns of flapping peers at configuration."""


def _sessions(plan: Plan) -> Iterator[tuple[PeeringPlan, RouterPlan]]:
    routers = {router.name: router for router in plan.routers}
    return ((peering, routers[peering.router]) for peering in plan.peerings)


def keepalive_above_third(plan: Plan) -> Iterator[str]:
    """RFC 4271 §10 suggests a third of the hold time; GoBGP takes one only where the router's OPEN lowers it."""
    for keepalive, hold in sorted({(p.keepalive_s, p.hold_s) for p in plan.peerings if 3 * p.keepalive_s > p.hold_s}):
        yield (
            f"timers: keepAliveTimeSeconds {keepalive} is above a third of holdTimeSeconds {hold} (RFC 4271 §10): "
            f"one or two lost keepalives end the session; set it to {max(1, hold // 3)} or less"
        )


def short_hold(plan: Plan) -> Iterator[str]:
    """What ends short sessions is a process that got no CPU; BFD in hardware does not wait for one."""
    short = {min(p.hold_s, r.profile.hold_s) for p, r in _sessions(plan) if r.bfd is None}
    for hold in sorted(hold for hold in short if 0 < hold < _LEAST_HOLD_S):
        yield (
            f"timers: a negotiated hold time of {hold} s without BFD ends sessions whenever a speaker stalls that "
            f"long; take {_LEAST_HOLD_S} s or more, or BFD for fast detection"
        )


def retry_above_restart(plan: Plan) -> Iterator[str]:
    """One dial that fails costs a connect-retry time (GoBGP fsm.go), and the stale routes meanwhile."""
    late = {
        (p.connect_retry_s, p.restart.restart_time_s)
        for p in plan.peerings
        if p.restart.enabled and p.connect_retry_s > p.restart.restart_time_s
    }
    for retry, restart in sorted(late):
        yield (
            f"timers: connectRetryTimeSeconds {retry} is above restartTimeSeconds {restart}: one failed dial after a "
            f"restart outlasts the kept routes; set it to {max(1, restart // 4)} or less"
        )


def muted_by_dead_router(plan: Plan) -> Iterator[str]:
    """RFC 4724 §4.1 as GoBGP 3.10 and 4.6 read it: a router that is away defers the UPDATEs to all (gobgp#3431)."""
    if not plan.speaker.waits_for_unestablished:
        return
    several = any(
        len([p for p in plan.peerings if p.node == node.name and p.restart.enabled]) > 1 for node in plan.nodes
    )
    if several:
        yield (
            f"gracefulRestart: after a restart GoBGP {plan.speaker.gobgp} announces nothing to any router while "
            f"another is not Established, for up to {plan.speaker.deferral_s:g} s; restart no agent while a router is "
            f"down, or take a release that does not wait (profiles 1.18, 1.19)"
        )


def long_lived_in_vain(plan: Plan) -> Iterator[str]:
    """RFC 9494 §3: without capability 64 the long-lived one is ignored; and the helper must want it too."""
    offered = [(p, r) for p, r in _sessions(plan) if p.restart.long_lived_s]
    if any(not p.restart.enabled for p, _ in offered):
        yield "gracefulRestart: longLived does nothing while graceful restart is off (RFC 9494 §3); set enabled: true"
    for name in dict.fromkeys(r.name for p, r in offered if p.restart.enabled and not _may_help_long(r)):
        yield (
            f"routers {name}: keeps no long-lived stale routes as it is configured by default; where it is told to "
            f"(FRR: bgp long-lived-graceful-restart stale-time), set gracefulRestart.longLived: true here too"
        )


def _may_help_long(router: RouterPlan) -> bool:
    asked = any("long_lived" in switch.fields for switch in router.profile.switches)
    return router.profile.long_lived or asked


def family_mismatch(plan: Plan) -> Iterator[str]:
    """RFC 8950 lends IPv4 prefixes an IPv6 next hop, and nothing lends IPv6 prefixes an IPv4 one."""
    reached = {node.name: {ip_address(address).version for address in node.addresses} for node in plan.nodes}
    lacking = dict.fromkeys(
        p.node for p in plan.peerings if reached[p.node] == {4} and any(":" in prefix for prefix in p.prefixes)
    )
    if lacking:
        first, *rest = lacking
        yield (
            f"nodes: {first}{f' and {len(rest)} more' if rest else ''} announce IPv6 prefixes without an IPv6 address "
            f"to point to; give each node one of both families (address: [...]), or announce IPv4 alone"
        )


def more_than_maximum_paths(plan: Plan) -> Iterator[str]:
    """A router installs at most ``maximum-paths`` next hops: the other announcers stand by (256 in Debian's FRR)."""
    for router in plan.routers:
        most = router.ecmp.maximum_paths
        announced = Counter(prefix for p in plan.peerings if p.router == router.name for prefix in p.prefixes)
        prefix, count = max(announced.items(), key=lambda item: item[1], default=("", 0))
        if most is not None and count > most:
            yield (
                f"routers {router.name}: {count} nodes announce {prefix}, and maximumPaths {most} of them get its "
                f"traffic; raise maximumPaths on the router, or have fewer nodes announce it"
            )


RULES = (
    keepalive_above_third,
    short_hold,
    retry_above_restart,
    muted_by_dead_router,
    long_lived_in_vain,
    family_mismatch,
    more_than_maximum_paths,
)
