"""Sessions at both ends: when a loss is noticed, and when the session is back. Times in seconds after the fault."""

from dataclasses import replace

import pytest
from worlds import AT_S, VIP, cluster, fault, fib_log, first_lost, instant, play, pod_cidr, session_log, steady

from simbgp.model.network.tcp import TAIL_LOSS_PROBE_US
from simbgp.profiles import Law
from simbgp.timeline import RouteChanged

POD = pod_cidr(1)


def test_a_crash_is_heard_at_once_and_ends_with_the_next_dial():
    """FIN at 0; container back at 20, agent ready 8 later, first dial 2 later: 20 + 8 + 2 = 30."""
    log = play(cluster(agent_s=8), fault("agent-crash", 20))
    assert session_log(log) == [(0, "down"), (30, "up")]
    assert fib_log(log, POD) == [(0, "withdrawn"), (30, "added")]
    assert fib_log(log, VIP) == [(0, "withdrawn"), (30, "added")]


def test_a_crash_for_good_has_no_return():
    assert session_log(play(cluster(), fault("agent-crash"))) == [(0, "down")]


@pytest.mark.parametrize("run", range(20))
def test_silence_is_noticed_within_hold_less_keepalive_and_hold(run):
    detection_s = first_lost(play(cluster(timers=(90, 30)), fault("node-down"), run=run))
    assert 60 < detection_s <= 90


def test_the_lower_hold_time_wins_and_a_gobgp_node_then_sends_a_third_of_it():
    """The router's 9 beats the node's 90, and the node sends every 3 s: detection in (6, 9]."""
    lowered = cluster(routers=(replace(instant(), hold_s=9, keepalive_s=3),))
    detections = [first_lost(play(lowered, fault("node-down"), run=run)) for run in range(40)]
    assert 6 < min(detections) < 7
    assert 8 < max(detections) <= 9


def test_a_configured_keepalive_stays_when_the_hold_time_is_the_nodes_own():
    """Hold 90 with keepalive 10 against a router of 180/60: detection in (80, 90]."""
    plan = cluster(timers=(90, 10), routers=(instant(hold_s=180, keepalive_s=60),))
    detections = [first_lost(play(plan, fault("node-down"), run=run)) for run in range(20)]
    assert min(detections) > 80


def test_both_ends_of_a_silent_link_expire_together_when_their_periods_are_equal():
    """Both send their first keepalive when Established: measured, both drop within milliseconds."""
    log = play(cluster(timers=(9, 3)), fault("link-loss", 60))
    assert first_lost(log, "router") == first_lost(log, "node")


def test_after_a_hold_expiry_the_node_is_idle_5_s_then_dials():
    """Silence of 20 s, detected at D; idle 5, first dial 2: D + 7 < 20, so SYNs follow until the link is back.

    SYNs leave at D + 7 + {0, 1, 2, 3, 4, 5, 7, 11, ...}; the first at or after 20 s is answered.
    """
    log = play(cluster(timers=(9, 3)), fault("link-loss", 20))
    down_s, up_s = first_lost(log), session_log(log)[1][0]
    syns = [round(down_s + 7 + retry, 6) for retry in (0, 1, 2, 3, 4, 5, 7, 11, 19)]
    assert up_s == min(syn for syn in syns if syn >= 20)


def survives(outage_s: float, run: int) -> bool:
    return not session_log(play(cluster(timers=(9, 3)), fault("link-loss", outage_s), run=run))


def test_an_outage_below_the_ladder_rung_never_ends_a_session_and_one_above_can():
    """The first lost keepalive is sent u in [0, 3) after the cut, expiry is at u + 6, retransmissions at u + a*2^k.

    With a = 0.209 s the last rung before the expiry is 16a = 3.344 s: an outage up to that always survives.
    """
    rung_s = 16 * TAIL_LOSS_PROBE_US / 1e6
    assert all(survives(rung_s, run) for run in range(200))
    assert not all(survives(rung_s + 0.1, run) for run in range(200))


def test_the_share_of_sessions_that_an_outage_of_6_s_ends_is_that_of_the_ladder():
    """It survives if u + 16a >= 6, u uniform on [0, 3): share (3 - (6 - 3.344)) / 3 = 0.1147; 6 of 72 were measured."""
    share = sum(survives(6.0, run) for run in range(1000)) / 1000
    assert share == pytest.approx(0.1147, abs=3 * (0.1147 * 0.8853 / 1000) ** 0.5)


def test_a_rebooted_node_resets_the_old_session_with_the_routers_next_segment():
    """Power back at 20 of hold 90: the router's pending keepalive, sent at s, is retransmitted at s + a*2^k >= 20."""
    log = play(cluster(node_s=0, agent_s=60), fault("node-down", 20))
    lost_s = first_lost(log)
    assert 20 <= lost_s < 60
    reasons = [fact.reason for fact in log if getattr(fact, "side", "") == "router"]
    assert reasons[0] == "TCP connection reset by a rebooted host"


