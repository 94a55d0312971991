"""The shipped scenarios of the guide's sections, one number of each; 90/30, restart time 120, agent's start-up 10 s."""

from pathlib import Path

import pytest

import simbgp

SCENARIOS = Path(__file__).parent.parent / "scenarios"
POD = "10.244.1.0/24"
RUNS = 8


def played(name, **changes):
    scenario = simbgp.load(SCENARIOS / f"{name}.yaml")
    return simbgp.run(scenario.with_(**changes) if changes else scenario, runs=RUNS)


def values(name, **changes):
    """Least and greatest value of each SLO's statistic."""
    return {(slo["metric"], slo["stat"]): slo["value"] for slo in played(name, **changes).to_dict()["slo"]}


def lengths(result, prefix, cause):
    windows = result.windows
    return windows[(windows.prefix == prefix) & (windows.cause == cause)].duration_s


def test_an_agent_restart_without_graceful_restart_costs_the_pods_and_not_the_service():
    result = played("guide-agent-restart")
    assert set(result.windows.prefix) == {POD}
    # 20 down + 10 start-up + U[1.5, 2] dial + 0.06 open + about 0.06 FIB - 0.07 of the withdrawal
    assert lengths(result, POD, "no-route").between(31.4, 32.2).all()


def test_a_pull_longer_than_the_restart_time_leaves_each_node_without_a_route_until_it_is_back():
    holes = played("guide-upgrade-pull").windows
    assert set(holes.prefix) == {f"10.244.{n}.0/24" for n in (1, 2, 3, 4)}
    # 150 pull + 10 start-up + dial and open 1.56 to 2.06 - 120 restart time; less FIB at expiry, more at return
    assert holes.duration_s.between(41.4, 42.2).all()
    # a rollout takes the next node when this agent is ready: 160 s later
    first = holes[holes.run == 0].sort_values("start_s").start_s
    assert first.diff().dropna().round().tolist() == [160.0, 160.0, 160.0]


def test_images_pulled_before_leave_no_hole_at_all():
    assert played("guide-upgrade-prepulled").windows.empty


@pytest.mark.parametrize("name", ["guide-drain", "guide-drain-withdraw-first"])
def test_a_drain_that_waits_loses_nothing_and_takes_the_grace_period_and_a_second(name):
    found = values(name)
    assert found["lost_traffic_s", "max"] == 0.0
    assert 30.1 < found["procedure_s", "max"] <= 31.3  # 30 s of grace, unlabel 0.1 to 1, FIB 0.07 to 0.2, a look at 0.1


def test_a_drain_that_does_not_wait_costs_hold_and_restart_time():
    longest = lengths(played("guide-drain-no-wait"), "192.0.2.10/32", "dead-next-hop")
    assert longest.between(180.0, 210.2).all()


def test_an_agent_that_stays_down_keeps_its_pods_for_the_restart_time():
    holes = played("guide-agent-down").windows
    assert set(holes.prefix) == {POD}
    assert holes.start_s.between(60 + 120, 60 + 120.2).all()


def test_a_direct_link_is_noticed_at_once_by_frr_and_by_the_hold_timer_of_a_gobgp_router():
    assert values("guide-link-direct")["detection_s", "max"] == 0.0
    gobgp = values("guide-link-direct", **{"routers.0.profile": "gobgp-3.10"})
    assert gobgp["detection_s", "max"] > 60.0


def test_a_link_behind_a_switch_is_noticed_60_to_90_s_later():
    found = played("guide-link-switched").to_dict()["slo"]
    assert all(60.0 < slo["value"] <= 90.0 for slo in found)


def test_a_label_waits_for_the_operator():
    found = values("guide-operator-down")
    assert found["detection_s", "min"] >= 80.1  # the operator is back 80 s after the label changed; the rest 0.1 to 1
    assert found["detection_s", "max"] <= 81.0


def test_what_is_new_waits_for_the_operator():
    result = played("guide-operator-newcomers")
    added = result.routes[result.routes.event == "added"]
    assert added.time_s.min() >= 160.2  # endpoint propagation and reconcilers, each 0.1 s or more
    new_node = added[added.node == "worker-4"]
    assert new_node.time_s.min() >= 160 + 10 + 1.5  # PodCIDR, agent, first dial
    assert set(new_node.prefix) == {"10.244.4.0/24", "192.0.2.10/32", "192.0.2.20/32"}
    assert result.verdict == "MET"


def test_a_cluster_service_without_backends_is_withdrawn_where_the_flag_says_so():
    flag = "cluster.enableNoServiceEndpointsRoutable"
    routes = played("guide-backends-down-cluster", **{flag: False}).routes
    assert (routes[routes.event == "withdrawn"].groupby("run").node.nunique() == 4).all()
    assert not routes.empty
    assert played("guide-backends-down-cluster", **{flag: False, "cluster.cilium": "1.18"}).routes.empty


def test_a_cluster_service_without_backends_keeps_its_vip_unless_the_release_withdraws_it():
    result = played("guide-backends-down-cluster")
    assert result.routes.empty
    # 30 s; every node learns of the return 0.1 to 1 s late
    assert 30.1 < result.to_dict()["slo"][1]["value"] <= 31.0


def test_a_local_service_without_backends_is_withdrawn_by_every_node():
    routes = played("guide-backends-down-local").routes
    assert (routes[routes.event == "withdrawn"].groupby("run").node.nunique() == 4).all()


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("regression-restart-bit", {"cluster.gracefulRestart.restartBit": True}),
        ("regression-cease-on-stop", {"cluster.cilium": "1.20"}),
        ("regression-local-terminating", {"cluster.cilium": "1.20"}),
    ],
)
def test_the_release_with_the_bug_breaches_and_the_fixed_one_meets(name, fix):
    assert played(name).verdict == "BREACHED"
    assert played(name, **fix).verdict == "MET"
