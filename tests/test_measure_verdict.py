import itertools

import pytest

from simbgp.measure.observed import Value
from simbgp.measure.verdict import Verdict, judge, overall
from simbgp.scenario.plan import SloPlan


def slo(stat="p50", most=None, least=None):
    return SloPlan("blackhole_s", stat, most, least)


def values(numbers):
    return [Value(float(number)) for number in numbers]


# the interval of the median of 1..100 is [40, 61] (see test_measure_intervals)
@pytest.mark.parametrize(
    ("bound", "verdict"),
    [(61, "MET"), (60.9, "INCONCLUSIVE"), (40, "INCONCLUSIVE"), (39.9, "BREACHED")],
)
def test_a_greatest_value_is_judged_by_the_ends_of_the_interval(bound, verdict):
    assert judge(slo(most=bound), values(range(1, 101)), seed=0).verdict == verdict


@pytest.mark.parametrize(
    ("bound", "verdict"),
    [(40, "MET"), (40.1, "INCONCLUSIVE"), (61, "INCONCLUSIVE"), (61.1, "BREACHED")],
)
def test_a_least_value_is_judged_by_the_ends_of_the_interval(bound, verdict):
    assert judge(slo(least=bound), values(range(1, 101)), seed=0).verdict == verdict


def test_the_bound_itself_is_within_the_bound():
    assert judge(slo("max", most=15.0), values([15.0]), seed=0, exact=True).verdict is Verdict.MET


def test_an_exact_value_needs_one_run():
    found = judge(slo("p99.9", most=14.9), values([15.0]), seed=0, exact=True)
    assert found.verdict is Verdict.BREACHED
    assert found.estimate.confidence is None


def test_a_censored_value_can_breach():
    found = judge(slo("max", most=30.0), [Value(540.0, censored=True)], seed=0, exact=True)
    assert found.verdict is Verdict.BREACHED


def test_a_censored_value_never_meets():
    found = judge(slo("max", most=600.0), [Value(540.0, censored=True)], seed=0, exact=True)
    assert (found.verdict, found.runs_needed) == (Verdict.INCONCLUSIVE, None)


def test_what_never_happened_is_not_applicable():
    assert judge(slo(most=1.0), [None, None], seed=0).verdict is Verdict.NOT_APPLICABLE


def test_runs_in_which_it_never_happened_do_not_count():
    found = judge(slo(most=61.0), [*values(range(1, 101)), *[None] * 300], seed=0)
    assert (found.verdict, found.estimate.runs) == (Verdict.MET, 100)


def test_a_quantile_without_an_upper_end_yet_says_how_many_runs_give_it_one():
    # p99.9 needs 2995 runs
    found = judge(slo("p99.9", most=30.0), values([1.0] * 400), seed=0)
    assert (found.verdict, found.runs_needed) == (Verdict.INCONCLUSIVE, 2595)


def test_a_quantile_far_above_its_bound_is_breached_by_few_runs():
    assert judge(slo("p99.9", most=30.0), values([100.0] * 400), seed=0).verdict is Verdict.BREACHED
    assert judge(slo("p99.9", most=30.0), values([100.0] * 3000), seed=0).verdict is Verdict.BREACHED


def test_runs_needed_grow_with_the_square_of_what_is_lacking():
    # median 50.5, upper end 61 (distance 10.5), bound 53.5 (distance 3): 100 (10.5 / 3)^2 = 1225 runs in all
    found = judge(slo(most=53.5), values(range(1, 101)), seed=0)
    assert (found.verdict, found.runs_needed) == (Verdict.INCONCLUSIVE, 1125)


def test_no_number_of_runs_settles_a_value_on_its_bound():
    assert judge(slo(most=50.5), values(range(1, 101)), seed=0).runs_needed is None


ORDER = [Verdict.BREACHED, Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE, Verdict.MET]


@pytest.mark.parametrize("pair", list(itertools.combinations_with_replacement(range(4), 2)))
def test_the_worst_verdict_stands_for_all(pair):
    assert overall([ORDER[place] for place in reversed(pair)]) == ORDER[min(pair)]


def test_without_slos_there_is_no_verdict():
    assert overall([]) is Verdict.NO_SLO
