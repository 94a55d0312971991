"""Services and nodes that come during a run: who waits for whom, and for how long."""

import json
from dataclasses import replace

import pytest
from belief_worlds import with_clients
from cli_runs import cli
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import AT_S, VIP, cluster, fault, fib_log, instant, play, pod_cidr, since_fault, steady

from simbgp.profiles import Law
from simbgp.scenario import ScenarioError, loads
from simbgp.scenario.plan import BackendPlan, ServicePlan
from simbgp.timeline import AddressGiven, FaultBegan, ProcedureEnded, RouteChanged, SessionChanged, ViewChanged
from simbgp.traffic import load, outcomes, windows

KNOWN = {"unlabel": Law.constant(0.5), "reconcile": Law.constant(0.25)}


def added(plan, policy="Cluster", allocated=True):
    """The same cluster with its service not there at time 0; its two pods run."""
    peerings = tuple(replace(p, prefixes=tuple(x for x in p.prefixes if x != VIP)) for p in plan.peerings)
    service = replace(plan.services[0], policy=policy, added=True, allocated=(VIP,) if allocated else ())
    return replace(plan, peerings=peerings, services=(service,))


def joining(plan, node="worker-2", **changes):
    """The same cluster with one node not there at time 0, on which the pods of the plan wait for it."""
    nodes = tuple(replace(n, joins=n.name == node) for n in plan.nodes)
    backends = tuple(replace(b, late=b.node == node) for b in plan.services[0].backends)
    return replace(plan, nodes=nodes, services=(replace(plan.services[0], backends=backends),), **changes)


def of_cilium(**others):
    return cluster(2, (instant(),), steady("1.20", **KNOWN), **others)


def routes(log):
    return [(since_fault(f.time_us), f.node, f.prefix) for f in log.of(RouteChanged) if f.event == "added"]


def test_a_new_service_is_announced_once_its_address_has_come_to_each_node():
    # address at once (LB-IPAM is event-driven), 1 s to the nodes, 0.25 s to reconcile
    log = play(added(of_cilium(propagation_s=1.0)), fault("service-add"))
    assert routes(log) == [(1.25, "worker-1", VIP), (1.25, "worker-2", VIP)]


def test_a_new_service_waits_for_the_operator_and_its_clients_wait_with_it():
    # the operator is away from 0 to 50; the service is created at 20: 50 + 1 + 0.25; the hole begins with the service
    plan = added(of_cilium(propagation_s=1.0))
    log = play(plan, fault("operator-down", 50.0), fault("service-add", at_s=AT_S + 20))
    assert routes(log) == [(51.25, "worker-1", VIP), (51.25, "worker-2", VIP)]
    (hole,) = [hole for hole in windows(plan, log) if hole.prefix == VIP]
    assert (hole.cause, since_fault(hole.start_us), hole.duration_us) == ("no-route", 20.0, 31_250_000)
    assert (hole.fault, hole.since_fault_us) == ("service-add", 0)


def test_the_nodes_know_the_pods_of_a_new_service_before_its_address():
    # EndpointSlices need no operator: 1 s after the creation at 20
    plan = added(of_cilium(propagation_s=1.0))
    log = play(plan, fault("operator-down", 50.0), fault("service-add", at_s=AT_S + 20))
    assert {since_fault(fact.time_us) for fact in log.of(ViewChanged)} == {21.0}
    assert [since_fault(fact.time_us) for fact in log.of(AddressGiven)] == [50.0]


def test_an_address_that_lb_ipam_does_not_give_needs_no_operator():
    # an ExternalIP or ClusterIP: 20 + 1 + 0.25
    plan = added(of_cilium(propagation_s=1.0), allocated=False)
    log = play(plan, fault("operator-down", 50.0), fault("service-add", at_s=AT_S + 20))
    assert {at_s for at_s, _, _ in routes(log)} == {21.25}


def test_a_node_without_an_agent_announces_a_new_service_when_its_agent_is_back():
    # worker-1: agent back at 30, dial 2 s later, and its first UPDATE has all that it knows
    log = play(added(of_cilium(propagation_s=1.0)), fault("agent-crash", 30.0), fault("service-add", at_s=AT_S + 10))
    assert (32.0, "worker-1", VIP) in routes(log)
    assert (11.25, "worker-2", VIP) in routes(log)


def test_a_new_local_service_is_announced_where_its_pods_are():
    plan = added(of_cilium(propagation_s=1.0), policy="Local")
    service = replace(plan.services[0], backends=(BackendPlan("web-1", "worker-2", "key-1"),))
    log = play(replace(plan, services=(service,)), fault("service-add"))
    assert routes(log) == [(1.25, "worker-2", VIP)]


