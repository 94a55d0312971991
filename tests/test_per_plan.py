"""What is worked out once for all runs of a plan, and for how many plans it is kept."""

from dataclasses import replace

import numpy as np

from simbgp.scenario import Plan, loads
from simbgp.scenario.per_plan import _MOST, PerPlan
from simbgp.traffic.flows import stream

PLAN = loads("cluster: {nodes: 2}\nrouters: [{name: tor-1, profile: rfc4724, asn: 65000}]\n").plan()


def test_a_plan_is_asked_of_once_and_told_from_an_equal_one() -> None:
    asked: list[Plan] = []
    answer = PerPlan(lambda plan: asked.append(plan) or len(asked))
    twin = replace(PLAN)
    assert twin == PLAN
    assert [answer(PLAN), answer(PLAN), answer(twin), answer(PLAN)] == [1, 1, 2, 1]
    assert [plan is PLAN for plan in asked] == [True, False]


def test_the_oldest_plan_is_forgotten_first_and_no_more_are_kept() -> None:
    answer = PerPlan(lambda plan: object())
    plans = [replace(PLAN) for _ in range(_MOST + 1)]
    first = [answer(plan) for plan in plans[:_MOST]]
    assert [answer(plan) for plan in plans[:_MOST]] == first
    answer(plans[_MOST])
    assert [answer(plan) for plan in plans[1:_MOST]] == first[1:]
    assert answer(plans[0]) is not first[0]
    assert len(answer._known) == _MOST


def test_a_stream_is_philox_with_the_hash_of_its_name_as_the_key() -> None:
    # blake2b("7\x1f3\x1fweb\x1fcounts", 16 bytes) as one big-endian number, by `hashlib` alone
    key = 0x8C7156FE215ABEF70B7799147899563D
    theirs = np.random.Generator(np.random.Philox(key=key))
    ours = stream(7, 3, "web", "counts")
    assert ours.bit_generator.state["state"]["key"].tolist() == [key % 2**64, key >> 64]
    assert (
        ours.integers(0, 2**64, 100, dtype=np.uint64).tolist()
        == theirs.integers(0, 2**64, 100, dtype=np.uint64).tolist()
    )
