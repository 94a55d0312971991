"""Connections that meet nothing are left out before they are played, and nobody can tell."""

from pathlib import Path

import numpy as np
import pytest

import simbgp
from simbgp.study.replay import timeline
from simbgp.timeline import RouteChanged, ViewChanged
from simbgp.traffic import History, outcomes, populations
from simbgp.traffic.datapath import Datapath
from simbgp.traffic.flows import Flows
from simbgp.traffic.steps import NEVER_US, START_US
from simbgp.traffic.touched import Calm, only_touched

SCENARIOS = Path(__file__).parents[1] / "scenarios"
LOSS = [{"at": "60s", "kind": "link-loss", "node": "worker-1", "share": 0.3, "downFor": "60s"}]


def scenario(name, **changes):
    return simbgp.load(SCENARIOS / f"{name}.yaml").with_(**changes)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("node-down", {}),
        ("node-down-gr", {"faults": LOSS}),
        ("agent-crash", {}),
        ("guide-drain-orders", {}),
        ("regression-dsr-silence", {}),
    ],
)
def test_outcomes_are_those_of_playing_everybody(name, changes, monkeypatch):
    plan = scenario(name, **changes).plan()
    happened = timeline(plan, 0, 1)
    found = outcomes(plan, happened, 0, 1)
    monkeypatch.setattr(populations, "only_touched", lambda path, calm, flows: flows)
    everybody = outcomes(plan, happened, 0, 1)
    assert len(found) == len(everybody)
    for one, other in zip(found, everybody, strict=True):
        for field in type(one).__slots__:
            assert np.array_equal(getattr(one, field), getattr(other, field)), field
    assert found[0].moved or found[0].unaffected < found[0].total  # there is something to tell apart


def path_of(plan):
    happened = timeline(plan, 0, 0)
    history = History(plan, happened)
    return Datapath(plan, history, "tor-1", plan.services[0].prefixes[0], history.services[0])


def flow(key, dialled_s, lives_s):
    """One connection; a key below 2^62 is of the first of four equal nodes, whose region ends at 2^31 - 1 >> 2."""
    dialled_us = -1 if dialled_s is None else round(dialled_s * 1e6)
    parts = np.array([key], dtype=np.uint64), *(np.array([n]) for n in (dialled_us, 0, round(lives_s * 1e6)))
    return Flows(*parts)


@pytest.mark.parametrize(
    ("key", "dialled_s", "lives_s", "touched"),
    [
        (2**61, 10, 49.999999, False),  # to worker-1, which dies at 60 s: the last request at 59.999999 s
        (2**61, 10, 50, True),  # at 60 s
        (2**61, None, 59.999999, False),  # open since before time 0
        (2**61, None, 60, True),
        (2**61, 60, 0, True),  # dials the dead node
    ],
)
def test_a_connection_of_the_node_that_dies_is_touched_from_then_on(key, dialled_s, lives_s, touched):
    path = path_of(scenario("node-down").plan())
    assert path.ways.nodes[0] == "worker-1"
    assert path.times[1] == 60_000_000
    assert len(only_touched(path, Calm(path), flow(key, dialled_s, lives_s))) == touched


def test_nobody_is_touched_where_routes_are_kept():
    """Graceful restart keeps the next hops of an agent that is away, and the kernel forwards."""
    path = path_of(scenario("agent-crash-gr").plan())
    assert not any(len(only_touched(path, Calm(path), flow(place * 2**60, None, 600))) for place in range(16))


def test_nobody_who_dials_after_the_hole_is_drawn_though_pods_return_later():
    plan = scenario("node-down").plan()
    happened = timeline(plan, 0, 0)
    path, gone = path_of(plan), [fact.time_us for fact in happened.of(RouteChanged) if fact.event == "withdrawn"]
    assert Calm(path).newcomers_us == max(gone)  # the router forwards to the living alone, and these pick the living
    assert path.disturbed_until(plan.horizon_us) == max(fact.time_us for fact in happened.of(ViewChanged))


def test_after_a_loss_that_hurts_nobody_no_moment_is_unsafe():
    assert Calm(path_of(scenario("agent-crash-gr").plan())).newcomers_us == START_US


def test_with_a_hole_for_good_everybody_is_unsafe():
    plan = scenario("node-down", faults=[{"at": "60s", "kind": "backends-down", "service": "web"}]).plan()
    assert Calm(path_of(plan)).newcomers_us == NEVER_US


def test_where_nobody_can_be_touched_nobody_is_drawn(monkeypatch):
    plan = scenario("agent-crash-gr").plan()
    happened = timeline(plan, 0, 0)
    monkeypatch.setattr(populations, "draw", None)  # calling it fails
    row = outcomes(plan, happened, 0, 0)[0]
    assert row.unaffected == row.total > 0
