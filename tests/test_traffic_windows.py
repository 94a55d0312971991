"""Windows: exact intervals, causes and shares; and a slow reference that looks at every instant."""

from itertools import pairwise
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traffic_worlds import SECOND, VIP, plan, pod_names, timeline

from simbgp.scenario.plan import GracefulRestartPlan, LoadBalancerPlan, PeeringPlan
from simbgp.timeline import (
    BackendChanged,
    ConntrackLost,
    Fact,
    FaultBegan,
    ForwardingChanged,
    NeighbourChanged,
    PathChanged,
    RouteChanged,
    Start,
    Timeline,
    ViewChanged,
)
from simbgp.traffic import Window, maglev_table, windows

POD_1 = "10.244.1.0/24"


def at(seconds: float) -> int:
    return round(seconds * SECOND)


def seen(found: list[Window], prefix: str) -> list[tuple[Any, ...]]:
    """Cause, start, end in seconds, share."""
    return [
        (w.cause, w.start_us / SECOND, None if w.end_us is None else w.end_us / SECOND, w.share)
        for w in found
        if w.prefix == prefix
    ]


def route(seconds: float, node: str, event: Any, prefix: str = VIP, router: str = "tor-1") -> RouteChanged:
    return RouteChanged(at(seconds), router, prefix, node, event)


def test_without_facts_there_is_no_window() -> None:
    assert windows(plan(), timeline(plan())) == []


def test_a_withdrawn_podcidr_has_no_route_until_it_is_back() -> None:
    world = plan()
    facts = route(75, "n1", "withdrawn", POD_1), route(90, "n1", "added", POD_1)
    assert seen(windows(world, timeline(world, *facts)), POD_1) == [("no-route", 75.0, 90.0, 1.0)]


def test_stale_routes_are_no_hole() -> None:
    world = plan()
    facts = route(60, "n1", "stale", POD_1), route(80, "n1", "refreshed", POD_1)
    assert windows(world, timeline(world, *facts)) == []


def test_a_dead_node_is_first_a_dead_next_hop_then_no_route_in_one_outage() -> None:
    world = plan()
    facts = ForwardingChanged(at(60), "n1", False), route(135, "n1", "withdrawn", POD_1)
    found = windows(world, timeline(world, *facts))
    assert seen(found, POD_1) == [("dead-next-hop", 60.0, 135.0, 1.0), ("no-route", 135.0, None, 1.0)]
    assert [(w.outage, w.duration_us, w.censored) for w in found if w.prefix == POD_1] == [
        (0, at(75), False),
        (0, at(465), True),  # to the horizon of 600 s
    ]


def test_a_service_loses_the_share_of_the_dead_next_hop_until_withdrawal() -> None:
    world = plan()
    facts = ForwardingChanged(at(60), "n1", False), route(135, "n1", "withdrawn")
    found = windows(world, timeline(world, *facts))
    assert seen(found, VIP) == [("dead-next-hop", 60.0, 135.0, 0.25)]
    assert [w.lost_traffic_us for w in found if w.prefix == VIP] == [at(75) * 0.25]


def test_the_share_is_that_of_the_nodes_weight() -> None:
    # weights 2/1/1: the heavy node has half of the hash space
    world = plan(node_count=3, weights=(2, 1, 1))
    found = windows(world, timeline(world, PathChanged(at(1), "tor-1", "n1", 1.0)))
    assert seen(found, VIP) == [("link", 1.0, None, 0.5)]


def test_the_first_obstacle_names_the_window_and_all_of_them_its_share() -> None:
    # n2 dark for 10-30 s, the path to n1 cut for 20-40 s: a quarter each
    world = plan()
    facts = (
        ForwardingChanged(at(10), "n2", False),
        ForwardingChanged(at(30), "n2", True),
        PathChanged(at(20), "tor-1", "n1", 1.0),
        PathChanged(at(40), "tor-1", "n1", 0.0),
    )
    assert seen(windows(world, timeline(world, *facts)), VIP) == [
        ("dead-next-hop", 10.0, 20.0, 0.25),
        ("link", 20.0, 30.0, 0.5),
        ("link", 30.0, 40.0, 0.25),
    ]


def test_a_path_that_loses_some_packets_loses_that_share_of_its_members_traffic() -> None:
    world = plan()
    facts = PathChanged(at(10), "tor-1", "n1", 0.3), PathChanged(at(20), "tor-1", "n1", 1.0)
    assert seen(windows(world, timeline(world, *facts)), VIP) == [
        ("link", 10.0, 20.0, 0.25 * 0.3),
        ("link", 20.0, None, 0.25),
    ]


