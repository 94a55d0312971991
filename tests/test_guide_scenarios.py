"""The shipped scenarios of the guide's sections, one number of each; 90/30, restart time 120, agent's start-up 10 s."""

from pathlib import Path

import pytest
from cli_runs import cli

import simbgp
from simbgp.measure import Question

SCENARIOS = Path(__file__).parent.parent / "scenarios"
POD = "10.244.1.0/24"
RUNS = 8


def played(name, **changes):
    scenario = simbgp.load(SCENARIOS / f"{name}.yaml")
    return simbgp.run(scenario.with_(**changes) if changes else scenario, runs=RUNS)


def values(name, **changes):
    """Least and greatest value of each SLO's statistic."""
    return {(slo["metric"], slo["stat"]): slo["value"] for slo in played(name, **changes).to_dict()["slo"]}


def values_of(result, metric, **narrowed):
    """The metric in each run."""
    return [value.value for value in result.stats(Question(metric, **narrowed)).values]


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


def test_a_downgrade_with_images_at_hand_leaves_no_hole_either():
    assert played("guide-downgrade").windows.empty


def test_a_drain_moves_pods_and_not_their_addresses():
    result = played("guide-pod-routes")
    # gone at 60 s with the session, FIB 0.05 to 0.12; there is no agent that would bring it back before 900 s
    assert lengths(result, POD, "no-route").between(839.8, 840).all()
    assert values("guide-pod-routes")["procedure_s", "max"] == 30.0
    assert set(result.windows.prefix) == {POD}


SNAT = {"cluster.loadBalancer.mode": "snat"}
IN_PLACE = {"routers.0.ecmp": {"hash": "resilient", "onChange": "replace"}}
RANDOM = {"cluster.loadBalancer": {"algorithm": "random", "mode": "dsr"}}
LOCAL = {"services.0.externalTrafficPolicy": "Local"}


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, 0.0),  # each node has the same Maglev table, and DSR the same tuple
        (SNAT, 1 / 2),  # one of four leaves an edge of the hash space: its quarter, and 1/12 + 1/6 of its neighbours'
        (LOCAL, 1 / 2),
        (RANDOM, 1 / 2 * 11 / 12),  # one of twelve picks the backend that it had
        ({**SNAT, **IN_PLACE}, 1 / 4),
    ],
)
def test_maglev_saves_what_moves_with_dsr_and_a_resilient_router_moves_a_quarter(changes, broken):
    found = values_of(played("guide-service-routes", **changes), "broken_share")
    # 8 runs of 10 000 connections; a bucket table adds the spread of 128 buckets over 4 nodes
    assert abs(sum(found) / RUNS - broken) < 4 * (broken * (1 - broken) / (RUNS * 10_000)) ** 0.5 + 1e-9


def test_hold_3_notices_a_cut_link_in_2_to_3_s_and_takes_a_stall_of_4_s_for_one():
    found = played("guide-link-timers")
    assert all(2.0 <= value <= 3.0 for value in values_of(found, "detection_s", fault="link"))
    assert values_of(found, "flaps", fault="stall") == [1.0] * RUNS
    calm = played("guide-link-timers", **{"faults.1.stallFor": "1s"})  # 3 s of hold less a keepalive of at most 1 s
    assert values_of(calm, "flaps", fault="stall") == [0.0] * RUNS


def test_a_disruption_budget_keeps_one_backend_through_two_drains():
    assert played("guide-backends-budget").verdict == "MET"
    bare = values("guide-backends-budget", **{"services.0.minAvailable": 0})
    # a grace period of 1 s, a replacement after U[2, 10] s that nodes see 0.1 to 1 s later
    assert 1.1 < bare["blackhole_s", "max"] <= 10.0