def test_gobgp_as_router_closes_what_comes_within_5_s_of_a_loss():
    """Crash back at 1: dial at 3 is closed, node idle 5, dial 2 later at 10: after the router's 5 s."""
    router = instant("gobgp-3.10")
    assert session_log(play(cluster(routers=(router,)), fault("agent-crash", 1)))[1] == (10, "up")
    assert session_log(play(cluster(routers=(router,)), fault("agent-crash", 3)))[1] == (5, "up")


def test_a_gobgp_4_speaker_dials_again_at_once_after_a_closed_connection():
    """Measured: closed at 3.5 to 4 s, Established at 5.3 to 5.8. Here dials at 3 (closed), 5: in time."""
    router = instant("gobgp-3.10")
    plan = cluster(routers=(router,), speaker=steady("gobgp-4.8"))
    assert session_log(play(plan, fault("agent-crash", 1)))[1] == (5, "up")


def test_a_first_dial_of_gobgp_3_10_gives_up_after_4_s_and_waits_for_the_retry():
    """Crash back at 0 into a dark link until 7: dial at 2 gives up at 6, retry 120 later: 126."""
    plan = cluster(speaker=steady("gobgp-3.10"))
    log = play(plan, fault("agent-crash", 0), fault("link-loss", 7))
    assert session_log(log)[1] == (126, "up")


def test_peer_shutdown_ends_the_session_at_once_and_its_end_brings_it_back():
    """Enabled at 50: idle 5, dial 2: 57."""
    log = play(cluster(), fault("peer-shutdown", 50, routers=("tor-1",)))
    assert session_log(log) == [(0, "down"), (57, "up")]


def test_a_shut_peer_touches_only_the_router_it_names():
    log = play(cluster(routers=(instant(), instant())), fault("peer-shutdown", routers=("tor-2",)))
    assert session_log(log, router="tor-1") == []
    assert session_log(log, router="tor-2") == [(0, "down")]


def test_unlabelling_removes_the_peers_after_the_reconcilers_and_relabelling_starts_them_anew():
    """Operator and agent take 0.5 s each way; relabelled at 30: 30.5, no idle hold, dial 2: 32.5."""
    plan = cluster(speaker=steady(unlabel=Law.constant(0.5)))
    assert session_log(play(plan, fault("unlabel", 30))) == [(0.5, "down"), (32.5, "up")]


def test_unlabelling_a_node_with_a_dead_agent_does_nothing_until_it_is_back():
    """Without graceful restart the crash itself withdrew the routes; the agent returns unselected and stays silent."""
    log = play(cluster(), fault("agent-crash", 20), fault("unlabel", at_s=AT_S + 5))
    assert session_log(log) == [(0, "down")]


def test_overlapping_losses_of_a_link_end_with_the_last_of_them():
    log = play(cluster(), fault("link-loss", 10), fault("link-loss", 10, at_s=AT_S + 5))
    changes = [(fact.time_us / 1e6 - AT_S, fact.up) for fact in log if type(fact).__name__ == "PathChanged"]
    assert changes == [(0, False), (15, True)]


def test_a_cold_start_announces_when_each_agent_has_dialled():
    log = play(cluster(nodes=1, cold=True, agent_s=8))
    assert fib_log(log, POD) == [(8 + 2 - AT_S, "added")]


def test_a_rebooted_node_that_finds_its_link_dark_fails_its_dial_after_3_s_of_neighbour_probes():
    """Power back at 10, dial at 12, no entry: given up at 15, retry 120 later at 135; measured 168.6 with a retry of
    U[120, 240]. A node that only lost its agent still knows the router: its SYNs catch the link at 20."""
    dark = fault("link-loss", 20)
    rebooted = play(cluster(), dark, fault("node-down", 10))
    assert session_log(rebooted)[1] == (135, "up")
    crashed = play(cluster(), dark, fault("agent-crash", 10))
    assert session_log(crashed, "node")[1] == (23, "up")  # SYNs at 12 + 1, 2, 3, 4, 5, 7, 11


def test_a_reset_of_a_rebooted_host_is_ignored_where_segments_are_authenticated():
    """RFC 2385: with MD5 the router waits for its hold timer; without it, for its next segment."""
    plan = cluster(node_s=0, agent_s=200)
    signed = replace(plan, peerings=tuple(replace(peering, md5=True) for peering in plan.peerings))
    assert first_lost(play(plan, fault("node-down", 5))) < 60
    assert 60 < first_lost(play(signed, fault("node-down", 5))) <= 90


def test_many_prefixes_enter_the_table_one_after_the_other_unless_they_share_a_group():
    """FRR: 35 us each, so the last of 1 001 is 35 ms after the first; with prefix-independent groups all at once."""
    for per_prefix_s, spread_s in ((0.000035, 0.035), (0.0, 0.0)):
        plan = cluster(nodes=1, routers=(instant("frr-8.4", fib_per_prefix_s=per_prefix_s),))
        more = tuple(f"10.{i // 256}.{i % 256}.0/24" for i in range(1001))
        many = replace(plan, peerings=tuple(replace(peering, prefixes=more) for peering in plan.peerings))
        times = [f.time_us for f in play(many, fault("agent-crash")).of(RouteChanged)]
        assert len(times) == 1001
        assert (times[-1] - times[0]) / 1e6 == pytest.approx(spread_s, abs=1e-6)
