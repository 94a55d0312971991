import csv
import io

import numpy as np
import pytest
from study_worlds import EXACT, scenario

import simbgp
from simbgp.scenario import ScenarioError
from simbgp.study.batch import Batch
from simbgp.study.replay import Job
from simbgp.study.shared import worlds

HOLD, RESTART = "cluster.timers.holdTimeSeconds", "cluster.gracefulRestart.restartTimeSeconds"
SLO = [{"metric": "blackhole_s", "stat": "p50", "max": "70s"}]
TRAFFIC = [{"service": "web", "connections": 100, "lifetime": "60s"}]


@pytest.fixture(scope="module")
def grid():
    return simbgp.sweep(scenario(slo=SLO, traffic=TRAFFIC), {HOLD: [9, 90], RESTART: [30, 60]}, runs=12, seed=3)


def test_every_combination_is_played_the_last_path_fastest(grid):
    assert [tuple(setting.values()) for setting, _ in grid] == [(9, 30), (9, 60), (90, 30), (90, 60)]


def test_a_setting_has_the_result_that_it_has_alone(grid):
    setting, result = list(grid)[1]
    alone = simbgp.run(scenario(slo=SLO, traffic=TRAFFIC).with_(**setting), runs=12, seed=3)
    assert result.blackhole_s().values == alone.blackhole_s().values
    assert result.broken_share().values == alone.broken_share().values
    assert result.slo == alone.slo


def test_settings_share_their_luck(grid):
    # 30 s more of restart time are 30 s more outage in every single run
    (_, short), (_, long) = list(grid)[2:]
    differences = np.subtract(*([value.value for value in each.blackhole_s().values] for each in (long, short)))
    assert differences == pytest.approx(30.0, abs=1e-6)


def test_the_frame_has_a_row_for_each_setting_run_and_metric(grid):
    frame = grid.frame
    assert list(frame.columns) == [
        HOLD, RESTART, "metric", "service", "router", "fault", "prefix", "min_share", "run", "value", "censored",
    ]  # fmt: skip
    assert len(frame) == 4 * 12 * 2
    assert sorted(set(frame["metric"])) == ["blackhole_s", "broken_share"]


def test_the_summary_has_intervals_verdicts_and_the_share_of_runs_within_the_bound(grid):
    rows = grid.summary[grid.summary["verdict"].notna()].set_index([HOLD, RESTART])
    row = rows.loc[(90, 60)]
    assert row["verdict"] == "BREACHED"
    # outages are from 120 to 150 s: no run of 12 is within 70 s; Wilson: 1.96^2 / (12 + 1.96^2) = .2425
    assert (row["within"], round(row["within_high"], 4)) == (0.0, 0.2425)
    assert 120 <= row["low"] <= row["value"] <= row["high"] <= 150


def test_the_csv_holds_the_frame(grid, tmp_path):
    grid.to_csv(tmp_path / "grid.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "grid.csv").read_text())))
    assert [float(row["value"]) for row in rows] == grid.frame["value"].tolist()


def test_the_parquet_holds_the_frame(grid, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    grid.to_parquet(tmp_path / "grid.parquet")
    table = parquet.read_table(tmp_path / "grid.parquet")
    assert table.column_names == list(grid.frame.columns)
    assert table["value"].to_pylist() == grid.frame["value"].tolist()


def test_the_verdict_is_that_of_the_best_setting():
    world = scenario(slo=[{"metric": "blackhole_s", "stat": "max", "max": "100s"}])
    assert simbgp.sweep(world, {RESTART: [1, 200]}, runs=3).verdict == "MET"
    assert simbgp.sweep(world, {RESTART: [200, 250]}, runs=3).verdict == "BREACHED"


def test_a_setting_without_luck_is_played_once():
    grid = simbgp.sweep(scenario(EXACT), {RESTART: [30, 60]})
    assert [(result.runs, result.exact) for _, result in grid] == [(1, True), (1, True)]


def test_a_setting_without_luck_beside_one_with_luck_and_open_switches_is_still_played_once():
    grid = simbgp.sweep(scenario(EXACT), {"routers.0.profile": ["eos", "rfc8538"]})
    assert [result.runs for _, result in grid] == [400, 1]


def test_all_settings_that_are_not_allowed_are_named_before_anything_runs():
    with pytest.raises(ScenarioError) as refused:
        simbgp.sweep(scenario(), {HOLD: [1, 90, 2]})
    assert len(refused.value.problems) == 2
    assert all(problem.path == HOLD for problem in refused.value.problems)


@pytest.mark.parametrize("vary", [{}, {HOLD: []}])
def test_a_sweep_needs_something_to_vary(vary):
    with pytest.raises(ValueError, match="needs a path to vary"):
        simbgp.sweep(scenario(), vary)


def test_traffic_is_played_once_for_settings_that_lead_to_the_same_facts(monkeypatch):
    # the agent's death is seen at once and no restart time below 540 s ends before the horizon or the agent is back
    played = []
    from simbgp.study import shared

    original = shared.outcomes
    monkeypatch.setattr(shared, "outcomes", lambda *of: played.append(1) or original(*of))
    crash = [{"at": "60s", "kind": "agent-crash", "node": "worker-1", "downFor": "5s"}]
    simbgp.sweep(scenario(faults=crash, traffic=TRAFFIC), {RESTART: [60, 90, 120]}, runs=2)
    assert len(played) == 2


def test_plans_that_traffic_can_tell_apart_are_other_worlds():
    base = scenario()
    plans = [base, base.with_(**{HOLD: 9}), base.with_(**{"services.0.backends": 5}), base.with_(**{RESTART: 9})]
    assert worlds([each.plan() for each in plans]) == (0, 0, 1, 0)


def test_parts_depend_on_the_runs_alone_and_hold_them_all():
    job = Job(scenario().plan(), 0)
    parts = Batch((job,), (1000,)).parts(range(5, 1000))
    assert [run for part in parts for run in part] == list(range(5, 1000))
    assert max(map(len, parts)) == 50
