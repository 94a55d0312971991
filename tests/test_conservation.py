"""Conserved in every run, over random clusters, profiles, timers and overlapping faults of every kind.

An example that fails is printed as a scenario file with the command that plays it.
"""

import conserved
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from scenario_strategies import FAULTS, clusters, one_of, played, read, restarts, scenarios, seeds, timers

from simbgp.model.faults import KINDS
from simbgp.scenario import loads


def test_faults_of_every_kind_are_drawn():
    joins = {"service-add", "node-join"}  # what they add is not there at the start; tests/test_newcomers.py
    assert set(FAULTS) == set(KINDS) - joins


@settings(max_examples=60, deadline=None)
@given(scenarios, seeds)
def test_connections_buckets_routes_and_time_are_conserved(data, seed):
    run = played(data, seed)
    for law in conserved.LAWS:
        law(run)


@settings(max_examples=40, deadline=None)
@given(scenarios, seeds, st.integers(1, 399))
def test_a_run_cut_in_two_by_the_horizon_equals_its_prefix(data, seed, cut_s):
    """Faults, drawn moments and all: what happened before the cut does not know of it."""
    data = {**data, "faults": [fault for fault in data["faults"] if float(fault["at"].rstrip("s")) < cut_s]}
    whole = list(played(data, seed).timeline)
    short = list(played({**data, "horizon": f"{cut_s}s"}, seed).timeline)
    assert short == [fact for fact in whole if fact.time_us < cut_s * 1_000_000]


def test_what_fails_is_printed_as_a_file_that_can_be_run():
    @settings(max_examples=5, deadline=None, database=None, print_blob=False, phases=[Phase.generate])
    @given(scenarios, seeds)
    def fails(data, seed):
        read(data, seed)
        raise AssertionError("as asked")

    with pytest.raises(AssertionError) as caught:
        fails()
    [text] = [said for said in caught.value.__notes__ if said.startswith("# simbgp run FILE")]
    assert "--runs 1 --seed 0" in text.splitlines()[0]
    assert loads(text).plan().routers


class Operations(RuleBasedStateMachine):
    """A cluster to which things happen one after the other; after each step the whole run is conserved."""

    @initialize(data=scenarios, seed=seeds)
    def begin(self, data, seed):
        self.data, self.seed = {**data, "faults": []}, seed

    @rule(fault=one_of(FAULTS))
    def breaks(self, fault):
        self.data["faults"] = [*self.data["faults"], fault]

    @rule(timers=timers, restart=restarts)
    def tunes(self, timers, restart):
        self.data["cluster"] = {**self.data["cluster"], "timers": timers, "gracefulRestart": restart}

    @rule(cluster=clusters)
    def upgrades(self, cluster):
        self.data["cluster"] = cluster

    @rule(backends=st.integers(1, 6), policy=st.sampled_from(["Cluster", "Local"]))
    def scales(self, backends, policy):
        service = {**self.data["services"][0], "backends": backends, "externalTrafficPolicy": policy}
        self.data["services"] = [service]

    @invariant()
    def conserves(self):
        if getattr(self, "data", None) is None:
            return
        run = played(self.data, self.seed)
        for law in conserved.LAWS:
            law(run)


Operations.TestCase.settings = settings(max_examples=12, stateful_step_count=6, deadline=None)
TestOperations = Operations.TestCase
