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
    assert (found.pairs, found.censored) == (200, False)


def test_interval_of_a_mean_difference_is_scipys_bootstrap_of_the_differences():
    random = np.random.default_rng(2)
    one = random.exponential(10, 200)
    other = one + random.normal(1, 2, 200)
    rng = np.random.default_rng(3)  # by the name that SciPy before 1.15 knows too
    theirs = stats.bootstrap((other - one,), np.mean, n_resamples=20_000, method="percentile", random_state=rng)
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


@pytest.mark.parametrize(("stat", "ends"), [("max", (19, 57, 38)), ("min", (0, -3, -3))])
def test_extremes_are_of_the_runs_themselves_and_have_no_interval(stat, ends):
    one = np.arange(20.0)
    found = paired(one, np.where(one > 0, 3 * one, -3), stat)
    assert (found.one, found.other, found.value) == ends
    assert (found.low, found.high, found.unpaired_width, found.pairs) == (None, None, None, 20)
    assert found.censored is False


@pytest.mark.parametrize(("runs", "known"), [(9, False), (10, True)])
def test_an_interval_takes_ten_pairs(runs, known):
    assert (paired(range(runs), range(runs)).low is not None) == known


def test_the_resamples_hang_on_seed_and_purpose_alone():
    random = np.random.default_rng(4)
    one, other = (values(random.normal(size=50)) for _ in range(2))
    found = difference("mean", one, other, seed=1, purpose="x")
    assert difference("mean", one, other, seed=1, purpose="x") == found
    for seed, purpose in ((2, "x"), (1, "y")):
        apart = difference("mean", one, other, seed=seed, purpose=purpose)
        assert apart.low != found.low
        assert apart.unpaired_width != found.unpaired_width


def test_the_ends_are_the_two_and_a_half_percent_tails():
    # 1.96 standard errors to each side; the mean of 20 ends varies by .0134 of them, and .02 for the skewness
    random = np.random.default_rng(8)
    one, other = random.normal(size=100), random.normal(size=100)
    error = (other - one).std() / 10
    found = [difference("mean", values(one), values(other), seed=seed, purpose="x") for seed in range(20)]
    middle = (other - one).mean()
    assert (middle - np.mean([each.low for each in found])) / error == pytest.approx(1.96, abs=5 * 0.0134 + 0.02)
    assert (np.mean([each.high for each in found]) - middle) / error == pytest.approx(1.96, abs=5 * 0.0134 + 0.02)