def test_what_a_lossy_path_lets_through_may_still_be_lost_behind_it() -> None:
    # 8 backends, 1 dead: n1 loses 1/2 + 1/2 * 1/8, the other three quarters 1/8 each
    world = plan()
    facts = BackendChanged(at(10), "web", "web-0", False), PathChanged(at(10), "tor-1", "n1", 0.5)
    found = windows(world, timeline(world, *facts))
    assert seen(found, VIP) == [("link", 10.0, None, 0.25 * (1 / 2 + 1 / 16) + 0.75 / 8)]


def neighbour(seconds: float, node: str, reachable: bool) -> NeighbourChanged:
    return NeighbourChanged(at(seconds), "tor-1", node, reachable)


def test_a_failed_neighbour_ends_the_hole_of_a_dead_next_hop_before_its_withdrawal() -> None:
    # FRR, hold 90, GR off: power off, FAILED 24.9 s later, withdrawn at 67.5 s (measured)
    world = plan(node_count=3)
    facts = ForwardingChanged(at(60), "n2", False), neighbour(84.9, "n2", False), route(127.5, "n2", "withdrawn")
    found = windows(world, timeline(world, *facts))
    assert seen(found, VIP) == [("dead-next-hop", 60.0, 84.9, pytest.approx(1 / 3, abs=1e-9))]


def test_a_failed_neighbour_that_is_the_only_next_hop_keeps_its_traffic_and_loses_it() -> None:
    world = plan()
    facts = ForwardingChanged(at(60), "n1", False), neighbour(80, "n1", False), route(90, "n1", "withdrawn", POD_1)
    found = windows(world, timeline(world, *facts))
    assert seen(found, POD_1) == [("dead-next-hop", 60.0, 90.0, 1.0), ("no-route", 90.0, None, 1.0)]


def test_a_survivor_that_dies_too_loses_what_it_took_over() -> None:
    world = plan()
    facts = neighbour(10, "n4", False), ForwardingChanged(at(20), "n1", False), neighbour(30, "n4", True)
    assert seen(windows(world, timeline(world, *facts)), VIP) == [
        ("dead-next-hop", 20.0, 30.0, 0.5),
        ("dead-next-hop", 30.0, None, 0.25),
    ]


def test_two_facts_of_one_instant_make_no_window_between_them() -> None:
    world = plan()
    facts = PathChanged(at(5), "tor-1", "n1", 1.0), PathChanged(at(5), "tor-1", "n1", 0.0)
    assert windows(world, timeline(world, *facts)) == []


def test_windows_one_microsecond_apart_are_two_outages() -> None:
    world = plan()
    facts = [PathChanged(at(5) + t, "tor-1", "n1", lost) for t, lost in ((0, 1.0), (10, 0.0), (11, 1.0), (20, 0.0))]
    found = [w for w in windows(world, timeline(world, *facts)) if w.prefix == VIP]
    assert [(w.start_us - at(5), w.duration_us, w.outage) for w in found] == [(0, 10, 0), (11, 9, 1)]


def test_a_hole_that_ends_with_the_horizon_is_not_censored() -> None:
    world = plan(horizon_s=10)
    facts = PathChanged(at(5), "tor-1", "n1", 1.0), PathChanged(at(10), "tor-1", "n1", 0.0)
    found = [w for w in windows(world, timeline(world, *facts)) if w.prefix == VIP]
    assert [(w.end_us, w.censored) for w in found] == [(at(10), False)]


def test_random_picks_of_a_dead_backend_lose_one_in_the_number_of_backends() -> None:
    # 8 backends, 1 dead; node by node its view drops it: 4, 3, 2, 1 quarters of 1/8
    world = plan()
    left = pod_names(world)[1:]
    views = [ViewChanged(at(50 + i), f"n{i}", "web", 1, left) for i in (1, 2, 3, 4)]
    found = windows(world, timeline(world, BackendChanged(at(10), "web", "web-0", False), *views))
    assert seen(found, VIP) == [
        ("dead-backend", 10.0, 51.0, 1 / 8),
        ("dead-backend", 51.0, 52.0, 3 / 32),
        ("dead-backend", 52.0, 53.0, 2 / 32),
        ("dead-backend", 53.0, 54.0, 1 / 32),
    ]


def test_maglev_loses_the_dead_backends_share_of_the_slots() -> None:
    world = plan(backends=3, balancer=LoadBalancerPlan("maglev", table_size=251))
    keys = [backend.key for backend in world.services[0].backends]
    slots = int((maglev_table(keys, 251) == 0).sum())
    found = windows(world, timeline(world, BackendChanged(at(10), "web", "web-0", False)))
    assert seen(found, VIP) == [("dead-backend", 10.0, None, pytest.approx(slots / 251, abs=1e-15))]


