"""Verdicts of bounds below, of one-sided intervals, and how many runs would settle them."""

import math

import pytest

from simbgp.measure.observed import Value
from simbgp.measure.verdict import Verdict, bound_of, judge, within
from simbgp.scenario.plan import SloPlan


def slo(stat="p50", most=None, least=None, metric="blackhole_s"):
    return SloPlan(metric, stat, most, least)


def values(numbers):
    return [Value(float(number)) for number in numbers]


SQUARES = values(i**2 for i in range(1, 101))  # median 2550.5; the 40th is 1600, the 61st 3721


def test_the_bound_is_the_one_that_is_set():
    assert (bound_of(slo(most=3.0)), bound_of(slo(least=2.0))) == (3.0, 2.0)


@pytest.mark.parametrize(("value", "inside"), [(14.9, True), (15.0, True), (15.1, False)])
def test_a_run_is_within_a_greatest_value_up_to_it(value, inside):
    assert within(slo(most=15.0), Value(value)) is inside


@pytest.mark.parametrize(("value", "inside"), [(2.9, False), (3.0, True), (3.1, True)])
def test_a_run_is_within_a_least_value_from_it_on(value, inside):
    assert within(slo(least=3.0), Value(value)) is inside


def test_a_run_that_was_cut_off_is_never_within_a_greatest_value():
    cut_off = Value(10.0, censored=True)
    assert not within(slo(most=15.0), cut_off)
    assert within(slo(least=3.0), cut_off)
    assert not within(slo(least=11.0), cut_off)


def test_an_interval_without_a_lower_end_can_meet_a_greatest_value():
    # 3 000 runs have only an upper end of p99.9
    found = judge(slo("p99.9", most=2.0), values([1.0] * 3000), seed=0)
    assert (found.verdict, found.estimate.low, found.estimate.high) == (Verdict.MET, None, 1.0)


def test_runs_needed_look_to_the_end_on_the_side_of_the_bound():
    # bound 1 above the median: the upper end is 1170.5 from it; bound 550.5 below: the lower end is 950.5 from it
    above, below = (judge(each, SQUARES, seed=0) for each in (slo(most=2551.5), slo(least=2000.0)))
    assert above.runs_needed == math.ceil(100 * 1170.5**2) - 100
    assert below.runs_needed == math.ceil(100 * (950.5 / 550.5) ** 2) - 100


def test_an_interval_that_just_touches_its_bound_needs_one_more_run():
    # median 50.5, upper end 61: 100 (10.5 / 10.49)^2 = 100.2
    assert judge(slo(most=60.99), values(range(1, 101)), seed=0).runs_needed == 1


@pytest.mark.parametrize(("runs", "needed"), [(4, 6), (9, 1)])
def test_a_mean_of_few_runs_needs_ten(runs, needed):
    assert judge(slo("mean", most=100.0), values(range(runs)), seed=0).runs_needed == needed


def test_a_mean_of_ten_runs_has_an_interval_and_needs_what_is_lacking():
    found = judge(slo("mean", most=5.0), values(range(10)), seed=0)
    end_s = found.estimate.high
    assert found.runs_needed == max(1, math.ceil(10 * ((end_s - 4.5) / 0.5) ** 2) - 10)


def test_the_bootstrap_hangs_on_the_seed_and_on_what_is_asked():
    def low(seed=1, metric="blackhole_s"):
        return judge(slo("mean", most=60.0, metric=metric), values(range(50)), seed=seed).estimate.low

    assert low() == low()
    assert len({low(), low(seed=2), low(metric="detection_s")}) == 3


def test_what_never_happened_says_of_which_bound():
    bound = slo(most=1.0)
    found = judge(bound, [None], seed=0)
    assert (found.slo, found.estimate, found.runs_needed) == (bound, None, None)
