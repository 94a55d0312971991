"""Connections through a hole against closed forms, and collateral of Maglev against a Monte Carlo of others."""

import json
from pathlib import Path

import numpy as np
import pytest
from traffic_worlds import SECOND, clients, plan, timeline

from simbgp.timeline import PathChanged
from simbgp.traffic import maglev_table, outcomes

CASES = [
    case["formula"] for case in json.loads((Path(__file__).parent / "data/oracles/expected_counts.json").read_text())
]
MORE = 20
"""So many times the population and the arrivals, so that the noise is small."""


def through_a_hole(case: dict, **changes):
    """Poisson requests; one of N next hops is silent for T seconds."""
    traffic = clients(
        connections=round(case["A"] * MORE), arrivals_per_s=case["lam"] * MORE, interval_s=1 / case["r"],
        poisson_requests=True, connect_timeout_s=case["C"], **changes,
    )  # fmt: skip
    made = plan(node_count=case["N"], traffic=traffic, horizon_s=20 + case["T"] + 400)
    hole = [PathChanged(20 * SECOND, "tor-1", "n1", 1.0), PathChanged((20 + case["T"]) * SECOND, "tor-1", "n1", 0.0)]
    return outcomes(made, timeline(made, *hole), seed=3, run=0)[0]


def near(count: float) -> object:
    return pytest.approx(count, abs=4 * max(count, 1) ** 0.5)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"T{case['T']}-C{case['C']}")
def test_connections_open_late_or_not_at_all_as_the_closed_form_says(case: dict):
    found = through_a_hole(case)
    assert found.not_opened == near(case["conn_failed"] * MORE)
    assert len(found.connect_delay_s) == near(case["conn_delayed"] * MORE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"T{case['T']}-tau{case['tau']}")
def test_established_connections_wait_as_the_closed_form_says(case: dict):
    found = through_a_hole({**case, "lam": 0})
    assert found.delayed == near(case["stalled"] * MORE)
    given_up = through_a_hole({**case, "lam": 0}, request_timeout_s=case["tau"])
    assert given_up.timed_out == near(case["requests_timed_out"] * MORE)


@pytest.mark.parametrize(("backends", "percent", "sd"), [(10, 0.54, 0.20), (50, 1.02, 0.08), (100, 1.34, 0.11)])
def test_maglev_changes_slots_whose_backend_stays(backends: int, percent: float, sd: float):
    # M = 16381, one of N backends leaves: mean over sets of names, 200 there and 100 here
    found = []
    for names in range(100):
        keys = [f"[10.{names}.{i // 250}.{i % 250 + 1}:8080/TCP,State:active]" for i in range(backends)]
        before, after = maglev_table(keys), maglev_table(keys[:-1])
        found.append(100 * np.mean((before != after) & (before != backends - 1)))
    three_errors = 3 * sd * (1 / 100 + 1 / 200) ** 0.5
    assert np.mean(found) == pytest.approx(percent, abs=max(three_errors, 0.05 * percent))