def test_with_policy_local_a_dead_backend_is_the_loss_of_its_node_alone() -> None:
    # 8 backends on 4 nodes: n1 has web-0 and web-4; half of n1's quarter
    world = plan(policy="Local")
    found = windows(world, timeline(world, BackendChanged(at(10), "web", "web-0", False)))
    assert seen(found, VIP) == [("dead-backend", 10.0, None, 1 / 8)]


def test_a_node_that_knows_no_backend_rejects_its_whole_share() -> None:
    world = plan()
    found = windows(world, timeline(world, ViewChanged(at(10), "n1", "web", 1, ())))
    assert seen(found, VIP) == [("no-backend", 10.0, None, 0.25)]


def test_in_a_cold_start_a_prefix_has_no_route_until_it_is_added() -> None:
    peering = PeeringPlan("n1", "tor-1", 90, 30, 120, GracefulRestartPlan(False), (POD_1, VIP))
    world = plan(cold_start=True, peerings=(peering,))
    record = Timeline(Start({}, {"web": pod_names(world)}), world.horizon_us)
    for prefix in (POD_1, VIP):
        record.write(route(12, "n1", "added", prefix))
    found = windows(world, record)
    assert seen(found, POD_1) == seen(found, VIP) == [("no-route", 0.0, 12.0, 1.0)]


def test_a_window_belongs_to_the_latest_fault_that_touches_its_node() -> None:
    world = plan()
    facts = (
        FaultBegan(at(10), "early", "node-down", ("n1",), ()),
        FaultBegan(at(20), "other", "node-down", ("n2",), ()),
        FaultBegan(at(30), "elsewhere", "peer-shutdown", ("n1",), ("tor-2",)),
        PathChanged(at(40), "tor-1", "n1", 1.0),
    )
    found = windows(world, timeline(world, *facts))
    assert {(w.fault, w.since_fault_us) for w in found} == {("early", at(30))}


def test_a_fault_of_the_router_touches_all_its_windows() -> None:
    world = plan()
    facts = FaultBegan(at(10), 0, "router-down", (), ("tor-1",)), PathChanged(at(10), "tor-1", "n3", 1.0)
    assert {w.fault for w in windows(world, timeline(world, *facts))} == {0}


def test_all_windows_of_an_outage_have_the_fault_of_the_first() -> None:
    world = plan()
    facts = (
        FaultBegan(at(10), 0, "node-down", ("n1",), ()),
        ForwardingChanged(at(10), "n1", False),
        FaultBegan(at(20), 1, "node-down", ("n2",), ()),
        ForwardingChanged(at(20), "n2", False),
    )
    found = [w for w in windows(world, timeline(world, *facts)) if w.prefix == VIP]
    assert [(w.fault, w.since_fault_us, w.share) for w in found] == [(0, 0, 0.25), (0, at(10), 0.5)]


def test_a_window_without_any_fault_has_none() -> None:
    world = plan()
    found = windows(world, timeline(world, PathChanged(at(40), "tor-1", "n1", 1.0)))
    assert {(w.fault, w.since_fault_us) for w in found} == {(None, None)}


def test_views_that_change_node_by_node_cost_what_changes_not_nodes_times_changes() -> None:
    # 4 000 changes at 4 000 next hops; looking at all next hops at each change took over 10 s
    world = plan(node_count=4000, backends=8)
    left = pod_names(world)[1:]
    views = [ViewChanged(at(50) + i, f"n{i + 1}", "web", 1, left) for i in range(4000)]
    record = timeline(world, BackendChanged(at(10), "web", "web-0", False), *views)
    began_s = process_time()
    found = windows(world, record)
    assert process_time() - began_s < 3
    assert [len(found), found[-1].end_us] == [4000, at(50) + 3999]


NODES = ("n1", "n2", "n3")
PODS = ("web-0", "web-1", "web-2", "web-3")
MOMENTS = st.integers(0, 20)
PREFIXES = st.sampled_from([VIP, POD_1])


def any_facts() -> st.SearchStrategy[list[Fact]]:
    name = st.sampled_from(NODES)
    views = st.sets(st.sampled_from(PODS)).map(lambda pods: tuple(sorted(pods)))
    events = st.sampled_from(["added", "withdrawn", "stale", "refreshed"])
    one: st.SearchStrategy[Any] = st.one_of(
        st.builds(RouteChanged, MOMENTS, st.just("tor-1"), st.just(VIP), name, events),
        st.builds(RouteChanged, MOMENTS, st.just("tor-1"), st.just(POD_1), st.just("n1"), events),
        st.builds(PathChanged, MOMENTS, st.just("tor-1"), name, st.sampled_from([0.0, 0.25, 1.0])),
        st.builds(NeighbourChanged, MOMENTS, st.just("tor-1"), name, st.booleans()),
        st.builds(ForwardingChanged, MOMENTS, name, st.booleans()),
        st.builds(ConntrackLost, MOMENTS, name),
        st.builds(BackendChanged, MOMENTS, st.just("web"), st.sampled_from(PODS), st.booleans()),
        st.builds(ViewChanged, MOMENTS, name, st.just("web"), st.just(1), views),
    )
    return st.lists(one, max_size=14)


