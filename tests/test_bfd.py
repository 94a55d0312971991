"""BFD as a what-if: its detection law, and what it does to graceful restart. Times in seconds after the fault."""

from dataclasses import replace

import pytest
from rib_worlds import Told
from scipy import stats
from worlds import VIP, cluster, fault, fib_log, first_lost, instant, play, session_log

from simbgp.model.bgp.bfd import Bfd
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


def silences(interval_s, multiplier, length_s=3.0, direction="both", count=200):
    """How long after each of many silences either end is down, in one world; 10 s apart."""
    told = Told(horizon_s=10.0 * count + 10)
    session, clock = told.session, told.world.clock
    session.bfd = Bfd(session, BfdPlan(interval_s, multiplier, True))
    seen = {"router": [], "node": []}
    session.router.bfd_down = lambda: seen["router"].append(clock.now_us % 10_000_000 / 1e6)
    session.node.bfd_down = lambda: seen["node"].append(clock.now_us % 10_000_000 / 1e6)
    for n in range(1, count + 1):
        told.at(10 * n, session.link.lose, "dark", 1.0, direction)
        told.at(10 * n + length_s, session.link.mend, "dark")
    told.run(10 * count + 9)
    return seen


@pytest.mark.parametrize(("multiplier", "most"), [(3, 1.0), (2, 1.0), (1, 0.9)])
def test_each_silence_has_an_age_of_its_own_at_each_end(multiplier, most):
    """RFC 5880 §6.8.7: gaps of 75 to 100 % of the interval, to 90 % where one packet decides: D in (M - most, M] x T.

    The mean age is that of the renewal process, E[gap^2] / (2 E[gap]): 0.440476, or 0.413636 with gaps to 0.9; its
    standard deviation is below 0.27, so the mean of 200 lies within 0.27 * 4 / sqrt(200) = 0.076.
    """
    seen = silences(1.0, multiplier)
    mean = (most**2 + most * 0.75 + 0.75**2) / 3 / (most + 0.75)
    for times in seen.values():
        assert len(set(times)) == 200
        assert multiplier - most < min(times) < multiplier - most + 0.1
        assert multiplier - 0.1 < max(times) <= multiplier
        assert sum(times) / 200 == pytest.approx(multiplier - mean, abs=0.076)
    assert set(seen["router"]).isdisjoint(seen["node"])


@pytest.mark.parametrize(("direction", "deaf"), [("to-router", ["router"]), ("to-node", ["node"])])
def test_only_the_end_that_hears_nothing_is_down(direction, deaf):
    """Here the sessions are not reset, so the other one goes on hearing."""
    seen = silences(0.3, 3, direction=direction, count=5)
    assert [end for end, times in seen.items() if times] == deaf


def test_a_silence_shorter_than_the_detection_time_less_an_interval_is_not_noticed():
    assert silences(1.0, 3, length_s=2.0) == {"router": [], "node": []}
