import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simbgp.measure.intervals import estimate, lower_rank, quantile_of, ranks, runs_for_quantile, upper_rank, wilson
from simbgp.measure.observed import Value


def values(numbers):
    return [Value(float(number)) for number in numbers]


@given(st.integers(1, 3000), st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.999]), st.sampled_from([0.95, 0.975]))
def test_upper_rank_is_the_least_whose_binomial_tail_reaches_the_level(runs, p, level):
    # the k-th value is at or above the p quantile iff at most k - 1 of the runs fall below it
    below = stats.binom(runs, p).cdf
    rank = upper_rank(runs, p, level)
    if rank is None:
        assert below(runs - 1) < level
    else:
        assert below(rank - 1) >= level
        assert rank == 1 or below(rank - 2) < level


@given(st.integers(1, 500), st.sampled_from([0.1, 0.5, 0.9]))
def test_lower_rank_is_the_greatest_that_stays_below_the_quantile(runs, p):
    # the k-th value is at or below the p quantile iff at least k runs do not exceed it
    at_least = stats.binom(runs, p).sf
    rank = lower_rank(runs, p, 0.975)
    if rank is None:
        assert at_least(0) < 0.975
    else:
        assert at_least(rank - 1) >= 0.975 > at_least(rank)


def test_median_of_hundred_runs_lies_between_the_40th_and_61st_value():
    # Conover, Practical Nonparametric Statistics, table A3: n=100, p=.5: P(B <= 39) = .0176, P(B <= 60) = .9824
    assert ranks(100, 0.5) == (40, 61)


def test_interval_of_p999_is_one_sided_from_2995_runs_on():
    # 1 - .999^2995 = .95004, 1 - .999^2994 = .94999
    assert ranks(2995, 0.999) == (None, 2995)
    assert ranks(2994, 0.999)[1] is None


def test_interval_of_p999_is_two_sided_from_3688_runs_on():
    # 1 - .999^n >= .975 from n = ln .025 / ln .999 = 3687.03
    assert ranks(3687, 0.999)[0] is None
    assert ranks(3688, 0.999)[1] == 3688


def test_one_sided_interval_can_face_a_bound_below():
    low, high = ranks(2995, 0.999, "low")
    assert high is None
    assert stats.binom(2995, 0.999).cdf(low - 1) <= 0.05 < stats.binom(2995, 0.999).cdf(low)


@pytest.mark.parametrize("runs", [100, 2994])
def test_where_no_end_exists_on_the_side_of_the_bound_the_other_keeps_its_level(runs):
    # no run is surely above p99.9; the k-th is below it with 97.5 % if at least k runs are: P(B >= k) >= .975
    low, high = ranks(runs, 0.999)
    assert high is None
    assert stats.binom(runs, 0.999).sf(low - 1) >= 0.975 > stats.binom(runs, 0.999).sf(low)
    # and its mirror: p0.1 with a bound below
    assert ranks(runs, 0.001, "low") == (None, runs + 1 - low)


@pytest.mark.parametrize(("bound", "known"), [(2.0, "high"), (1.0, "high"), (0.5, "low"), (math.inf, "high")])
def test_the_only_end_there_is_faces_the_bound(bound, known):
    # 3 000 runs have one end of p99.9; a value within its bound needs the upper one, a value beyond it the lower
    found = estimate("p99.9", values([1.0] * 3000), seed=0, purpose="", bound=bound)
    assert (found.low is not None, found.high is not None) == (known == "low", known == "high")


@pytest.mark.parametrize(("p", "runs"), [(0.5, 5), (0.9, 29), (0.99, 299), (0.999, 2995)])
def test_runs_for_a_quantile_are_the_first_with_an_upper_end(p, runs):
    assert runs_for_quantile(p) == runs
    assert ranks(runs, p)[1] == runs
    assert ranks(runs - 1, p)[1] is None


def test_interval_of_the_median_covers_it_as_often_as_promised():
    random = np.random.default_rng(1)
    low, high = ranks(50, 0.5)
    samples = np.sort(random.exponential(size=(4000, 50)))
    covered = ((samples[:, low - 1] <= math.log(2)) & (math.log(2) <= samples[:, high - 1])).sum()
    # exact coverage of ranks 18..33 of 50 is .9672; four standard errors are .0113
    assert abs(covered / 4000 - 0.9672) < 0.0113


def test_bootstrap_of_the_mean_is_scipys_percentile_interval():
    sample = np.random.default_rng(2).exponential(10.0, 200)
    ours = estimate("mean", values(sample), seed=1, purpose="x")
    rng = np.random.default_rng(3)  # by the name that SciPy before 1.15 knows too
    found = stats.bootstrap((sample,), np.mean, n_resamples=20_000, method="percentile", random_state=rng)
    theirs = found.confidence_interval
    # a 2.5 % quantile of 2000 resamples has a standard error of about .025 standard errors of the mean (10 / sqrt 200)
    assert ours.low == pytest.approx(theirs.low, abs=4 * 0.06 * 10 / math.sqrt(200))
    assert ours.high == pytest.approx(theirs.high, abs=4 * 0.06 * 10 / math.sqrt(200))
    assert ours.value == pytest.approx(sample.mean())


