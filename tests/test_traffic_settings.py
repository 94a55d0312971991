"""Settings of routers, nodes and clients: what each does to the connections of a small world."""

from dataclasses import replace

import numpy as np
import pytest
from traffic_worlds import SECOND, VIP, clients, plan, pod_names, timeline

from simbgp.report.explain import explanation
from simbgp.scenario import loads
from simbgp.scenario.little import mean_s
from simbgp.scenario.plan import EcmpPlan, LoadBalancerPlan, Plan
from simbgp.scenario.workloads import workload
from simbgp.timeline import Fact, PathChanged, RouteChanged, ViewChanged
from simbgp.traffic import History, load, outcomes, settled, windows
from simbgp.traffic.balancer import Balancer
from simbgp.traffic.clients import linux

MANY = 20_000


def withdrawn(at_s: float, node: str = "n1") -> RouteChanged:
    return RouteChanged(round(at_s * SECOND), "tor-1", VIP, node, "withdrawn")


def added(at_s: float, node: str = "n1") -> RouteChanged:
    return RouteChanged(round(at_s * SECOND), "tor-1", VIP, node, "added")


def with_ecmp(made: Plan, *given: object, **named: object) -> Plan:
    ecmp = EcmpPlan(*given, **named)  # type: ignore[arg-type]
    return replace(made, routers=tuple(replace(router, ecmp=ecmp) for router in made.routers))


def outcome(made: Plan, *facts: Fact):
    return outcomes(made, timeline(made, *facts), seed=1, run=0)[0]


# routers


def test_resilient_groups_move_only_the_flows_of_the_member_that_goes():
    made = with_ecmp(plan(traffic=clients(connections=MANY)), "resilient", 128)
    assert outcome(made, withdrawn(60)).moved == pytest.approx(MANY / 4, abs=4 * 61)  # 32 of 128 buckets


def test_a_member_that_returns_to_busy_buckets_stays_empty():
    # 20 000 connections that outlive the removal keep all 128 buckets busy; idle timer 120 s
    balancer = LoadBalancerPlan("maglev", "dsr", table_size=251)
    made = with_ecmp(plan(traffic=clients(connections=MANY), balancer=balancer), "resilient", 128)
    log = timeline(made, withdrawn(60), added(90))
    groups = settled(made, log, seed=1).groups("tor-1", VIP)
    assert groups.last.buckets_of(0) == 0
    assert [row.share for row in load(made, log, seed=1) if row.node == "n1"] == [0.25, 0.0]


def test_without_traffic_all_buckets_are_idle():
    made = with_ecmp(plan(), "resilient", 128)
    groups = settled(made, timeline(made, withdrawn(60), added(90))).groups("tor-1", VIP)
    assert groups.last.buckets_of(0) == 32


def test_buckets_of_connections_that_were_reset_become_idle():
    # the connections of n1 are reset at 60 s and gone: their 32 buckets are idle 10 s later, and n1 gets them all
    made = with_ecmp(plan(traffic=clients(connections=MANY, reconnects=False)), "resilient", 128, idle_s=10.0)
    groups = settled(made, timeline(made, withdrawn(60), added(90)), seed=1).groups("tor-1", VIP)
    assert groups.last.buckets_of(0) == 32


def test_clients_that_reconnect_keep_buckets_busy():
    # 5 000 new connections, 39 in each bucket: none is silent, and n1 gets none
    made = with_ecmp(plan(traffic=clients(connections=MANY)), "resilient", 128, idle_s=10.0)
    groups = settled(made, timeline(made, withdrawn(60), added(90)), seed=1).groups("tor-1", VIP)
    assert groups.last.buckets_of(0) == 0


def test_with_dsr_the_same_connections_live_on_and_keep_them_busy():
    balancer = LoadBalancerPlan("maglev", "dsr", table_size=251)
    made = with_ecmp(plan(traffic=clients(connections=MANY), balancer=balancer), "resilient", 128, idle_s=10.0)
    groups = settled(made, timeline(made, withdrawn(60), added(90)), seed=1).groups("tor-1", VIP)
    assert groups.last.buckets_of(0) == 0


def test_the_unbalanced_timer_moves_live_connections():
    traffic = clients(connections=MANY)
    made = with_ecmp(plan(traffic=traffic), "resilient", 128, unbalanced_s=20.0)
    found = outcome(made, withdrawn(60), added(90))
    # a quarter of all goes at 60 s; at 110 s 32 of 128 buckets go back, 3 of 4 flows of which were never hurt
    assert found.moved > 0.40 * MANY
    assert outcome(with_ecmp(made, "resilient", 128), withdrawn(60), added(90)).moved < 0.26 * MANY


