"""Ten things about BGP that a naive simulator gets wrong: one test each, from the RFCs and the daemons' sources.

H hold time, K keepalive interval, R restart time, S stale time; times in seconds after the fault.
"""

from dataclasses import replace

import pytest
from belief_worlds import holes, lost_s, out_s, with_clients
from worlds import (
    VIP,
    cluster,
    direct,
    fault,
    fib_log,
    first_lost,
    instant,
    play,
    pod_cidr,
    session_log,
    since_fault,
    steady,
)

from simbgp.profiles import router, speaker
from simbgp.scenario.plan import EcmpPlan, GracefulRestartPlan
from simbgp.timeline import NeighbourChanged, RouteChanged, SessionChanged
from simbgp.traffic import outcomes

POD = pod_cidr(1)
RUNS = range(40)
each = pytest.mark.parametrize


def gr(restart_s=120, **more):
    return GracefulRestartPlan(True, restart_s, **more)


def why(log, side="router"):
    """Why worker-1's session ended, as that end tells."""
    return [f.reason for f in log.of(SessionChanged) if f.side == side and f.from_state == "established"]


# 1


@each(
    ("profile", "restart", "low_s", "high_s"),
    [
        (instant("rfc8538"), gr(), 180, 210),
        (instant("frr-8.4"), gr(), 180, 210),
        (instant("junos"), gr(), 180, 210),
        (instant("gobgp-3.10", helper=True), gr(notification=False), 180, 210),
        (instant("rfc4724"), gr(), 60, 90),
        (instant("frr-8.4"), gr(notification=False), 60, 90),
        (instant("openbgpd-7.7", timer_grain_s=0.0), gr(), 60, 90),
        (instant("bird-2.0", hold_jitter=(1.0, 1.0)), gr(), 60, 90),
        (instant("srlinux"), gr(), 60, 90),  # its helper mode is off unless enabled
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_hold_plus_restart_is_the_window_of_some_helpers_only(profile, restart, low_s, high_s):
    """Belief: with graceful restart a dead node is routed to for hold + restart. Truth: only where both ends sent N
    (RFC 8538 §4) or the helper is GoBGP: 180 to 210 s of 90/30/120; else hold alone, 60 to 90 (RFC 4724 §5; bgp.md
    §6.1)."""
    plan = cluster(routers=(profile,), restart=restart)
    outs = [out_s(play(plan, fault("node-down"), run=run), VIP) for run in RUNS]
    assert low_s < min(outs) <= max(outs) <= high_s


# 2


@each(
    ("timers", "profile", "low_s", "high_s"),
    [
        ((90, 30), instant("rfc4724"), 60, 90),
        ((90, 10), instant("rfc4724"), 80, 90),  # the node's K of 10, though the router sends every 30
        ((90, 30), instant("frr-8.4", hold_s=9, keepalive_s=3), 6, 9),
        ((90, 30), instant("bird-2.0"), 37.5, 90),  # its own hold timer is jittered
    ],
)
def test_detection_is_the_hold_time_less_the_age_of_the_senders_last_keepalive(timers, profile, low_s, high_s):
    """Belief: detection takes the hold time. Truth: U(H-K, H], K being the silent side's interval, and BIRD's hold
    timer runs out from 0.75 H on: 37.5 to 90 s of 90/30 (RFC 4271 §10; bgp.c bgp_start_timer; bgp.md §6.2)."""
    plan = cluster(timers=timers, routers=(profile,))
    seen = [first_lost(play(plan, fault("node-down"), run=run)) for run in RUNS]
    assert low_s < min(seen) < low_s + 0.25 * (high_s - low_s)
    assert high_s - 0.4 * (high_s - low_s) < max(seen) <= high_s


# 3


@each(("restart_s", "stale_s", "kept_s"), [(120, 180, 120), (120, 360, 120), (300, 180, 180), (120, 60, 60)])
def test_a_peer_that_never_returns_is_kept_for_the_shorter_of_restart_and_stale_time(restart_s, stale_s, kept_s):
    """Belief: one waits for the stale timer of 180 s. Truth: min(R, S) from the loss of the session (RFC 4724 §4.2, RFC
    8538 §4.1; FRR bgp_stop; bgp.md §6.3)."""
    plan = cluster(routers=(instant("rfc8538", stale_path_s=stale_s),), restart=gr(restart_s))
    assert fib_log(play(plan, fault("agent-crash")), POD) == [(kept_s, "withdrawn")]


# 4


@each(
    ("what", "name", "restart", "changes"),
    [
        ("unlabel", "gobgp-3.10", gr(20), [20]),  # plain 6/3: kept for R
        ("unlabel", "gobgp-3.36", gr(20), [0]),  # Hard Reset since 3.26
        ("unlabel", "gobgp-3.36", gr(20, notification=False), [0]),
        ("session-reset", "gobgp-3.36", gr(20), []),  # 6/4 is never converted
        ("session-reset", "gobgp-3.36", gr(20, notification=False), [0, 7]),  # idle 5, dial 2
        ("session-reset", "gobgp-3.36", GracefulRestartPlan(False), [0, 7]),
    ],
)
def test_removing_a_label_and_changing_a_timer_end_a_session_in_different_ways(what, name, restart, changes):
    """Belief: what the operator does is always graceful, or never. Truth: it depends on N and the release: Cease 6/3 is
    a Hard Reset from GoBGP 3.26 on, a configuration change sends 6/4, graceful with N (RFC 8538 §5.1; bgp.md §6.4)."""
    plan = cluster(routers=(instant("rfc8538"),), speaker=steady(name), restart=restart)
    assert [time_s for time_s, _ in fib_log(play(plan, fault(what)), POD)] == changes


# 5


def test_an_outage_of_60_s_ends_a_fifth_of_sessions_and_one_of_53_s_none():
    """Belief: keepalives go on flowing at the repair. Truth: the first lost one waits for TCP's next retransmission,
    0.209 x 2^k: of H = 90 the last rung in time is 53.5 s, so 53 s end none and 60 s (60 - 53.5)/30 = 21.7 % (RFC 6298
    §5.5; bgp.md §6.5)."""
    ended = {
        s: sum(bool(session_log(play(cluster(), fault("link-loss", s), run=r))) for r in range(600)) for s in (53, 60)
    }
    assert ended[53] == 0
    assert ended[60] / 600 == pytest.approx(0.217, abs=4 * 0.0168)  # sd sqrt(0.217 x 0.783 / 600)


# 6


@each(
    ("name", "attach", "gone_s"),
    [
        ("frr-8.4", direct, (0, 0)),
        ("bird-2.0", direct, (0, 0)),
        ("gobgp-3.10", direct, (60, 90)),
        ("frr-8.4", None, (60, 90)),
    ],
)
def test_the_router_and_not_the_kernel_ends_a_session_when_its_link_goes_dark(name, attach, gone_s):
    """Belief: the kernel tears TCP down with the link, and graceful restart covers it. Truth: Linux keeps the socket;
    FRR and BIRD watch the port and flush in spite of graceful restart, GoBGP waits for its hold timer, as does
    everybody behind a switch (FRR bgp_ifp_down; bgp.md §6.6)."""
    plan = cluster(routers=(instant(name, helper=True),), restart=gr())
    log = play(attach(plan) if attach else plan, fault("link-down"))
    assert gone_s[0] <= first_lost(log) <= gone_s[1]
    if gone_s == (0, 0):
        assert fib_log(log, VIP) == [(0, "withdrawn")]


# 7


def test_only_the_node_dials_and_one_dial_in_vain_defeats_graceful_restart():
    """Belief: both sides dial and retry quickly. Truth: Cilium does not listen; GoBGP 3.x retries after U[120, 240],
    more than R = 120: routes out at 120, back at 5 to 9 + 4 + 120 to 240 (GoBGP fsm.go connectLoop; bgp.md §6.7)."""
    plan = cluster(routers=(instant("rfc8538"),), speaker=speaker("gobgp-3.10"), restart=gr())
    for run in RUNS:  # the link is dark for the first dial alone
        log = play(plan, fault("agent-crash", 0), fault("link-loss", 14), run=run)
        (left_s, _), (back_s, _) = fib_log(log, POD)
        assert left_s == 120
        assert 5 + 4 + 120 <= back_s <= 9 + 4 + 240 + 0.1


# 8


def test_a_dead_second_router_costs_the_live_one_the_routes_although_its_session_is_up():
    """Belief: graceful restart is between two peers. Truth: from GoBGP 4.6 a restarted node tells nobody anything while
    a router is missing, for 360 s: with S = 300 from the loss the live router has no route from 300 to boot + 360
    (GoBGP commit 748e233f; bgp.md §5 row 21 and §6.8)."""
    helpers = (instant("frr-8.4", stale_path_s=300),) * 2
    plan = cluster(routers=helpers, speaker=steady("gobgp-4.8", dial_s=2.0), restart=gr())
    log = play(plan, fault("link-loss", at_s=1, routers=("tor-2",)), fault("agent-crash", 10))
    assert session_log(log) == [(0, "down"), (12, "up")]
    assert fib_log(log, POD) == [(300, "withdrawn"), (372, "added")]


def test_the_forwarding_bit_is_set_even_after_a_reboot():
    """Belief: F says that forwarding was kept. Truth: Cilium sets R and F in every OPEN, so the stale routes of a
    rebooted node stay and lead into it while it boots (Cilium pkg/bgp/gobgp/conversions.go; bgp.md §5 row 19 and §6.8).
    """
    plan = cluster(routers=(instant("rfc8538"),), restart=gr(), node_s=20, agent_s=5)
    log = play(plan, fault("node-down", 10))
    assert holes(plan, log, POD) == [("dead-next-hop", 0, 30)]
    assert "refreshed" in [f.event for f in log.of(RouteChanged) if f.prefix == POD]


# 9


MANY = 20_000


def four_nodes(hash):
    plan = cluster(nodes=4, routers=(instant("rfc4724"),))
    return replace(plan, routers=tuple(replace(tor, ecmp=EcmpPlan(hash)) for tor in plan.routers))


@each(("hash", "moved"), [("hash-threshold", 1 / 2), ("modulo", 3 / 4)])
def test_ecmp_moves_more_than_the_share_of_the_lost_node(hash, moved):
    """Belief: losing one of N moves 1/N. Truth: hash-threshold moves 1/2 - (k-1)(N-k)/(N(N-1)), 1/2 for the first node,
    modulo 1 - 1/N (RFC 2992 §3; bgp.md §4.1, §6.9)."""
    plan = with_clients(four_nodes(hash), MANY)
    assert outcomes(plan, play(plan, fault("agent-crash")), 1, 0)[0].moved == pytest.approx(moved * MANY, abs=4 * 71)


@each(("hash", "moved"), [("hash-threshold", 1 / 2), ("modulo", 3 / 4)])
def test_ecmp_moves_as_many_again_when_the_node_returns(hash, moved):
    """Belief: a return moves nothing. Truth: insertion at k moves what removal did (bgp.md §4.1). 100 connections a
    second that open without the node, from 1 s on until it is back at 1 + 199 + 2: 20 200 times the share."""
    plan = with_clients(four_nodes(hash), 0, arrivals_per_s=100)
    log = play(plan, fault("agent-crash", 199, at_s=1))
    assert outcomes(plan, log, 1, 0)[0].moved == pytest.approx(moved * MANY * 1.01, abs=4 * 123)  # sd sqrt(15 150)


def test_a_failed_neighbour_entry_ends_the_hole_of_a_dead_node_before_bgp_does():
    """Belief: BGP alone ends a blackhole. Truth: a Linux router with next-hop objects skips a member whose neighbour
    entry failed, 8 to 53 s after the death, long before hold + restart (net/ipv4/nexthop.c; bgp.md §4.1, §6.9)."""
    plan = cluster(nodes=4, routers=(router("frr-8.4"),), restart=gr())
    for run in range(20):
        log = play(plan, fault("node-down"), run=run)
        failed_s = next(since_fault(f.time_us) for f in log.of(NeighbourChanged) if not f.reachable)
        assert 3 < failed_s < 85
        assert lost_s(plan, log, VIP, "dead-next-hop") == pytest.approx(failed_s, abs=1e-6)
        assert out_s(log, VIP) > 180


# 10


@each(
    ("what", "reason", "low_s", "high_s"),
    [
        (fault("agent-crash"), "TCP connection closed", 0, 0),
        (fault("node-down"), "hold timer expired", 60, 90),
        (fault("node-down", 5), "TCP connection reset by a rebooted host", 5, 60),
    ],
)
def test_a_crash_a_power_loss_and_a_reboot_end_a_session_in_three_ways(what, reason, low_s, high_s):
    """Belief: a dead process, a dead node and a rebooted one all reset the session. Truth: FIN at once; nothing until
    the hold timer; RST with the router's next segment (RFC 9293 §3.10.7.1; bgp.md §2.5, §6.10)."""
    for run in range(10):
        log = play(cluster(node_s=0, agent_s=200), what, run=run)
        assert why(log) == [reason]
        assert low_s <= first_lost(log) <= high_s


def test_a_reset_without_the_right_digest_is_ignored():
    """Belief: a reboot is noticed by its RST. Truth: with MD5 the reset is dropped in silence and the hold timer
    decides, 60 to 90 s (RFC 2385 §2; bgp.md §2.3, §6.10)."""
    plan = cluster(node_s=0, agent_s=200)
    signed = replace(plan, peerings=tuple(replace(peering, md5=True) for peering in plan.peerings))
    logs = [play(signed, fault("node-down", 5), run=run) for run in range(10)]
    assert all(why(log) == ["hold timer expired"] and 60 < first_lost(log) <= 90 for log in logs)


@each("name", ["eos", "nxos", "iosxr", "srlinux"])
def test_what_a_vendor_does_not_say_is_played_every_way(name):
    """Belief: an unknown default can be guessed. Truth: whether EOS, NX-OS, IOS-XR and SR Linux set N is not known;
    their profiles hold both answers (bgp.md §6.10, §7)."""
    answers = [s.alternatives for s in router(name).switches if "notification" in s.fields]
    assert [{a.values["notification"] for a in alternatives} for alternatives in answers] == [{True, False}]
