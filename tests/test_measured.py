"""A part of the measured failures, so that a change which moves the model away from real daemons is noticed.

The whole comparison is `python -m benchmarks.control_plane` and its sisters; see benchmarks/data/README.md.
"""

from math import pi, sqrt
from pathlib import Path

import pytest
from scipy.special import ndtri

from benchmarks import compound, control_plane, lab
from benchmarks.score import crps, floor, is_inside, summary

MEASURED = Path(__file__).parent / "data" / "measured"
RUNS = 100
SINGLE = control_plane.cells(lab.read("control_plane.csv", MEASURED))
COMPOUND = compound.cells(lab.read("compound.csv", MEASURED))


@pytest.mark.parametrize(("router", "failure"), sorted({(cell[0], cell[2]) for cell in SINGLE}))
def test_a_single_failure_looks_as_measured(router, failure):
    cells = [cell for cell in SINGLE if (cell[0], cell[2]) == (router, failure)]
    scored = summary(score for cell in cells for score in control_plane.judge(cell, SINGLE[cell], RUNS))
    assert scored.holds(control_plane.BAR), scored


@pytest.mark.parametrize("experiment", sorted({cell.experiment for cell in COMPOUND}))
def test_failures_that_meet_look_as_measured(experiment):
    cells = [cell for cell in COMPOUND if cell.experiment == experiment]
    scored = summary(score for cell in cells for score in compound.judge(cell, COMPOUND[cell], RUNS) or ())
    assert scored.holds(compound.BAR), scored


def test_the_crps_of_a_normal_law_is_its_closed_form():
    # Gneiting & Raftery 2007, eq. 21 at x = mean: sigma (2 phi(0) - 1/sqrt(pi)) = 0.2336950 sigma
    law = [float(ndtri((i + 0.5) / 4000)) for i in range(4000)]
    assert crps(0.0, law, 99.0) == pytest.approx(2 / sqrt(2 * pi) - 1 / sqrt(pi), abs=1e-3)


def test_the_crps_of_a_sure_prediction_is_its_error():
    assert crps(3.0, [5.0, 5.0], 99.0) == 2.0
    assert crps(None, [5.0], seen_s=9.0) == 4.0  # not seen in 9 s
    assert crps(None, [None], seen_s=9.0) == 0.0


def test_the_floor_is_half_the_mean_difference_of_the_measurements():
    assert floor([1.0, 2.0, 4.0], [9.0] * 3) == 1.0  # (1 + 3 + 2) / 3 / 2
    assert floor([1.0, None], [9.0, 7.0]) == 3.0  # (7 - 1) / 2
    assert floor([1.0], [9.0]) is None


@pytest.mark.parametrize(("measured", "inside"), [(0.84, False), (0.86, True), (2.14, True), (2.16, False)])
def test_inside_reaches_the_noise_beyond_the_prediction(measured, inside):
    assert is_inside(measured, [1.0, 1.5, 2.0]) is inside


def test_what_was_not_seen_is_inside_only_if_it_may_not_happen():
    assert is_inside(None, [1.0, None])
    assert not is_inside(None, [1.0, 2.0])