def test_a_service_that_is_never_given_an_address_is_one_hole_to_the_horizon():
    plan = added(of_cilium(horizon_s=400.0))
    log = play(plan, fault("operator-down"), fault("service-add", at_s=AT_S + 10))
    (hole,) = windows(plan, log)
    assert (since_fault(hole.start_us), hole.censored, hole.duration_us) == (10.0, True, 290_000_000)


def test_clients_of_a_new_service_come_with_it():
    # 4 arrivals/s in the 900 s that are left of 1000: 3600 +- 5 sigma of 60; the 40 of time 0 are none
    plan = with_clients(added(of_cilium(propagation_s=1.0)), 40, arrivals_per_s=4.0)
    log = play(plan, fault("service-add"))
    (whole, *_) = outcomes(plan, log, 1, 0)
    assert 3300 < whole.total < 3900
    # those of the first 1.25 s, 5 +- 5 sigma of 2.2, dial again after 1 s and 3 s; nobody else is hurt
    assert whole.not_opened == 0
    assert 0 < whole.delayed < 17
    assert whole.unaffected == whole.total - whole.delayed


def test_a_service_that_never_comes_has_no_clients():
    plan = with_clients(added(of_cilium()), 40, arrivals_per_s=4.0)
    (whole, *_) = outcomes(plan, play(plan), 1, 0)
    assert whole.total == 0
    assert windows(plan, play(plan)) == []


def test_load_counts_a_new_service_from_its_creation_on():
    # beside one that is there: both halves of it, then half of the whole while the new one has no next hop
    plan = added(of_cilium(propagation_s=1.0))
    other = ServicePlan("old", ("192.0.2.99/32",), "Cluster", plan.services[0].backends)
    peerings = tuple(replace(p, prefixes=(*p.prefixes, *other.prefixes)) for p in plan.peerings)
    plan = replace(plan, services=(other, *plan.services), peerings=peerings)
    rows = load(plan, play(plan, fault("service-add")))
    assert [(row.time_us / 1e6, row.share) for row in rows if row.node == "worker-1"][:2] == [(0.0, 0.5), (100.0, 0.25)]


def test_a_new_node_boots_waits_for_its_pod_cidr_and_announces():
    # power 60, PodCIDR at once, agent 10, dial 2; its NodeConfig is there 0.5 s after it registered
    log = play(joining(of_cilium(node_s=60.0, agent_s=10.0)), fault("node-join", node="worker-2"))
    assert routes(log) == [(72.0, "worker-2", pod_cidr(2)), (72.0, "worker-2", VIP)]


@pytest.mark.parametrize(
    ("mode", "announced_s"),
    [
        ("cluster-pool", 112.0),  # operator back at 100: PodCIDR, then agent 10, dial 2
        ("kubernetes", 102.5),  # the agent was ready at 70; NodeConfig 0.5 after the operator is back, dial 2
    ],
)
def test_a_new_node_waits_for_the_operator(mode, announced_s):
    plan = joining(of_cilium(node_s=60.0, agent_s=10.0), ipam=mode)
    log = play(plan, fault("operator-down", 100.0), fault("node-join", node="worker-2"))
    assert [at_s for at_s, _, prefix in routes(log) if prefix == VIP] == [announced_s]


def test_a_bare_speaker_has_no_operator_to_wait_for():
    plan = joining(cluster(2, (instant(),), node_s=60.0))
    log = play(plan, fault("operator-down", 200.0), fault("node-join", node="worker-2"))
    assert [at_s for at_s, _, prefix in routes(log) if prefix == VIP] == [62.0]
    log = play(added(cluster(2, (instant(),), propagation_s=1.0)), fault("operator-down"), fault("service-add"))
    assert routes(log) == [(1.0, "worker-1", VIP), (1.0, "worker-2", VIP)]


def test_before_it_joins_a_node_has_neither_session_nor_route_nor_pod():
    plan = joining(of_cilium())
    log = play(plan, fault("node-join", node="worker-2"), fault("agent-crash", 5.0, at_s=50.0, node="worker-2"))
    assert "worker-2" not in log.start.next_hops["tor-1"][VIP]
    assert log.start.views["web"] == ("web-1",)
    assert [f for f in log.of(SessionChanged) if since_fault(f.time_us) < 0] == []


def test_the_pods_that_wait_for_a_new_node_start_when_its_agent_is_ready():
    # boot 60, agent 10, pod 7, 1 s to the nodes; a Local VIP follows 0.25 s later on the new node alone
    plan = joining(of_cilium(node_s=60.0, agent_s=10.0, propagation_s=1.0), pod_startup=Law.constant(7.0))
    local = replace(plan, services=(replace(plan.services[0], policy="Local"),))
    peerings = tuple(
        replace(p, prefixes=tuple(x for x in p.prefixes if (p.node, x) != ("worker-2", VIP))) for p in plan.peerings
    )
    log = play(replace(local, peerings=peerings), fault("node-join", node="worker-2"))
    assert {since_fault(fact.time_us) for fact in log.of(ViewChanged)} == {78.0}
    assert routes(log) == [(72.0, "worker-2", pod_cidr(2)), (78.25, "worker-2", VIP)]