def test_cilium_calls_a_cut_session_established_and_says_nothing_of_a_dead_agent():
    file = str(SCENARIOS / "guide-cli.yaml")
    rows = {at: cli("show", "peers", "-f", file, "--at", f"{at}s").out.splitlines() for at in (110, 160, 210)}
    worker = {at: [row for row in lines if "-worker" in row] for at, lines in rows.items()}
    assert "established" in worker[110][0]  # 50 s after the cut, the least is 60 s
    assert "established" not in worker[160][0]  # 100 s after it, the most is 90 s
    assert worker[210] == []


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("regression-restart-bit", {"cluster.gracefulRestart.restartBit": True}),
        ("regression-cease-on-stop", {"cluster.cilium": "1.20"}),
        ("regression-local-terminating", {"cluster.cilium": "1.20"}),
        ("regression-dsr-silence", {"cluster.cilium": "1.20"}),
        ("regression-no-endpoints", {"cluster.cilium": "1.19"}),
        ("regression-rollout-empties", {"faults.0.minReadySeconds": 20}),
        ("regression-rollout-empties", {"cluster.gracefulRestart.enabled": True}),
        ("regression-silent-return", {"cluster.cilium": "1.19"}),
        ("regression-silent-return", {"cluster.gracefulRestart.enabled": False}),
    ],
)
def test_the_release_with_the_bug_breaches_and_the_fixed_one_or_the_workaround_meets(name, fix):
    assert played(name).verdict == "BREACHED"
    assert played(name, **fix).verdict == "MET"


def test_a_reset_that_never_reaches_its_client_is_a_quarter_of_an_hour_of_silence():
    # 1/2 moves, 11 of 12 picks are another backend; the client's kernel gives up after 924 s, before the horizon
    silent = values_of(played("regression-dsr-silence"), "timed_out_share")
    assert abs(sum(silent) / RUNS - 11 / 24) < 0.008
    heard = played("regression-dsr-silence", **{"cluster.cilium": "1.20"})
    assert values_of(heard, "reset_share") == silent


def test_without_the_flag_the_release_that_heeds_it_keeps_the_vip():
    kept = {"cluster.cilium": "1.20", "cluster.enableNoServiceEndpointsRoutable": True}
    assert played("regression-no-endpoints", **kept).routes.empty
    gone = played("regression-no-endpoints", **{"cluster.cilium": "1.20"}).routes
    # endpoints seen after 0.1 to 1 s, reconciled in 0.1 to 0.6, FRR's FIB 0.05 to 0.2: once away, once back
    away = gone[gone.event == "withdrawn"]
    assert away.since_fault_s.between(0.2, 1.8).all()
    assert (away.groupby("run").node.nunique() == 4).all()


def test_a_second_pair_goes_while_the_first_still_dials():
    holes = played("regression-rollout-empties").windows
    web = holes[holes.prefix == "192.0.2.10/32"]
    # the second pair stops at 10 s, FIB 0.05 to 0.12; the first is back after 10 + U[1, 9] dial: at most 9 s apart
    assert web.duration_s.between(0.5, 9.2).all()
    assert sorted(set(web.run)) == list(range(RUNS))


WARNED = {
    "advise-16-nodes": ["keeps its share"],
    "agent-crash-llgr": ["is below the 612 s"],
    "cilium-dev-multi-homing": ["is assumed", "is above restartTimeSeconds", "announces nothing"],
    "cilium-dev-service-crash-beyond": ["not used", "is assumed", "is above restartTimeSeconds", "is below the 36 s"],
    "cilium-dev-service-crash-within": ["not used", "is assumed", "is above restartTimeSeconds"],
    "cilium-dev-service-node-down": ["not used", "is assumed", "is above restartTimeSeconds"],
    "guide-cli": ["not used", "is assumed", "is above restartTimeSeconds"],
    "guide-link-timers": ["without BFD"],
    "guide-node-loss": ["announces nothing", "keeps its share"],
    "guide-upgrade-500": ["raise it to 203"],
    "guide-upgrade-pull": ["is below the 162 s"],
    "node-down-gr": ["keeps its share"],
    "regression-no-endpoints": ["all the same"],
    "regression-silent-return": ["announces nothing", "keeps its share"],
    "two-tier-polarisation": ["is also that of", "is also that of"],
}
"""What `validate` says of shipped scenarios: each of them is about what it is warned of, or is Cilium's own example."""


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_scenario_is_warned_of_what_it_is_about_and_of_nothing_else(path):
    told, expected = simbgp.load(path).warnings, WARNED.get(path.stem, [])
    assert len(told) == len(expected)
    assert all(words in warning for words, warning in zip(expected, told, strict=True))


def test_a_shipped_scenario_carries_the_name_of_its_file_and_a_story():
    for path in SCENARIOS.glob("*.yaml"):
        scenario = simbgp.load(path)
        assert scenario.name == path.stem
        assert len(scenario.description) > 100