class Snapshot:
    """What holds at one instant, by replaying every fact up to it; three equal members, modulo."""

    def __init__(self, facts: list[Fact], time_us: int) -> None:
        self.members = {VIP: set(NODES), POD_1: {"n1"}}
        self.lost = dict.fromkeys(NODES, 0.0)
        self.unreachable: set[str] = set()
        self.dark: set[str] = set()
        self.dead: set[str] = set()
        self.views = dict.fromkeys(NODES, PODS)
        for fact in sorted(facts, key=lambda fact: fact.time_us):
            if fact.time_us <= time_us:
                self.take(fact)

    def take(self, fact: Any) -> None:
        match fact:
            case RouteChanged(event="added"):
                self.members[fact.prefix].add(fact.node)
            case RouteChanged(event="withdrawn"):
                self.members[fact.prefix].discard(fact.node)
            case PathChanged():
                self.lost[fact.node] = fact.lost_share
            case NeighbourChanged():
                (self.unreachable.discard if fact.reachable else self.unreachable.add)(fact.node)
            case ForwardingChanged():
                (self.dark.discard if fact.up else self.dark.add)(fact.node)
            case BackendChanged():
                (self.dead.discard if fact.alive else self.dead.add)(fact.backend)
            case ViewChanged():
                self.views[fact.node] = fact.backends

    def hole(self, prefix: str) -> tuple[int, float]:
        """The place of the cause in the packet's way, and the share; place 5: none."""
        members = self.members[prefix]
        if not members:
            return 0, 1.0
        losses = [self.loss(node, prefix) for node in self.receivers(sorted(members))]
        return min(place for place, _ in losses), sum(fraction for _, fraction in losses) / len(members)

    def receivers(self, members: list[str]) -> list[str]:
        """Who gets each member's flows: the first in turn that resolves, itself if none does."""
        turns = [members[place:] + members[:place] for place in range(len(members))]
        return [next((node for node in turn if node not in self.unreachable), turn[0]) for turn in turns]

    def loss(self, node: str, prefix: str) -> tuple[int, float]:
        place, fraction = self.at_node(node, prefix)
        lost = self.lost[node]
        return (1, lost + (1 - lost) * fraction) if lost else (place, fraction)

    def at_node(self, node: str, prefix: str) -> tuple[int, float]:
        if node in self.dark:
            return 2, 1.0
        if prefix == VIP and not self.views[node]:
            return 4, 1.0
        picks_dead = [pod for pod in self.views[node] if pod in self.dead] if prefix == VIP else []
        return (3, len(picks_dead) / len(self.views[node])) if picks_dead else (5, 0.0)


CAUSES = ["no-route", "link", "dead-next-hop", "dead-backend", "no-backend"]


@settings(max_examples=200, deadline=None)
@given(any_facts())
def test_windows_cover_what_a_replay_sees_at_every_instant(facts: list[Fact]) -> None:
    world = plan(node_count=3, backends=4, hash="modulo", horizon_s=25e-6)
    found = windows(world, timeline(world, *facts))
    for time_us in range(25):
        now = Snapshot(facts, time_us)
        for prefix in (VIP, POD_1):
            place, share = now.hole(prefix)
            here = [w for w in found if w.prefix == prefix and w.start_us <= time_us < w.start_us + w.duration_us]
            assert [w.cause for w in here] == CAUSES[place : place + 1]
            assert [w.share for w in here] == [pytest.approx(share, abs=1e-9)] * len(here)


@settings(max_examples=100, deadline=None)
@given(any_facts())
def test_windows_follow_each_other_and_touch_only_within_an_outage(facts: list[Fact]) -> None:
    world = plan(node_count=3, backends=4, horizon_s=25e-6)
    found = windows(world, timeline(world, *facts))
    for prefix in (VIP, POD_1):
        own = [w for w in found if w.prefix == prefix]
        assert all(w.duration_us > 0 for w in own)
        for earlier, later in pairwise(own):
            assert earlier.end_us is not None
            gap_us = later.start_us - earlier.end_us
            assert gap_us >= 0
            assert later.outage - earlier.outage == (gap_us > 0)
            assert gap_us > 0 or (earlier.cause, earlier.share) != (later.cause, later.share)
