"""What the laboratory contradicted: one test per surprise.

Measured in November 2026 with GoBGP 3.10, 3.36 and 4.8 as speakers against FRR 8.4.4, BIRD 2.0.12, GoBGP 3.10 and
OpenBGPD 7.7 on Linux 6.18. H hold time, K keepalive interval, R restart time; times in seconds after the fault.
"""

from dataclasses import replace
from statistics import median

import numpy as np
import pytest
from belief_worlds import holes, lost_s, middle, out_s, play_edited, reconfigured, with_clients
from scipy import stats
from worlds import (
    VIP,
    cluster,
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

from simbgp.profiles import Law, router, speaker
from simbgp.scenario.plan import BfdPlan, GracefulRestartPlan, Occurrence
from simbgp.timeline import RouteChanged
from simbgp.traffic import outcomes
from simbgp.traffic.ecmp import HashThreshold

POD = pod_cidr(1)
OFF = GracefulRestartPlan(False)
GOBGP = replace(router("gobgp-3.10"), helper=True, notification=True)
FOUR = {"frr": router("frr-8.4"), "bird": router("bird-2.0"), "gobgp": GOBGP, "openbgpd": router("openbgpd-7.7")}
each = pytest.mark.parametrize


def gr(restart_s, **more):
    return GracefulRestartPlan(True, restart_s, **more)


def gobgp_36(**more):
    """As Cilium runs it: its routes are there when it dials."""
    return replace(speaker("gobgp-3.36"), **({"routes_ready": Law.constant(0.0)} | more))


def muted(world):
    """From now on worker-1 says nothing after Established."""
    world.node("worker-1").speaker.established = lambda session: None


def established(log, router="tor-1"):
    return next(time_s for time_s, what in session_log(log, router=router) if what == "up")


# single failures


@each(("name", "kept_s"), [("gobgp", 15), ("frr", 0)])
def test_a_gobgp_router_goes_on_with_graceful_restart_after_the_node_turned_it_off(name, kept_s):
    """Belief: a session without the capability is flushed at once. Truth: GoBGP as router never unsets what a
    neighbour once negotiated; routes kept for the old restart time in 37 of 38 runs, FRR flushes (lab, surprise 1)."""
    plan = cluster(
        routers=(replace(FOUR[name], fib_withdraw=Law.constant(0), fib_expire=Law.constant(0)),), restart=gr(15)
    )
    turned_off = reconfigured(restart=replace(gr(15), enabled=False))
    log = play_edited(plan, {1: turned_off}, fault("session-reset"), fault("agent-crash", at_s=150))
    assert fib_log(log, POD)[-1] == (50 + kept_s, "withdrawn")


@each(("name", "low_s", "high_s"), [("frr", 4.5, 4.9), ("bird", 4.2, 4.8), ("openbgpd", 3.3, 6.3)])
def test_an_end_of_rib_before_the_routes_opens_a_second_window_in_a_successful_restart(name, low_s, high_s):
    """Belief: back within the restart time means no hole. Truth: End-of-RIB deletes what was not announced yet; of
    routes that came 6 s after the start FRR had none for 4.5 to 4.9 s, BIRD 4.2 to 4.8, OpenBGPD 3.3 to 6.3. Cilium
    reconciles neighbours last and so avoids it (lab, 2)."""
    plan = cluster(routers=(FOUR[name],), speaker=gobgp_36(routes_ready=Law.constant(6.0)), restart=gr(20))
    gap_s = middle(lambda log: lost_s(plan, log, POD, "no-route"), plan, fault("agent-crash", 4))
    assert low_s - 0.1 <= gap_s <= high_s + 0.1
    cilium = replace(plan, speaker=speaker("1.19"))
    assert fib_log(play(cilium, fault("agent-crash", 4)), POD) == []


@each(
    ("name", "restart", "low_s", "high_s"),
    [("gobgp-3.10", gr(120), 1.0, 2.2), ("gobgp-3.10", OFF, 0.05, 0.08), ("gobgp-3.36", gr(120), 0.05, 0.08)],
)
def test_graceful_restart_makes_the_cold_start_of_gobgp_3_10_slower(name, restart, low_s, high_s):
    """Belief: graceful restart costs nothing when all is well. Truth: with R set GoBGP 3.10 waits for the router's
    End-of-RIB: Established to FIB 1.62 s against 0.06 s without it and with 3.36 (FRR; lab, 3)."""
    plan = cluster(nodes=1, routers=(FOUR["frr"],), speaker=speaker(name), restart=restart, cold=True)
    assert low_s <= middle(lambda log: fib_log(log, POD)[0][0] - established(log), plan) <= high_s


@each("name", FOUR)
def test_a_return_without_the_forwarding_bit_costs_nothing_if_the_routes_come_with_it(name):
    """Belief: F=0 flushes the routes, so traffic is lost. Truth: the UPDATE follows before the batched withdrawal:
    0.00 s of loss on FRR, BIRD and GoBGP, a poll interval of 0.1 s on OpenBGPD. It matters if they are late (lab, 4).
    """
    plan = cluster(routers=(FOUR[name],), speaker=gobgp_36(), restart=gr(60, restart_bit=False))
    crash = fault("agent-crash", 8)
    assert max(lost_s(plan, play(plan, crash, run=run), POD, "no-route") for run in range(20)) <= 0.1
    late = replace(plan, speaker=gobgp_36(routes_ready=Law.constant(6.0)))
    assert lost_s(late, play(late, crash), POD, "no-route") > 3


@each(
    ("name", "low_s", "high_s"),
    [("frr", 0.061, 0.063), ("bird", 0, 0.002), ("gobgp", 0.001, 0.003), ("openbgpd", 0.04, 0.8)],
)
def test_a_route_not_announced_again_leaves_with_the_return_of_the_session(name, low_s, high_s):
    """Belief: a service that is gone meanwhile attracts traffic for the restart or stale time. Truth: until End-of-RIB:
    61 to 63 ms after re-establishment (FRR), 0 to 2 (BIRD), 1 to 3 (GoBGP), 0.04 to 0.8 s (OpenBGPD) (lab, 5)."""
    plan = cluster(routers=(FOUR[name],), speaker=gobgp_36(), restart=gr(60))
    plan = replace(plan, services=(replace(plan.services[0], policy="Local"),))
    pod_dies = Occurrence(
        "pod", "backends-down", 102_000_000, (), (), (None,), {"service": "web", "backends": ("web-1",)}
    )
    logs = [play(plan, fault("agent-crash", 8), pod_dies, run=run) for run in range(60)]
    assert all(fib_log(log, POD) == [] for log in logs)
    assert low_s <= median(out_s(log, VIP) - established(log) for log in logs) <= high_s + 0.002


@each("name", ["frr", "gobgp", "openbgpd"])
def test_a_reboot_below_the_hold_time_loses_twice_and_the_second_time_a_working_node(name):
    """Belief: the outage is over when the node is back. Truth: without graceful restart the answer to an old keepalive
    or the new OPEN then ends the session for 1.5 to 9 s more, 75 of 78 runs; with it, not (lab, 6)."""
    plan = cluster(routers=(FOUR[name],), speaker=gobgp_36())
    played = [holes(plan, play(plan, fault("node-down", 15), run=run), POD) for run in range(100)]
    assert all(first == ("dead-next-hop", 0, 15) for first, *_ in played)
    seconds = [second for _, *more in played for second in more]
    assert len(seconds) >= 89  # 75 of 78 is 0.962, by Clopper and Pearson 0.892 to 0.992; else the FIB saw no gap
    for cause, began_s, ended_s in seconds:
        assert cause == "no-route"
        assert 15 < began_s < ended_s < 15 + 36
    kept = replace(plan, peerings=tuple(replace(p, restart=gr(120)) for p in plan.peerings))
    assert holes(kept, play(kept, fault("node-down", 15)), POD) == [("dead-next-hop", 0, 15)]


@each(
    ("timers", "outage_s", "name", "dropped", "of"),
    [
        ((3, 1), 2, "frr", 8 + 7, 16 + 24),  # FRR 8 of 16, GoBGP 7 of 24: one law
        ((3, 1), 2, "bird", 14, 16),
        ((30, 10), 20, "frr", 22, 27),
        ((9, 3), 1, "frr", 0, 12),
    ],
)
def test_an_outage_below_the_hold_time_still_ends_sessions(timers, outage_s, name, dropped, of):
    """Belief: an outage shorter than the hold time ends no session. Truth: lost keepalives wait in TCP's back-off,
    0.2 x 2^n s: 66 of 72 ended by 6 s of 9, 22 of 27 by 20 s of 30, none by 1 s (lab, 7)."""
    plan = cluster(timers=timers, routers=(FOUR[name],), speaker=gobgp_36())
    ends = sum(bool(session_log(play(plan, fault("link-loss", outage_s), run=run))) for run in range(400))
    assert stats.binomtest(dropped, of, ends / 400).pvalue > 0.01


def test_the_session_that_a_short_outage_ends_is_ended_after_the_repair():
    """Belief: the outage is the window. Truth: traffic is back at 6 of 9 s, the route goes at about 7.5 s for another
    10 to 14 s with GoBGP 3.10; graceful restart hides that second window on FRR (lab, 7)."""
    plan = cluster(timers=(9, 3), routers=(FOUR["frr"],), speaker=speaker("gobgp-3.10"))
    logs = [play(plan, fault("link-loss", 6), run=run) for run in range(40)]
    seconds = [found[-1] for found in (holes(plan, log, POD) for log in logs) if len(found) > 1]
    assert all(cause == "no-route" and 6 < start_s < 9.2 for cause, start_s, _ in seconds)
    assert 10 <= median(end_s - start_s for _, start_s, end_s in seconds) <= 14
    kept = replace(plan, peerings=tuple(replace(p, restart=gr(20)) for p in plan.peerings))
    assert all(holes(kept, play(kept, fault("link-loss", 6), run=r), POD) == [("link", 0, 6)] for r in range(20))


def test_graceful_restart_turns_a_silent_link_into_a_blackhole_for_its_whole_length():
    """Belief: graceful restart can only help. Truth: 14 s of silence with H 9, R 20 on FRR: 14.0 s lost, against 7.8 s
    lost and 11.4 s re-routed without (lab, 8)."""
    plan = cluster(timers=(9, 3), routers=(FOUR["frr"],), speaker=speaker("gobgp-3.10"))
    kept = replace(plan, peerings=tuple(replace(p, restart=gr(20)) for p in plan.peerings))
    silence = fault("link-loss", 14)
    assert holes(kept, play(kept, silence), POD) == [("link", 0, 14)]
    assert middle(lambda log: lost_s(plan, log, POD, "link"), plan, silence) == pytest.approx(7.8, abs=0.6)
    assert middle(lambda log: lost_s(plan, log, POD, "no-route"), plan, silence) == pytest.approx(11.4, abs=1.5)


@each(
    ("what", "low_s", "high_s"),
    [("agent-crash", 120, 123), ("node-down", 0, 3), ("peer-shutdown", 0, 0.01), ("unlabel", 0, 0.01)],
)
def test_bird_keeps_routes_for_a_closed_connection_or_a_new_one_and_for_nothing_else(what, low_s, high_s):
    """Belief: BIRD, aware of graceful restart by default, keeps a dead node's routes for H + R. Truth: only a TCP close
    or a new connection is graceful; H 90 gave 43 to 72 s, the law being H U[0.75, 1] - U[0, K) (lab, 9)."""
    plan = cluster(routers=(FOUR["bird"],), restart=gr(120))
    logs = [play(plan, fault(what), run=run) for run in range(40)]
    assert all(low_s <= out_s(log, POD) - first_lost(log) <= high_s + 0.01 for log in logs)
    assert what != "node-down" or all(37.5 < first_lost(log) <= 90 for log in logs)
    assert fib_log(play(plan, fault("node-down", 3)), POD) == []


@each(
    ("name", "low_s", "high_s"),
    [("frr", 0.055, 0.07), ("bird", 0, 0.005), ("gobgp", 0, 0.005), ("openbgpd", 0, 0.12)],
)
def test_a_session_is_not_yet_a_route(name, low_s, high_s):
    """Belief: Established means routed. Truth: the FIB follows after 0.06 s on FRR, 0.000 on BIRD, 0.002 on GoBGP, up
    to 0.1 s on OpenBGPD, with a tail to 5 s (lab, 10)."""
    plan = cluster(routers=(FOUR[name],), speaker=gobgp_36())
    crash = fault("agent-crash", 8)
    assert low_s <= middle(lambda log: fib_log(log, POD)[1][0] - established(log), plan, crash) <= high_s


@each(("nodes", "least", "most"), [(3, 0, 0.26), (4, 0.1, 0.38), (8, 0.17, 0.45)])
def test_a_withdrawal_moves_survivors_by_the_place_of_the_lost_node(nodes, least, most):
    """Belief: only the flows of the lost node move. Truth: hash-threshold shifts its bounds; of the survivors of member
    k (from 0) of N move [sum j<k of j + sum j>k of N-1-j] / (N-1)^2: 25/0/25 %, 33/11/11/33 %, 18 to 43 % of 8
    (measured 0-26, 10-38, 21-45 %; lab, 11)."""
    hashes = np.random.Generator(np.random.Philox(11)).integers(0, 2**32, 200_000, dtype=np.uint32)
    before, after = HashThreshold((1,) * nodes).owners(hashes), HashThreshold((1,) * (nodes - 1)).owners(hashes)
    for k in range(nodes):
        later = np.delete(np.arange(nodes), k)[after]
        moved = float(np.mean(later[before != k] != before[before != k]))
        law = (sum(range(k)) + sum(nodes - 1 - j for j in range(k + 1, nodes))) / (nodes - 1) ** 2
        assert moved == pytest.approx(law, abs=0.005)
        assert least - 0.005 <= moved <= most


def test_flows_move_with_each_withdrawal_and_none_moves_within_the_restart_time():
    """Belief: anycast flows stay where they are. Truth: of 4 nodes the first takes 1/4 along and a third of the others:
    1/2 in all; graceful restart within R moves nobody (lab, 11)."""
    plan = with_clients(cluster(nodes=4, routers=(instant("frr-8.4"),)), 20_000)
    kept = replace(plan, peerings=tuple(replace(p, restart=gr(20)) for p in plan.peerings))
    crash = fault("agent-crash", 5)
    assert outcomes(plan, play(plan, crash), 1, 0)[0].moved == pytest.approx(10_000, abs=4 * 71)
    assert outcomes(kept, play(kept, crash), 1, 0)[0].moved == 0


@each(
    ("interval_s", "frr_s", "bird_s"), [(0.05, 0.133, 0.136), (0.1, 0.278, 0.249), (0.3, 0.740, 0.708), (1, 2.56, 2.54)]
)
def test_bfd_takes_two_to_three_intervals_and_the_fib_comes_on_top(interval_s, frr_s, bird_s):
    """Belief: BFD of 50 ms x 3 finds a loss in 150 ms. Truth: in U[2, 3] intervals: 0.133, 0.278, 0.740, 2.56 s on FRR,
    0.136, 0.249, 0.708, 2.54 on BIRD; FRR's FIB takes 0.07 s more (lab, 12)."""
    plan = cluster(routers=(FOUR["frr"],))
    plan = replace(plan, routers=(replace(plan.routers[0], bfd=BfdPlan(interval_s, 3)),))
    logs = [play(plan, fault("node-down"), run=run) for run in range(100)]
    seen = [first_lost(log) for log in logs]
    assert 2 * interval_s <= min(seen) <= max(seen) <= 3 * interval_s
    assert median(seen) == pytest.approx(frr_s, rel=0.1)
    assert median(seen) == pytest.approx(bird_s, rel=0.1)
    assert median(out_s(log, VIP) - first_lost(log) for log in logs) == pytest.approx(0.07, abs=0.01)


# compound failures


@each(("name", "first_s", "to_second"), [("gobgp-3.36", 6, False), ("gobgp-4.8", 9, True), ("gobgp-3.10", 9, True)])
def test_what_a_restarted_node_tells_one_router_depends_on_the_other(name, first_s, to_second):
    """Belief: each peering restarts on its own. Truth: 3.10 and 4.8 announce to nobody until the last router is
    Established; 3.36 announces at once but then clears R and F, so the later router flushes (compound, rule 1)."""
    helpers = instant("frr-8.4"), instant("frr-8.4")
    late = Law.constant(0.5)  # UPDATEs, so that what was flushed is seen to be out of the FIB meanwhile
    plan = cluster(routers=helpers, speaker=steady(name, first_dial_timeout_s=None, update_delay=late), restart=gr(60))
    dark = fault("link-loss", 9, routers=("tor-2",))  # dialled at 6, and the SYN at + 3 gets through
    log = play(plan, fault("agent-crash", 4), dark)
    assert [established(log, tor) for tor in ("tor-1", "tor-2")] == [6, 9]
    refreshed = {fact.router: since_fault(fact.time_us) for fact in log.of(RouteChanged) if fact.event == "refreshed"}
    assert refreshed == {"tor-1": first_s + 0.5} | ({"tor-2": 9.5} if to_second else {})
    flushed = [(9, "withdrawn"), (9.5, "added")]
    assert [fib_log(log, VIP, tor) for tor in ("tor-1", "tor-2")] == [[], [] if to_second else flushed]


@each(("name", "stale_path_s", "changes"), [("bird", None, []), ("gobgp", None, []), ("frr", 12, [12.06, 28.8])])
def test_how_long_a_live_router_keeps_the_routes_of_a_muted_node_is_its_own(name, stale_path_s, changes):
    """Belief: an Established session keeps its stale routes until End-of-RIB. Truth: BIRD and GoBGP do, beyond R; FRR
    until its stale-path time from the loss: 12.06 s of 12, and back with the deferral time (25 here, after 3.8;
    compound, rule 2)."""
    profile = replace(FOUR[name], stale_path_s=stale_path_s)
    muted = replace(speaker("gobgp-4.8"), deferral_s=25.0)
    plan = cluster(routers=(profile, profile), speaker=muted, restart=gr(10))
    log = play(plan, fault("link-loss", at_s=5, routers=("tor-2",)), fault("agent-crash", 2))
    assert [time_s for time_s, _ in fib_log(log, POD)] == [pytest.approx(time_s, abs=0.3) for time_s in changes]


@each("n_bit", [True, False])
@each(("name", "kept_s"), [("frr", 0), ("bird", 0), ("openbgpd", 0), ("gobgp", 10)])
def test_a_second_loss_before_end_of_rib_ends_everything_but_at_a_gobgp_router(name, kept_s, n_bit):
    """Belief: with N a second restart starts a new R (RFC 8538). Truth: FRR, BIRD and OpenBGPD drop all that was not
    announced again, N or not (18 pairs of cells); GoBGP keeps all for a new R (compound, rule 3)."""
    profile = instant(FOUR[name].name, helper=True, notification=True, timer_grain_s=0.0)
    plan = cluster(routers=(profile,), restart=gr(10, notification=n_bit), speaker=steady())
    log = play_edited(plan, {1: muted}, fault("agent-crash", 4), fault("agent-crash", at_s=110))
    assert fib_log(log, POD) == [(10 + kept_s, "withdrawn")]


@each(("name", "out"), [("frr", 10), ("bird", 10), ("openbgpd", 10), ("gobgp", 5.6)])
def test_a_half_open_connection_does_not_touch_r_but_makes_a_gobgp_router_drop_all(name, out):
    """Belief: a connection that never came up changes nothing. Truth: FRR, BIRD and OpenBGPD wait for R, 10.0 s; a
    GoBGP router drops every stale route at the close, 5.6 s (compound, rule 4)."""
    profile = instant(FOUR[name].name, helper=True, notification=True, timer_grain_s=0.0)
    plan = cluster(routers=(profile,), restart=gr(10), speaker=steady(dial_s=1.2, open_exchange=Law.constant(5.0)))
    log = play(plan, fault("agent-crash", 4), fault("agent-crash", at_s=105.6))
    assert fib_log(log, POD) == [(out, "withdrawn")]


@each("name", FOUR)
def test_power_off_while_stale_adds_nothing_to_the_restart_time(name):
    """Belief: the power-off starts hold + restart anew. Truth: R runs from the first TCP close: out at 20.06, blackhole
    15.06 of R 20 after a power-off at 5 (FRR; 15.2, 14.98, 14.7 at the others; compound, rule 5)."""
    plan = cluster(nodes=4, timers=(9, 3), routers=(FOUR[name],), restart=gr(20))
    faults = fault("agent-crash"), fault("node-down", at_s=105)
    logs = [play(plan, *faults, run=run) for run in range(40)]
    assert median(out_s(log, POD) for log in logs) == pytest.approx(20.0, abs=0.45)
    assert median(lost_s(plan, log, POD, "dead-next-hop") for log in logs) == pytest.approx(15.0, abs=0.45)


@each("name", FOUR)
@each("n_bit", [True, False])
def test_the_reset_of_a_rebooted_kernel_is_a_graceful_loss(name, n_bit):
    """Belief: a rebooted node's routes go, for N was not negotiated. Truth: its kernel answers the next segment with
    RST, a TCP close: R from then, on every router, N or not; only a hold expiry that comes first flushes (compound,
    rule 6)."""
    profile = replace(FOUR[name], hold_jitter=(1.0, 1.0), timer_grain_s=0.0)
    plan = cluster(timers=(90, 30), routers=(profile,), restart=gr(60, notification=n_bit), agent_s=40)
    for run in range(5):
        log = play(plan, fault("node-down", 4), run=run)
        assert session_log(log)[0][0] < 60
        assert fib_log(log, POD) == []


@each(
    ("name", "down_s", "low_s", "high_s"),
    [("frr-8.4", 2, 6.0, 7.1), ("bird-2.0", 2, 4.0, 5.1), ("frr-8.4", 12, 126, 247)],
)
def test_the_gap_of_a_router_restart_is_that_of_its_own_fib_and_the_nodes_next_dial(name, down_s, low_s, high_s):
    """Belief: graceful restart on the nodes covers a router's restart. Truth: FRR 6.7 s without route, BIRD 4.6, node's
    graceful restart or not; 5 s idle and a dial later the port must listen, else U[120, 240] (compound, rule 7)."""
    plan = cluster(routers=(router(name),), speaker=gobgp_36(), restart=OFF)
    restart = fault("router-restart", down_s)
    gaps = [fib_log(play(plan, restart, run=run), POD) for run in range(40)]
    assert all(low_s - 0.2 <= back_s - left_s <= high_s + 0.2 for (left_s, _), (back_s, _) in gaps)
    graceful = replace(plan, peerings=tuple(replace(p, restart=gr(20)) for p in plan.peerings))
    assert fib_log(play(graceful, restart), POD) != []


@each(
    ("name", "host", "low_s", "high_s"),
    [
        ("gobgp-3.36", "silent", 6 + 5 + 1 + 19, 9 + 5 + 2 + 19),  # H - age, idle, dial, SYN; measured 32.1 to 34.1
        ("gobgp-4.8", "silent", 6 + 5 + 1.5 + 19, 9 + 5 + 2 + 19),  # measured 32.2 to 34.9
        ("gobgp-3.36", "refusing", 5 + 1 + 120, 5 + 2 + 240),  # measured 133 to 239
        ("gobgp-4.8", "refusing", 5 + 1.5 + 90, 5 + 2 + 120),  # measured 101 to 126
        ("gobgp-3.10", "silent", 6 + 5 + 5 + 4 + 120, 9 + 5 + 9 + 4 + 240),  # measured 149 to 262
    ],
)
def test_a_dead_router_is_joined_again_sooner_than_one_that_refuses(name, host, low_s, high_s):
    """Belief: a host that answers helps. Truth: SYNs into silence repeat at 1, 2, 3, 4, 5, 7, 11, 19, 35 s: back at
    32.7 after 30 s down; a refused dial costs 184 (3.36) or 109 (4.8); 3.10 gives up after 4 s: 186 (compound, rule 8).
    """
    plan = cluster(timers=(9, 3), routers=(router("frr-8.4"),), speaker=speaker(name))
    down = fault("router-down", 30, options={"host": host})
    backs = [established(play(plan, down, run=run)) for run in range(40)]
    assert low_s <= min(backs) <= max(backs) <= high_s + 0.1


@each(("direction", "blackhole_s", "gap_s"), [("to-router", 7.3, 9.4), ("to-node", 11.0, 4.6)])
def test_one_way_loss_towards_the_node_blackholes_one_keepalive_longer(direction, blackhole_s, gap_s):
    """Belief: the deaf end tells the other by NOTIFICATION. Truth: it waits behind the unanswered segment; each end
    finds out alone, one K apart: blackhole 7.3 s (node to router silent) or 11.0 (FRR, 9/3, 15 s; compound, rule 9)."""
    plan = cluster(timers=(9, 3), routers=(FOUR["frr"],), speaker=gobgp_36())
    loss = fault("link-loss", 15, options={"direction": direction})
    assert middle(lambda log: lost_s(plan, log, POD, "link"), plan, loss) == pytest.approx(blackhole_s, abs=0.8)
    assert middle(lambda log: lost_s(plan, log, POD, "no-route"), plan, loss) == pytest.approx(gap_s, abs=1.5)


@each(("others", "low_s", "high_s", "mid_s"), [(0, 3.0, 3.01, 3.005), (1, 0.0, 3.01, 0.95), (3, 0.0, 1.5, 0.26)])
def test_bird_alone_withdraws_three_seconds_after_its_timers(others, low_s, high_s, mid_s):
    """Belief: a timer's routes leave when it fires. Truth: BIRD 2.0 looks at them at its next wake-up: 3.005 s late
    with no other session, 0.95 [0.28-1.65] with one, 0.26 [0.04-1.25] with three (H 9, R 5; compound, rule 10)."""
    plan = cluster(nodes=1 + others, timers=(9, 3), routers=(FOUR["bird"],), restart=gr(5), speaker=gobgp_36())
    lags = [out_s(play(plan, fault("agent-crash"), run=run), POD) - 5 for run in range(60)]
    assert low_s <= min(lags) <= max(lags) <= high_s
    assert median(lags) == pytest.approx(mid_s, abs=0.35)


def test_openbgpd_flushes_at_the_restart_time_although_the_session_is_back():
    """Belief: a session that is Established again keeps its stale routes until End-of-RIB.
    Truth: OpenBGPD counts on: restart time 10, End-of-RIB held back for 25 s by a dead second router: the healthy
    router has no route from 9.95 to 28.8 s (lab-compound rule 2)."""
    profile = instant("openbgpd-7.7", timer_grain_s=0.0)
    speaker = steady("gobgp-4.8", deferral_s=25.0)
    plan = cluster(routers=(profile, profile), speaker=speaker, restart=GracefulRestartPlan(True, 10))
    dead = fault("link-loss", at_s=5.0, routers=("tor-2",))
    assert fib_log(play(plan, dead, fault("agent-crash", 2)), POD) == [(10, "withdrawn"), (4 + 25, "added")]
