"""A rollout of the agents as the DaemonSet controller does it: whose turn it is, who counts as away, the way back."""

from dataclasses import replace

import pytest
from study_worlds import observed
from worlds import AT_S, VIP, cluster, fault, instant, play, session_log, since_fault, steady

from simbgp.measure import Observed, progress, value_of
from simbgp.measure.observed import Question
from simbgp.profiles import Law
from simbgp.scenario.plan import GracefulRestartPlan
from simbgp.timeline import FaultBegan, FaultEnded, ProcedureEnded, RolloutAdvanced, RouteChanged, SessionChanged
from simbgp.traffic import windows

S = 1_000_000


@pytest.fixture(autouse=True)
def known_releases(monkeypatch):
    """The release that is rolled out draws nothing either."""
    monkeypatch.setattr("simbgp.model.cluster.daemonset.speaker", steady)


PULL = Law.constant(30.0)
GR = GracefulRestartPlan(True, 120)


def rollout(at_s=AT_S, nodes=4, name="agent-upgrade", **options):
    """At time 0 of the tests, one node at a time, unless told otherwise."""
    given = {"nodes": tuple(f"worker-{i}" for i in range(1, nodes + 1))} | options
    return replace(fault("agent-upgrade", at_s=at_s, options=given), fault=name)


def fleet(nodes=4, agent_s=8.0, **others):
    """Cilium 1.19; a container is an agent 8 s after its start, and has its session 2 s later."""
    return cluster(nodes, (instant(),), steady("1.19"), agent_s=agent_s, **others)


def taken(log, kind=FaultBegan):
    """When which node was taken (or its container started), in seconds since the rollout began."""
    facts = (fact for fact in log.of(kind) if fact.kind == "agent-upgrade")
    return [(since_fault(fact.time_us), fact.nodes[0][-1]) for fact in facts]


def upgraded(log):
    return [(since_fault(fact.time_us), fact.upgraded) for fact in log.of(RolloutAdvanced)]


def ended(log):
    return [(since_fault(fact.time_us), fact.fault) for fact in log.of(ProcedureEnded)]


def least_sessions(plan, log):
    return min(row.min_sessions for row in progress(Observed(plan, log, [], [])))


# whose turn it is


def test_ready_is_not_established_so_two_have_no_session_where_one_may_be_away():
    # the next goes when this one's agent is up, 8; its session is back at 10
    plan = fleet()
    log = play(plan, rollout())
    assert taken(log) == [(0.0, "1"), (8.0, "2"), (16.0, "3"), (24.0, "4")]
    assert session_log(log) == [(0.0, "down"), (10.0, "up")]
    assert least_sessions(plan, log) == 2


@pytest.mark.parametrize(
    ("ready_s", "min_ready_s", "least"),
    [
        (3, 0, 2),  # taken at 0, 3, 6, 9, back at 10, 13, ...: at 9 four are away, of six
        (5, 0, 4),  # the third goes at the very instant at which the first is back
        (4.9, 0, 3),  # and here 0.2 s before
        (3, 7, 5),  # minReadySeconds waits for what readiness does not see
        (3, 6, 4),
    ],
)
def test_a_readiness_that_passes_before_bgp_leaves_more_nodes_without_a_session(ready_s, min_ready_s, least):
    plan = fleet(6)
    options = {"ready_after": Law.constant(ready_s), "min_ready_us": min_ready_s * S}
    log = play(plan, rollout(nodes=6, **options))
    assert [at for at, _ in taken(log)] == [pytest.approx((ready_s + min_ready_s) * i) for i in range(6)]
    assert least_sessions(plan, log) == least


def test_a_readiness_that_passes_after_bgp_makes_the_rollout_slower():
    log = play(fleet(2), rollout(nodes=2, ready_after=Law.constant(20.0)))
    assert taken(log) == [(0.0, "1"), (20.0, "2")]
    assert ended(log) == [(40.0, "agent-upgrade")]


def test_an_agent_that_is_down_is_replaced_at_once_and_fills_the_place():
    # down from 0 to 60, and up 8 later; nobody else may go before
    log = play(fleet(), fault("agent-crash", 60.0, node="worker-3"), rollout(AT_S + 10))
    assert taken(log) == [(10.0, "3"), (68.0, "1"), (76.0, "2"), (84.0, "4")]


