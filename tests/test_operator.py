"""The operator's leader election: how long nobody acts when its leading replica ends (client-go, Cilium's flags)."""

from dataclasses import replace
from statistics import fmean

import pytest
from scenario_texts import small
from worlds import AT_S, cluster, fault, fib_log, instant, play, pod_cidr, since_fault, steady

from simbgp.profiles import Law
from simbgp.scenario import ScenarioError, loads
from simbgp.scenario.plan import OperatorPlan
from simbgp.timeline import OperatorChanged

SPEAKER = steady("1.20", unlabel=Law.constant(0.0))


def of(replicas=2, lease_s=15.0, retry_s=2.0):
    return replace(cluster(2, (instant(),), SPEAKER), operator=OperatorPlan(replicas, lease_s, retry_s))


def gaps(plan, how, down_s=None, runs=200):
    """From the end of the leader until another acts, in each run."""
    found = []
    for run in range(runs):
        log = play(plan, fault("operator-down", down_s, options={"how": how}), run=run)
        ended, *taken = [(since_fault(fact.time_us), fact.acts) for fact in log.of(OperatorChanged)]
        assert ended == (0.0, False)
        found += [at_s for at_s, _ in taken]
    return found


def test_a_crashed_leader_is_replaced_when_its_lease_has_run_out():
    # The standby sees the last renewal (0-2 s before the end) at its first look after it and takes the lease at its
    # first look 15 s later; looks are 2 to 4.4 s apart, so within (15 - 2, 15 + 2 * 4.4). A look is the residual of a
    # renewal process away: E[X^2] / 2 E[X] = (3.2^2 + 2.4^2 / 12) / 6.4 = 1.675; the mean is 15 - 1 + 2 * 1.675 =
    # 17.35, its standard error sqrt(0.33 + 2 * 1.17) / sqrt(200) = 0.12.
    found = gaps(of(), "crash")
    assert len(found) == 200
    assert 13.0 < min(found) < 15.0
    assert 19.0 < max(found) < 23.8
    assert fmean(found) == pytest.approx(17.35, abs=0.5)


def test_a_leader_that_is_stopped_gives_its_lease_back():
    # ReleaseOnCancel: the standby takes it at its next look, mean 1.675, at most 4.4
    found = gaps(of(), "stop")
    assert 0.0 <= min(found) < 0.2
    assert 3.0 < max(found) <= 4.4
    assert fmean(found) == pytest.approx(1.675, abs=0.4)


def test_a_lone_replica_waits_for_the_lease_of_the_process_before():
    # container back at 40, a new identity: it takes the lease at its first look 15 s after its first, so in [55, 59.4)
    found = gaps(of(replicas=1), "crash", down_s=40.0)
    assert len(found) == 200
    assert 55.0 <= min(found) < 55.5
    assert 57.0 < max(found) < 59.4


def test_a_lone_replica_that_was_stopped_acts_at_once_when_it_is_back():
    assert set(gaps(of(replicas=1), "stop", down_s=40.0, runs=5)) == {40.0}


def test_a_lone_replica_that_does_not_come_back_is_gone():
    assert gaps(of(replicas=1), "crash", runs=3) == []


def test_the_flags_of_the_election_are_heeded():
    # lease 60, retry 0.001: the jitter is gone
    assert gaps(of(lease_s=60.0, retry_s=0.001), "crash", runs=5) == pytest.approx([60.0] * 5, abs=0.02)


def test_more_standbys_are_sooner():
    assert fmean(gaps(of(replicas=5), "crash")) < fmean(gaps(of(), "crash")) - 0.5


def test_the_second_of_two_replicas_is_the_last():
    # both end, at 0 and at 30; the first is back at 100 and has the lease 15 s and at most one look later
    plan = of()
    log = play(
        plan,
        fault("operator-down", 100.0, options={"how": "crash"}),
        fault("operator-down", at_s=AT_S + 30, options={"how": "crash"}),
    )
    changes = [(since_fault(fact.time_us), fact.acts) for fact in log.of(OperatorChanged)]
    assert [acts for _, acts in changes] == [False, True, False, True]
    assert changes[2][0] == 30.0
    assert 115.0 <= changes[3][0] < 119.4


def test_a_label_that_changes_in_the_gap_waits_for_the_next_leader():
    log = play(of(), fault("operator-down", options={"how": "crash"}), fault("unlabel", at_s=AT_S + 5))
    ((taken, _),) = [(since_fault(f.time_us), f.acts) for f in log.of(OperatorChanged) if f.acts]
    assert 13.0 < taken < 23.8
    assert fib_log(log, pod_cidr(1)) == [(taken, "withdrawn")]


def test_away_means_away_whatever_the_replicas():
    assert gaps(of(replicas=3), "away", down_s=50.0, runs=2) == [50.0, 50.0]


TEXT = """
cluster: {cilium: "1.20", nodes: 2, operator: {replicas: 3, leaseDuration: 30s, retryPeriod: 5s}}
routers: [{name: tor-1, profile: frr-8.4, asn: 65000}]
faults: [{at: 1s, kind: operator-down, how: stop}]
"""


def test_a_scenario_says_how_many_there_are_and_how_one_ends():
    plan = loads(TEXT).plan()
    assert plan.operator == OperatorPlan(3, 30.0, 5.0)
    assert plan.faults[0].options == {"how": "stop"}
    assert small().plan().operator == OperatorPlan(2, 15.0, 2.0)


def test_an_election_that_client_go_refuses_is_refused():
    with pytest.raises(ScenarioError, match=r"leaseDuration 2s is not above 1\.2 times retryPeriod 2s"):
        small("", "cluster.operator.leaseDuration=2s")
