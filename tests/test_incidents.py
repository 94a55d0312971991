"""A year's failures: assumptions, what is written, and the log of incidents."""

import pytest

import simbgp
from simbgp.measure.yearly import poisson_interval
from simbgp.profiles import Law
from simbgp.scenario import ScenarioError, load, loads
from simbgp.scenario.processes import PLANNING, summed

TEXT = """\
cluster: {nodes: 4}
routers: [{name: tor-1, profile: rfc8538}]
services: [{name: web, vip: 192.0.2.10, backends: 4}]
failures:
"""
LOG = """\
at,kind,node,duration,note
2025-01-03T10:00:00Z,agent-restart,worker-1,23.5,
2025-02-03,agent-restart,worker-2,41s,upgrade
2025-02-04,agent-restart,worker-3,,
2025-03-04,node-down,worker-1,2m,
"""


def mix(text: str, tmp_path=None, log: str = LOG):
    if tmp_path is None:
        return {str(p.fault.name): p for p in loads(text).plan().mix.processes}
    (tmp_path / "log.csv").write_text(log)
    (tmp_path / "s.yaml").write_text(text)
    return {str(p.fault.name): p for p in load(tmp_path / "s.yaml").plan().mix.processes}


def test_what_nobody_says_is_an_assumption_and_is_called_one():
    found = mix(TEXT.replace("failures:\n", ""))
    assert found["node-down"].per_year == PLANNING["node-down"].per_year
    assert found["node-down"].in_all == pytest.approx(4 * 0.3)
    assert all(process.assumed and "planning assumption" in process.source for process in found.values())


def test_what_is_written_stands_and_the_rest_is_assumed():
    found = mix(TEXT + "  node-down: {rate: 2/w}\n")
    assert found["node-down"].per_year == pytest.approx(2 * 365.25 / 7)
    assert not found["node-down"].assumed
    assert found["node-down"].source == "scenario; durations: planning assumption"
    assert found["stall"].assumed


def test_nothing_is_assumed_if_so_told():
    assert list(mix(TEXT + "  assume: nothing\n  stall: {rate: 1, stallFor: 1s}\n")) == ["stall"]


def test_a_dead_router_is_left_out_where_nobody_could_leave_it():
    plan = loads(TEXT.replace("failures:\n", "")).plan()
    assert "router-down" not in {process.fault.name for process in plan.mix.processes}
    assert any(note.startswith("router-down is left out: without fabric") for note in plan.mix.notes)


def test_a_log_gives_rates_and_durations(tmp_path):
    # 3 restarts of 4 nodes in the 365 days of 2025: 3 / (4 x 365 / 365.25)
    found = mix(TEXT + "  log: {file: log.csv, since: 2025-01-01, until: 2025-12-31}\n", tmp_path)
    restart = found["agent-restart"]
    assert restart.per_year == pytest.approx(3 / (4 * 365 / 365.25))
    assert restart.seen.count == 3
    assert restart.fault.down_for == Law("empirical", (23.5, 41.0))
    assert not restart.assumed
    assert "none in 4 target-years of the log, so at most 0.75 a year" in found["node-drain"].source


def test_without_bounds_the_outermost_rows_are_taken_and_that_is_said(tmp_path):
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "s.yaml").write_text(TEXT + "  log: {file: log.csv}\n")
    notes = load(tmp_path / "s.yaml").plan().mix.notes
    assert any("2025-01-03 to 2025-03-04" in note and "write since and until" in note for note in notes)


def test_bad_rows_are_told_with_file_line_and_column(tmp_path):
    bad = LOG.replace("worker-3,", "worker-9,").replace("23.5", "soon").replace("node-down", "nod-down")
    bad += "2025-13-01,stall,worker-1,1s,\n2025-05-01,stall\n"
    with pytest.raises(ScenarioError) as error:
        mix(TEXT + "  log: {file: log.csv}\n", tmp_path, bad)
    lines = str(error.value).splitlines()
    file = str(tmp_path / "log.csv")
    assert [line.split(": ")[0].removeprefix(file) for line in lines] == [":2:45", ":4:26", ":5:12", ":6:1", ":7:1"]
    assert "did you mean 'node-down'?" in lines[2]


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("when,kind\n", "unknown column 'when'"),
        ("kind\nstall\n", "the first line lacks at"),
        ("", "the first line lacks at and kind"),
        ("at,kind\n2025-01-01,stall\n", "the log covers no time"),
        ('at,kind\n"2025-01-01,stall\n', "not CSV"),
    ],
)
def test_a_log_that_says_nothing_is_an_error(tmp_path, log, said):
    with pytest.raises(ScenarioError, match=said):
        mix(TEXT + "  log: {file: log.csv}\n", tmp_path, log)


def test_a_missing_log_is_told_at_the_place_that_names_it(tmp_path):
    (tmp_path / "s.yaml").write_text(TEXT + "  log: {file: none.csv}\n")
    with pytest.raises(ScenarioError, match=r"s\.yaml:5:15: failures\.log\.file: .*none\.csv: cannot be read"):
        load(tmp_path / "s.yaml")


def test_the_log_is_part_of_the_scenarios_hash(tmp_path):
    text = TEXT + "  log: {file: log.csv, since: 2025-01-01, until: 2025-12-31}\n"
    mix(text, tmp_path)
    one = load(tmp_path / "s.yaml").hash
    mix(text, tmp_path, LOG.replace("23.5", "24"))
    assert load(tmp_path / "s.yaml").hash != one


def test_a_kind_is_said_once():
    text = TEXT + "  node-down: {rate: 1}\nbackground: [{kind: node-down, rate: 1}]\n"
    with pytest.raises(ScenarioError, match="background says already how often node-down strikes"):
        loads(text)


@pytest.mark.parametrize("availability", ["100%", "0"])
def test_an_slo_leaves_something_to_lose(availability):
    with pytest.raises(ScenarioError, match=r"failures\.availability"):
        loads(TEXT + f"  availability: {availability}\n")


def test_a_pull_adds_to_the_restarts_that_pull():
    # a quarter takes 10 + 60 s, the rest 10 s
    law = summed(Law.constant(10.0), Law.constant(60.0), 0.25)
    assert law.quantile(0.7) == 10.0
    assert law.quantile(0.8) == 70.0
    # U[0, 10] + U[0, 10] has its median at 10 and its lower quartile at 10 / sqrt(2)
    both = summed(Law("uniform", (0.0, 10.0)), Law("uniform", (0.0, 10.0)), 1.0)
    assert both.quantile(0.5) == pytest.approx(10.0, abs=0.1)
    assert both.quantile(0.125) == pytest.approx(5.0, abs=0.1)


def test_poisson_intervals_are_those_of_the_textbook():
    # Garwood 1936: 0 -> (0, 3.689), 10 -> (4.795, 18.390)
    assert poisson_interval(0) == pytest.approx((0.0, 3.689), abs=1e-3)
    assert poisson_interval(10) == pytest.approx((4.795, 18.390), abs=1e-3)


def test_other_commands_know_nothing_of_the_year():
    plain, told = loads(TEXT.replace("failures:\n", "")), loads(TEXT + "  node-down: {rate: 1/d}\n")
    assert simbgp.run(plain).rows("windows") == simbgp.run(told).rows("windows") == []
