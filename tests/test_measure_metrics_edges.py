"""Metrics where two things meet: at one instant, at one place, at the horizon."""

from dataclasses import replace

import pytest
from study_worlds import HOPS, WEB, observed, scenario

from simbgp.measure import Question, value_of
from simbgp.scenario.plan import EcmpPlan, SloPlan, SpinePlan
from simbgp.timeline import FaultBegan, ForwardingChanged, RouteChanged
from simbgp.traffic import Window

S = 1_000_000
PLAN = scenario().plan()  # horizon 600 s


def began(at_s, fault=0, nodes=("worker-1",)):
    return FaultBegan(at_s * S, fault, "node-down", nodes, ())


def route(at_s, event="withdrawn", node="worker-1"):
    return RouteChanged(at_s * S, "tor-1", WEB, node, event)


def hole(start_s, end_s, prefix=WEB, router="tor-1", share=0.25, fault=0):
    """A window; ``end_s`` None is one that the horizon cut off."""
    last_s = 600 if end_s is None else end_s
    lost_us = share * (last_s - start_s) * S
    return Window(
        router, prefix, "web", fault, "node", 0, start_s * S, None if end_s is None else end_s * S,
        (last_s - start_s) * S, None, share, lost_us, end_s is None,
    )  # fmt: skip


def value(run, metric, **narrowing):
    return value_of(run, Question(metric, **narrowing))


def seen(*holes):
    return replace(observed(PLAN), windows=holes)


@pytest.mark.parametrize("other", [{"router": "tor-2"}, {"prefix": "192.0.2.11/32"}])
def test_outages_of_two_places_are_no_chain(other):
    # 60-70 here and 70-85 there: 15 s, not 25
    two = replace(PLAN.services[0], prefixes=(WEB, "192.0.2.11/32"))
    run = replace(seen(hole(60, 70), hole(70, 85, **other)), plan=replace(PLAN, services=(two,)))
    assert value(run, "blackhole_s") == (15.0, False)


def test_an_outage_cut_off_stays_a_lower_bound_whatever_comes_after_it():
    # 500-600 and on at tor-1; at tor-2 one of 550-560 begins later and is over
    run = seen(hole(500, None), hole(550, 560, router="tor-2"))
    assert value(run, "blackhole_s") == (100.0, True)
    # a quarter of 100 s and of 10 s
    assert value(run, "lost_traffic_s") == (27.5, True)
    assert value(seen(hole(550, 560)), "lost_traffic_s") == (2.5, False)


def test_a_stale_route_is_a_next_hop_as_before():
    run = observed(PLAN, route(60, "stale"), route(70), route(80, "refreshed", "worker-2"))
    assert value(run, "min_next_hops") == (3.0, False)


def test_what_comes_back_at_the_instant_of_a_fault_was_there_at_its_beginning():
    # three next hops until 60, four from the fault on, three again from 70: least 3 with the loss, 4 without
    back = (route(50), began(60), route(60, "added"))
    assert value(observed(PLAN, *back, route(70)), "min_next_hops", fault=0) == (3.0, False)
    assert value(observed(PLAN, *back, route(70, "stale")), "min_next_hops", fault=0) == (4.0, False)
    assert value(observed(PLAN, *back, route(70, "stale")), "min_next_hops") == (3.0, False)


def test_the_load_of_a_fault_is_looked_at_from_its_beginning():
    # two of four nodes from 50 to 60, then four: a half before the fault, a quarter from it on
    gone = [route(50), route(50, node="worker-2")]
    back = [route(60, "added"), route(60, "added", "worker-2")]
    run = observed(PLAN, *gone, began(60), *back)
    assert value(run, "peak_node_load", fault=0).value == pytest.approx(0.25, abs=1e-6)
    assert value(run, "peak_node_load").value == pytest.approx(0.5, abs=1e-6)


def test_a_load_before_the_first_change_counts():
    assert value(observed(PLAN), "peak_node_load").value == pytest.approx(0.25, abs=1e-6)


def test_the_load_below_a_spine_is_of_what_the_named_router_receives():
    # the spine sends the lower half of the hash space to tor-1, which hashes alike: worker-1 and worker-2 own that half
    two = scenario(routers=[{"name": name, "profile": "rfc8538"} for name in ("tor-1", "tor-2")]).plan()
    spine = SpinePlan("spine-1", ("tor-1", "tor-2"), EcmpPlan("hash-threshold"))
    run = observed(replace(two, fabric=(spine,)))
    assert value(run, "peak_node_load", router="tor-1").value == pytest.approx(0.5, abs=1e-6)


def test_a_hole_counts_for_the_router_the_fault_and_the_share_it_has():
    run = seen(hole(60, 70), hole(100, 120, router="tor-2", share=0.5, fault=1))
    run = replace(run, timeline=observed(PLAN, began(60), began(100, 1)).timeline)
    assert value(run, "blackhole_s", router="tor-1") == (10.0, False)
    assert value(run, "blackhole_s", router="tor-2") == (20.0, False)
    assert value(run, "blackhole_s", fault=0) == (10.0, False)
    assert value(run, "blackhole_s", fault=1) == (20.0, False)
    assert value(run, "blackhole_s", min_share=0.5) == (20.0, False)
    assert value(run, "zero_next_hop_s") == (0.0, False)


def test_all_nodes_gone_is_no_load_at_all():
    run = observed(PLAN, *(route(50, node=node) for node in HOPS), began(60))
    assert value(run, "peak_node_load", fault=0).value == 0.0
    assert value(run, "min_next_hops", fault=0) == (0.0, False)


def test_a_dark_node_is_sent_its_share_all_the_same():
    run = observed(PLAN, ForwardingChanged(60 * S, "worker-1", False), route(90))
    assert value(run, "peak_node_load").value == pytest.approx(1 / 3, abs=1e-6)


def test_an_slo_asks_its_question_with_all_that_narrows_it():
    slo = SloPlan("blackhole_s", "max", 5.0, None, "web", "tor-1", "late", WEB, 0.25)
    assert Question.of(slo) == Question("blackhole_s", "web", "tor-1", "late", WEB, 0.25)
