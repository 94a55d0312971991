"""What is looked up for many connections at once is what a plain look-up of each would give."""

from bisect import bisect_left

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbgp.traffic.attempts import Attempts
from simbgp.traffic.ecmp import HashThreshold
from simbgp.traffic.lookup import FEW, Lookup, how_many_reached

WORDS = st.integers(0, 2**32 - 1)


@given(st.lists(st.integers(-1, 9), max_size=2 * FEW), st.lists(st.integers(-2, 10), min_size=1))
def test_bounds_reached_are_those_that_a_search_finds(bounds, values):
    bounds.sort()
    found = how_many_reached(np.array(bounds, dtype=np.int64), np.array(values))
    assert found.tolist() == [sum(bound <= value for bound in bounds) for value in values]


def test_a_place_that_is_none_has_its_own_value():
    table = Lookup(np.array([[1, 2], [3, 4]]), 9)
    assert table.at(np.array([0, 0, 1, 1]), np.array([-1, 1, 0, -1])).tolist() == [9, 2, 3, 9]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=2 * FEW).filter(any), st.lists(WORDS, min_size=1))
def test_a_hash_belongs_to_the_first_region_whose_bound_is_not_below_its_upper_31_bits(weights, hashes):
    group = HashThreshold(tuple(weights))
    bounds = group.bounds.tolist()
    edges = [edge for bound in bounds for edge in (2 * bound + 1, 2 * bound + 2) if 0 <= edge < 2**32]
    asked = [*hashes, *edges]
    expected = [next(place for place, bound in enumerate(bounds) if bound >= asked_for >> 1) for asked_for in asked]
    assert group.owners(np.array(asked, dtype=np.uint32)).tolist() == expected


@pytest.mark.parametrize(
    ("turn", "stuck_s", "expected"),
    [
        (-1, -1, 0),  # the first attempt is made at once
        (0, -1, 1),  # what may have changed at any time is tried at the next
        (0, 3, 2),  # 1 s: still the same until before 3 s; the attempt at 3 s meets something else
        (0, 3.000001, 3),
        (0, 99, 3),  # the horizon is at 6 s: of the attempts after it, at 7 s, the first tells what happens
        (3, 99, None),  # and no other; one at 15 s is beyond the limit of 10 s
    ],
)
def test_the_next_attempt_is_the_first_that_may_meet_something_else(turn, stuck_s, expected):
    attempts = Attempts((0, 1_000_000, 3_000_000, 7_000_000, 15_000_000), 10_000_000, 6_000_000)
    rows, turns = attempts.after(np.array([turn]), np.array([0]), np.array([round(stuck_s * 1e6)]))
    assert (rows.tolist(), turns.tolist()) == (([], []) if expected is None else ([0], [expected]))


def test_a_table_of_the_upper_16_bits_finds_the_regions_of_many_hashes():
    """300 members for 200 000 hashes: the bounds are 2^31 i / 300, rounded, less 1; the upper 31 bits decide."""
    bounds = [(2**31 * (i + 1) + 150) // 300 - 1 for i in range(300)]
    hashes = np.random.Generator(np.random.Philox(5)).integers(0, 2**32, 200_000, dtype=np.uint32)
    hashes[:600] = [edge for bound in bounds for edge in (2 * bound + 1, (2 * bound + 2) % 2**32)]
    expected = [bisect_left(bounds, word >> 1) for word in hashes.tolist()]
    assert HashThreshold((1,) * 300).owners(hashes).tolist() == expected
