"""Links that lose packets one way, in part, or go dark at the port. Times in seconds after the fault."""

import pytest
from scipy import stats
from worlds import AT_S, VIP, cluster, direct, fault, fib_log, first_lost, instant, play, pod_cidr, session_log

from simbgp.profiles import router
from simbgp.scenario.plan import GracefulRestartPlan
from simbgp.timeline import PathChanged

POD = pod_cidr(1)
ONE_WAY = {"to-router": ("router", "node"), "to-node": ("node", "router")}


@pytest.mark.parametrize("direction", ONE_WAY)
def test_one_way_loss_kills_both_ends_the_deaf_one_first_and_the_other_a_keepalive_later(direction):
    """Measured with 9/3: the deaf end at H - age, the other, which hears exactly one keepalive more, 3.00 s later."""
    deaf, other = ONE_WAY[direction]
    for run in range(20):
        log = play(cluster(timers=(9, 3)), fault("link-loss", options={"direction": direction}), run=run)
        assert 6 < first_lost(log, deaf) <= 9
        assert first_lost(log, other) - first_lost(log, deaf) == pytest.approx(3.0, abs=1e-6)


def test_a_notification_does_not_arrive_on_the_way_that_still_passes():
    """Without acknowledgements the sender repeats its one keepalive; the NOTIFICATION waits behind it."""
    log = play(cluster(timers=(9, 3)), fault("link-loss", options={"direction": "to-router"}))
    reasons = [f.reason for f in log if getattr(f, "side", "") == "node" and f.from_state == "established"]
    assert reasons == ["hold timer expired"]


def test_a_one_way_loss_shorter_than_hold_less_keepalive_is_survived():
    assert session_log(play(cluster(timers=(90, 30)), fault("link-loss", 5, options={"direction": "to-node"}))) == []


def test_traffic_needs_both_ways_so_a_one_way_loss_is_a_loss():
    log = play(cluster(), fault("link-loss", 5, options={"direction": "to-router"}))
    assert [(f.time_us / 1e6 - AT_S, f.lost_share) for f in log.of(PathChanged)] == [(0, 1.0), (5, 0.0)]


def test_losses_of_both_ways_and_of_two_faults_multiply():
    """Both ways lose 10 %: 1 - 0.9 * 0.9 = 0.19; a second fault of 50 % each way: 1 - 0.45 * 0.45 = 0.7975."""
    first = fault("link-loss", 20, options={"share": 0.1})
    second = fault("link-loss", 5, at_s=AT_S + 5, options={"share": 0.5})
    shares = [f.lost_share for f in play(cluster(), first, second).of(PathChanged)]
    assert shares == pytest.approx([0.19, 0.7975, 0.19, 0.0])


def test_one_percent_of_loss_never_ends_a_session_for_tcp_repeats():
    """Three lost keepalives in a row are no expiry: nine copies of one segment leave within 60 s of a hold of 90."""
    ends = [
        session_log(play(cluster(), fault("link-loss", 600, options={"share": 0.01}), run=run)) for run in range(30)
    ]
    assert ends == [[]] * 30


def test_heavy_loss_ends_a_3_second_session_as_often_as_its_copies_say():
    """H 3, K 1: a keepalive sent at s saves the session if a copy of it arrives by s + 2, at s + {0, .209, .418, .836,
    1.672}: five copies. With 60 % lost each way the data is lost with 0.6^5 = 0.078 a keepalive: in 10 s few survive.
    """
    plan = cluster(timers=(3, 1))
    lost = [bool(session_log(play(plan, fault("link-loss", 10, options={"share": 0.6}), run=r))) for r in range(100)]
    assert sum(lost) > 50


