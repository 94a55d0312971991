import numpy as np
import pytest
from scipy import stats

from simbgp.measure import Value
from simbgp.measure.paired import difference


def values(numbers):
    return [Value(float(number)) for number in numbers]


def paired(one, other, stat="mean"):
    return difference(stat, values(one), values(other), seed=1, purpose="x")


def test_what_both_sides_share_cancels():
    # the same luck on both sides and 120 s more on one: the difference is exact though each side varies by 30 s
    one = np.random.default_rng(1).uniform(60, 90, 200)
    found = paired(one, one + 120)
    assert (found.value, found.low, found.high) == pytest.approx((120, 120, 120))
    assert found.unpaired_width > 2


def test_interval_of_a_mean_difference_is_scipys_bootstrap_of_the_differences():
    random = np.random.default_rng(2)
    one = random.exponential(10, 200)
    other = one + random.normal(1, 2, 200)
    theirs = stats.bootstrap((other - one,), np.mean, n_resamples=20_000, method="percentile", rng=3)
    low, high = theirs.confidence_interval
    found = paired(one, other)
    # a 2.5 % quantile of 2 000 resamples has a standard error of .06 standard errors of the mean (2 / sqrt 200)
    assert (found.low, found.high) == pytest.approx((low, high), abs=4 * 0.06 * 2 / np.sqrt(200))


def test_width_without_pairs_is_that_of_independent_samples():
    random = np.random.default_rng(3)
    one, other = random.normal(0, 3, 400), random.normal(0, 4, 400)
    # sqrt(3^2 + 4^2) = 5; a mean of 400 varies by 5 / 20, and 95 % of the normal law is 3.92 wide
    assert paired(one, other).unpaired_width == pytest.approx(3.92 * 5 / 20, rel=0.15)


def test_a_quantile_is_taken_of_each_side_and_then_the_difference():
    one = np.arange(101.0)
    found = paired(one, 2 * one, "p90")
    assert (found.one, found.other, found.value) == (90, 180, 90)


def test_runs_without_a_value_on_both_sides_are_no_pair():
    one = [None, Value(1.0), Value(2.0)]
    other = [Value(5.0), None, Value(3.0)]
    found = difference("mean", one, other, seed=0, purpose="x")
    assert (found.pairs, found.value, found.low) == (1, 1.0, None)
    assert difference("mean", [None], [Value(1.0)], seed=0, purpose="x") is None


def test_a_censored_value_is_said():
    one, other = values(range(20)), [*values(range(19)), Value(600.0, censored=True)]
    assert difference("mean", one, other, seed=0, purpose="x").censored