def test_an_agent_that_dies_in_its_old_release_comes_back_in_the_new_one():
    # both are away from 2 on, and one may be: node 2 goes when the later of 8 and 5 + 8 is over
    log = play(fleet(), rollout(), fault("agent-crash", 3.0, AT_S + 2, node="worker-4"))
    assert taken(log) == [(0.0, "1"), (2.0, "4"), (13.0, "2"), (21.0, "3")]


def test_a_node_that_dies_while_it_pulls_pulls_again_and_holds_the_rollout():
    # without power from 5 to 105; 30 to pull and 8 to start
    log = play(fleet(), rollout(image_pull=PULL), fault("node-down", 100.0, AT_S + 5))
    assert taken(log) == [(0.0, "1"), (143.0, "2"), (181.0, "3"), (219.0, "4")]


def test_a_dead_node_is_counted_when_it_is_called_not_ready_and_then_blocks_the_rollout():
    # silent from 5, not ready 50 later; the second node's 38 to 76 are over by then
    log = play(fleet(), rollout(image_pull=PULL), fault("node-down", None, AT_S + 5, node="worker-4"))
    assert taken(log) == [(0.0, "1"), (38.0, "2"), (55.0, "4")]
    assert upgraded(log) == [(0.0, 0), (38.0, 1), (76.0, 2)]
    assert ended(log) == []


def test_a_node_lost_before_the_rollout_counts_from_the_same_moment():
    # lost at -10: not ready at 40, and taken where it stands
    log = play(fleet(), fault("node-down", None, AT_S - 10, node="worker-4"), rollout(image_pull=PULL))
    assert taken(log) == [(0.0, "1"), (38.0, "2"), (40.0, "4")]


def test_with_one_more_place_the_rollout_passes_the_dead_node_by():
    down = fault("node-down", None, AT_S + 5, node="worker-4")
    log = play(fleet(), rollout(image_pull=PULL, max_unavailable=2), down)
    assert taken(log) == [(0.0, "1"), (0.0, "2"), (38.0, "3"), (38.0, "4")]
    assert upgraded(log)[-1] == (76.0, 3)


def test_the_present_release_once_more_is_a_restart_of_all():
    log = play(fleet(), rollout(to="1.19"))
    assert [node for _, node in taken(log)] == ["1", "2", "3", "4"]


# the way back


def test_an_undo_half_way_leaves_alone_what_was_not_taken_and_pulls_nothing():
    # taken 0 to 38, and 38 to 76; at 50 the second drops its pull and starts its old image, up at 58; then the first
    log = play(fleet(), rollout(image_pull=PULL, rollback_after_us=50 * S))
    assert taken(log) == [(0.0, "1"), (38.0, "2"), (58.0, "1")]
    assert taken(log, FaultEnded) == [(30.0, "1"), (50.0, "2"), (58.0, "1")]
    assert upgraded(log) == [(0.0, 0), (38.0, 1), (58.0, 0)]
    assert ended(log) == [(66.0, "agent-upgrade")]


def test_a_second_fault_to_the_old_release_is_the_same_undo_under_its_own_name():
    log = play(fleet(), rollout(image_pull=PULL), rollout(AT_S + 50, name="back", to="1.19", image_pull=PULL))
    assert taken(log) == [(0.0, "1"), (38.0, "2"), (50.0, "2"), (58.0, "1")]
    assert ended(log) == [(50.0, "agent-upgrade"), (66.0, "back")]
    assert upgraded(log) == [(0.0, 0), (38.0, 1), (50.0, 2), (58.0, 3), (66.0, 4)]


def test_an_undo_after_the_end_takes_all_back():
    log = play(fleet(2), rollout(nodes=2, rollback_after_us=100 * S))
    assert taken(log) == [(0.0, "1"), (8.0, "2"), (100.0, "1"), (108.0, "2")]
    assert ended(log) == [(116.0, "agent-upgrade")]


def test_a_rollout_that_was_replaced_is_not_undone():
    log = play(fleet(2), rollout(nodes=2, rollback_after_us=20 * S), rollout(AT_S + 4, nodes=2, name="next", to="1.18"))
    assert [at for at, _ in taken(log)] == [0.0, 4.0, 12.0]
    assert ended(log) == [(4.0, "agent-upgrade"), (20.0, "next")]


