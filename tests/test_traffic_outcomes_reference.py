"""The vectorised outcomes equal those of a packet-by-packet reference, whatever happens."""

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from traffic_reference import Client
from traffic_worlds import LOSSES, VIP, clients, path, plan, timeline

from simbgp.profiles import Law
from simbgp.scenario.plan import LoadBalancerPlan
from simbgp.timeline import (
    BackendChanged,
    ConntrackLost,
    Fact,
    ForwardingChanged,
    NeighbourChanged,
    RouteChanged,
    ViewChanged,
)
from simbgp.traffic import outcomes
from simbgp.traffic.datapath import Datapath
from simbgp.traffic.flows import counts, draw
from simbgp.traffic.history import History

NODES = [f"n{i}" for i in (1, 2, 3)]
PODS = [f"web-{i}" for i in range(4)]
MOMENTS = st.integers(0, 59).map(lambda half: half * 500_000)
NAMES = st.sampled_from(NODES)


def facts() -> st.SearchStrategy[list[Fact]]:
    views = st.sets(st.sampled_from(PODS)).map(lambda names: tuple(sorted(names)))
    one: st.SearchStrategy[Any] = st.one_of(
        st.builds(
            RouteChanged, MOMENTS, st.just("tor-1"), st.just(VIP), NAMES, st.sampled_from(["added", "withdrawn"])
        ),
        st.builds(
            path, MOMENTS, st.just("tor-1"), NAMES, st.sampled_from(LOSSES), st.sampled_from(LOSSES), st.booleans()
        ),
        st.builds(NeighbourChanged, MOMENTS, st.just("tor-1"), NAMES, st.booleans()),
        st.builds(ForwardingChanged, MOMENTS, NAMES, st.booleans()),
        st.builds(ConntrackLost, MOMENTS, NAMES),
        st.builds(BackendChanged, MOMENTS, st.just("web"), st.sampled_from(PODS), st.booleans()),
        st.builds(ViewChanged, MOMENTS, NAMES, st.just("web"), st.just(1), views),
    )
    return st.lists(one, max_size=12)


@settings(max_examples=300, deadline=None)
@given(
    facts(),
    st.sampled_from(["Cluster", "Local"]),
    st.sampled_from(["random", "maglev"]),
    st.sampled_from(["snat", "dsr"]),
    st.sampled_from(["hash-threshold", "modulo"]),
)
def test_every_connection_ends_as_it_does_packet_by_packet(
    happened: list[Fact], policy: str, algorithm: Any, mode: Any, hash: str
) -> None:
    traffic = clients(8, 0.5, 0.7, lifetime=Law("uniform", (1.0, 40.0)))
    balancer = LoadBalancerPlan(algorithm, mode, table_size=251)
    world = plan(node_count=3, backends=4, policy=policy, hash=hash, balancer=balancer, traffic=traffic, horizon_s=30.0)
    record = timeline(world, *happened)
    until_us = Datapath(world, History(world, record), "tor-1", VIP, world.services[0]).disturbed_until(
        world.horizon_us
    )
    row = outcomes(world, record, 1, 0)[0]
    expected: Counter[str] = Counter()
    if until_us is not None:
        many = counts(traffic, (0, world.horizon_us), [1.0], 1, 0)
        flows = draw(traffic, f"tor-1/{VIP}", many.open[0], many.arriving[0], until_us, (0, world.horizon_us), 1, 0)
        for columns in zip(flows.keys, flows.dialled_us, flows.phases_us, flows.lives_us, strict=True):
            client = Client(world, record, *(int(column) for column in columns))
            fate = client.live()
            expected[fate] += 1
            expected["moved"] += client.moves(fate)
            expected["waited_us"] += max(client.waits, default=0) * (fate == "delayed")
            expected["dialled_us"] += client.connect_delay_us * (fate == "delayed")
    expected["unaffected"] = row.total - sum(expected[f] for f in ("delayed", "reset", "timed_out", "not_opened"))
    for name in ("unaffected", "delayed", "reset", "timed_out", "not_opened", "moved"):
        assert getattr(row, name) == expected[name], name
    assert round(row.delay_s.sum() * 1e6) == expected["waited_us"]
    assert round(row.connect_delay_s.sum() * 1e6) == expected["dialled_us"]
