"""Clients that reconnect, and clients that a node knows by their address."""

import re
from dataclasses import replace

import numpy as np
import pytest
from click import unstyle
from scenario_texts import small
from traffic_worlds import SECOND, VIP, clients, plan, pod_names, timeline

import simbgp
from simbgp.profiles import Law
from simbgp.report.text import report
from simbgp.scenario import ScenarioError
from simbgp.scenario.plan import LoadBalancerPlan, Plan
from simbgp.timeline import (
    BackendChanged,
    ConntrackLost,
    Fact,
    FaultBegan,
    PathChanged,
    RouteChanged,
    Start,
    Timeline,
    ViewChanged,
)
from simbgp.traffic import ServiceOutcome, outcomes
from simbgp.traffic.addresses import addressed
from simbgp.traffic.affinity import Affinity
from simbgp.traffic.balancer import Balancer
from simbgp.traffic.datapath import Datapath
from simbgp.traffic.flows import Flows
from simbgp.traffic.history import History
from simbgp.traffic.mixing import mix

MANY = 20_000
MAGLEV, RANDOM = LoadBalancerPlan("maglev"), LoadBalancerPlan("random")


def outcome(made: Plan, *facts: Fact) -> ServiceOutcome:
    return outcomes(made, timeline(made, *facts), seed=1, run=0)[0]


def change(at_s: float, event: str, node: str = "n1") -> RouteChanged:
    return RouteChanged(round(at_s * SECOND), "tor-1", VIP, node, event)  # type: ignore[arg-type]


def sticky(made: Plan, timeout_s: float = 10800.0) -> Plan:
    return replace(made, services=tuple(replace(service, affinity_s=timeout_s) for service in made.services))


def near(share: float, of: int) -> object:
    return pytest.approx(share * of, abs=4 * max(share * (1 - share) * of, 1) ** 0.5)


# reconnecting


@pytest.mark.parametrize(("k", "moved"), [(1, 1 / 2), (2, 1 / 3)])
def test_one_out_and_back_breaks_moved_and_its_square(k: int, moved: float):
    # measured: of those that reconnected the share of RFC 2992 is broken at the return, of the survivors none
    found = outcome(
        plan(traffic=clients(connections=MANY)), change(60, "withdrawn", f"n{k}"), change(90, "added", f"n{k}")
    )
    assert found.reset == found.reconnected == near(moved, MANY)
    assert found.broken_again == near(moved, found.reset)


def test_those_that_reconnect_are_no_part_of_the_total():
    found = outcome(plan(traffic=clients(connections=MANY)), change(60, "withdrawn"))
    assert found.unaffected + found.reset == found.total == MANY
    assert found.broken_again == 0


def test_without_affinity_the_next_connection_goes_to_any_backend():
    # eight backends: another port is another slot, 1 - 1/8
    for balancer in (MAGLEV, RANDOM):
        found = outcome(plan(traffic=clients(connections=MANY), balancer=balancer), change(60, "withdrawn"))
        assert found.elsewhere == near(7 / 8, found.reconnected)


def test_a_client_that_does_not_reconnect_has_no_column():
    found = outcome(plan(traffic=clients(connections=MANY, reconnects=False)), change(60, "withdrawn"))
    assert (found.reconnected, found.elsewhere, found.broken_again) == (None, None, None)


def test_who_dials_into_a_hole_is_not_back():
    # reset by the withdrawal of n1 while n2 swallows all for good: a third of the new connections goes there
    facts = change(60, "withdrawn"), PathChanged(60 * SECOND, "tor-1", "n2", 1.0)
    found = outcome(plan(traffic=clients(connections=MANY)), *facts)
    assert found.reconnected == near(2 / 3, found.reset)


def test_a_timed_out_client_reconnects_too():
    # requests time out after 2 s in a hole of 60 s; who dials at once waits for its end at 120 s: SYN at 35 or 67 s
    hole = [PathChanged(60 * SECOND, "tor-1", "n1", 1.0), PathChanged(120 * SECOND, "tor-1", "n1", 0.0)]
    found = outcome(plan(traffic=clients(connections=MANY, request_timeout_s=2.0)), *hole)
    assert found.timed_out == near(1 / 4, MANY)
    assert found.reconnected == found.timed_out


def test_a_client_whose_last_request_was_lost_asks_it_again():
    # all would have ended at 70 s; a hole from 60 s on ends at 100 s by withdrawal, so the last requests are reset then
    facts = PathChanged(60 * SECOND, "tor-1", "n1", 1.0), change(100, "withdrawn")
    found = outcome(plan(traffic=clients(connections=MANY, lifetime=Law.constant(140.0))), *facts)
    lost = found.delayed + found.timed_out + found.reset
    assert 0 < found.reset == found.reconnected <= lost