def test_a_new_node_that_is_not_selected_does_not_peer():
    log = play(
        joining(of_cilium()), fault("unlabel", at_s=AT_S - 1, node="worker-2"), fault("node-join", node="worker-2")
    )
    assert log.of(SessionChanged) == []


def test_all_that_waited_for_the_operator_happens_in_the_order_in_which_it_was_asked():
    # operator away 0-100; unlabel at 10, service at 20, node at 30 (boots at once): 100.5, 101.25,
    # and 100.5 + 2 (dial)
    plan = added(joining(cluster(3, (instant(),), steady("1.20", **KNOWN), propagation_s=1.0), "worker-3"))
    log = play(
        plan,
        fault("operator-down", 100.0),
        fault("unlabel", at_s=AT_S + 10),
        fault("service-add", at_s=AT_S + 20),
        fault("node-join", at_s=AT_S + 30, node="worker-3"),
    )
    assert [at_s for at_s, _ in fib_log(log, pod_cidr(1))] == [100.5]
    assert routes(log) == [
        (101.25, "worker-2", VIP),
        (102.5, "worker-3", pod_cidr(3)),
        (102.5, "worker-3", VIP),
    ]


def test_an_unseen_label_is_copied_when_the_agent_is_back_and_still_needs_the_operator():
    # agent away 0-60, operator away 50-200, unlabelled at 10: it peers at 62 by its old NodeConfig, until 200.5
    plan = of_cilium()
    log = play(
        plan,
        fault("agent-crash", 60.0),
        fault("unlabel", at_s=AT_S + 10),
        fault("operator-down", 150.0, at_s=AT_S + 50),
    )
    assert fib_log(log, VIP) == [(0.0, "withdrawn"), (62.0, "added"), (200.5, "withdrawn")]


def test_a_rollout_does_not_wait_for_a_node_that_is_not_there():
    # worker-1 alone: pull 0, agent 8; worker-2 joins at 50 with the new release
    plan = joining(of_cilium(agent_s=8.0))
    log = play(plan, fault("agent-upgrade"), fault("node-join", at_s=AT_S + 50, node="worker-2"))
    assert [since_fault(fact.time_us) for fact in log.of(ProcedureEnded)] == [8.0]
    assert [fact.nodes for fact in log.of(FaultBegan)] == [("worker-1",), ("worker-2",)]


moments = st.floats(0, 300, allow_nan=False).map(lambda s: round(s, 3))
others = st.builds(
    lambda kind, at_s, down_s, node, how: fault(
        kind, down_s, at_s, node, options={"how": how} if kind == "operator-down" else {}
    ),
    st.sampled_from(
        ["node-down", "agent-crash", "operator-down", "unlabel", "backends-down", "node-drain", "link-loss"]
    ),
    moments,
    st.none() | moments,
    st.sampled_from(["worker-1", "worker-2", "worker-3"]),
    st.sampled_from(["away", "crash", "stop"]),
)
rollouts = st.builds(lambda at_s: fault("agent-upgrade", at_s=at_s, options={"nodes": ALL}), moments)
ALL = ("worker-1", "worker-2", "worker-3")


@settings(max_examples=200, deadline=None)
@given(moments, moments, st.lists(others | rollouts, max_size=4))
def test_whatever_else_happens_what_is_new_keeps_the_invariants(service_s, node_s, happened):
    plan = added(joining(cluster(3, (instant(),), steady("1.20"), agent_s=8.0, node_s=30.0), "worker-3"))
    plan = with_clients(plan, 10, arrivals_per_s=0.1)
    log = play(plan, fault("service-add", at_s=service_s), fault("node-join", at_s=node_s, node="worker-3"), *happened)
    for fact in log:  # nothing of a node before its power, nothing of a service before its creation
        if isinstance(fact, RouteChanged | SessionChanged) and fact.node == "worker-3":
            assert fact.time_us >= (node_s + 30) * 1e6 - 1
        if isinstance(fact, RouteChanged) and fact.prefix == VIP:
            assert fact.time_us >= service_s * 1e6 - 1
    assert all(hole.start_us >= service_s * 1e6 - 1 for hole in windows(plan, log) if hole.prefix == VIP)
    (whole, *_) = outcomes(plan, log, 1, 0)
    assert whole.unaffected + whole.delayed + whole.reset + whole.timed_out + whole.not_opened == whole.total


