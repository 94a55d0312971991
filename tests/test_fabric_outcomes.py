"""Connections over two tiers: packet by packet, conserved, and moved only where they reach another node."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traffic_reference import Client
from traffic_worlds import LOSSES, SECOND, VIP, clients, links, path, plan, timeline

from simbgp.profiles import Law
from simbgp.scenario.plan import EcmpPlan, LoadBalancerPlan, Plan, SpinePlan
from simbgp.timeline import (
    BackendChanged,
    ConntrackLost,
    Fact,
    FaultBegan,
    ForwardingChanged,
    RouteChanged,
    SpineChanged,
    ViewChanged,
)
from simbgp.traffic import load, outcomes, settled, windows
from simbgp.traffic.datapath import Datapath
from simbgp.traffic.ecmp import next_hop_group
from simbgp.traffic.flowhash import router_hashes
from simbgp.traffic.flows import counts, draw
from simbgp.traffic.history import History

MANY = 20_000
NODES = ["n1", "n2", "n3"]
PODS = [f"web-{i}" for i in range(4)]
MOMENTS = st.integers(0, 59).map(lambda half: half * 500_000)
DSR = LoadBalancerPlan("maglev", "dsr", table_size=251)
ROUTERS = st.sampled_from(["tor-1", "tor-2"])
SEEDS = st.sampled_from([0, 1, 7])
LINKS = {
    "no links": (),
    "two links each": links(("n1", "tor-1", "tor-2"), ("n2", "tor-1", "tor-2"), ("n3", "tor-1", "tor-2")),
    "other racks": links(("n1", "tor-1"), ("n2", "tor-3", "tor-4"), ("n3", "tor-2")),
}


def spine(seed: int = 0, hash: Any = "hash-threshold", name: str = "spine-1", **ecmp: Any) -> SpinePlan:
    return SpinePlan(name, ("tor-1", "tor-2"), EcmpPlan(hash, **ecmp), seed)


def two_tiers(*spines: SpinePlan, **made: Any) -> Plan:
    return replace(plan(routers=2, **made), fabric=spines or (spine(),))


def out(at_s: float, router: str = "tor-1", nodes: int = 4, event: Any = "withdrawn") -> list[Fact]:
    return [RouteChanged(round(at_s * SECOND), router, VIP, f"n{i + 1}", event) for i in range(nodes)]


def turns(at_s: float, sends: bool, router: str = "tor-1", name: str = "spine-1") -> SpineChanged:
    return SpineChanged(round(at_s * SECOND), name, VIP, router, sends)


class FabricClient(Client):
    """A connection that enters at spine-1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        path = Datapath(self.plan, self.history, "spine-1", VIP, self.service)
        self.places, self.epochs = path.ways.nodes, path.times

    def hashed(self, seed: int) -> np.ndarray:
        return router_hashes(np.array([self.key], dtype=np.uint64), seed)

    def router(self, at_us: int) -> str | None:
        members = self.history.groups("spine-1", VIP).at(at_us).members
        if not members:
            return None
        upper = self.plan.fabric[0]
        group = next_hop_group(upper.ecmp.hash, (1,) * len(members))
        return members[int(group.owners(self.hashed(upper.hash_seed))[0])]

    def found_owner(self, at_us: int) -> int | None:
        router = self.router(at_us)
        members = self.history.groups(router, VIP).at(at_us).members if router else ()
        if not members:
            return None
        known = next(item for item in self.plan.routers if item.name == router)
        group = next_hop_group(known.ecmp.hash, (1,) * len(members))
        return self.places.index(members[int(group.owners(self.hashed(known.hash_seed))[0])])

    def group_times(self) -> list[int]:
        return self.epochs.tolist()


def happenings() -> st.SearchStrategy[list[Fact]]:
    views = st.sets(st.sampled_from(PODS)).map(lambda names: tuple(sorted(names)))
    names = st.sampled_from(NODES)
    one: st.SearchStrategy[Any] = st.one_of(
        st.builds(SpineChanged, MOMENTS, st.just("spine-1"), st.just(VIP), ROUTERS, st.booleans()),
        st.builds(RouteChanged, MOMENTS, ROUTERS, st.just(VIP), names, st.sampled_from(["added", "withdrawn"])),
        st.builds(path, MOMENTS, ROUTERS, names, st.sampled_from(LOSSES), st.sampled_from(LOSSES), st.booleans()),
        st.builds(ForwardingChanged, MOMENTS, names, st.booleans()),
        st.builds(ConntrackLost, MOMENTS, names),
        st.builds(BackendChanged, MOMENTS, st.just("web"), st.sampled_from(PODS), st.booleans()),
        st.builds(ViewChanged, MOMENTS, names, st.just("web"), st.just(1), views),
    )
    return st.lists(one, max_size=12)