def test_a_syn_is_lost_as_often_as_it_or_its_answer_is():
    """Half is lost each way: a SYN is answered with 0.25, at the dial, 1, 2, 3, 4, 5, 7, 11 s later, ...; of 60 dials
    at 0 + 2 the first is answered 15 times, with a standard deviation of 3.4, the OPENs then take their copies."""
    plan = cluster(nodes=1, horizon_s=160)
    lossy = fault("link-loss", options={"share": 0.5})
    firsts = []
    for run in range(60):
        log = play(plan, lossy, fault("agent-crash", 0), run=run)
        firsts.append(next((f.time_us / 1e6 - AT_S for f in log if getattr(f, "to_state", "") == "open_sent"), None))
    assert 15 - 10 <= firsts.count(2) <= 15 + 10
    assert set(firsts) - {None} <= {2 + retry_s for retry_s in (0, 1, 2, 3, 4, 5, 7, 11, 19, 35)}
    assert len(set(firsts)) > 4


def test_a_direct_link_that_goes_dark_ends_the_session_at_once_graceful_restart_or_not():
    """FRR and BIRD watch the port; the kernel alone does not tear TCP down."""
    plan = direct(cluster(routers=(instant("frr-8.4"),), restart=GracefulRestartPlan(True, 120)))
    log = play(plan, fault("link-down", 5))
    assert session_log(log)[0] == (0, "down")
    assert fib_log(log, VIP)[0] == (0, "withdrawn")


def test_the_node_learns_of_it_when_the_link_is_back_then_idles_and_dials():
    """Dark for 5: told within 0.35 s of the return, idle 5, dial 2: back in [12, 12.35]."""
    log = play(direct(cluster(routers=(instant("frr-8.4"),))), fault("link-down", 5))
    assert 5 <= first_lost(log, "node") <= 5.35
    assert session_log(log)[1][0] == pytest.approx(first_lost(log, "node") + 7, abs=1e-6)


def test_behind_a_switch_the_same_link_is_a_loss_of_packets():
    log = play(cluster(timers=(90, 30), routers=(instant("frr-8.4"),)), fault("link-down", 5))
    assert session_log(log) == []


def test_gobgp_as_router_does_not_watch_its_port():
    """Measured: nothing until the hold timer, 7.5 s of 9."""
    log = play(direct(cluster(timers=(9, 3), routers=(instant("gobgp-3.10"),))), fault("link-down"))
    assert 6 < first_lost(log) <= 9


def test_bird_closes_what_comes_for_45_to_60_s_after_a_link_event():
    """60 s times U[0.75, 1] from the return of the carrier, then the node's next dial within 7.35 s."""
    profile = instant("bird-2.0", hold_jitter=(1.0, 1.0))
    backs = [
        session_log(play(direct(cluster(routers=(profile,))), fault("link-down", 5), run=r))[1][0] for r in range(20)
    ]
    assert 50 <= min(backs) < max(backs) <= 5 + 60 + 7.35


@pytest.mark.parametrize("name", ["bird-2.0", "openbgpd-7.7"])
def test_detection_follows_the_receivers_own_timer_law(name):
    """BIRD: H U[0.75, 1] - U[0, K). OpenBGPD: H - U[0, K) - U[0, 1). By Monte-Carlo of scipy against 1 000 runs."""
    plan = cluster(timers=(9, 3), routers=(router(name),), horizon_s=200)
    seen = [first_lost(play(plan, fault("node-down"), run=run)) for run in range(1000)]
    rng = stats.uniform(0, 3).rvs(200_000, random_state=1)
    other = stats.uniform(0, 1).rvs(200_000, random_state=2)
    law = 9 * (0.75 + 0.25 * other) - rng if name == "bird-2.0" else 9 - rng - other
    assert stats.ks_2samp(seen, law).statistic <= 1.95 / 1000**0.5


@pytest.mark.parametrize(("dark_s", "heard_s"), [(0.2, 1.02), (1.0, 1.02), (1.05, 2.04), (3.0, 3.06)])
def test_a_short_flap_is_heard_of_with_the_next_question_for_the_neighbour(dark_s, heard_s):
    """Measured: 0.2 and 1 s flaps at loss + 1.02 s, some at + 2.04."""
    log = play(direct(cluster(routers=(instant("frr-8.4"),))), fault("link-down", dark_s))
    assert first_lost(log, "node") == heard_s
