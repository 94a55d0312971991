"""Processes that get no CPU while their kernel goes on acknowledging. Times in seconds after the fault."""

import pytest
from worlds import VIP, cluster, fault, fib_log, first_lost, instant, play, session_log

from simbgp.scenario.plan import GracefulRestartPlan, Occurrence


def stall_router(stall_s):
    return Occurrence("stall", "stall", 100_000_000, (), ("tor-1",), (round(stall_s * 1e6),), {})


@pytest.mark.parametrize("run", range(10))
def test_a_stall_below_hold_less_keepalive_harms_nobody(run):
    """Measured: 2 s of 9/3, 0 drops in 88 sessions. Below 6 s the other end's timer cannot run out."""
    plan = cluster(timers=(9, 3))
    assert session_log(play(plan, fault("stall", 5.9), run=run)) == []
    assert session_log(play(plan, stall_router(5.9), run=run)) == []


@pytest.mark.parametrize("run", range(10))
def test_a_stall_above_the_hold_time_always_costs_the_session_and_the_awake_end_drops_it(run):
    log = play(cluster(timers=(9, 3)), fault("stall", 10), run=run)
    assert 6 < first_lost(log, "router") <= 9
    assert first_lost(log, "node") == 10  # it finds its own timer over when it wakes


def test_between_the_two_the_share_of_lost_sessions_grows_by_a_third_a_second():
    """6 to 9 s with probability (stall - 6) / 3: at 7.5 s one half."""
    plan = cluster(timers=(9, 3))
    lost = [bool(session_log(play(plan, fault("stall", 7.5), run=run))) for run in range(400)]
    assert sum(lost) / 400 == pytest.approx(0.5, abs=4 * 0.025)


def test_a_stalled_node_is_back_after_its_wake_idle_hold_and_dial():
    """Wakes at 14, drops, idle 5, dial 2: 21; measured 20.4 to 20.7 with GoBGP 3.36's dial of 1 to 2 s."""
    assert session_log(play(cluster(timers=(9, 3)), fault("stall", 14)))[1] == (21, "up")


def test_graceful_restart_covers_a_stalled_node_where_hold_expiry_is_graceful():
    """Measured gap with R 20: FRR 0; BIRD and OpenBGPD flush at the hold expiry."""
    gr = GracefulRestartPlan(True, 20)
    for name, kept in (("frr-8.4", True), ("openbgpd-7.7", False)):
        plan = cluster(timers=(9, 3), routers=(instant(name, timer_grain_s=0.0),), restart=gr)
        assert (fib_log(play(plan, fault("stall", 14)), VIP) == []) == kept


@pytest.mark.parametrize(("name", "survives"), [("frr-8.4", False), ("bird-2.0", True), ("openbgpd-7.7", True)])
def test_whether_unread_input_saves_a_router_that_wakes_overdue_is_its_own(name, survives):
    """The node's hold of 90 with keepalives of 1 s keeps the session up while the router, whose hold is 90 too, sleeps
    for 88.9 s: its own timer is over by a keepalive's age when it wakes. Measured 0 of 22, 23 of 23, 16 of 16.
    """
    profile = instant(name, keepalive_s=1, keepalive_third="capped", hold_jitter=(1.0, 1.0), timer_grain_s=0.0)
    plan = cluster(timers=(90, 30), routers=(profile,))
    kept = [session_log(play(plan, stall_router(88.9), run=run)) == [] for run in range(40)]
    assert all(kept) == survives


def test_a_stalled_routers_fib_stays_as_it_is_until_the_wake():
    log = play(cluster(timers=(9, 3)), stall_router(30))
    assert all(time_s >= 30 for time_s, _ in fib_log(log, VIP))


def test_a_dial_into_a_stalled_router_is_taken_up_when_it_wakes():
    """The node drops at H - age in (6, 9], dials 7 s later at 13 to 16: the kernel answers, the daemon at 20."""
    log = play(cluster(timers=(9, 3), routers=(instant("openbgpd-7.7", timer_grain_s=0.0),)), stall_router(20))
    assert [what for _, what in session_log(log, "node")] == ["down", "up"]
    assert session_log(log, "node")[1][0] == 20
