"""Status patches to the microsecond: without jitter an agent that starts at T looks at T + 5 s, T + 10 s, ...

The status is compared with what was patched last (crd_status.go); one that was up at 0 looks at a phase of its own.
"""

from dataclasses import replace

import pytest
from study_worlds import observed, scenario

from simbgp.measure import Question, api_load, value_of
from simbgp.measure.api_load import patches_us
from simbgp.timeline import AgentChanged, NodeConfigChanged, RouteChanged, SessionChanged

S = 1_000_000
REPORTED = {"cluster__statusReport": {"enabled": True}}
PLAN = scenario(**REPORTED).plan()  # four nodes, horizon 600 s
ALONE = scenario(cluster__nodes=1, **REPORTED).plan()  # a router sends a single peer nothing back


@pytest.fixture(autouse=True)
def _no_jitter(monkeypatch):
    monkeypatch.setattr(api_load, "JITTER_S", 0.0)


def agent(at_s, up, node="worker-1"):
    return AgentChanged(round(at_s * S), node, up, "1.20")


def session(at_s, up, node="worker-1"):
    before, after = ("open_confirm", "established") if up else ("established", "idle")
    reason = "KEEPALIVE received" if up else "connection closed"
    return SessionChanged(round(at_s * S), "tor-1", node, "node", before, after, reason)


def route(at_s, event, prefix="10.9.0.0/24", node="worker-1"):
    return RouteChanged(round(at_s * S), "tor-1", prefix, node, event)


def config(at_s, exists, node="worker-1"):
    return NodeConfigChanged(round(at_s * S), node, exists)


def patches_s(plan, *facts):
    return [at_us / S for at_us in patches_us(observed(plan, *facts))]


@pytest.mark.parametrize(("up_s", "found"), [(104.9, [105.0]), (105.0, [105.0]), (105.1, [105.0, 110.0])])
def test_a_new_agent_reports_at_its_first_look_and_again_if_its_session_comes_after_it(up_s, found):
    # the agent starts at 100 and looks at 105, 110, 115 ...; what it has reported of an earlier life does not count
    assert patches_s(PLAN, session(90, False), agent(90, False), agent(100, True), session(up_s, True)) == found


def test_a_new_agent_that_finds_all_as_it_was_reports_all_the_same():
    assert patches_s(PLAN, agent(90, False), agent(100, True)) == [105.0]


def test_an_agent_that_is_killed_before_its_first_look_reports_nothing():
    down = (agent(90, False), agent(100, True), agent(104.9, False), agent(200, True), agent(205.1, False))
    assert patches_s(PLAN, *down) == [205.0]


def test_an_agent_on_its_own_reports_what_it_sends_and_no_longer_sends():
    # 110: the session is up with nothing sent yet, so the looks at 105 and 110 differ from nothing and from each other
    start = (session(90, False), agent(90, False), agent(100, True), session(106, True))
    sent = (route(121, "added"), route(131, "refreshed"), route(141, "stale"), route(151, "withdrawn"))
    assert patches_s(ALONE, *start) == [105.0, 110.0]
    assert patches_s(ALONE, *start, *sent) == [105.0, 110.0, 125.0, 155.0]


@pytest.mark.parametrize("prefix", ["10.9.0.0/24", "10.244.1.0/24"])  # new, and sent before the agent died
def test_what_a_router_kept_counts_as_sent_once_it_is_refreshed(prefix):
    start = (session(90, False), agent(90, False), agent(100, True), session(101, True))
    assert patches_s(ALONE, *start, route(111, "refreshed", prefix)) == [105.0, 115.0]


def test_without_a_session_nothing_counts_as_sent():
    # the router forgets late what the agent has long ceased to send
    start = (session(90, False), agent(90, False), agent(100, True))
    assert patches_s(ALONE, *start, route(111, "withdrawn"), route(112, "added")) == [105.0]


