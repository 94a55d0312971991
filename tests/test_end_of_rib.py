"""When a router's End-of-RIB lets a restarted GoBGP 3.10 announce, and when BIRD lets it in again at all.

Times in seconds after the fault. Measured on 30 November 2026 with FRR 8.4.4, BIRD 2.0.12 and GoBGP 3.10: see the
sources in their profiles.
"""

from dataclasses import replace

import pytest
from worlds import AT_S, cluster, fault, fib_log, instant, play, pod_cidr, session_log, steady

from simbgp.profiles import Law, router
from simbgp.scenario.plan import GracefulRestartPlan, Plan

POD = pod_cidr(1)
GR = GracefulRestartPlan(True, 15)


def _frr(nodes: int, up_s: float = 3600.0) -> Plan:
    """FRR with its own End-of-RIB, all else without latency: a crash for 20 is noticed at 0, the dial comes at 22."""
    own = router("frr-8.4")
    profile = instant("frr-8.4", end_of_rib=own.end_of_rib, end_of_rib_per_peer_s=own.end_of_rib_per_peer_s)
    plan = cluster(nodes=nodes, routers=(profile,), speaker=steady("gobgp-3.10"), restart=GR)
    return replace(plan, up_for_us=round(up_s * 1e6))


@pytest.mark.parametrize(
    ("nodes", "added_s"),
    [
        (2, 23.15),  # 22 + 1.05 + 2 x 0.05: measured 1.151 after Established
        (8, 23.45),  # 22 + 1.05 + 8 x 0.05: measured 1.45
        (19, 24.0),  # 22 + 1.05 + 19 x 0.05: 2.0, and 2.06 with its FIB in benchmarks/data/control_plane.csv
    ],
)
def test_frr_holds_its_table_back_for_each_configured_peer(nodes, added_s):
    assert fib_log(play(_frr(nodes), fault("agent-crash", 20)), POD) == [(15, "withdrawn"), (added_s, "added")]


def test_the_peers_of_one_router_add_ten_seconds_at_most():
    """BGP_MAX_SUBGROUP_COALESCE_TIME: 1.05 + 8.95 = 10, not 1.05 + 200 x 0.05 = 11.05."""
    assert fib_log(play(_frr(200), fault("agent-crash", 20)), POD)[1] == (32.0, "added")


def test_a_peer_that_comes_up_meanwhile_shares_the_wait_of_the_first():
    """worker-2 is Established at 21, its wait ends at 21 + 1.15; worker-1 comes at 22 and is let go with it."""
    faults = fault("agent-crash", 20), fault("agent-crash", 20, at_s=AT_S - 1, node="worker-2")
    assert fib_log(play(_frr(2), *faults), POD) == [(15, "withdrawn"), (22.15, "added")]
    late = fault("agent-crash", 20), fault("agent-crash", 20, at_s=AT_S - 1.2, node="worker-2")
    assert fib_log(play(_frr(2), *late), POD)[1] == (23.15, "added")  # 20.8 + 1.15 < 22: a wait of its own


@pytest.mark.parametrize(("up_s", "added_s"), [(120 - AT_S - 22 - 0.001, 22), (120 - AT_S - 22, 23.15)])
def test_a_frr_that_has_just_started_is_not_waited_for(up_s, added_s):
    """R=1 in its OPENs for 120 s (RFC 4724 §3: the peer must not wait for its End-of-RIB)."""
    assert fib_log(play(_frr(2, up_s), fault("agent-crash", 20)), POD)[1] == (added_s, "added")


def _bird(dial_s: float) -> Plan:
    """A BIRD alone with its one session: after a timer of its own it sleeps for 3. The dial comes at 10 + dial_s."""
    profile = instant("bird-2.0", late_wake_s=3.0, hold_jitter=(1.0, 1.0))
    speaker = steady("gobgp-3.10", dial_s=dial_s, idle_hold_after_refusal=Law.constant(5.0))
    return cluster(nodes=1, routers=(profile,), speaker=speaker, restart=GR)


@pytest.mark.parametrize(
    ("dial_s", "withdrawn_s", "up_s"),
    [
        (4.99, None, 14.99),  # still within the restart time
        (5.01, 15.01, 15.01 + 5 + 5.01),  # refused, and awake with that: gone from the FIB, idle 5, a first dial again
        (7.99, 17.99, 17.99 + 5 + 7.99),
        (8.01, 18, 18.01),  # awake since 15 + 3
    ],
)
def test_bird_closes_the_connection_that_wakes_it_after_the_restart_time(dial_s, withdrawn_s, up_s):
    log = play(_bird(dial_s), fault("agent-crash", 10))
    assert session_log(log) == [(0, "down"), (pytest.approx(up_s), "up")]
    assert [at for at, what in fib_log(log, POD) if what == "withdrawn"] == [withdrawn_s] * (withdrawn_s is not None)


def test_a_session_of_another_node_wakes_bird_first():
    """worker-2 with keepalives every second: awake by 16 at the latest, and the dial at 16.01 is taken."""
    plan = _bird(6.01)
    two = replace(cluster(nodes=2, timers=(3, 1), restart=GR), routers=plan.routers, speaker=plan.speaker)
    log = play(two, fault("agent-crash", 10))
    assert session_log(log)[1] == (pytest.approx(16.01), "up")
    assert 15 < fib_log(log, POD)[0][0] <= 16


@pytest.mark.parametrize(
    ("release", "restart", "added_s"),
    [
        ("gobgp-3.10", GR, 22 + 360),  # measured with GoBGP as router: Established 9.044, routes 369.047
        ("gobgp-3.36", GR, 22),
        ("gobgp-3.10", replace(GR, restart_bit=False), 22),
        ("gobgp-3.10", GracefulRestartPlan(False), 22),
    ],
)
def test_a_router_without_graceful_restart_is_waited_for_until_the_deferral_time(release, restart, added_s):
    """The router's End-of-RIB never comes, and GoBGP 3.10 waits for it all the same (RFC 4724 §4.1 excludes it)."""
    profile = instant("rfc8538", helper=False)
    plan = cluster(routers=(profile,), speaker=steady(release), restart=restart, horizon_s=600)
    assert fib_log(play(plan, fault("agent-crash", 20)), POD) == [(0, "withdrawn"), (added_s, "added")]