SCENARIO = """
name: new
cluster: {cilium: "1.20", nodes: 3, startup: {agent: 10s}}
routers: [{name: tor-1, profile: frr-8.4, asn: 65000}]
services:
  - {name: web, vip: 192.0.2.10, backends: 4}
  - {name: late, vip: 192.0.2.20, backends: [{node: worker-1}, {node: worker-3}]}
faults:
"""


def test_a_scenario_says_what_comes_later():
    plan = loads(
        SCENARIO + "  - {at: 1s, kind: service-add, service: late}\n  - {at: 1s, kind: node-join, node: worker-3}\n"
    ).plan()
    assert [node.joins for node in plan.nodes] == [False, False, True]
    assert [(s.name, s.added, s.allocated) for s in plan.services] == [
        ("web", False, ("192.0.2.10/32",)),
        ("late", True, ("192.0.2.20/32",)),
    ]
    # a number of pods is dealt to the nodes that are there; a pod that is on a new node by name waits for it
    assert [b.node for b in plan.services[0].backends] == ["worker-1", "worker-2", "worker-1", "worker-2"]
    assert [b.late for b in plan.services[1].backends] == [False, True]
    assert all("192.0.2.20/32" not in peering.prefixes for peering in plan.peerings)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("  - {at: 1s, kind: service-add, service: lat}\n", "unknown service 'lat'; did you mean 'late'?"),
        ("  - {at: 1s, kind: node-join, node: worker-9}\n", "unknown node 'worker-9'"),
        ("  - {at: 1s, kind: node-join, node: all}\n", "every node joins later"),
        ("  - {at: 1s, kind: node-join, node: {random: 1}}\n", "who joins is known beforehand"),
        (
            "  - {at: 1s, kind: service-add, service: late}\n  - {at: 2s, kind: service-add, service: late}\n",
            "'late' comes twice; allowed: each service once",
        ),
        (
            "  - {at: 1s, kind: service-add, service: late, repeat: {times: 2, every: 5s}}\n",
            "service-add happens once; allowed: no repeat",
        ),
    ],
)
def test_what_cannot_come_is_refused(lines, said):
    with pytest.raises(ScenarioError) as raised:
        loads(SCENARIO + lines)
    assert said in str(raised.value)


@pytest.fixture
def file(tmp_path):
    """Everything that is new waits until 160: the service of 80 and the node of 90."""
    text = SCENARIO + (
        "  - {at: 60s, kind: operator-down, downFor: 100s}\n"
        "  - {at: 80s, kind: service-add, service: late, name: service}\n"
        "  - {at: 90s, kind: node-join, node: worker-3, name: node}\n"
    )
    path = tmp_path / "new.yaml"
    path.write_text(text.replace("startup: {", "startup: {node: 20s, "))
    return str(path)


@pytest.mark.parametrize(("at", "nodes", "sent"), [("85", 2, {2}), ("155", 2, {2}), ("175", 3, {3})])
def test_the_tools_of_cilium_show_what_is_there(file, at, nodes, sent):
    # PodCIDR and web, from 160 to 162 on late too; worker-3 is established at 160 + 10 + 2
    shown = json.loads(cli("show", "peers", "-f", file, "--at", at, "-o", "json").out)
    assert sum(bool(peers) for peers in shown.values()) == nodes
    advertised = {peer["families"][0].get("advertised", 0) for peers in shown.values() for peer in peers}
    assert advertised == sent


def test_a_node_that_is_not_there_is_not_asked(file):
    assert "no answer" not in cli("show", "peers", "-f", file, "--at", "85").err
    assert "no answer from worker-3" in cli("show", "peers", "-f", file, "--at", "155").err  # its agent waits


def test_nothing_is_explained_of_a_service_that_is_not_there(file):
    assert "192.0.2.20" not in cli("explain", file, "--at", "79").out
    assert "late 192.0.2.20/32 at tor-1, t = 81 s: no next hop" in cli("explain", file, "--at", "81").out


def test_rows_of_a_service_are_put_down_to_its_creation(file):
    found = json.loads(cli("run", file, "--runs", "1", "--rows", "faults", "--format", "json").out)
    late = [row for row in found["routes"] if (row["prefix"], row["node"]) == ("192.0.2.20/32", "worker-1")]
    assert [row["since_fault_s"] for row in late] == [pytest.approx(late[0]["time_s"] - 80)]
    assert [(row["fault"], row["start_s"]) for row in found["windows"] if row["service"] == "late"] == [("service", 80)]
    assert all(row["since_fault_s"] == pytest.approx(row["time_s"] - 90) for row in found["sessions"])
