"""Who arrives when: drawn in slices of the run, so that it depends on nothing that happens in it."""

from dataclasses import fields

import numpy as np
import pytest
from scipy import stats
from traffic_worlds import clients

from simbgp.profiles import Law
from simbgp.scenario.plan import TrafficPlan
from simbgp.traffic.flows import Flows, _bounds, draw

SECOND = 1_000_000
ARRIVING, OPEN = 8_000, 500
SPAN_US = 0, 800 * SECOND  # of at most 75 s each: 11 slices, of 72.727272 s


def drawn(until_s: float, *, arriving: int = ARRIVING, span_us: tuple[int, int] = SPAN_US, run: int = 0) -> Flows:
    traffic: TrafficPlan = clients(OPEN, 10.0, lifetime=Law("uniform", (1.0, 40.0)))
    return draw(traffic, "tor-1/192.0.2.10/32", OPEN, arriving, round(until_s * SECOND), span_us, 1, run)


def columns(flows: Flows) -> list[np.ndarray]:
    return [getattr(flows, field.name) for field in fields(flows) if field.name != "clients"]


@pytest.mark.parametrize(
    ("until_s", "slices"),
    [(-1, 0), (0, 0), (0.000001, 1), (72.727272, 1), (72.727273, 2), (727.272727, 10), (727.272728, 11), (900, 11)],
)
def test_a_slice_is_drawn_if_it_begins_before_the_end(until_s, slices):
    everybody, some = drawn(800), drawn(until_s)
    wanted = everybody.dialled_us < 800 * SECOND * slices // 11
    assert len(some) == wanted.sum()
    for found, expected in zip(columns(some), columns(everybody), strict=True):
        assert np.array_equal(found, expected[wanted])


def test_all_that_arrive_do_so_within_the_span_and_in_the_slices_order():
    flows = drawn(800, span_us=(40 * SECOND, 200 * SECOND))  # a service that is created at 40 s: 8 slices of 20 s
    arrivals = flows.dialled_us[flows.dialled_us >= 0]
    assert len(arrivals) == ARRIVING
    assert len(flows) == OPEN + ARRIVING
    assert arrivals.min() >= 40 * SECOND
    assert arrivals.max() < 200 * SECOND
    assert np.all(np.diff((arrivals - 40 * SECOND) // (20 * SECOND)) >= 0)


def test_arrivals_are_uniform_over_the_run_and_counts_of_slices_multinomial():
    flows = drawn(800)
    arrivals = flows.dialled_us[flows.dialled_us >= 0] / (800 * SECOND)
    assert stats.kstest(arrivals, "uniform").pvalue > 0.001
    counts = np.array([np.histogram(drawn(800, run=run).dialled_us, 11, (0, 800 * SECOND))[0] for run in range(200)])
    # each of 11 slices has Binomial(8000, 1/11) of the 8000; 200 runs: Pearson's sum is a chi-square with 200 x 10
    # degrees of freedom, for the eleven of a run sum to 8000
    statistic = ((counts - 8000 / 11) ** 2 / (8000 / 11)).sum()
    assert 0.0005 < stats.chi2(200 * 10).cdf(statistic) < 0.9995


def test_slices_are_drawn_apart():
    flows = drawn(800)
    begins = np.array([800 * SECOND * number // 11 for number in range(11)])
    slices = np.where(flows.dialled_us < 0, -1, np.searchsorted(begins, flows.dialled_us, side="right") - 1)
    parts = [flows.keys[slices == number] for number in range(11)]
    assert all(np.all(part[1:] > part[:-1]) for part in parts)  # in order, as `_keys` says
    assert len(np.unique(np.concatenate(parts))) == ARRIVING  # 8000 draws of 2^64: a pair alike once in 6e11 times


def test_nobody_arrives_where_the_span_is_empty():
    assert len(drawn(900, arriving=0, span_us=(800 * SECOND, 800 * SECOND))) == OPEN


@pytest.mark.parametrize(
    ("span_s", "slices"),
    [(0.000008, 8), (600, 8), (600.000001, 9), (86_400, 1152), (307_200, 4096), (10_000_000, 4096)],
)
def test_slices_are_short_enough_for_a_hole_in_a_long_run(span_s, slices):
    """At most 75 s, at least 8, at most 4096: a hole of two minutes in a day draws two minutes or three, not hours."""
    assert len(_bounds((0, round(span_s * SECOND)))) - 1 == slices