def test_sent_routes_are_counted_by_family():
    # one IPv4 prefix for one IPv6 prefix between two looks: as many as before, and yet another status
    start = (agent(90, False), agent(100, True))
    assert patches_s(ALONE, *start, route(111, "withdrawn", "10.244.1.0/24"), route(111, "added", "fd00:1::/64")) == [
        105.0,
        115.0,
    ]


def test_received_routes_are_counted_by_family():
    # at 111 node 1's PodCIDR goes and an IPv6 prefix of it comes: all four agents received one IPv4 prefix less
    found = patches_s(PLAN, route(111, "withdrawn", "10.244.1.0/24"), route(111, "added", "fd00:1::/64"))
    assert len(found) == 4
    assert all(111 < at_s <= 116 for at_s in found)


def test_received_routes_are_counted_once_however_many_nodes_announce_them():
    # worker-2's path of worker-1's PodCIDR: only worker-2 sends one more
    assert len(patches_s(PLAN, route(111, "added", "10.244.1.0/24", "worker-2"))) == 1
    # and as one of two goes, the other agents receive as many as before
    web = "192.0.2.10/32"
    assert len(patches_s(PLAN, route(111, "withdrawn", web, "worker-2"))) == 1


def test_an_agent_without_a_session_receives_nothing():
    # worker-2 is down: of the other three two receive one less, and worker-1 sends one less too
    found = patches_s(PLAN, session(50, False, "worker-2"), route(111, "withdrawn", "10.244.1.0/24"))
    assert sum(at_s > 111 for at_s in found) == 3


def test_a_new_object_has_to_be_filled_anew():
    # the object goes at 100 and returns at 200: nothing to patch between them, and then the same status once more
    found = patches_s(PLAN, config(100, False), config(200, True))
    assert len(found) == 1
    assert 200 < found[0] <= 205


def test_an_agent_looks_until_the_very_end():
    # the looks at 105, 110 ... 600; the horizon is 600
    start = (agent(90, False), agent(100, True))
    assert patches_s(ALONE, *start, route(596, "added")) == [105.0, 600.0]
    long = replace(ALONE, horizon_us=86_400 * S)
    assert patches_s(long, *start, route(86_391, "added"))[1:] == [86_395.0]


def test_agents_that_were_up_look_at_all_times_of_an_interval():
    # a prefix goes at 2 s, and 400 agents look within (2, 7]: a fifth of them in each second, sigma sqrt(400 .2 .8) = 8
    plan = scenario(cluster__nodes=400, **REPORTED).plan()
    found = patches_s(plan, route(2, "withdrawn", "10.244.1.0/24"))
    assert len(found) == 400
    assert all(2 < at_s <= 7 for at_s in found)
    for second in range(2, 7):
        assert abs(sum(second < at_s <= second + 1 for at_s in found) - 80) < 5 * 8


@pytest.mark.parametrize(("second_s", "most"), [(100.0, 2), (100.999999, 2), (99.999999, 1), (101.0, 1)])
def test_a_rate_is_that_of_a_whole_second(second_s, most):
    # looks at 105 s and five seconds after the second start; seconds are [105, 106)
    restarts = [(agent(90, False), agent(100, True)), (agent(90, False, "worker-2"), agent(second_s, True, "worker-2"))]
    facts = sorted((fact for pair in restarts for fact in pair), key=lambda fact: fact.time_us)
    assert value_of(observed(PLAN, *facts), Question("api_patches_per_s")).value == most


def test_without_a_patch_there_is_no_rate():
    run = observed(PLAN)
    assert [value_of(run, Question(metric)).value for metric in ("api_patches", "api_patches_per_s")] == [0, 0]


def test_with_the_report_off_an_agent_without_an_object_has_nothing_to_empty():
    off = scenario(cluster__statusReport={"enabled": False}).plan()
    start = (agent(90, False), agent(100, True))
    assert patches_s(off, *start) == [100.0]
    assert patches_s(off, config(50, False), *start) == []
