"""The calibration set as it was measured, against the model: what CI can check without the daemons."""

import json
from collections import defaultdict
from typing import Any

import pytest

from benchmarks.calibrate import DATA, ROUTERS, SCENARIOS, SHORT, Cell, cells, judged
from simbgp.lab.needs import refusals

RUNS = 60
ROWS: dict[Cell, list[dict[str, Any]]] = defaultdict(list)
for line in DATA.read_text().splitlines():
    row = json.loads(line)
    ROWS[Cell(row["router"], row["fault"])].append(row)


def test_the_set_is_every_router_with_every_fault():
    faults = {path.stem for path in SCENARIOS.glob("*.yaml")}
    assert len(faults) == 8
    assert {(cell.router, cell.fault) for cell in cells()} == {(r, f) for r in ROUTERS for f in faults}
    assert set(SHORT) <= {(cell.router, cell.fault) for cell in cells()}


@pytest.mark.parametrize("cell", cells(), ids=str)
def test_the_lab_plays_all_of_it(cell: Cell):
    assert list(refusals(cell.scenario().plan())) == []


def test_every_row_says_when_and_with_what():
    for rows in ROWS.values():
        assert all(row["measured"] and {"linux", "gobgp"} <= set(row["versions"]) for row in rows)


@pytest.mark.parametrize("cell", [Cell(*pair) for pair in SHORT], ids=str)
def test_the_model_predicts_what_was_measured(cell: Cell):
    for figure in judged(cell, ROWS[cell], RUNS):
        assert figure.inside == len(figure.measured), (figure.name, figure.measured, figure.interval)
