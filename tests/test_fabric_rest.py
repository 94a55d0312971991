"""Two tiers together with the rest: clients that come back, what comes later, long-lived routes, hardware tables."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_runs import cli
from scenario_texts import small
from traffic_worlds import SECOND, VIP, clients, plan, pod_names, timeline
from worlds import AT_S, cluster, fault, instant, play, pod_cidr, since_fault, steady

from simbgp.model import simulate
from simbgp.profiles import Law
from simbgp.scenario import ScenarioError, draw
from simbgp.scenario.plan import EcmpPlan, GracefulRestartPlan, LoadBalancerPlan, Plan, SpinePlan
from simbgp.timeline import (
    ConntrackLost,
    Fact,
    PathChanged,
    RouteChanged,
    SpineChanged,
    Start,
    Timeline,
    ViewChanged,
)
from simbgp.traffic import ServiceOutcome, load, outcomes, settled, windows
from simbgp.traffic.balancer import Balancer
from simbgp.traffic.datapath import Datapath
from simbgp.traffic.history import History

MANY = 20_000
RANDOM = LoadBalancerPlan("random")
SPINE = SpinePlan("spine-1", ("tor-1", "tor-2"), EcmpPlan("hash-threshold"), 1)


def two_tiers(spine: SpinePlan = SPINE, **made: Any) -> Plan:
    return replace(plan(routers=2, **made), fabric=(spine,))


def sticky(made: Plan, timeout_s: float | None = 10800.0) -> Plan:
    return replace(made, services=tuple(replace(service, affinity_s=timeout_s) for service in made.services))


def outcome(made: Plan, *facts: Fact) -> ServiceOutcome:
    return outcomes(made, timeline(made, *facts), seed=1, run=0)[0]


def turns(at_s: float, sends: bool, router: str = "tor-1") -> SpineChanged:
    return SpineChanged(round(at_s * SECOND), "spine-1", VIP, router, sends)


def near(share: float, of: int) -> object:
    return pytest.approx(share * of, abs=4 * max(share * (1 - share) * of, 1) ** 0.5)


# clients that come back


@pytest.mark.parametrize("router", SPINE.over)
@pytest.mark.parametrize(("timeout_s", "elsewhere"), [(10800.0, 0.0), (None, 7 / 8)])
def test_a_node_knows_its_client_again_over_whichever_router_it_comes(
    router: str, timeout_s: float | None, elsewhere: float
):
    # one node behind both routers, and a hole between one of these and it: that half times out after 2 s and dials
    # anew, from another port, half of them over the other. Without affinity one in eight picks is the same backend
    hole = [PathChanged(60 * SECOND, router, "n1", 1.0), PathChanged(70 * SECOND, router, "n1", 0.0)]
    made = sticky(two_tiers(node_count=1, traffic=clients(MANY, request_timeout_s=2.0), balancer=RANDOM), timeout_s)
    found = outcome(made, *hole)
    assert found.timed_out == found.reconnected == near(1 / 2, MANY)
    assert found.elsewhere == near(elsewhere, MANY // 2)


def test_a_node_that_rebooted_knows_nobody_again_over_any_router():
    found = outcome(
        sticky(two_tiers(node_count=1, traffic=clients(MANY), balancer=RANDOM)), ConntrackLost(60 * SECOND, "n1")
    )
    assert found.reset == found.reconnected == MANY
    assert found.elsewhere == near(7 / 8, MANY)


def test_what_a_node_lost_is_its_own_whichever_ways_lead_to_it():
    # tor-1 has n1, tor-2 has n1 and n2: three ways to two nodes, and n2 reboots at 60 s
    made = two_tiers(node_count=2)
    start = Start({"tor-1": {VIP: ("n1",)}, "tor-2": {VIP: ("n1", "n2")}}, {"web": pod_names(made)})
    log = Timeline(start, made.horizon_us)
    log.write(ConntrackLost(60 * SECOND, "n2"))
    path = Datapath(made, History(made, log), "spine-1", VIP, made.services[0])
    nodes, at_us = np.array([0, 1, 1]), np.array([100, 100, 59]) * SECOND
    assert path.ways.nodes == ("n1", "n2")
    assert path.lost_since(nodes, at_us).tolist() == [-1, 60 * SECOND, -1]
    assert [path.node_losses(epoch).tolist() for epoch in (0, 1)] == [[0, 0], [0, 1]]


def test_who_is_moved_by_a_spine_reconnects_and_is_moved_again_when_the_router_returns():
    # routers of different seeds: of the half that changes routers 3 of 4 meet another node, and SNAT resets them. At
    # 90 s tor-1 is back: half of the new ports are its own, and 3 of 4 of those meet another node there
    made = two_tiers(traffic=clients(MANY))
    made = replace(made, routers=(made.routers[0], replace(made.routers[1], hash_seed=2)))
    found = outcome(made, turns(60, False), turns(90, True))
    assert found.reset == found.reconnected == near(3 / 8, MANY)
    assert found.broken_again == near(3 / 8, found.reset)


def test_addresses_share_as_many_nodes_as_can_get_their_flows():
    # tor-1 has n1 and n2, tor-2 has n2 and n3: 4 ways, 3 nodes; a spine that uses tor-1 alone reaches 2
    made = two_tiers(node_count=3)
    start = Start({"tor-1": {VIP: ("n1", "n2")}, "tor-2": {VIP: ("n2", "n3")}}, {"web": pod_names(made)})
    for over, most in ((("tor-1", "tor-2"), 3), (("tor-1",), 2)):
        under = replace(made, fabric=(replace(SPINE, over=over),))
        history = History(under, Timeline(start, made.horizon_us))
        assert Datapath(under, history, "spine-1", VIP, made.services[0]).routing.most_nodes() == most


@pytest.mark.parametrize(("away_s", "ends"), [(7990, "unaffected"), (8010, "reset")])
def test_an_entry_that_nothing_used_for_8000_s_is_gone(away_s: int, ends: str):
    # n1 is behind tor-1, n2 behind tor-2; the spine leaves tor-1 at 100 s and takes it back later. DSR with Maglev: n2
    # has the same backend in the slot; the table then changes, and n1 remembers for 8000 s
    balancer = LoadBalancerPlan("maglev", "dsr", table_size=1021)
    made = two_tiers(node_count=2, traffic=clients(MANY), balancer=balancer, horizon_s=20_000)
    names = pod_names(made)
    log = Timeline(Start({"tor-1": {VIP: ("n1",)}, "tor-2": {VIP: ("n2",)}}, {"web": names}), made.horizon_us)
    log.write(turns(100, False))
    for node in made.nodes:
        log.write(ViewChanged(200 * SECOND, node.name, "web", 1, names[:-1]))
    log.write(turns(100 + away_s, True))
    found = outcomes(made, log, seed=1, run=0)[0]
    assert found.moved == near(1 / 2, MANY)
    before, after = (Balancer(balancer, made.services[0]).places(view) for view in (names, names[:-1]))
    expected = found.moved * np.mean(before != after) if ends == "reset" else 0
    assert found.reset == pytest.approx(expected, abs=4 * max(1, expected) ** 0.5)


# what comes later


def below(made: Plan, wait_s: float = 0.05) -> Plan:
    return replace(made, fabric=(replace(SPINE, convergence=Law.constant(wait_s)),))


def spine_log(log: Timeline, prefix: str = VIP, router: str = "tor-1") -> list[tuple[float, bool]]:
    facts = [fact for fact in log.of(SpineChanged) if (fact.prefix, fact.router) == (prefix, router)]
    return [(since_fault(fact.time_us), fact.sends) for fact in facts]


def with_new_service() -> Plan:
    known = {"unlabel": Law.constant(0.5), "reconcile": Law.constant(0.25)}
    made = below(cluster(2, (instant(),) * 2, steady("1.20", **known), propagation_s=1.0))
    peerings = tuple(replace(p, prefixes=tuple(x for x in p.prefixes if x != VIP)) for p in made.peerings)
    return replace(made, peerings=peerings, services=(replace(made.services[0], added=True, allocated=(VIP,)),))


def test_a_new_service_has_no_way_until_the_spine_has_followed():
    # 1 s to the nodes, 0.25 s to reconcile, 0.05 s of convergence; each router answers for a half of the hole
    made = with_new_service()
    log = play(made, fault("service-add"))
    assert spine_log(log) == spine_log(log, router="tor-2") == [(1.3, True)]
    holes = [hole for hole in windows(made, log) if hole.prefix == VIP]
    assert [(w.router, w.cause, since_fault(w.start_us), w.duration_us, w.share, w.fault) for w in holes] == [
        (router, "no-route", 0.0, 1_300_000, 1.0, "service-add") for router in ("tor-1", "tor-2")
    ]
    rows = load(made, log)
    assert since_fault(min(row.time_us for row in rows)) == 0.0
    assert since_fault(min(row.time_us for row in rows if row.share)) == 1.3


def test_clients_of_a_new_service_enter_at_the_spine_from_its_creation_on():
    # 4 arrivals/s in 900 s: 3600 +- 5 sigma of 60. Those of the first 1.3 s, 5.2 +- 5 sigma of 2.3, dial again
    made = with_new_service()
    made = replace(made, traffic=(clients(40, 4.0),))
    whole, caused = outcomes(made, play(made, fault("service-add")), 1, 0)
    assert 3300 < whole.total < 3900
    assert 0 < whole.delayed == caused.delayed < 17
    assert whole.unaffected == whole.total - whole.delayed


def test_a_node_that_joins_is_followed_like_any_other():
    made = below(cluster(2, (instant(),) * 2, steady("1.20")))
    made = replace(made, nodes=tuple(replace(n, joins=n.name == "worker-1") for n in made.nodes))
    log = play(made, fault("node-join"))
    added = [
        f.time_us for f in log.of(RouteChanged) if (f.router, f.prefix, f.event) == ("tor-1", pod_cidr(1), "added")
    ]
    assert spine_log(log, pod_cidr(1)) == [(round(since_fault(added[0]) + 0.05, 6), True)]
    assert spine_log(log) == []  # the VIP had another next hop all the time


# long-lived graceful restart


def long_lived() -> Plan:
    helper = instant(long_lived=True, helper=True)
    return below(cluster(routers=(helper,) * 2, restart=GracefulRestartPlan(True, 15, long_lived_s=100)))


def test_a_spine_leaves_a_router_when_its_long_lived_routes_are_over():
    # R + LLST + convergence = 15 + 100 + 0.05 (RFC 9494 §4.2)
    log = play(long_lived(), fault("agent-crash"))
    assert spine_log(log, pod_cidr(1)) == [(115.05, False)]
    assert spine_log(log) == []


def test_a_long_lived_route_that_steps_in_for_the_last_good_one_keeps_the_spine():
    # worker-1's path is out from 15 on, least preferred. worker-2 withdraws after that: worker-1's is in at once and
    # the spine sees nothing, until it is over at 115
    log = play(long_lived(), fault("agent-crash"), fault("unlabel", node="worker-2", at_s=AT_S + 50))
    steps = [(f.node, f.event) for f in log.of(RouteChanged) if (f.router, f.prefix) == ("tor-1", VIP)]
    assert steps == [("worker-1", "stale"), ("worker-1", "withdrawn"), ("worker-2", "withdrawn"), ("worker-1", "added"),
                     ("worker-1", "withdrawn")]  # fmt: skip
    assert spine_log(log) == [(115.05, False)]


# hardware tables, packets, orders


def shares(made: Plan, *facts: Fact, router: str = "tor-1") -> dict[str, float]:
    rows = load(made, timeline(made, *facts), seed=1)
    return {row.node: row.share for row in rows if row.router == router}


def at_once(buckets: int = 8) -> EcmpPlan:
    return EcmpPlan("resilient", buckets=buckets, addition="at-once")


def test_two_tiers_of_equal_hardware_tables_polarise():
    # 8 entries dealt in turn: tor-1 gets the even ones, which are those of n1 and n3 in its own table
    made = two_tiers(replace(SPINE, ecmp=at_once(), hash_seed=0))
    made = replace(made, routers=tuple(replace(router, ecmp=at_once()) for router in made.routers))
    assert shares(made) == {"n1": 0.5, "n2": 0.0, "n3": 0.5, "n4": 0.0}
    other = replace(made, fabric=(replace(made.fabric[0], hash_seed=1),))
    assert set(shares(other).values()) == {0.25}


def test_a_router_that_returns_to_a_hardware_spine_has_its_share_at_once():
    # 8 entries, all in use: 8 -> tor-2 alone -> 4 for tor-1 again; an idle-timer table would give it none
    made = two_tiers(replace(SPINE, ecmp=at_once()), traffic=clients(MANY))
    history = settled(made, timeline(made, turns(60, False), turns(90, True)), seed=1)
    group = history.groups("spine-1", VIP).last
    assert [group.buckets_of(place) for place in (0, 1)] == [4, 4]


@pytest.mark.parametrize("tier", ["spine", "router"])
def test_who_sends_packet_by_packet_polarises_with_nobody(tier: str):
    # equal seeds by hash-threshold: n3 and n4 get nothing from tor-1. Packets in turn know no hash: a quarter each
    made = two_tiers(replace(SPINE, hash_seed=0))
    assert shares(made) == {"n1": 0.5, "n2": 0.5, "n3": 0.0, "n4": 0.0}
    if tier == "spine":
        made = two_tiers(replace(SPINE, hash_seed=0, ecmp=EcmpPlan("per-packet")))
    else:
        made = replace(made, routers=tuple(replace(item, ecmp=EcmpPlan("per-packet")) for item in made.routers))
    assert set(shares(made).values()) == {0.25}
    lost = [w.share for w in windows(made, timeline(made, PathChanged(60 * SECOND, "tor-1", "n1", 1.0)))]
    assert lost[0] == 0.25


@pytest.mark.parametrize(("order", "members"), [("address", ("tor-1", "tor-2")), ("arrival", ("tor-2", "tor-1"))])
def test_a_router_that_returns_has_its_old_place_or_the_last(order: Any, members: tuple[str, ...]):
    made = two_tiers(replace(SPINE, ecmp=EcmpPlan("modulo", order=order)))
    history = History(made, timeline(made, turns(60, False), turns(90, True)))
    assert history.groups("spine-1", VIP).last.members == members


def test_a_spine_that_uses_one_router_of_two_loses_nothing_at_the_other():
    # both leave the VIP at 60 and the spine follows at 61: it sent to tor-1 alone
    made = two_tiers(replace(SPINE, ecmp=EcmpPlan("hash-threshold", maximum_paths=1)))
    gone = [RouteChanged(60 * SECOND, tor, VIP, f"n{i}", "withdrawn") for tor in SPINE.over for i in range(1, 5)]
    found = windows(made, timeline(made, *gone, turns(61, False), turns(61, False, "tor-2")))
    assert [(w.router, w.start_us, w.share) for w in found if w.prefix == VIP] == [("tor-1", 60 * SECOND, 1.0)]


# scenarios

FABRIC = """\
  - {name: tor-2, profile: frr-8.4}