def test_poisson_clients_keep_buckets_busy_too():
    traffic = clients(connections=MANY, poisson_requests=True)
    made = with_ecmp(
        plan(traffic=traffic, balancer=LoadBalancerPlan("maglev", "dsr", 251)), "resilient", 128, idle_s=10.0
    )
    groups = settled(made, timeline(made, withdrawn(60), added(90)), seed=1).groups("tor-1", VIP)
    assert groups.last.buckets_of(0) == 0


def test_a_router_uses_no_more_next_hops_than_it_may():
    made = with_ecmp(plan(), "hash-threshold", maximum_paths=3)
    groups = History(made, timeline(made, withdrawn(60), added(90))).groups("tor-1", VIP)
    assert [value.members for value in groups.values] == [("n1", "n2", "n3"), ("n2", "n3", "n4"), ("n1", "n2", "n3")]


def test_a_hole_at_a_member_of_a_resilient_group_is_as_wide_as_its_buckets():
    made = with_ecmp(plan(node_count=3), "resilient", 64)  # 21, 22 and 21 of 64 buckets
    found = windows(made, timeline(made, PathChanged(60 * SECOND, "tor-1", "n2", 1.0)))
    assert found[0].share == pytest.approx(22 / 64)


def test_explain_names_the_buckets_behind_a_share():
    made = with_ecmp(plan(node_count=3), "resilient", 64)
    lines = explanation(made, timeline(made), SECOND)
    assert "has 22 of 64 buckets" in lines[2]


# nodes


@pytest.mark.parametrize(("unknown_flow", "ends"), [("pick", "reset"), ("reset", "reset"), ("drop", "timed_out")])
def test_what_a_node_does_with_packets_in_mid_flow_that_it_does_not_know(unknown_flow: str, ends: str):
    # measured: all moved connections reset, reset, or stalled
    balancer = LoadBalancerPlan(unknown_flow=unknown_flow)  # type: ignore[arg-type]
    found = outcome(plan(traffic=clients(connections=MANY), balancer=balancer), withdrawn(60))
    assert getattr(found, ends) == found.moved > 0


def test_a_dsr_node_that_answers_for_itself_resets_every_moved_connection():
    balancer = LoadBalancerPlan("maglev", "dsr", table_size=251, unknown_flow="reset")
    found = outcome(plan(traffic=clients(connections=MANY), balancer=balancer), withdrawn(60))
    assert found.reset == found.moved == pytest.approx(MANY / 2, abs=4 * 71)


@pytest.mark.parametrize(("away_s", "ends"), [(7990, "unaffected"), (8010, "reset")])
def test_an_entry_that_nothing_used_for_8000_s_is_gone(away_s: int, ends: str):
    # DSR: n1's flows go elsewhere at 100 s and find their backend by Maglev. Then the table changes, and n1 is back:
    # within 8000 s it remembers them, later it picks by the new table
    balancer = LoadBalancerPlan("maglev", "dsr", table_size=1021)
    made = plan(node_count=2, traffic=clients(connections=MANY), balancer=balancer, horizon_s=20_000)
    names = pod_names(made)
    changed = [ViewChanged(200 * SECOND, node.name, "web", 1, names[:-1]) for node in made.nodes]
    found = outcome(made, withdrawn(100), *changed, added(100 + away_s))
    assert found.moved == pytest.approx(MANY / 2, abs=4 * 71)
    before, after = (Balancer(balancer, made.services[0]).places(view) for view in (names, names[:-1]))
    expected = found.moved * np.mean(before != after) if ends == "reset" else 0
    assert found.reset == pytest.approx(expected, abs=4 * max(1, expected) ** 0.5)


# clients


@pytest.mark.parametrize(("timeout_s", "measured_s"), [(5.0, 5.5), (20.0, 20.6)])
def test_a_user_timeout_ends_the_connection(timeout_s: float, measured_s: float):
    assert linux(4, 15, timeout_s).retransmit_gives_up_us / 1e6 == pytest.approx(measured_s, rel=0.05)


def test_a_client_of_few_retries_gives_up_in_a_hole():
    # tcp_retries2 = 3: 6.7 s, in a hole of 10 s
    hole = [PathChanged(60 * SECOND, "tor-1", "n1", 1.0), PathChanged(70 * SECOND, "tor-1", "n1", 0.0)]
    stubborn = outcome(plan(traffic=clients(connections=MANY)), *hole)
    hasty = outcome(plan(traffic=clients(connections=MANY, tcp_retries2=3)), *hole)
    assert stubborn.timed_out == hasty.delayed == 0
    assert hasty.timed_out == stubborn.delayed > 0  # all send within the first second


