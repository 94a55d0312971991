"""BFD as a what-if: its detection law, and what it does to graceful restart. Times in seconds after the fault."""

from dataclasses import replace

import pytest
from scipy import stats
from worlds import VIP, cluster, fault, fib_log, first_lost, instant, play, session_log

from simbgp.scenario.plan import BfdPlan, GracefulRestartPlan

GR = GracefulRestartPlan(True, 120)


def with_bfd(plan, interval_s=0.3, multiplier=3, independent=False):
    bfd = BfdPlan(interval_s, multiplier, independent)
    return replace(plan, routers=tuple(replace(router, bfd=bfd) for router in plan.routers))


@pytest.mark.parametrize(("interval_s", "multiplier"), [(0.05, 3), (0.3, 3), (1.0, 3), (0.3, 5)])
def test_silence_is_noticed_between_one_interval_less_and_the_detection_time(interval_s, multiplier):
    """RFC 5880 §6.8.4: multiplier intervals after the last packet, which is at most one interval old."""
    plan = with_bfd(cluster(), interval_s, multiplier)
    seen = [first_lost(play(plan, fault("node-down"), run=run)) for run in range(100)]
    detection_s = interval_s * multiplier
    assert detection_s - interval_s < min(seen) < max(seen) <= detection_s


def test_the_age_of_the_last_packet_is_that_of_a_jittered_sender():
    """Gaps T U[0.75, 1]: the age a has density (1 - G(a)) / E[gap]; its mean is E[gap^2] / (2 E[gap]).

    E[gap] = 0.875, E[gap^2] = (1 - 0.75^3) / (3 * 0.25) = 0.770833: mean age 0.440476, so D = (3 - 0.440476) * 0.3.
    """
    plan = with_bfd(cluster(horizon_s=120))
    seen = [first_lost(play(plan, fault("node-down"), run=run)) for run in range(1000)]
    assert sum(seen) / 1000 == pytest.approx(0.767857, abs=4 * stats.tstd(seen) / 1000**0.5)


def test_a_dead_node_is_withdrawn_at_once_although_graceful_restart_was_negotiated():
    """RFC 5882 §4.3: the peer is gone, not restarting."""
    log = play(with_bfd(cluster(restart=GR)), fault("node-down"))
    assert fib_log(log, VIP) == [(pytest.approx(first_lost(log), abs=1e-6), "withdrawn")]
    assert first_lost(log) <= 0.9


def test_a_router_without_bfd_of_its_own_meaning_keeps_the_routes_of_a_reset():
    """GoBGP resets the peer with Cease 6/4, which is graceful where N was negotiated."""
    gobgp = instant("gobgp-3.10", helper=True, notification=True)
    log = play(with_bfd(cluster(routers=(gobgp,), restart=GR)), fault("node-down"))
    assert fib_log(log, VIP) == [(pytest.approx(first_lost(log) + 120, abs=1e-6), "withdrawn")]


@pytest.mark.parametrize(
    ("profile", "independent", "keeps"),
    [("rfc8538", False, True), ("rfc8538", True, True), ("frr-8.4", True, True), ("frr-8.4", False, False)],
)
def test_bfd_that_dies_with_the_agent_can_undo_graceful_restart(profile, independent, keeps):
    """With C clear the crash of the agent silences BFD too: RFC 5882 §4.3.2 says to go on, FRR flushes."""
    plan = with_bfd(cluster(routers=(instant(profile),), restart=GR), independent=independent)
    assert (fib_log(play(plan, fault("agent-crash", 10)), VIP) == []) == keeps


def test_a_short_loss_ends_the_session_that_tcp_would_have_carried_over():
    """2 s of silence: the hold timer of 90 s would not notice; BFD of 0.9 s does, and the node is back 7 s later."""
    assert session_log(play(cluster(), fault("link-loss", 2))) == []
    (down_s, _), (up_s, _) = session_log(play(with_bfd(cluster()), fault("link-loss", 2)))
    assert down_s <= 0.9
    assert 7 < up_s < 9
