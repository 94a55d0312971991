"""Routers that go down or restart. Times in seconds after the fault."""

import pytest
from worlds import VIP, cluster, fault, fib_log, instant, play, session_log, steady

from simbgp.profiles import router
from simbgp.scenario.plan import GracefulRestartPlan

GR = GracefulRestartPlan(True, 15)


def test_a_silent_router_is_dialled_by_syns_that_catch_its_return():
    """Down 30 s, H 9: the node drops at D in (6, 9], dials at D + 7; SYNs at +1, 2, 3, 4, 5, 7, 11, 19 s.

    Measured with the same timers: re-established 19 s after the dial, 47 of 48.
    """
    log = play(cluster(timers=(9, 3)), fault("router-down", 30))
    down_s, up_s = session_log(log, "node")[0][0], session_log(log, "node")[1][0]
    assert 6 < down_s <= 9
    assert up_s == pytest.approx(down_s + 7 + 19, abs=1e-6)


@pytest.mark.parametrize(("speaker", "low_s", "high_s"), [("gobgp-3.36", 120, 240), ("gobgp-4.8", 90, 120)])
def test_a_refusing_router_costs_a_connect_retry(speaker, low_s, high_s):
    """Port closed at once: node down at 0, idle 5, dial 2 refused at 7, then the retry. Measured 184 and 109 s."""
    plan = cluster(speaker=steady(speaker, retry_factor=(low_s / 120, high_s / 120)))
    backs = [
        session_log(play(plan, fault("router-down", 30, options={"host": "refusing"}), run=r))[1][0] for r in range(30)
    ]
    assert 7 + low_s <= min(backs) <= max(backs) <= 7 + high_s


@pytest.mark.parametrize(("speaker", "back_s"), [("gobgp-3.36", 120 + 5 + 2), ("gobgp-4.8", 7 + 120)])
def test_the_routers_restart_time_brings_a_gobgp_3_node_back_before_its_retry(speaker, back_s):
    """Measured with 3.36: 126.2 to 126.8 = 120 + 5 + dial; with 4.8 the retry decides. Retry factor 1 here."""
    plan = cluster(speaker=steady(speaker, retry_factor=(1.0, 1.0)), restart=GR, retry_s=120)
    slow = cluster(speaker=steady(speaker, retry_factor=(1.9, 1.9)), restart=GR) if speaker == "gobgp-3.36" else plan
    log = play(slow, fault("router-restart", 12))
    assert session_log(log)[1] == (back_s, "up")


def test_a_router_that_dies_takes_its_forwarding_table_along():
    log = play(cluster(restart=GR), fault("router-down", 30))
    assert fib_log(log, VIP)[0] == (0, "withdrawn")


@pytest.mark.parametrize(
    ("name", "how", "out_s"), [("frr-8.4", "crash", 0.02), ("bird-2.0", "crash", 2.03), ("bird-2.0", "stop", 0.03)]
)
def test_when_kernel_routes_leave_with_their_daemon_is_the_profiles(name, how, out_s):
    """Measured: FRR killed 0.02; BIRD killed and back at 2: 2.01 to 2.05; a stop is a clean withdrawal."""
    log = play(cluster(routers=(router(name),)), fault("router-restart", 2, options={"how": how}))
    assert fib_log(log, VIP)[0] == (pytest.approx(out_s, abs=1e-4), "withdrawn")  # and 30 us a prefix


def test_a_table_that_survives_the_crash_bridges_it():
    """BIRD with graceful restart in protocol kernel: no gap in 16 of 16."""
    kept = instant("bird-2.0", fib_after_crash="kept")
    log = play(cluster(routers=(kept,), restart=GR), fault("router-restart", 2))
    assert fib_log(log, VIP) == []
    assert [what for _, what in session_log(log)] == ["down", "up"]


def test_a_node_that_never_comes_back_to_it_is_swept_after_the_kept_time():
    kept = instant("bird-2.0", fib_after_crash="kept", fib_kept_s=60.0)
    log = play(cluster(routers=(kept,)), fault("router-restart", 2), fault("node-down", at_s=101))
    assert fib_log(log, VIP) == [(62, "withdrawn")]