def test_an_older_client_dials_later():
    # a hole of 3 s: SYNs at 0, 1 and 3 s, not 0, 1, 2, 3
    hole = [PathChanged(60 * SECOND, "tor-1", "n1", 1.0), PathChanged(63 * SECOND, "tor-1", "n1", 0.0)]
    waits = [
        outcome(plan(traffic=clients(arrivals_per_s=500.0, client=name)), *hole) for name in ("linux-6.4", "linux-6.5")
    ]
    assert sorted(set(np.round(waits[0].connect_delay_s))) == [1, 3]
    assert sorted(set(np.round(waits[1].connect_delay_s))) == [1, 2, 3]


# as written


def written(**parts: str) -> Plan:
    given = {"ecmp": "{}", "balancer": "{}", "client": "{}", "requests": "1/s", "lifetime": "30s"} | parts
    text = f"""
cluster: {{cilium: "1.20", nodes: 4, loadBalancer: {given["balancer"]}}}
routers: [{{name: tor-1, profile: {given.get("profile", "frr-8.4")}, ecmp: {given["ecmp"]}}}]
services: [{{name: web, vip: 192.0.2.10, backends: 4}}]
traffic:
  - {{service: web, connections: 10, lifetime: {given["lifetime"]}, requests: {given["requests"]},
     client: {given["client"]}}}
"""
    return loads(text).plan()


def test_every_key_of_ecmp_reaches_the_plan():
    text = "{hash: resilient, buckets: 64, idleTimer: 5s, unbalancedTimer: 1m, onChange: replace, maximumPaths: 8}"
    assert written(ecmp=text).routers[0].ecmp == EcmpPlan("resilient", 64, 5.0, 60.0, "replace", 8)
    assert written(ecmp="{hash: hrw}").routers[0].ecmp.hash == "hrw"


def test_frr_makes_a_new_group_for_each_change_unless_it_is_told_otherwise():
    of_frr = EcmpPlan("resilient", on_change="new-group", maximum_paths=256)
    assert written(ecmp="{hash: resilient}").routers[0].ecmp == of_frr
    assert written(ecmp="{hash: resilient}", profile="rfc4724").routers[0].ecmp == EcmpPlan("resilient")


@pytest.mark.parametrize(
    ("balancer", "mode", "unknown"),
    [
        ("{mode: hybrid}", "dsr", "pick"),  # DSR for TCP
        ("{tcpLoose: false}", "snat", "reset"),
        ("{tcpLoose: false, vipOnNode: false}", "snat", "drop"),
        ("{tcpLoose: false, dropInvalid: true}", "snat", "drop"),
        ("{dropInvalid: true}", "snat", "pick"),  # what is in mid-flow counts as new, not as invalid
    ],
)
def test_settings_of_the_node_reach_the_plan(balancer: str, mode: str, unknown: str):
    found = written(balancer=balancer).load_balancer
    assert (found.mode, found.unknown_flow) == (mode, unknown)


def test_settings_of_the_client_reach_the_plan():
    found = written(client="{profile: linux-6.4, tcpRetries2: 5, userTimeout: 20s}", requests="{poisson: 2/s}").traffic[
        0
    ]
    assert (found.client, found.tcp_retries2, found.user_timeout_s) == ("linux-6.4", 5, 20.0)
    assert (found.poisson_requests, found.request_interval_s) == (True, 0.5)


def test_workloads_have_their_published_means():
    assert mean_s(workload("hadoop")) == pytest.approx(21.33, rel=0.01)  # JET, CoNEXT 2021
    # DCTCP web search, by hand: sum of the means of its pieces times their shares, 1.711 MB at 1 MB/s
    assert mean_s(workload("web-search")) == pytest.approx(1.711, rel=0.001)
    assert written(lifetime="hadoop").traffic[0].lifetime == workload("hadoop")


def test_the_reader_is_told_what_was_assumed():
    told = written(ecmp="{hash: resilient}", balancer="{mode: hybrid}", lifetime="web-search").assumptions
    assert "hybrid load balancing is DSR here, as for all TCP" in told
    assert "tor-1 deals a resilient group anew at each change of next hops (ecmp.onChange: new-group)" in told
    assert "web-search connections to web live as long as their bytes last at 1 MB/s" in told
