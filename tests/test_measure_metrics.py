from dataclasses import replace

import numpy as np
import pytest
from study_worlds import HOPS, WEB, observed, scenario

from simbgp.measure import METRICS, Question, value_of
from simbgp.scenario import metrics as scenario_metrics
from simbgp.timeline import (
    FaultBegan,
    FaultEnded,
    ForwardingChanged,
    PathChanged,
    RouteChanged,
    SessionChanged,
)
from simbgp.traffic import ServiceOutcome

S = 1_000_000
PLAN = scenario().plan()  # horizon 600 s
POD = "10.244.1.0/24"


def began(at_s, fault=0, nodes=("worker-1",), routers=()):
    return FaultBegan(at_s * S, fault, "node-down", nodes, routers)


def ended(at_s, fault=0, nodes=("worker-1",)):
    return FaultEnded(at_s * S, fault, "node-down", nodes, ())


def dark(at_s, up=False, node="worker-1"):
    return ForwardingChanged(at_s * S, node, up)


def withdrawn(at_s, prefix=WEB, node="worker-1", event="withdrawn"):
    return RouteChanged(at_s * S, "tor-1", prefix, node, event)


def lost(at_s, node="worker-1", side="router"):
    return SessionChanged(at_s * S, "tor-1", node, side, "established", "idle", "hold timer expired")


def back(at_s, node="worker-1"):
    return SessionChanged(at_s * S, "tor-1", node, "router", "open_confirm", "established", "KEEPALIVE received")


def value(run, metric, **narrowing):
    return value_of(run, Question(metric, **narrowing))


def test_every_metric_of_an_slo_has_a_computation():
    assert set(METRICS) == set(scenario_metrics.METRICS)


def test_the_scenario_says_of_every_metric_what_narrows_it():
    assert set(scenario_metrics.NARROWED_BY) == set(scenario_metrics.METRICS)
    assert {key for keys in scenario_metrics.NARROWED_BY.values() for key in keys} == set(scenario_metrics.NARROWING)


def test_a_blackhole_is_the_longest_outage_of_a_service_prefix():
    # dark 60-70 and 100-125: the longest is 25 s
    run = observed(PLAN, began(60), dark(60), dark(70, up=True), dark(100), dark(125, up=True))
    assert value(run, "blackhole_s") == (25.0, False)


def test_touching_windows_of_other_causes_are_one_outage():
    # link 60-80, dead next hop 80-95: 35 s in all
    run = observed(PLAN, PathChanged(60 * S, "tor-1", "worker-1", 1.0), dark(80), withdrawn(95))
    assert value(run, "blackhole_s") == (35.0, False)


def test_windows_apart_are_two_outages():
    run = observed(PLAN, dark(60), withdrawn(80), dark(80, node="worker-2"), withdrawn(81, node="worker-2"))
    assert value(run, "blackhole_s") == (21.0, False)
    run = observed(PLAN, dark(60), withdrawn(80), dark(81, node="worker-2"), withdrawn(90, node="worker-2"))
    assert value(run, "blackhole_s") == (20.0, False)


def test_an_outage_open_at_the_horizon_is_a_lower_bound():
    # 600 - 580 = 20 s so far, though one of 25 s is over
    run = observed(PLAN, dark(60), dark(85, up=True), dark(580))
    assert value(run, "blackhole_s") == (25.0, True)


def test_without_an_outage_the_blackhole_is_zero():
    assert value(observed(PLAN, began(60)), "blackhole_s") == (0.0, False)


def test_pod_prefixes_count_only_when_they_are_named():
    run = observed(PLAN, withdrawn(60, prefix=POD), withdrawn(90, prefix=POD, event="added"))
    assert value(run, "blackhole_s") == (0.0, False)
    assert value(run, "blackhole_s", prefix=POD) == (30.0, False)


def test_min_share_leaves_smaller_holes_out():
    # one of four nodes: a quarter of the traffic
    run = observed(PLAN, dark(60), dark(90, up=True))
    assert value(run, "blackhole_s", min_share=0.25) == (30.0, False)
    assert value(run, "blackhole_s", min_share=0.26) == (0.0, False)


def test_lost_traffic_is_the_sum_of_share_times_time():
    # a quarter for 40 s, then two of four for 10 s: 10 + 5
    run = observed(PLAN, dark(60), dark(100, node="worker-2"), withdrawn(110), withdrawn(110, node="worker-2"))
    assert value(run, "lost_traffic_s").value == pytest.approx(15.0, abs=1e-6)


def test_zero_next_hop_counts_no_route_alone():
    # dark from 60, no next hop 90-130
    gone = [withdrawn(90, node=node) for node in HOPS]
    run = observed(PLAN, dark(60), *gone, withdrawn(130, node="worker-2", event="added"))
    assert value(run, "zero_next_hop_s") == (40.0, False)
    assert value(run, "blackhole_s") == (70.0, False)


def test_min_next_hops_is_the_least_between_instants():
    # at 60 s one leaves as another comes back: never fewer than 2 but for the instant itself
    run = observed(
        PLAN,
        withdrawn(50),
        withdrawn(50, node="worker-2"),
        withdrawn(60, node="worker-3"),
        withdrawn(60, event="added"),
    )
    assert value(run, "min_next_hops") == (2.0, False)


