"""Rules about sessions: their timers, their graceful restart, their families."""

from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address

from simbgp.scenario.findings import Finding, of_restart, of_router, of_timers
from simbgp.scenario.plan import PeeringPlan, Plan, RouterPlan

_LEAST_HOLD_S = 20
"""Below it Cisco IOS warns of flapping peers at configuration."""


def _sessions(plan: Plan) -> Iterator[tuple[PeeringPlan, RouterPlan]]:
    routers = {router.name: router for router in plan.routers}
    return ((peering, routers[peering.router]) for peering in plan.peerings)


def keepalive_above_third(plan: Plan) -> Iterator[Finding]:
    """RFC 4271 §10 suggests a third of the hold time; GoBGP takes one only where the peer's OPEN lowers it."""
    for keepalive, hold in sorted({(p.keepalive_s, p.hold_s) for p in plan.peerings if 3 * p.keepalive_s > p.hold_s}):
        yield of_timers("keepAliveTimeSeconds", _above_third(keepalive, hold))


def router_keepalive_above_third(plan: Plan) -> Iterator[Finding]:
    """The same for a router that keeps to what it is told unless the node's OPEN lowers its hold time."""
    obstinate = {
        (r.name, r.profile.keepalive_s, r.profile.hold_s)
        for p, r in _sessions(plan)
        if r.profile.keepalive_third == "if_lowered" and r.profile.hold_s <= p.hold_s
    }
    for name, keepalive, hold in sorted(each for each in obstinate if 3 * each[1] > each[2]):
        yield of_router(name, _above_third(keepalive, hold), ("timers", "keepAliveTimeSeconds"), ("timers",))


def _above_third(keepalive: float, hold: float) -> str:
    return (
        f"keepAliveTimeSeconds {keepalive:g} is above a third of holdTimeSeconds {hold:g} (RFC 4271 §10): one or two "
        f"lost keepalives end the session; set it to {max(1, int(hold) // 3)} or less"
    )


def short_hold(plan: Plan) -> Iterator[Finding]:
    """What ends short sessions is a process that got no CPU; BFD in hardware does not wait for one."""
    short: dict[float, Finding] = {}
    for peering, router in _sessions(plan):
        hold = min(peering.hold_s, router.profile.hold_s)
        if router.bfd is not None or not 0 < hold < _LEAST_HOLD_S or hold in short:
            continue
        text = (
            f"a negotiated hold time of {hold:g} s without BFD ends sessions whenever a speaker stalls that long; take "
            f"{_LEAST_HOLD_S} s or more, or BFD for fast detection"
        )
        of_node = hold == peering.hold_s
        places = (("timers", "holdTimeSeconds"), ("timers",))
        short[hold] = of_timers("holdTimeSeconds", text) if of_node else of_router(router.name, text, *places)
    yield from (short[hold] for hold in sorted(short))


def retry_above_restart(plan: Plan) -> Iterator[Finding]:
    """One dial that fails costs a connect-retry time (GoBGP fsm.go), and the stale routes meanwhile."""
    late = {
        (p.connect_retry_s, p.restart.restart_time_s)
        for p in plan.peerings
        if p.restart.enabled and p.connect_retry_s > p.restart.restart_time_s
    }
    for retry, restart in sorted(late):
        yield of_timers(
            "connectRetryTimeSeconds",
            f"connectRetryTimeSeconds {retry} is above restartTimeSeconds {restart}: one failed dial after a restart "
            f"outlasts the kept routes; set it to {max(1, restart // 4)} or less",
        )


def muted_by_dead_router(plan: Plan) -> Iterator[Finding]:
    """RFC 4724 §4.1 as GoBGP 3.10 and 4.6 read it: a router that is away defers the UPDATEs to all (gobgp#3431)."""
    if not plan.speaker.waits_for_unestablished:
        return
    restarting = Counter(p.node for p in plan.peerings if p.restart.enabled)
    if any(sessions > 1 for sessions in restarting.values()):
        yield of_restart(
            "enabled",
            f"after a restart GoBGP {plan.speaker.gobgp} announces nothing to any router while another is not "
            f"Established, for up to {plan.speaker.deferral_s:g} s; restart no agent while a router is down, or take a "
            "release that does not wait (profiles 1.18, 1.19)",
        )


def muted_by_plain_router(plan: Plan) -> Iterator[Finding]:
    """RFC 4724 §4.1 excludes peers without the capability; GoBGP 3.10 waits for their End-of-RIB all the same."""
    if not plan.speaker.waits_for_end_of_rib:
        return
    restarting = ((p.restart.enabled and p.restart.restart_bit, r) for p, r in _sessions(plan))
    plain = dict.fromkeys(r.name for restarts, r in restarting if restarts and not r.profile.helper)
    unasked = {router.name for router in plan.routers if router.profile.end_of_rib_unasked}
    for name in plain:
        forgotten = name in unasked and plan.speaker.passes_over_plain_peers
        yield of_router(
            name,
            f"{name} has no graceful restart: after a restart GoBGP {plan.speaker.gobgp} announces nothing to it "
            + ("before the session is a new one" if forgotten else f"for {plan.speaker.deferral_s:g} s")
            + "; switch graceful restart on at both ends, or at none",
            ("gracefulRestart", "helper"),
            ("gracefulRestart",),
        )


def long_lived_in_vain(plan: Plan) -> Iterator[Finding]:
    """RFC 9494 §3: without capability 64 the long-lived one is ignored; and the helper must want it too."""
    offered = [(p, r) for p, r in _sessions(plan) if p.restart.long_lived_s]
    if any(not p.restart.enabled for p, _ in offered):
        yield of_restart(
            "longLived", "longLived does nothing while graceful restart is off (RFC 9494 §3); set enabled: true"
        )
    for name in dict.fromkeys(r.name for p, r in offered if p.restart.enabled and not _may_help_long(r)):
        yield of_router(
            name,
            f"{name} keeps no long-lived stale routes as it is configured by default; where it is told to (FRR: bgp "
            "long-lived-graceful-restart stale-time), set gracefulRestart.longLived: true here too",
            ("gracefulRestart",),
        )


def _may_help_long(router: RouterPlan) -> bool:
    asked = any("long_lived" in switch.fields for switch in router.profile.switches)
    return router.profile.long_lived or asked


def family_mismatch(plan: Plan) -> Iterator[Finding]:
    """RFC 8950 lends IPv4 prefixes an IPv6 next hop, and nothing lends IPv6 prefixes an IPv4 one."""
    reached = {node.name: {ip_address(address).version for address in node.addresses} for node in plan.nodes}
    lacking = dict.fromkeys(
        p.node for p in plan.peerings if reached[p.node] == {4} and any(":" in prefix for prefix in p.prefixes)
    )
    if lacking:
        first, *rest = lacking
        yield Finding(
            f"{first}{f' and {len(rest)} more' if rest else ''} announce IPv6 prefixes without an IPv6 address to "
            "point to; give each node one of both families (address: [...]), or announce IPv4 alone",
            (("cluster", "nodes"),),
            objects=True,
        )


RULES = (
    keepalive_above_third,
    router_keepalive_above_third,
    short_hold,
    retry_above_restart,
    muted_by_dead_router,
    muted_by_plain_router,
    long_lived_in_vain,
    family_mismatch,
)
