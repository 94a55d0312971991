from simbgp.report.story import Sentence, tell
from simbgp.timeline import (
    BackendAdded,
    FaultBegan,
    ForwardingChanged,
    PathChanged,
    RouteChanged,
    SessionChanged,
    Start,
    Timeline,
    ViewChanged,
)

S = 1_000_000


def told(*facts, **options):
    timeline = Timeline(Start(), 600 * S)
    for fact in facts:
        timeline.write(fact)
    return [(said.time_us / S, said.text) for said in tell(timeline, **options)]


def lost(at_s, node="n1", side="router"):
    return SessionChanged(round(at_s * S), "tor-1", node, side, "established", "idle", "hold timer expired")


def route(at_s, event, prefix):
    return RouteChanged(round(at_s * S), "tor-1", prefix, "n1", event)


def test_a_dead_node_is_told_in_its_order():
    story = told(
        FaultBegan(60 * S, 0, "node-down", ("n1",), ()),
        ForwardingChanged(60 * S, "n1", False),
        lost(140),
        route(140, "stale", "10.244.1.0/24"),
        route(260, "withdrawn", "10.244.1.0/24"),
    )
    assert story == [
        (60.0, "node-down: n1"),
        (60.0, "n1 forwards nothing any more"),
        (140.0, "tor-1 loses the session with n1: hold timer expired"),
        (140.0, "tor-1 keeps the routes of n1 as stale: 10.244.1.0/24"),
        (260.0, "tor-1 no longer forwards to n1: 10.244.1.0/24"),
    ]


def test_facts_of_one_kind_within_two_seconds_are_one_sentence():
    assert told(lost(140), lost(141.9, "n2")) == [(140.0, "tor-1 loses the session with n1, n2: hold timer expired")]
    assert len(told(lost(140), lost(142.1, "n2"))) == 2


def test_prefixes_of_one_withdrawal_stand_together():
    story = told(route(60, "withdrawn", "10.244.1.0/24"), route(60, "withdrawn", "192.0.2.10/32"))
    assert story == [(60.0, "tor-1 no longer forwards to n1: 10.244.1.0/24, 192.0.2.10/32")]


def test_views_that_follow_each_other_name_their_nodes():
    views = [ViewChanged(round(at * S), node, "web", 1, ("a", "b")) for at, node in ((110.1, "n2"), (110.9, "n3"))]
    assert told(*views) == [(110.1, "n2, n3 now pick among 2 backends of web")]
    assert told(views[0]) == [(110.1, "n2 now picks among 2 backends of web")]


def test_one_does_what_several_do():
    down = [ForwardingChanged(60 * S, node, False) for node in ("n1", "n2")]
    assert told(*down) == [(60.0, "n1, n2 forward nothing any more")]
    pods = [BackendAdded(70 * S, "web", pod, "n3", "k") for pod in ("a", "b")]
    assert told(*pods) == [(70.0, "a, b join web on n3")]
    assert told(pods[0]) == [(70.0, "a joins web on n3")]


def test_what_the_reader_came_for_is_woven_in():
    story = told(lost(140), more=[Sentence(60 * S, 1, "web loses 25 %")])
    assert story[0] == (60.0, "web loses 25 %")


def test_a_long_story_leaves_out_what_matters_least():
    facts = [lost(60 + 10 * place, side="node" if place % 2 else "router") for place in range(12)]
    story = told(*facts, most=6)
    assert len(story) == 6
    assert all("loses the session" in text for _, text in story)


def path(at_s, lost, carrier=True):
    return PathChanged(round(at_s * S), "tor-1", "n1", lost, lost, lost, carrier)


VANISH, PASS = "packets between tor-1 and n1 vanish", "packets between tor-1 and n1 pass again"


def test_a_link_that_is_lost_and_then_cut_vanishes_once():
    """All packets are lost from 10 on; from 20 to 40 the port is dark too."""
    assert told(path(10, 1.0), path(20, 1.0, False), path(40, 1.0), path(70, 0.0)) == [
        (10.0, VANISH),
        (20.0, "the link between tor-1 and n1 loses its carrier too"),
        (40.0, "the link between tor-1 and n1 has carrier again, and packets still vanish"),
        (70.0, PASS),
    ]


def test_a_link_that_is_cut_and_then_lost_vanishes_once():
    """Dark from 10 to 40; the loss that begins at 20 shows when the light is back."""
    assert told(path(10, 1.0, False), path(20, 1.0, False), path(40, 1.0), path(70, 0.0)) == [
        (10.0, VANISH),
        (40.0, "the link between tor-1 and n1 has carrier again, and packets still vanish"),
        (70.0, PASS),
    ]


def test_a_link_that_is_cut_twice_vanishes_twice():
    assert told(*(path(at_s, lost, lost == 0) for at_s, lost in ((10, 1.0), (20, 0.0), (30, 1.0), (40, 0.0)))) == [
        (10.0, VANISH),
        (20.0, PASS),
        (30.0, VANISH),
        (40.0, PASS),
    ]