def test_min_next_hops_of_a_fault_looks_from_its_beginning():
    run = observed(PLAN, withdrawn(50), withdrawn(55, event="added"), began(60, fault="late"), withdrawn(70))
    assert value(run, "min_next_hops", fault="late") == (3.0, False)
    assert value(observed(PLAN, withdrawn(50), began(60), withdrawn(70, event="added")), "min_next_hops", fault=0) == (
        3.0,
        False,
    )


def test_peak_node_load_is_what_the_fullest_node_is_sent():
    run = observed(PLAN, withdrawn(60), withdrawn(61, node="worker-2"))
    assert value(run, "peak_node_load").value == pytest.approx(0.5)


def test_peak_node_load_is_a_mean_over_routers():
    # tor-1 sends 1/3 to each of three, tor-2 still 1/4: (1/3 + 1/4) / 2
    two = scenario(routers=[{"name": "tor-1", "profile": "rfc8538"}, {"name": "tor-2", "profile": "rfc8538"}]).plan()
    run = observed(two, withdrawn(60))
    assert value(run, "peak_node_load").value == pytest.approx((1 / 3 + 1 / 4) / 2, abs=1e-6)
    assert value(run, "peak_node_load", router="tor-1").value == pytest.approx(1 / 3, abs=1e-6)


def test_detection_is_from_the_fault_to_the_slowest_loss():
    run = observed(
        PLAN,
        began(60, nodes=("worker-1", "worker-2")),
        lost(130),
        lost(145, node="worker-2"),
        lost(146, node="worker-3"),
    )
    assert value(run, "detection_s") == (85.0, False)


def test_the_nodes_own_loss_is_no_detection():
    run = observed(PLAN, began(60), lost(60, side="node"), lost(130))
    assert value(run, "detection_s") == (70.0, False)


def test_a_session_that_outlives_its_fault_was_not_detected():
    assert value(observed(PLAN, began(60), ended(65)), "detection_s") is None


def test_a_lasting_fault_not_seen_by_the_horizon_is_a_lower_bound():
    assert value(observed(PLAN, began(580)), "detection_s") == (20.0, True)


def test_a_loss_counts_from_the_latest_fault_that_touches_the_session():
    run = observed(PLAN, began(60, fault="a"), began(100, fault="b"), lost(130))
    assert value(run, "detection_s") == (30.0, False)
    assert value(run, "detection_s", fault="a") is None


def test_what_is_down_already_is_not_lost_again():
    run = observed(PLAN, began(60, fault="a"), lost(70), began(80, fault="b"))
    assert value(run, "detection_s", fault="b") is None


def test_reestablishment_is_from_the_fault_to_the_slowest_session():
    run = observed(
        PLAN, began(60, nodes=HOPS[:2]), lost(60), lost(60, node="worker-2"), back(75), back(80, node="worker-2")
    )
    assert value(run, "reestablish_s") == (20.0, False)


def test_a_session_that_never_comes_back_is_a_lower_bound():
    assert value(observed(PLAN, began(60), lost(70)), "reestablish_s") == (540.0, True)


def test_flaps_count_losses_at_routers():
    run = observed(PLAN, began(60), lost(60), lost(60, side="node"), back(70), began(80, fault=1), lost(80))
    assert value(run, "flaps") == (2.0, False)
    assert value(run, "flaps", fault=1) == (1.0, False)
    assert value(run, "flaps", router="tor-1") == (2.0, False)


@pytest.mark.parametrize("metric", [m for m in METRICS if not m.endswith(("_share", "_count"))])
def test_a_fault_that_did_not_occur_has_no_value(metric):
    assert value(observed(PLAN, began(60), dark(60), lost(61), withdrawn(61)), metric, fault="other") is None


@pytest.mark.parametrize(
    "metric", ["blackhole_s", "lost_traffic_s", "zero_next_hop_s", "min_next_hops", "peak_node_load"]
)
def test_without_services_there_is_nothing_to_measure(metric):
    bare = replace(PLAN, services=())
    assert value(observed(bare, dark(60)), metric) is None


def outcome(fault, reset, service="web", total=1000):
    rest = total - reset - 30
    return ServiceOutcome(service, fault, total, 500, rest, 10, reset, 12, 8, 3, np.empty(0), np.empty(0))


def test_shares_are_of_all_connections():
    run = observed(PLAN, outcomes=[outcome(None, 100), outcome(0, 60)])
    # reset 100, timed out 12, not opened 8, delayed 10 of 1000
    assert value(run, "reset_share").value == 0.1
    assert value(run, "broken_share").value == 0.12
    assert value(run, "delayed_share").value == 0.01
    assert value(run, "timed_out_share").value == 0.012
    assert value(run, "reset_count").value == 100
    assert value(run, "broken_count").value == 120


def test_shares_of_a_fault_are_those_it_caused():
    run = observed(PLAN, outcomes=[outcome(None, 100), outcome(0, 60)])
    assert value(run, "reset_share", fault=0).value == 0.06


def test_shares_of_several_services_are_of_their_sum():
    run = observed(PLAN, outcomes=[outcome(None, 100), outcome(None, 0, "dns", 3000)])
    assert value(run, "reset_share").value == 100 / 4000
    assert value(run, "reset_share", service="dns").value == 0.0


def test_without_traffic_shares_have_no_value():
    assert value(observed(PLAN), "reset_share") is None