@settings(max_examples=200, deadline=None)
@given(
    happenings(),
    st.sampled_from(["random", "maglev"]),
    st.sampled_from(["snat", "dsr"]),
    st.tuples(st.sampled_from(["hash-threshold", "modulo"]), st.sampled_from(["hash-threshold", "modulo"])),
    SEEDS,
    st.sampled_from(["no links", "two links each", "other racks"]),
)
def test_every_connection_ends_as_it_does_packet_by_packet(
    happened: list[Fact], algorithm: Any, mode: Any, hashes: tuple[str, str], seed: int, links: str
) -> None:
    traffic = clients(8, 0.5, 0.7, lifetime=Law("uniform", (1.0, 40.0)))
    balancer = LoadBalancerPlan(algorithm, mode, table_size=251)
    world = two_tiers(
        spine(seed, hashes[0]),
        node_count=3, backends=4, hash=hashes[1], balancer=balancer, traffic=traffic, horizon_s=30.0,
    )  # fmt: skip
    world = replace(world, peerings=LINKS[links])
    record = timeline(world, *happened)
    until_us = Datapath(world, History(world, record), "spine-1", VIP, world.services[0]).disturbed_until(
        world.horizon_us
    )
    row = outcomes(world, record, 1, 0)[0]
    expected: Counter[str] = Counter()
    if until_us is not None:
        span_us = 0, world.horizon_us
        many = counts(traffic, span_us, [1.0], 1, 0)
        flows = draw(traffic, f"spine-1/{VIP}", many.open[0], many.arriving[0], until_us, span_us, 1, 0)
        for columns in zip(flows.keys, flows.dialled_us, flows.phases_us, flows.lives_us, strict=True):
            client = FabricClient(world, record, *(int(column) for column in columns))
            fate = client.live()
            expected[fate] += 1
            expected["moved"] += client.moves(fate)
            expected["waited_us"] += max(client.waits, default=0) * (fate == "delayed")
    expected["unaffected"] = row.total - sum(expected[f] for f in ("delayed", "reset", "timed_out", "not_opened"))
    for name in ("unaffected", "delayed", "reset", "timed_out", "not_opened", "moved"):
        assert getattr(row, name) == expected[name], name
    assert round(row.delay_s.sum() * 1e6) == expected["waited_us"]


@settings(max_examples=60, deadline=None)
@given(
    happenings(),
    st.sampled_from(["hash-threshold", "modulo", "hrw", "resilient"]),
    st.sampled_from(["hash-threshold", "modulo", "hrw", "resilient"]),
    SEEDS,
)
def test_connections_windows_and_loads_are_conserved(happened: list[Fact], upper: Any, lower: Any, seed: int) -> None:
    spines = spine(seed, upper, idle_s=2.0), spine(3, upper, "spine-2", idle_s=2.0)
    world = two_tiers(*spines, node_count=3, hash=lower, traffic=clients(300, 5.0), horizon_s=30.0)
    record = timeline(world, *happened)
    row = outcomes(world, record, 1, 0)[0]
    assert row.unaffected + row.delayed + row.reset + row.timed_out + row.not_opened == row.total
    ends: dict[tuple[str, str], int] = {}
    for window in windows(world, record, 1, 0):
        assert 0 < window.share <= 1
        assert window.start_us >= ends.get((window.router, window.prefix), 0)
        ends[window.router, window.prefix] = window.start_us + window.duration_us
    shares: dict[str, dict[str, float]] = {}
    for row_of in load(world, record, 1, 0):
        shares.setdefault(row_of.router, {})[row_of.node] = row_of.share
    assert all(sum(of_router.values()) < 1 + 1e-9 for of_router in shares.values())


def test_flows_that_change_routers_but_not_nodes_are_not_moved() -> None:
    # both routers have the same groups and seed, so a flow meets the same node over either of them
    world = two_tiers(spine(1), traffic=clients(MANY))
    row = outcomes(world, timeline(world, *out(60), turns(60.05, False)), 1, 0)[0]
    assert (row.moved, row.reset) == (0, 0)
    # half of them had 50 ms of one second without a way: 1/2 * 0.05, 4 standard errors
    assert row.delayed == pytest.approx(MANY / 40, abs=4 * (MANY * 0.025 * 0.975) ** 0.5)


def test_routers_with_other_seeds_send_them_to_other_nodes() -> None:
    # of the half that changes routers 3 of 4 meet another node: 3/8, and SNAT resets them all
    world = two_tiers(spine(1), traffic=clients(MANY))
    tor_1, tor_2 = world.routers
    world = replace(world, routers=(tor_1, replace(tor_2, hash_seed=2)))
    row = outcomes(world, timeline(world, *out(60), turns(60.05, False)), 1, 0)[0]
    assert row.moved == pytest.approx(MANY * 3 / 8, abs=4 * (MANY * 15 / 64) ** 0.5)
    assert row.reset == row.moved


