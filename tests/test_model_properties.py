"""What must hold in every run, over random clusters and overlapping faults."""

from collections import defaultdict
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import cluster, fault, play

from simbgp.model.faults import KINDS
from simbgp.profiles import router, router_names, speaker, speaker_names
from simbgp.scenario.plan import GracefulRestartPlan
from simbgp.timeline import RouteChanged, SessionChanged

times = st.floats(0, 300, allow_nan=False).map(lambda s: round(s, 3))
faults = st.builds(
    fault,
    kind=st.sampled_from(sorted(KINDS)),
    down_s=st.none() | times,
    at_s=times,
    node=st.sampled_from(["worker-1", "worker-2"]),
    routers=st.sampled_from([(), ("tor-1",), ("tor-2",)]),
    options=st.sampled_from(
        [{}, {"direction": "to-node"}, {"direction": "to-router"}, {"host": "refusing"}, {"how": "stop"}]
    ),
)
routers = st.builds(
    lambda name, helps_long: replace(router(name), long_lived=helps_long or router(name).long_lived),
    st.sampled_from(router_names()),
    st.booleans(),
)
plans = st.builds(
    cluster,
    routers=st.tuples(*[routers] * 2),
    speaker=st.sampled_from([speaker(name) for name in speaker_names()]),
    timers=st.sampled_from([(90, 30), (9, 3), (3, 1)]),
    restart=st.builds(
        GracefulRestartPlan,
        st.booleans(),
        st.sampled_from([5, 15, 120]),
        notification=st.booleans(),
        restart_bit=st.booleans(),
        long_lived_s=st.sampled_from([0, 7, 60]),
    ),
    agent_s=st.sampled_from([0.0, 8.0]),
    node_s=st.sampled_from([0.0, 60.0]),
    horizon_s=st.just(600.0),
    cold=st.booleans(),
)
runs = st.tuples(plans, st.lists(faults, min_size=1, max_size=5), st.integers(0, 2**32))


@settings(max_examples=150, deadline=None)
@given(runs)
def test_every_end_of_a_session_moves_from_the_state_it_was_in(run):
    plan, happened, seed = run
    states = defaultdict(lambda: None)
    for fact in play(plan, *happened, seed=seed).of(SessionChanged):
        end = fact.router, fact.node, fact.side
        assert states[end] in (None, fact.from_state)
        assert fact.from_state != fact.to_state
        states[end] = fact.to_state


@settings(max_examples=150, deadline=None)
@given(runs)
def test_a_path_enters_and_leaves_the_fib_by_turns(run):
    plan, happened, seed = run
    installed = defaultdict(lambda: not plan.cold_start)
    for fact in play(plan, *happened, seed=seed).of(RouteChanged):
        if fact.event in ("added", "withdrawn"):
            path = fact.router, fact.node, fact.prefix
            assert installed[path] == (fact.event == "withdrawn")
            installed[path] = fact.event == "added"


@settings(max_examples=100, deadline=None)
@given(runs)
def test_the_same_seed_gives_the_same_timeline(run):
    plan, happened, seed = run
    assert list(play(plan, *happened, seed=seed)) == list(play(plan, *happened, seed=seed))


@settings(max_examples=100, deadline=None)
@given(runs, st.integers(1, 599))
def test_a_run_cut_short_by_the_horizon_is_a_prefix_of_the_longer_one(run, cut_s):
    plan, happened, seed = run
    happened = [f for f in happened if f.at_us < cut_s * 1_000_000]
    short = list(play(replace(plan, horizon_us=cut_s * 1_000_000), *happened, seed=seed))
    assert short == list(play(plan, *happened, seed=seed))[: len(short)]
    assert all(fact.time_us < cut_s * 1_000_000 for fact in short)


@settings(max_examples=100, deadline=None)
@given(runs, faults.filter(lambda f: f.nodes == ("worker-1",)))
def test_a_fault_at_one_node_shifts_no_draw_of_another(run, other):
    """Common random numbers: worker-2's luck does not depend on what befalls worker-1."""
    plan, happened, seed = run
    mine = [f for f in happened if f.nodes == ("worker-2",)]
    alone = play(plan, *mine, seed=seed).of(SessionChanged)
    with_other = play(plan, *mine, other, seed=seed).of(SessionChanged)
    assert [f for f in alone if f.node == "worker-2"] == [f for f in with_other if f.node == "worker-2"]
