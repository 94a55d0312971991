"""Load on the nodes, and the order in which next hops stand in a group."""

from traffic_worlds import SECOND, VIP, plan, timeline

from simbgp.scenario.plan import ServicePlan
from simbgp.timeline import NeighbourChanged, RouteChanged, Start, Timeline
from simbgp.traffic import LoadRow, load
from simbgp.traffic.history import History

SECOND_VIP = "192.0.2.11/32"


def row(seconds: int, node: str, share: float) -> LoadRow:
    return LoadRow(seconds * SECOND, "tor-1", node, share)


def route(seconds: int, node: str, event: str, prefix: str = VIP) -> RouteChanged:
    return RouteChanged(seconds * SECOND, "tor-1", prefix, node, event)  # type: ignore[arg-type]


def test_the_initial_shares_are_rows_of_time_0() -> None:
    world = plan()
    assert load(world, timeline(world)) == [row(0, f"n{i}", 0.25) for i in (1, 2, 3, 4)]


def test_a_withdrawal_gives_survivors_the_share_of_the_lost() -> None:
    world = plan(node_count=2)
    rows = load(world, timeline(world, route(60, "n1", "withdrawn"), route(80, "n1", "added")))
    assert rows[2:] == [row(60, "n1", 0.0), row(60, "n2", 1.0), row(80, "n1", 0.5), row(80, "n2", 0.5)]


def test_service_prefixes_weigh_equally() -> None:
    # the first VIP on both nodes, the second on n2 alone: n1 gets 1/4, n2 1/4 + 1/2
    world = plan(node_count=2)
    one = world.services[0]
    world = plan(node_count=2, services=(one, ServicePlan("api", (SECOND_VIP,), "Cluster", one.backends)))
    record = Timeline(Start({"tor-1": {VIP: ("n1", "n2"), SECOND_VIP: ("n2",)}}), world.horizon_us)
    assert load(world, record) == [row(0, "n1", 0.25), row(0, "n2", 0.75)]


def test_while_a_prefix_has_no_next_hop_nobody_gets_its_share() -> None:
    world = plan(node_count=1)
    rows = load(world, timeline(world, route(60, "n1", "withdrawn")))
    assert rows == [row(0, "n1", 1.0), row(60, "n1", 0.0)]


def test_weights_of_nodes_are_weights_of_next_hops() -> None:
    world = plan(node_count=3, weights=(2, 1, 1))
    assert [item.share for item in load(world, timeline(world))] == [0.5, 0.25, 0.25]


def test_a_failed_neighbours_share_is_that_of_the_next_until_the_routes_change() -> None:
    world = plan()
    failed = NeighbourChanged(60 * SECOND, "tor-1", "n4", False)
    rows = load(world, timeline(world, failed, route(90, "n4", "withdrawn")))[4:]
    assert rows[:2] == [row(60, "n1", 0.5), row(60, "n4", 0.0)]
    assert [(item.node, round(item.share, 6)) for item in rows[2:]] == [(n, 0.333333) for n in ("n1", "n2", "n3")]


def members(*facts: RouteChanged, start: tuple[str, ...]) -> tuple[str, ...]:
    world = plan(node_count=12)
    record = Timeline(Start({"tor-1": {VIP: start}}), world.horizon_us)
    for fact in facts:
        record.write(fact)
    return History(world, record).next_hops("tor-1", VIP).last


def test_a_returned_next_hop_takes_its_old_place() -> None:
    facts = route(60, "n2", "withdrawn"), route(80, "n2", "added")
    assert members(*facts, start=("n3", "n2", "n1")) == ("n3", "n2", "n1")


def test_new_next_hops_stand_by_address_as_a_number() -> None:
    # 10.0.0.2 before 10.0.0.10, which text would put the other way round
    facts = [route(60, node, "added") for node in ("n10", "n2", "n1")]
    assert members(*facts, start=("n3",)) == ("n1", "n2", "n3", "n10")
