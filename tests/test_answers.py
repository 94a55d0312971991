"""Answers that do not go back over the node at which their requests came in (Cilium's DSR), worked out by hand.

Four nodes, two pods of eight on each: 1/4 of the connections enter at n1, 1/4 of all have their pod there.
"""

from collections import Counter
from dataclasses import replace

import pytest
from traffic_worlds import SECOND, VIP, clients, links, path, plan, timeline
from worlds import cluster, direct, fault, play

from simbgp.report.explain import explanation
from simbgp.report.story import tell
from simbgp.scenario.plan import LoadBalancerPlan, Plan
from simbgp.timeline import BackendChanged, Fact, FaultBegan, PathChanged, RouteChanged
from simbgp.traffic import outcomes, windows

MANY = 20_000
SNAT, DSR, DSR_MAGLEV = LoadBalancerPlan(), LoadBalancerPlan("random", "dsr"), LoadBalancerPlan("maglev", "dsr", 1021)
BOTH, TO_NODE, TO_ROUTER = (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)
WITHDRAWN = RouteChanged(63 * SECOND, "tor-1", VIP, "n1", "withdrawn")


def hole(ways: tuple[float, float], until_s: float = 65, router: str = "tor-1", **more: bool) -> list[Fact]:
    began = path(60 * SECOND, router, "n1", *ways, **more)
    return [
        FaultBegan(60 * SECOND, "cut", "link-loss", ("n1",), (router,)),
        began,
        path(round(until_s * SECOND), router, "n1", 0.0, 0.0),
    ]


def holes(world: Plan, *facts: Fact) -> list[tuple[str, float, float, float]]:
    """(cause, from, until, share) at tor-1."""
    found = windows(world, timeline(world, *facts))
    return [
        (w.cause, w.start_us / SECOND, (w.start_us + w.duration_us) / SECOND, w.share)
        for w in found
        if (w.router, w.prefix) == ("tor-1", VIP)
    ]


def delayed(world: Plan, *facts: Fact) -> float:
    row = outcomes(replace(world, traffic=(clients(MANY),)), timeline(world, *facts), 1, 0)[0]
    assert row.unaffected + row.delayed == MANY
    return row.delayed / MANY


SHARES = [
    (BOTH, SNAT, 1 / 4),
    (TO_NODE, SNAT, 1 / 4),
    (TO_ROUTER, SNAT, 1 / 4),
    (BOTH, DSR, 1 / 4 + 3 / 4 * 1 / 4),  # who enters there, and whose pod is there
    (TO_NODE, DSR, 1 / 4),  # its pods are heard
    (TO_ROUTER, DSR, 1 / 4),  # it passes on what comes in; only its pods are not heard, of all that enter anywhere
]


@pytest.mark.parametrize(("ways", "balancer", "share"), SHARES)
def test_a_link_that_is_cut_one_way_or_both_loses_requests_here_and_answers_there(ways, balancer, share):
    world = plan(balancer=balancer)
    assert holes(world, *hole(ways)) == [("link", 60, 65, share)]
    assert delayed(world, *hole(ways)) == pytest.approx(share, abs=4 * (share * (1 - share) / MANY) ** 0.5)


@pytest.mark.parametrize("balancer", [SNAT, DSR])
def test_with_local_pods_alone_the_answer_takes_the_way_of_the_request(balancer):
    world = plan(policy="Local", balancer=balancer)
    assert holes(world, *hole(BOTH)) == [("link", 60, 65, 1 / 4)]


def test_the_withdrawal_of_the_node_does_not_give_its_pods_a_way_out():
    """Until 63 s 7/16; then nobody enters at n1, and 1/4 of all picks are its pods, until the link is mended."""
    world = plan(balancer=DSR)
    assert holes(world, *hole(BOTH, 100), WITHDRAWN) == [("link", 60, 63, 7 / 16), ("link", 63, 100, 1 / 4)]
    assert holes(plan(balancer=SNAT), *hole(BOTH, 100), WITHDRAWN) == [("link", 60, 63, 1 / 4)]