def test_bootstrap_depends_on_seed_and_purpose_alone():
    sample = values(range(50))
    first = estimate("mean", sample, seed=1, purpose="x")
    assert first == estimate("mean", sample, seed=1, purpose="x")
    assert first.low != estimate("mean", sample, seed=2, purpose="x").low
    assert first.low != estimate("mean", sample, seed=1, purpose="y").low


def test_mean_of_fewer_than_ten_runs_has_no_interval():
    assert estimate("mean", values(range(9)), seed=0, purpose="").high is None
    assert estimate("mean", values(range(10)), seed=0, purpose="").high is not None


@pytest.mark.parametrize(("stat", "value"), [("max", 9.0), ("min", 0.0)])
def test_extremes_are_those_of_the_runs_and_have_no_confidence(stat, value):
    found = estimate(stat, values(range(10)), seed=0, purpose="")
    assert (found.value, found.low, found.high, found.confidence) == (value, value, value, None)


def test_quantile_is_that_of_numpy():
    sample = np.random.default_rng(4).normal(size=37) ** 2
    assert estimate("p90", values(sample), seed=0, purpose="").value == pytest.approx(np.quantile(sample, 0.9))


def test_censored_values_are_infinite_above_and_themselves_below():
    # of 100 runs, 30 are cut off at 600 s: the median is still known, the 90 % quantile only from below
    sample = values([1.0] * 70) + [Value(600.0, censored=True)] * 30
    median, p90 = (estimate(stat, sample, seed=0, purpose="") for stat in ("p50", "p90"))
    assert (median.high, median.censored) == (1.0, False)
    assert (p90.value, p90.low, p90.high, p90.censored) == (600.0, 600.0, None, True)


def test_mean_with_a_censored_value_has_no_upper_end():
    found = estimate("mean", [*values(range(20)), Value(600.0, censored=True)], seed=0, purpose="")
    assert found.low is not None
    assert (found.high, found.censored) == (None, True)


@pytest.mark.parametrize(("stat", "p"), [("p50", 0.5), ("p99.9", 0.999), ("mean", None), ("max", None)])
def test_stats_are_read_as_probabilities(stat, p):
    assert quantile_of(stat) == p


@pytest.mark.parametrize(("yes", "runs"), [(0, 20), (1, 20), (10, 20), (20, 20), (7, 400)])
def test_a_share_of_runs_has_the_wilson_interval_of_scipy(yes, runs):
    found = wilson(yes, runs)
    theirs = stats.binomtest(yes, runs).proportion_ci(0.95, method="wilson")
    assert (found.value, found.low, found.high) == pytest.approx((yes / runs, theirs.low, theirs.high))


def test_wilson_covers_a_share_as_often_as_it_says():
    # exact, over the binomial law itself: 93 to 97 % for every share that 400 runs can tell from 0 and 1
    counts = np.arange(401)
    found = [wilson(int(yes), 400) for yes in counts]
    low, high = (np.array([getattr(each, end) for each in found]) for end in ("low", "high"))
    for share in np.linspace(0.02, 0.98, 49):
        covered = stats.binom(400, share).pmf(counts)[(low <= share) & (share <= high)].sum()
        assert 0.93 <= covered <= 0.97


def test_bootstrap_covers_a_mean_as_often_as_it_says():
    # 300 studies of 100 runs uniform in 60..90: 95 % +- three standard errors of a binomial count (.0126)
    samples = np.random.default_rng(5).uniform(60, 90, (300, 100))
    found = [estimate("mean", values(sample), seed=study, purpose="x") for study, sample in enumerate(samples)]
    assert abs(sum(each.low <= 75 <= each.high for each in found) / 300 - 0.95) < 0.038


def test_the_ends_of_a_bootstrap_are_its_two_and_a_half_percent_tails():
    # a mean of 200 normal values: 1.96 standard errors to each side. One end of 2 000 resamples varies by .06 standard
    # errors, the mean of 40 such ends by .0095; five of these, and .02 for the skewness of one sample
    sample = np.random.default_rng(7).normal(size=200)
    error = sample.std() / math.sqrt(200)
    found = [estimate("mean", values(sample), seed=seed, purpose="x") for seed in range(40)]
    low, high = (np.mean([getattr(each, end) for each in found]) for end in ("low", "high"))
    assert (sample.mean() - low) / error == pytest.approx(1.96, abs=5 * 0.0095 + 0.02)
    assert (high - sample.mean()) / error == pytest.approx(1.96, abs=5 * 0.0095 + 0.02)


@pytest.mark.parametrize("runs", [1, 3, 7, 49, 400])
def test_a_share_of_none_begins_at_0_and_one_of_all_ends_at_1_to_the_last_bit(runs):
    assert (wilson(0, runs).low, wilson(runs, runs).high) == (0.0, 1.0)


def test_every_estimate_says_its_confidence_and_its_runs():
    found = [estimate(stat, values(range(20)), seed=0, purpose="") for stat in ("mean", "p50", "max")]
    assert [(each.confidence, each.runs, each.censored) for each in [*found, wilson(3, 20)]] == [
        (0.95, 20, False),
        (0.95, 20, False),
        (None, 20, False),
        (0.95, 20, False),
    ]
