"""How long a session is away after an administrative reset: 96 measured returns against the profile's law.

Data: benchmarks/data/reset.csv (November 2026), GoBGP 3.10 dialling FRR 8.4.4.
"""

import csv
from collections import Counter
from pathlib import Path

import pytest
from scipy.stats import chisquare

from simbgp.profiles import speaker

DATA = Path(__file__).parents[1] / "benchmarks/data/reset.csv"
OVER_S = 0.06
"""OPEN exchange and the scheduler of the machine that measured, either way."""


@pytest.fixture(scope="module")
def returns():
    with DATA.open(newline="") as file:
        return [float(row["t_reestablished"]) for row in csv.DictReader(file)]


def test_the_idle_hold_of_30_s_comes_before_a_dial_of_whole_seconds(returns):
    # fsm.go: idleHoldTime 30 s, then connectLoop after Intn(5) + 5 s: 35, 36, 37, 38 or 39 s and the OPEN exchange
    profile = speaker("gobgp-3.10")
    idle_s = profile.idle_hold_after_reset.quantile(0.5)
    expected = {idle_s + profile.first_dial.quantile((place + 0.5) / 5) for place in range(5)}
    assert expected == {35.0, 36.0, 37.0, 38.0, 39.0}
    assert len(returns) == 96
    assert all(any(abs(found - law) <= OVER_S for law in expected) for found in returns)


def test_all_five_seconds_are_as_likely(returns):
    counts = Counter(round(found) for found in returns)
    assert counts == {35: 19, 36: 21, 37: 16, 38: 18, 39: 22}
    # sum of (count - 19.2)^2 / 19.2 = 1.19 with 4 degrees of freedom: p = 0.88. A dial of 6-9 s cannot give the 19.
    found = chisquare(list(counts.values()))
    assert found.statistic == pytest.approx(1.1875)
    assert found.pvalue == pytest.approx(0.880, abs=1e-3)