def test_who_waits_for_such_an_answer_goes_on_at_the_first_retransmission_after_the_end():
    """Asked in [60, 61), mended at 65: k with t + 0.209 * 2^k >= 65: 6.688 s for all, whatever they wait for."""
    world = plan(balancer=DSR_MAGLEV, traffic=clients(MANY))
    row = outcomes(world, timeline(world, *hole(BOTH, 65)), 1, 0)[0]
    assert set(row.delay_s.tolist()) == {6.688}
    assert row.moved == 0


def test_an_application_waits_for_it_as_long_as_it_has_patience():
    """The answer comes after 6.688 s: 6.688 s of patience suffice, 6.687 s do not."""
    rows = []
    for patience_s in (6.688, 6.687):
        world = plan(balancer=DSR, traffic=clients(2000, request_timeout_s=patience_s))
        rows.append(outcomes(world, timeline(world, *hole(TO_ROUTER, 65)), 1, 0)[0])
    assert (rows[0].delayed, rows[0].timed_out) == (rows[1].timed_out, rows[1].delayed)
    assert (rows[0].timed_out, rows[0].delayed > 0) == (0, True)


def test_a_new_connection_to_such_a_pod_opens_with_the_first_syn_after_the_end():
    """20/s for 600 s; those of 5 s with a pod on n1, 25 of 100: SYNs again after 1, 2, 3, 4, 5 s, opened within 1 s."""
    world = plan(balancer=DSR, traffic=clients(0, 20.0))
    row = outcomes(world, timeline(world, *hole(TO_ROUTER, 65)), 1, 0)[0]
    assert row.not_opened == 0
    assert len(row.connect_delay_s) == pytest.approx(25, abs=20)
    assert set(row.connect_delay_s.tolist()) == {1.0, 2.0, 3.0, 4.0, 5.0}


def test_a_pod_that_is_dead_besides_is_counted_once():
    """Of 8 picks web-0, on n1 and dead, and web-4, on n1 and unheard: 2/8, as without the death."""
    died = BackendChanged(60 * SECOND, "web", "web-0", False)
    assert holes(plan(balancer=DSR), *hole(TO_ROUTER), died) == [
        ("link", 60, 65, 1 / 4),
        ("dead-backend", 65, 600, 1 / 8),
    ]


def test_half_lost_each_way_is_three_quarters_here_and_half_of_what_is_behind_it():
    """At n1 1/2 + 1/2 * 1/4 * 1/2, elsewhere 1/4 * 1/2: 1/4 * 9/16 + 3/4 * 1/8 = 15/64."""
    assert holes(plan(balancer=DSR), *hole((0.5, 0.5))) == [("link", 60, 65, 15 / 64)]


TWO = {f"n{i}": ("tor-1", "tor-2") for i in range(1, 5)}


def of_two_routers(**links_of: tuple[str, ...]) -> Plan:
    nodes = TWO | links_of
    return replace(plan(routers=2, balancer=DSR), peerings=links(*((node, *over) for node, over in nodes.items())))


def test_a_node_that_sees_its_link_go_answers_over_another_router_and_one_that_does_not_goes_on_losing():
    """Withdrawn at once, so that nobody enters at n1: 1/4 of the picks have no other way out."""
    gone = replace(WITHDRAWN, time_us=60 * SECOND)
    sees, blind = hole(BOTH, carrier=False), hole(BOTH)
    assert holes(of_two_routers(), *sees, gone) == []
    assert holes(of_two_routers(), *blind, gone) == [("link", 60, 65, 1 / 4)]
    assert holes(of_two_routers(n1=("tor-1",)), *sees, gone) == [("link", 60, 65, 1 / 4)]


def test_without_a_link_to_the_clients_router_half_of_the_answers_take_each_of_two_others():
    """n1 is in another rack: its 1/4 of the picks is answered over tor-2 and tor-3, half of it over the link that
    is cut; with carrier lost all of it over the other."""
    world = of_two_routers(n1=("tor-2", "tor-3"))
    gone = replace(WITHDRAWN, time_us=0)
    assert holes(world, gone, *hole(BOTH, router="tor-2")) == [("link", 60, 65, 1 / 8)]
    assert holes(world, gone, *hole(BOTH, router="tor-2", carrier=False)) == []
    # connections: half enter at tor-2, of which 7/16 meet the link on the way in or out
    share = delayed(replace(world, load_balancer=DSR_MAGLEV), gone, *hole(BOTH, router="tor-2"))
    assert share == pytest.approx(1 / 2 * 1 / 8 + 1 / 2 * 7 / 16, abs=0.015)