def test_the_row_of_a_fault_counts_its_own():
    made = plan(traffic=clients(connections=MANY))
    facts = FaultBegan(60 * SECOND, "first", "unlabel", ("n1",), ()), change(60, "withdrawn")
    whole, first = outcomes(made, timeline(made, *facts), seed=1, run=0)
    assert (first.reconnected, first.elsewhere) == (whole.reconnected, whole.elsewhere)


# session affinity


@pytest.mark.parametrize(
    ("balancer", "elsewhere"),
    [
        (MAGLEV, 0.0),  # the port does not count: the client's slot is the same in every node's table
        (RANDOM, 7 / 8),  # another node has another map: one in eight picks is the same
    ],
)
def test_a_client_that_moves_to_another_node_gets_another_backend_unless_by_maglev(
    balancer: LoadBalancerPlan, elsewhere: float
):
    # n4 of four goes. Half of what moves was at n4, the other half at n2 and n3 (1/12 and 2/12 of all), whose clients
    # come by their old node again, which knows them, if the new port's hash is one of its third
    made = sticky(plan(traffic=clients(connections=MANY), balancer=balancer))
    found = outcome(made, change(60, "withdrawn", "n4"))
    if elsewhere == 0.0:
        assert found.elsewhere == 0
    else:
        assert found.elsewhere == near(elsewhere * (1 - 1 / 2 * 1 / 3), found.reconnected)


def test_a_client_that_comes_back_to_its_node_finds_its_backend():
    # a single node: reset because it lost its conntrack (a reboot), and the affinity map with it
    made = sticky(plan(node_count=1, traffic=clients(connections=MANY), balancer=RANDOM))
    rebooted = outcome(made, ConntrackLost(60 * SECOND, "n1"))
    assert rebooted.reset == rebooted.reconnected == MANY
    assert rebooted.elsewhere == near(7 / 8, MANY)
    # timed out by a hole, the map being kept: the same backend
    hole = [PathChanged(60 * SECOND, "tor-1", "n1", 1.0), PathChanged(70 * SECOND, "tor-1", "n1", 0.0)]
    impatient = sticky(plan(node_count=1, traffic=clients(connections=MANY, request_timeout_s=2.0), balancer=RANDOM))
    kept = outcome(impatient, *hole)
    assert (kept.reconnected, kept.elsewhere) == (MANY, 0)


@pytest.mark.parametrize(("timeout_s", "share"), [(9.9, 7 / 8), (10.1, 0.0)])
def test_an_entry_is_good_for_the_timeout_after_the_last_packet(timeout_s: float, share: float):
    # asked of the map itself: a connection ends at 20 s, its client is back at 30 s
    made = sticky(plan(node_count=1, balancer=RANDOM), timeout_s)
    path = Datapath(made, History(made, timeline(made)), "tor-1", VIP, made.services[0])
    count = 4000
    keys = np.random.Generator(np.random.Philox(2)).integers(0, 2**64, count, dtype=np.uint64)
    many = np.zeros(count, dtype=np.int64)
    flows = Flows(keys, many - 1, many, many + 20 * SECOND, keys)
    maps = Affinity(path, flows, round(timeout_s * 1e6), 0.0, made.horizon_us)
    since = maps.since(keys, many, many + 30 * SECOND)
    assert set(since.tolist()) == ({30 * SECOND} if share else {-1})
    before = path.views.kept(keys, many, many - 1, many + SECOND, many)
    after = path.views.kept(keys, many, since, many + 30 * SECOND, many)
    assert np.mean(before != after) == pytest.approx(share, abs=0.03)


def test_all_connections_of_a_client_share_a_backend_at_a_node():
    # 40 clients with 500 connections each, one node, one of eight backends dies. A client has all or none there: the
    # standard deviation is 500 * sqrt(40 * 7/64) = 1046; without affinity sqrt(20 000 * 7/64) = 47
    made = plan(node_count=1, traffic=clients(connections=MANY, clients=40), balancer=RANDOM)
    log = timeline(made, BackendChanged(60 * SECOND, "web", pod_names(made)[0], False, True))
    resets = {
        kind: [outcomes(of, log, seed, 0)[0].reset for seed in range(20)]
        for kind, of in (("sticky", sticky(made)), ("plain", made))
    }
    assert 600 < np.std(resets["sticky"]) < 1500
    assert np.std(resets["plain"]) < 100
    assert np.mean(resets["sticky"]) == pytest.approx(MANY / 8, abs=4 * 1046 / 20**0.5)


