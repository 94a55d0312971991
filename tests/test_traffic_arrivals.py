"""Who arrives when: drawn in eight slices of the run, so that it depends on nothing that happens in it."""

from dataclasses import fields

import numpy as np
import pytest
from scipy import stats
from traffic_worlds import clients

from simbgp.profiles import Law
from simbgp.scenario.plan import TrafficPlan
from simbgp.traffic.flows import Flows, draw

SECOND = 1_000_000
ARRIVING, OPEN = 8_000, 500
SPAN_US = 0, 800 * SECOND  # slices of 100 s


def drawn(until_s: float, *, arriving: int = ARRIVING, span_us: tuple[int, int] = SPAN_US, run: int = 0) -> Flows:
    traffic: TrafficPlan = clients(OPEN, 10.0, lifetime=Law("uniform", (1.0, 40.0)))
    return draw(traffic, "tor-1/192.0.2.10/32", OPEN, arriving, round(until_s * SECOND), span_us, 1, run)


def columns(flows: Flows) -> list[np.ndarray]:
    return [getattr(flows, field.name) for field in fields(flows) if field.name != "clients"]


@pytest.mark.parametrize(
    ("until_s", "slices"),
    [(-1, 0), (0, 0), (0.000001, 1), (100, 1), (100.000001, 2), (700, 7), (700.000001, 8), (800, 8), (900, 8)],
)
def test_a_slice_is_drawn_if_it_begins_before_the_end(until_s, slices):
    everybody, some = drawn(800), drawn(until_s)
    wanted = everybody.dialled_us < slices * 100 * SECOND
    assert len(some) == wanted.sum()
    for found, expected in zip(columns(some), columns(everybody), strict=True):
        assert np.array_equal(found, expected[wanted])


def test_all_that_arrive_do_so_within_the_span_and_in_the_slices_order():
    flows = drawn(800, span_us=(40 * SECOND, 800 * SECOND))  # a service that is created at 40 s: slices of 95 s
    arrivals = flows.dialled_us[flows.dialled_us >= 0]
    assert len(arrivals) == ARRIVING
    assert len(flows) == OPEN + ARRIVING
    assert arrivals.min() >= 40 * SECOND
    assert arrivals.max() < 800 * SECOND
    assert np.all(np.diff((arrivals - 40 * SECOND) // (95 * SECOND)) >= 0)


def test_arrivals_are_uniform_over_the_run_and_counts_of_slices_multinomial():
    flows = drawn(800)
    arrivals = flows.dialled_us[flows.dialled_us >= 0] / (800 * SECOND)
    assert stats.kstest(arrivals, "uniform").pvalue > 0.001
    counts = np.array([np.histogram(drawn(800, run=run).dialled_us, 8, (0, 800 * SECOND))[0] for run in range(200)])
    # each of 8 slices has Binomial(8000, 1/8): mean 1000, variance 875; 200 runs: the sum of squares is a chi-square
    # with 200 x 7 degrees of freedom, for the eight of a run sum to 8000
    statistic = ((counts - 1000) ** 2 / 1000).sum()
    assert 0.0005 < stats.chi2(200 * 7).cdf(statistic) < 0.9995


def test_slices_are_drawn_apart():
    flows = drawn(800)
    parts = [flows.keys[flows.dialled_us // (100 * SECOND) == number] for number in range(8)]
    assert all(np.all(np.diff(part.astype(object)) > 0) for part in parts)  # in order, as `keys` says
    assert len(np.unique(np.concatenate(parts))) == ARRIVING  # 8000 draws of 2^64: a pair alike in 1 of 6e11


def test_nobody_arrives_where_the_span_is_empty():
    assert len(drawn(900, arriving=0, span_us=(800 * SECOND, 800 * SECOND))) == OPEN