def test_a_spine_with_nobody_left_loses_what_enters_there_at_the_routers_it_sent_to_last() -> None:
    world = two_tiers(spine(), spine(0, name="spine-2"), traffic=clients(MANY))
    facts = [
        *out(60), turns(60.05, False), turns(60.05, False, name="spine-2"),
        *out(70, "tor-2"), turns(70.05, False, "tor-2"), turns(70.05, False, "tor-2", "spine-2"),
        *out(80, "tor-1", event="added"), turns(80.05, True),  # spine-2 never notices
    ]  # fmt: skip
    found = [w for w in windows(world, timeline(world, *facts)) if w.prefix == VIP]
    assert [(w.router, w.cause, w.start_us, w.end_us, w.share) for w in found] == [
        ("tor-1", "no-route", 60_000_000, 60_050_000, 1.0),
        ("tor-2", "no-route", 70_000_000, None, 1.0),
    ]
    row = outcomes(world, timeline(world, *facts), 1, 0)[0]
    # half enter at spine-2, where nothing is answered from 70 s to the horizon at 600 s: they waited 529 s or more;
    # all others were in the hole of 10.05 s, but for a few whose life of up to 10^7 s ended before (0.14 expected)
    assert row.delayed >= MANY - 3
    assert (row.delay_s > 500).sum() == pytest.approx(MANY / 2, abs=4 * (MANY / 4) ** 0.5)
    assert row.delay_s[row.delay_s < 500].max() < 14


def test_what_goes_astray_at_one_spine_is_a_part_of_what_its_router_gets() -> None:
    # spine-1 stands over tor-1 alone; both spines leave tor-1 at 60.05. At 80 tor-1 is back: spine-2 sends it a half
    # of its traffic at once, spine-1 only at 81. Of tor-1's 1 + 1/2 units 1 is lost meanwhile
    alone = replace(spine(), over=("tor-1",))
    world = two_tiers(alone, spine(1, name="spine-2"))
    facts = [
        *out(60), turns(60.05, False), turns(60.05, False, name="spine-2"),
        *out(80, event="added"), turns(80, True, name="spine-2"), turns(81, True),
    ]  # fmt: skip
    found = [w for w in windows(world, timeline(world, *facts)) if w.prefix == VIP]
    assert [(w.start_us, w.end_us, round(w.share, 9)) for w in found] == [
        (60_000_000, 80_000_000, 1.0),
        (80_000_000, 81_000_000, round(2 / 3, 9)),
    ]
    assert {w.outage for w in found} == {0}


def test_what_a_router_fault_hurts_is_put_down_to_it() -> None:
    world = two_tiers(spine(1), traffic=clients(MANY))
    tor_1, tor_2 = world.routers
    world = replace(world, routers=(tor_1, replace(tor_2, hash_seed=2)))
    began = FaultBegan(60 * SECOND, "down", "router-down", (), ("tor-1",))
    other = FaultBegan(50 * SECOND, "else", "router-restart", (), ("tor-2",))
    whole, _, hurt = outcomes(world, timeline(world, other, began, *out(60), turns(60.05, False)), 1, 0)
    assert (hurt.fault, hurt.moved, hurt.reset, hurt.delayed) == ("down", whole.moved, whole.reset, whole.delayed)


def test_without_a_change_nobody_is_even_drawn() -> None:
    world = two_tiers(traffic=clients(MANY))
    record = timeline(world)
    assert (
        Datapath(world, History(world, record), "spine-1", VIP, world.services[0]).disturbed_until(600 * SECOND) is None
    )
    assert outcomes(world, record, 1, 0)[0].unaffected == MANY


@pytest.mark.parametrize(
    ("routers", "connections", "buckets"),
    [
        (3, MANY, 0),  # over 128 buckets, each every second: all are busy
        (3, 0, 43),  # all are idle, and a third of 128 is wanted
        (2, MANY, 64),  # a group of one member is not looked up, so its buckets are idle whatever it sends
    ],
)
def test_a_resilient_spine_gives_a_router_that_returns_only_idle_buckets(
    routers: int, connections: int, buckets: int
) -> None:
    below = plan(routers=routers, balancer=DSR, traffic=clients(connections) if connections else None)
    upper = SpinePlan("spine-1", tuple(router.name for router in below.routers), EcmpPlan("resilient"), 1)
    world = replace(below, fabric=(upper,))
    record = timeline(world, *out(60), turns(60.05, False), *out(300, event="added"), turns(300.05, True))
    assert settled(world, record, seed=1).groups("spine-1", VIP).last.buckets_of(0) == buckets


def test_a_resilient_router_below_counts_only_the_packets_that_it_gets() -> None:
    # equal seeds and an idle timer of 10 s: tor-1 gets the lower half of the hashes by hash-threshold, whose low bits
    # fall into all 128 buckets: n1, out and back, stays empty. Once the spine sends nothing to tor-1 all are idle
    world = two_tiers(spine(), balancer=DSR, traffic=clients(MANY), hash="resilient")
    idle = EcmpPlan("resilient", idle_s=10.0)
    world = replace(world, routers=tuple(replace(router, ecmp=idle) for router in world.routers))
    gone = RouteChanged(60 * SECOND, "tor-1", VIP, "n1", "withdrawn")
    back = RouteChanged(90 * SECOND, "tor-1", VIP, "n1", "added")
    busy = settled(world, timeline(world, gone, back), seed=1)
    assert busy.groups("tor-1", VIP).last.buckets_of(0) == 0
    left = settled(world, timeline(world, gone, turns(70, False), back), seed=1)
    assert left.groups("tor-1", VIP).last.buckets_of(0) == 32