def test_agents_say_what_their_own_release_says_on_the_way_there_and_back():
    # 1.20 sends Cease 6/3 to a router without graceful restart, 1.19 closes the connection
    log = play(fleet(1), rollout(nodes=1, rollback_after_us=50 * S))
    lost = [f for f in log.of(SessionChanged) if f.side == "router" and f.from_state == "established"]
    assert [since_fault(fact.time_us) for fact in lost] == [0.0, 50.0]
    assert lost[0].reason == "TCP connection closed"
    assert "Cease" in lost[1].reason or "de-configured" in lost[1].reason.lower()


# what it costs


def test_a_pull_longer_than_the_restart_time_costs_each_node_the_rest():
    # away for 150 pull + 8 start + 2 dial = 160 s, its routes kept for the first 120
    plan = fleet(3, restart=GR)
    log = play(plan, rollout(nodes=3, image_pull=Law.constant(150.0)))
    holes = [(since_fault(hole.start_us), hole.duration_us / S, hole.cause) for hole in windows(plan, log)]
    assert holes == [(158.0 * i + 120, 40.0, "no-route") for i in range(3)]


def test_a_pull_that_just_fits_costs_nothing():
    plan = fleet(3, restart=GR)
    assert windows(plan, play(plan, rollout(nodes=3, image_pull=Law.constant(110.0)))) == []


def measured(plan, log, metric):
    return value_of(Observed(plan, log, windows(plan, log), []), Question(metric)).value


def test_two_of_four_away_leave_two_next_hops_with_half_of_the_traffic_each():
    plan = fleet()
    log = play(plan, rollout(max_unavailable=2, min_ready_us=10 * S))
    assert (measured(plan, log, "min_next_hops"), measured(plan, log, "peak_node_load")) == (2.0, 0.5)
    assert measured(plan, log, "zero_next_hop_s") == 0.0


def test_a_readiness_before_bgp_takes_the_last_next_hop():
    # 1, 2 and 3 are taken at 0, 3 and 6 and back at 10, 13 and 16: from 6 to 10 there is none, before and after one
    plan = fleet(3)
    log = play(plan, rollout(nodes=3, ready_after=Law.constant(3.0)))
    assert (measured(plan, log, "min_next_hops"), measured(plan, log, "zero_next_hop_s")) == (0.0, 4.0)
    assert measured(plan, log, "peak_node_load") == 1.0


def test_graceful_restart_keeps_the_load_where_it_is():
    plan = fleet(restart=GR)
    log = play(plan, rollout(max_unavailable=2))
    assert (measured(plan, log, "min_next_hops"), measured(plan, log, "peak_node_load")) == (4.0, 0.25)


# progress


def test_progress_counts_what_is_left_between_the_steps():
    plan = cluster(3)
    lost = SessionChanged(12 * S, "tor-1", "worker-1", "router", "established", "idle", "")
    facts = [
        RolloutAdvanced(10 * S, "up", 0, 3),
        lost,
        RouteChanged(12 * S, "tor-1", VIP, "worker-1", "withdrawn"),
        RouteChanged(20 * S, "tor-1", VIP, "worker-1", "added"),
        RouteChanged(20 * S, "tor-1", VIP, "worker-2", "withdrawn"),  # at one instant: never fewer than two
        RolloutAdvanced(20 * S, "up", 1, 3),
        RolloutAdvanced(20 * S, "up", 2, 3),
        RouteChanged(40 * S, "tor-1", VIP, "worker-2", "added"),
        RolloutAdvanced(40 * S, "up", 3, 3),
    ]
    rows = progress(observed(plan, *facts))
    found = [(row.upgraded, row.start_us / S, row.end_us / S, row.min_next_hops, row.min_sessions) for row in rows]
    assert found == [(0, 10, 20, 2, 2), (2, 20, 40, 2, 2), (3, 40, 1000, 3, 2)]  # horizon 1000
    assert {(row.router, row.prefix, row.service) for row in rows} == {("tor-1", VIP, "web")}


def test_without_a_rollout_there_is_no_progress():
    assert progress(observed(cluster(2))) == []