def test_an_entry_outlives_a_new_backend_at_every_node_that_the_client_has_been_to():
    # DSR, Maglev: a ninth backend joins at 30 s and takes a ninth of the slots; n4 goes at 60 s. Without affinity
    # those of the moved whose slot changed are reset; clients known at all nodes keep their backend
    balancer = LoadBalancerPlan("maglev", "dsr", table_size=1021)
    made = plan(backends=9, traffic=clients(connections=MANY, clients=50), balancer=balancer)
    names = pod_names(made)
    resets = {}
    for kind, of in (("sticky", sticky(made)), ("plain", made)):
        log = Timeline(
            Start({"tor-1": {VIP: tuple(node.name for node in of.nodes)}}, {"web": names[:-1]}), of.horizon_us
        )
        for node in of.nodes:
            log.write(ViewChanged(30 * SECOND, node.name, "web", 1, names))
        log.write(change(60, "withdrawn", "n4"))
        found = outcomes(of, log, seed=1, run=0)[0]
        assert found.moved == near(1 / 2, MANY)
        resets[kind] = found.reset / found.moved
    before, after = (Balancer(balancer, made.services[0]).places(view) for view in (names[:-1], names))
    assert resets["plain"] == pytest.approx(np.mean(before != after), abs=0.02)
    assert resets["plain"] > 1 / 9
    assert resets["sticky"] == 0


# as written and as shown

WEB = "services: [{name: web, vip: 192.0.2.10, backends: 4%s}]\n"
ASK = "traffic: [{service: web, connections: 1000, lifetime: 1h%s}]\n"
AFFINITY = ", sessionAffinity: ClientIP"


def test_affinity_is_written_as_in_kubernetes():
    plain, default, short = (
        small(WEB % text).plan().services[0].affinity_s
        for text in ("", AFFINITY, AFFINITY + ", sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}")
    )
    assert (plain, default, short) == (None, 10800.0, 60.0)


@pytest.mark.parametrize("seconds", ["0", "86401"])
def test_a_timeout_that_kubernetes_would_refuse_is_refused(seconds: str):
    with pytest.raises(ScenarioError, match="timeoutSeconds"):
        small(WEB % (AFFINITY + f", sessionAffinityConfig: {{clientIP: {{timeoutSeconds: {seconds}}}}}"))


def test_the_number_of_addresses_is_said_to_matter_or_not():
    own = "each connection to web comes from a client address of its own (traffic clients)"
    idle = "web has no sessionAffinity: how many client addresses there are changes nothing"
    assert own in small(WEB % AFFINITY + ASK % "").plan().assumptions
    assert idle in small(WEB % "" + ASK % ", clients: 5000").plan().assumptions
    both = small(WEB % AFFINITY + ASK % ", clients: 5000").plan()
    assert both.traffic[0].clients == 5000
    assert not {own, idle} & set(both.assumptions)


def test_the_report_has_a_line_for_those_that_reconnect():
    faults = "faults: [{at: 60s, kind: agent-crash, node: worker-1}]\n"
    result = simbgp.run(small(WEB % "" + ASK % "" + faults), runs=3)
    text = unstyle(report(result))
    assert re.search(r"reconnected to +a run +elsewhere +broken again\n +web +\d+ +\d", text)
    rows = result.connections
    assert (rows.reconnected <= rows.reset + rows.timed_out).all()
    assert rows.reconnected.sum() > 0
    silent = simbgp.run(small(WEB % "" + ASK % ", client: {reconnect: false}" + faults), runs=3)
    assert "reconnected to" not in report(silent)
    assert silent.connections.reconnected.isna().all()


def test_connections_of_a_client_with_affinity_share_its_maglev_slot_and_no_more():
    """The port counts as 0 for the slot, which is the lower half of a key; routers hash it all the same, the upper."""
    keys = mix(np.arange(1000, dtype=np.uint64), np.zeros(1, dtype=np.uint64))
    times = np.zeros(1000, dtype=np.int64)
    found = addressed(Flows(keys, times, times, times), clients(1000, clients=3), "tor-1", 1, 0)
    lower = np.uint64(2**32 - 1)
    assert found.clients is not None
    assert len(set(found.clients.tolist())) == 3
    assert (found.keys & lower).tolist() == (found.clients & lower).tolist()
    assert (found.keys & ~lower).tolist() == (keys & ~lower).tolist()
