"""How often the truth itself misses the bar of the comparison, worked out where all cases can be counted."""

from itertools import product

import numpy as np
import pytest

from benchmarks import power
from benchmarks.score import crps, floor

DIAL_S = [5.0, 6.0, 7.0, 8.0, 9.0]
"""GoBGP 3.10's first dial: five values of equal chances (fsm.go connectLoop, Intn(5) + 5)."""
PAIRS = list(product(DIAL_S, DIAL_S))


@pytest.mark.parametrize(("value_s", "score_s"), [(5.0, 1.2), (6.0, 0.6), (7.0, 0.4), (8.0, 0.6), (9.0, 1.2)])
def test_the_truth_of_five_equal_chances_scores_by_where_the_row_falls(value_s, score_s):
    # E|X - 5| = (0+1+2+3+4)/5 = 2; E|X - X'|/2 = (25 - 1)/(3 * 5)/2 = 0.8
    assert power.crps_of_each([value_s], DIAL_S)[0] == pytest.approx(score_s)
    assert crps(value_s, DIAL_S, seen_s=99.0) == pytest.approx(score_s)


def test_floors_of_many_redraws_are_those_of_one_at_a_time():
    drawn = np.array([[1.0, 2.0, 4.0], [5.0, 5.0, 5.0]])
    assert power.floors(drawn).tolist() == [floor(row, [9.0] * 3) for row in drawn.tolist()] == [1.0, 0.0]


def test_the_truth_misses_the_bar_in_nine_of_twenty_five_cells_of_two_rows():
    # Two of five values are random, the other three exact: CRPS 0.4 * mean(score), floor 0.4 * |a - b|/2.
    # Over 1.5 * floor + 0.05: all 5 equal pairs (at least 0.16 > 0.05), and (5,6), (6,5), (8,9), (9,8): 0.36 > 0.35.
    scores = power.crps_of_each(DIAL_S, DIAL_S)
    crps_s = np.array([0.4 * (scores[int(a) - 5] + scores[int(b) - 5]) / 2 for a, b in PAIRS])
    over = crps_s > 1.5 * 0.4 * power.floors(np.array(PAIRS)) + 0.05
    assert [pair for pair, missed in zip(PAIRS, over, strict=True) if missed] == [
        (5.0, 5.0),
        (5.0, 6.0),
        (6.0, 5.0),
        (6.0, 6.0),
        (7.0, 7.0),
        (8.0, 8.0),
        (8.0, 9.0),
        (9.0, 8.0),
        (9.0, 9.0),
    ]
