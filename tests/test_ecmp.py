"""Next-hop groups: RFC 2992, the kernel's bounds, modulo."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbgp.traffic.ecmp import HashThreshold, Modulo, next_hop_group

FLOWS = 200_000
HASHES = np.random.Generator(np.random.Philox(5)).integers(0, 2**32, FLOWS, dtype=np.uint32)
EVERY_MEMBER = [(count, k) for count in range(2, 17) for k in range(1, count + 1)]


def rfc2992(count: int, k: int) -> Fraction:
    """Share of the flows that change when member ``k`` (from 1) of ``count`` leaves: RFC 2992 §2.2."""
    return Fraction((k - 1) * k + (count - k) * (count - k + 1), 2 * count * (count - 1))


def survivors(count: int, k: int) -> np.ndarray:
    return np.delete(np.arange(count), k - 1)


def moved(kind: str, count: int, k: int) -> float:
    before = next_hop_group(kind, (1,) * count).owners(HASHES)  # type: ignore[arg-type]
    after = survivors(count, k)[next_hop_group(kind, (1,) * (count - 1)).owners(HASHES)]  # type: ignore[arg-type]
    return float(np.mean(before != after))


def overlap(count: int, k: int) -> Fraction:
    """Share of the hash space that keeps its owner, from the bounds alone."""
    before = [-1, *HashThreshold((1,) * count).bounds.tolist()]
    after = [-1, *HashThreshold((1,) * (count - 1)).bounds.tolist()]
    common = 0
    for place, member in enumerate(survivors(count, k).tolist()):
        common += max(0, min(before[member + 1], after[place + 1]) - max(before[member], after[place]))
    return Fraction(common, 2**31)


@pytest.mark.parametrize(
    ("weights", "bounds"),
    [
        ((1, 1), [1073741823, 2147483647]),
        ((1, 1, 1), [715827882, 1431655764, 2147483647]),
        ((1, 1, 1, 1), [536870911, 1073741823, 1610612735, 2147483647]),
        ((1, 2, 1), [536870911, 1610612735, 2147483647]),
    ],
)
def test_the_bounds_are_the_kernels(weights: tuple[int, ...], bounds: list[int]) -> None:
    assert HashThreshold(weights).bounds.tolist() == bounds


def test_a_hash_on_the_bound_belongs_to_the_lower_region() -> None:
    # 31 bits: hash >> 1 = 1073741823 is the last of the first half, 1073741824 the first of the second
    hashes = np.array([2 * 1073741823 + 1, 2 * 1073741824], dtype=np.uint32)
    assert HashThreshold((1, 1)).owners(hashes).tolist() == [0, 1]


@pytest.mark.parametrize(("count", "k"), EVERY_MEMBER)
def test_losing_a_member_moves_the_fraction_of_rfc_2992(count: int, k: int) -> None:
    # each of 2N-1 bounds is rounded by at most half a unit of 2^-31
    assert abs(1 - overlap(count, k) - rfc2992(count, k)) <= Fraction(2 * count, 2**31)


@pytest.mark.parametrize(("count", "k"), EVERY_MEMBER)
def test_flows_move_as_rfc_2992_says(count: int, k: int) -> None:
    expected = float(rfc2992(count, k))
    assert abs(moved("hash-threshold", count, k) - expected) <= 4 * (expected * (1 - expected) / FLOWS) ** 0.5


@pytest.mark.parametrize(("count", "k"), EVERY_MEMBER)
def test_modulo_moves_all_but_one_of_n(count: int, k: int) -> None:
    # RFC 2992 §3: (N-1)/N whichever member leaves
    expected = (count - 1) / count
    assert abs(moved("modulo", count, k) - expected) <= 4 * (expected * (1 - expected) / FLOWS) ** 0.5


def test_the_worked_examples_of_rfc_2992() -> None:
    assert (rfc2992(5, 3), rfc2992(5, 4)) == (Fraction(3, 10), Fraction(7, 20))
    assert abs(moved("hash-threshold", 5, 3) - 0.3) < 0.005


def test_shares_are_the_widths_of_the_regions() -> None:
    assert HashThreshold((1, 1, 1, 1)).shares() == (0.25, 0.25, 0.25, 0.25)
    assert HashThreshold((1, 2, 1)).shares() == (0.25, 0.5, 0.25)
    # thirds: 715827883, 715827882 and 715827883 of 2^31
    assert HashThreshold((1, 1, 1)).shares() == (715827883 / 2**31, 715827882 / 2**31, 715827883 / 2**31)


def test_modulo_shares_give_the_first_remainders_one_hash_more() -> None:
    # 2^32 = 3 * 1431655765 + 1
    assert Modulo((1, 1, 1)).shares() == (1431655766 / 2**32, 1431655765 / 2**32, 1431655765 / 2**32)
    assert Modulo((3, 1)).shares() == (0.75, 0.25)


@given(st.sampled_from(["hash-threshold", "modulo"]), st.lists(st.integers(1, 9), min_size=1, max_size=40))
def test_every_hash_has_one_owner_and_shares_sum_to_one(kind: str, weights: list[int]) -> None:
    group = next_hop_group(kind, tuple(weights))  # type: ignore[arg-type]
    owned = np.bincount(group.owners(HASHES[:2000]), minlength=len(weights))
    assert len(owned) == len(weights)
    assert sum(map(Fraction, group.shares())) == 1


@given(st.lists(st.integers(1, 9), min_size=2, max_size=8))
def test_flows_fall_by_the_shares(weights: list[int]) -> None:
    group = HashThreshold(tuple(weights))
    owned = np.bincount(group.owners(HASHES), minlength=len(weights)) / FLOWS
    sigma = np.sqrt(np.array(group.shares()) / FLOWS)
    assert (np.abs(owned - group.shares()) < 6 * sigma).all()