def test_what_is_not_heard_is_put_down_to_the_fault_of_that_link():
    world = plan(balancer=DSR, traffic=clients(MANY))
    other = FaultBegan(61 * SECOND, "other", "session-reset", ("n2",), ("tor-1",))
    record = timeline(world, *hole(TO_ROUTER), other)
    rows = {row.fault: row for row in outcomes(world, record, 1, 0)}
    assert rows["cut"].delayed == rows[None].delayed > 0
    assert {(w.prefix, w.fault) for w in windows(world, record)} == {(VIP, "cut"), ("10.244.1.0/24", "cut")}


def test_explain_names_the_pods_that_are_not_heard():
    world = plan(balancer=DSR)
    lines = explanation(world, timeline(world, *hole(TO_ROUTER)), 62 * SECOND)
    assert "25 % is lost" in lines[0]
    told = "link: 25 % of the packets sent here get no answer: the node of web-0, web-4 answers past a link that"
    assert [told in line for line in lines[1:5]] == [True] * 4


@pytest.mark.parametrize(
    ("options", "ways"),
    [
        ({"direction": "both"}, (1.0, 1.0, 1.0)),
        ({"direction": "to-node"}, (1.0, 1.0, 0.0)),
        ({"direction": "to-router"}, (1.0, 0.0, 1.0)),
        ({"direction": "both", "share": 0.5}, (0.75, 0.5, 0.5)),
    ],
)
def test_the_model_tells_what_is_lost_each_way(options, ways):
    told = play(cluster(), fault("link-loss", 5, options=options)).of(PathChanged)
    assert [(f.lost_share, f.lost_to_node, f.lost_to_router, f.carrier) for f in told] == [
        (*ways, True),
        (0.0, 0.0, 0.0, True),
    ]


@pytest.mark.parametrize(("is_direct", "carrier"), [(True, False), (False, True)])
def test_a_node_sees_that_a_direct_link_is_down_and_beyond_a_switch_does_not(is_direct, carrier):
    made = direct(cluster()) if is_direct else cluster()
    told = play(made, fault("link-down", 5)).of(PathChanged)
    assert [(f.lost_to_node, f.lost_to_router, f.carrier) for f in told] == [(1.0, 1.0, carrier), (0.0, 0.0, True)]


def test_of_a_path_told_as_a_whole_each_way_loses_alike():
    """1 - 0.5 * 0.5 = 0.75."""
    fact = PathChanged(0, "tor-1", "n1", 0.75)
    assert (fact.lost_to_node, fact.lost_to_router) == (0.5, 0.5)


def test_the_story_tells_which_way_packets_vanish():
    world = plan()
    told = [said.text for said in tell(timeline(world, *hole(TO_ROUTER)))]
    assert "packets from n1 to tor-1 vanish" in told
    assert "packets between tor-1 and n1 pass again" in told


def test_of_an_answer_that_is_lost_by_luck_the_first_copy_that_passes_counts():
    """Half of the answers of n1's pods vanish for 5 s, and each asks every 10 s: 1/4 * 5/10 * 1/2 wait. Of the copies
    half are lost in turn, but those of the last 0.209 s come after the end: (1 + 0.209/5) / 2 wait 0.209 s."""
    world = plan(balancer=DSR, traffic=clients(MANY, interval_s=10))
    row = outcomes(world, timeline(world, *hole((0.0, 0.5), 65)), 1, 0)[0]
    for found, share in ((row.delayed, 1 / 16), (Counter(row.delay_s.tolist())[0.209], 1.0418 / 32)):
        assert found == pytest.approx(share * MANY, abs=4 * (share * (1 - share) * MANY) ** 0.5)
