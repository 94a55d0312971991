"""Measured detection times of silent nodes against the model's own: Kolmogorov-Smirnov D at most 1.95/sqrt(n).

The series are the power-off rows without graceful restart of variants ``phase`` and ``quiet`` in
benchmarks/data/control_plane.csv (November 2026).
"""

import csv
from pathlib import Path

import pytest
from scipy import stats
from worlds import cluster, fault, first_lost, play

from simbgp.profiles import router, speaker

DATA = Path(__file__).parents[1] / "benchmarks/data/control_plane.csv"
ROWS = list(csv.DictReader(DATA.read_text("utf-8").splitlines()))
SERIES = [
    ("frr-8.4", 3, 1),
    ("gobgp-3.10", 3, 1),
    ("gobgp-3.10", 9, 3),
    ("openbgpd-7.7", 3, 1),
    ("openbgpd-7.7", 9, 3),
]


def measured(name, hold_s, keepalive_s):
    wanted = {
        "router": name,
        "scenario": "poweroff",
        "hold_s": str(hold_s),
        "keepalive_s": str(keepalive_s),
        "restart_time_s": "0",
    }
    rows = [row for row in ROWS if row["variant"] in ("phase", "quiet") and wanted.items() <= row.items()]
    return [float(row["t_session_down"]) for row in rows if row["t_session_down"]]


@pytest.mark.parametrize(("name", "hold_s", "keepalive_s"), SERIES)
def test_detection_follows_the_measured_series(name, hold_s, keepalive_s):
    seen = measured(name, hold_s, keepalive_s)
    assert len(seen) >= 10
    plan = cluster(timers=(hold_s, keepalive_s), routers=(router(name),), speaker=speaker("gobgp-3.10"), horizon_s=150)
    predicted = [first_lost(play(plan, fault("node-down"), run=run)) for run in range(4000)]
    assert stats.ks_2samp(seen, predicted).statistic <= 1.95 / len(seen) ** 0.5
