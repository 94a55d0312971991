"""Next-hop groups: RFC 2992, the kernel's bounds, modulo."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbgp.traffic.ecmp import HashThreshold, Modulo, Skipping, next_hop_group

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


def test_sizes_are_the_widths_of_the_regions() -> None:
    assert HashThreshold((1, 1, 1, 1)).sizes().tolist() == [2**30] * 4
    assert HashThreshold((1, 2, 1)).sizes().tolist() == [2**30, 2**31, 2**30]
    # thirds: 715827883, 715827882 and 715827883 of 2^31
    assert (HashThreshold((1, 1, 1)).sizes() // 2).tolist() == [715827883, 715827882, 715827883]


def test_modulo_gives_the_first_remainders_one_hash_more() -> None:
    # 2^32 = 3 * 1431655765 + 1
    assert Modulo((1, 1, 1)).sizes().tolist() == [1431655766, 1431655765, 1431655765]
    assert Modulo((3, 1)).sizes().tolist() == [3 * 2**30, 2**30]


@given(st.sampled_from(["hash-threshold", "modulo"]), st.lists(st.integers(1, 9), min_size=1, max_size=40))
def test_every_hash_has_one_owner_and_sizes_sum_to_all_hashes(kind: str, weights: list[int]) -> None:
    group = next_hop_group(kind, tuple(weights))  # type: ignore[arg-type]
    owned = np.bincount(group.owners(HASHES[:2000]), minlength=len(weights))
    assert len(owned) == len(weights)
    assert sum(group.sizes().tolist()) == 2**32


@given(st.lists(st.integers(1, 9), min_size=2, max_size=8))
def test_flows_fall_by_the_sizes(weights: list[int]) -> None:
    group = HashThreshold(tuple(weights))
    owned = np.bincount(group.owners(HASHES), minlength=len(weights)) / FLOWS
    shares = group.sizes() / 2**32
    assert (np.abs(owned - shares) < 6 * np.sqrt(shares / FLOWS)).all()


def test_a_skipped_member_gives_all_its_flows_to_the_next_and_the_last_one_to_the_first() -> None:
    # measured with three nodes: all flows of the dead node on one survivor in 11 of 11 topologies, no survivor moved
    group = HashThreshold((1, 1, 1, 1))
    before = group.owners(HASHES)
    for dead, taker in ((0, 1), (1, 2), (2, 3), (3, 0)):
        after = Skipping(group, [member != dead for member in range(4)]).owners(HASHES)
        assert (after == np.where(before == dead, taker, before)).all()


def test_two_skipped_members_side_by_side_fall_to_the_one_behind_both() -> None:
    assert Skipping(HashThreshold((1, 1, 1, 1)), [True, False, False, True]).sizes().tolist() == [
        2**30,
        0,
        0,
        3 * 2**30,
    ]
    assert Skipping(HashThreshold((1, 2, 1)), [False, True, False]).sizes().tolist() == [0, 2**32, 0]


def kernel_select(bounds: list[int], good: list[bool], hash31: int) -> int:
    """nexthop_select_path_hthr, line by line, but for a group with no good member."""
    first_good = -1
    for member, bound in enumerate(bounds):
        if not good[member]:
            continue
        if first_good < 0:
            first_good = member
        if hash31 <= bound:
            return member
    return first_good


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=12))
def test_skipping_is_the_kernels_loop(members: list[tuple[int, bool]]) -> None:
    group, good = HashThreshold(tuple(weight for weight, _ in members)), [good for _, good in members]
    owners = Skipping(group, good).owners(HASHES[:200])
    if not any(good):
        assert (owners == group.owners(HASHES[:200])).all()
    else:
        expected = [kernel_select(group.bounds.tolist(), good, int(value) >> 1) for value in HASHES[:200]]
        assert owners.tolist() == expected