fabric:
  - {name: spine-1, over: [tor-1, tor-2], hashSeed: 1%s}
services: [{name: web, vip: 192.0.2.10, backends: 4%s}]
"""
CLIENTS = "traffic: [{service: web, connections: 2000, lifetime: 1000h}]\n"
AFFINITY = ", sessionAffinity: ClientIP"


@pytest.mark.parametrize(
    ("words", "warned", "silent"),
    [
        ("hashSeed 1 of spine-1 is also that of tor-2", ("", "routers.1.hashSeed=1"), ("", "routers.1.hashSeed=2")),
        ("over 2 routers, and maximumPaths 1", (", ecmp: {maximumPaths: 1}",), (", ecmp: {maximumPaths: 2}",)),
        ("spine-1 sends the packets of one", (", ecmp: {hash: per-packet}",), (", ecmp: {hash: hrw}",)),
    ],
)
def test_what_is_seldom_meant_of_spines(words: str, warned: tuple[str, ...], silent: tuple[str, ...]):
    for (more, *overrides), expected in ((warned, True), (silent, False)):
        found = small(FABRIC % (more, ""), *overrides).warnings
        assert any(words in warning for warning in found) is expected


def test_a_warning_of_a_spine_names_its_line(tmp_path: Path):
    path = tmp_path / "two.yaml"
    head = "name: two\ncluster: {cilium: '1.20', nodes: 4}\nrouters:\n  - {name: tor-1, profile: frr-8.4}\n"
    path.write_text(head + FABRIC % (", ecmp: {hash: modulo, maximumPaths: 1}", "") + "\n")
    told = [line for line in cli("validate", str(path)).err.splitlines() if "spine-1" in line]
    assert [line.split(": ")[2:4] for line in told] == [[f"{path}:7:91", "fabric.0.ecmp.maximumPaths"]]
    silent = path.read_text().replace("hashSeed: 1", "hashSeed: 0").replace("modulo", "hash-threshold")
    path.write_text(silent)
    told = [line for line in cli("validate", str(path)).err.splitlines() if "polarisation" in line]
    assert [line.split(": ")[2:4] for line in told] == [[f"{path}:7:53", "fabric.0.hashSeed"]]


def test_connections_over_a_spine_that_hashes_no_flows_are_refused():
    with pytest.raises(ScenarioError, match=r"small.yaml:9:\d+: fabric.0.ecmp.hash: 'per-packet' sends"):
        small(FABRIC % (", ecmp: {hash: per-packet}", "") + CLIENTS)


def test_timers_of_a_spine_that_has_none_are_named():
    lines = FABRIC % (", ecmp: {hash: resilient, addition: at-once, idleTimer: 5s}", "")
    named = small(lines).plan().assumptions
    assert "spine-1 has a table without timers: ecmp.idleTimer and unbalancedTimer change nothing" in named


@pytest.mark.parametrize(("affinity", "elsewhere"), [(AFFINITY, 0.0), ("", 3 / 4)])
def test_a_scenario_with_affinity_and_clients_that_reconnect_behind_spines(affinity: str, elsewhere: float):
    # tor-1 dies for good; the routers' seeds differ, so of the half that changes routers 3 of 4 meet another node and
    # SNAT resets them. By Maglev a client's address has the same one of four backends at every node, its port has not
    lines = FABRIC % ("", affinity) + CLIENTS + "faults: [{at: 60s, kind: router-down, router: tor-1}]\n"
    made = small(lines, "routers.1.hashSeed=2", "cluster.loadBalancer={algorithm: maglev, mode: snat}").plan()
    (row, *_) = outcomes(made, simulate(draw(made, 1, 0)), 1, 0)
    assert row.reset == row.reconnected == near(3 / 8, 2000)
    assert row.elsewhere == near(elsewhere, row.reset)
