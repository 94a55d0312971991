import json
import math

import pytest
from study_worlds import EXACT, TEXT, scenario

import simbgp
from simbgp.scenario import ScenarioError
from simbgp.study.rows import COLUMNS

KEYS = [
    "simbgp",
    "scenario",
    "seed",
    "runs",
    "exact",
    "verdict",
    "reproduce",
    "profiles",
    "assumptions",
    "warnings",
    "rows_left_out",
    "slo",
    "windows",
    "sessions",
    "routes",
    "connections",
    "load",
]
ROWS = {
    "windows": "run fault router prefix service cause outage start_s end_s duration_s since_fault_s share "
    "lost_traffic_s censored",
    "sessions": "run time_s since_fault_s router node side from_state to_state reason",
    "routes": "run time_s since_fault_s router prefix node event",
    "connections": "run fault service total moved unaffected delayed reset timed_out not_opened refused delay_s "
    "connect_delay_s reconnected elsewhere broken_again",
    "load": "run time_s router node share",
}
TRAFFIC = [{"service": "web", "connections": 100, "lifetime": "60s"}]
SLO = [{"metric": "blackhole_s", "stat": "p50", "max": "30s"}]


@pytest.fixture(scope="module")
def node_down():
    return simbgp.run(scenario(slo=SLO, traffic=TRAFFIC), runs=12, seed=7)


@pytest.fixture(scope="module")
def crash():
    return simbgp.run(scenario(EXACT))


def test_the_json_object_has_the_promised_keys_in_their_order(node_down):
    assert list(node_down.to_dict()) == KEYS


@pytest.mark.parametrize("table", list(ROWS))
def test_rows_have_the_promised_columns_in_their_order(node_down, table):
    rows = json.loads(node_down.to_json())[table]
    assert rows
    assert {tuple(row) for row in rows} == {tuple(ROWS[table].split())}


def test_an_slo_row_has_the_promised_keys(node_down):
    (row,) = node_down.to_dict()["slo"]
    assert list(row) == ["metric", "stat", "max", "value", "low", "high", "confidence", "verdict"]
    assert row["verdict"] == "BREACHED"


def test_a_least_bound_and_what_narrows_it_are_in_the_slo_row():
    slo = [{"metric": "min_next_hops", "stat": "min", "min": 3, "router": "tor-1"}]
    (row,) = simbgp.run(scenario(EXACT, slo=slo)).to_dict()["slo"]
    assert (row["min"], row["max"], row["router"]) == (3.0, None, "tor-1")
    assert row["verdict"] == "MET"


def test_the_seed_is_text_that_no_reader_rounds(node_down):
    assert node_down.to_dict()["seed"] == "7"


def test_what_is_not_random_runs_once_and_says_so(crash):
    assert (crash.exact, crash.runs) == (True, 1)


def test_what_is_random_runs_four_hundred_times_by_default():
    result = simbgp.run(scenario(horizon="70s"))
    assert (result.exact, result.runs) == (False, 400)


def test_traffic_is_random_even_where_the_control_plane_is_not():
    assert not simbgp.run(scenario(EXACT, traffic=TRAFFIC), runs=1).exact


def test_frames_have_a_row_per_json_row(node_down):
    found = node_down.to_dict()
    for table in ("windows", "sessions", "routes", "connections", "load"):
        assert len(getattr(node_down, table)) == len(found[table])


def test_delays_of_connections_are_columns_of_numbers(node_down):
    frame = node_down.connections
    assert frame["connect_delay_s_max"].dtype == float
    assert frame["connect_delay_s_max"].max() >= frame["connect_delay_s_p50"].max() > 0


def test_outcomes_sum_to_the_connections(node_down):
    frame = node_down.connections
    whole = frame[frame["fault"].isna()]
    outcomes = whole[["unaffected", "delayed", "reset", "timed_out", "not_opened"]].sum(axis=1)
    assert (outcomes == whole["total"]).all()
    assert len(whole) == 12


def test_metrics_are_methods_that_give_statistics(node_down):
    outage = node_down.blackhole_s("web")
    # the node is dead at 60 s: hold 90 - keepalive 30 .. 90, + restart 120
    assert 180 <= outage.min <= outage.p50 <= outage.p99 <= outage.max <= 210
    assert outage.p50 <= outage.p99_9 <= outage.max


def test_a_metric_not_asked_before_plays_the_runs_again(node_down):
    named = node_down.blackhole_s(prefix="10.244.1.0/24")
    # nobody else announces the PodCIDR: lost from 60 s to the horizon at 600 s, in every run
    assert [value.value for value in named.values] == [540.0] * 12
    assert all(value.censored for value in named.values)


def test_what_never_happened_is_not_a_number(crash):
    assert math.isnan(crash.reset_share().mean)
    assert not crash.reset_share().p99 <= 1.0


def test_a_misspelt_service_is_an_error_that_names_the_services(node_down):
    with pytest.raises(ValueError, match="unknown service 'wbe'; allowed: web"):
        node_down.blackhole_s("wbe")


def test_a_misspelt_metric_is_an_error_that_names_the_metrics(node_down):
    with pytest.raises(AttributeError, match=r"blackhole_s, lost_traffic_s"):
        _ = node_down.blackhole
    with pytest.raises(AttributeError, match="no statistic 'p'"):
        _ = node_down.blackhole_s().p


def test_a_timeline_is_that_of_its_run(node_down):
    frame = node_down.sessions
    lost = frame[(frame["run"] == 3) & (frame["side"] == "router")]["time_s"].iloc[0]
    assert lost in {fact.time_us / 1e6 for fact in node_down.timeline(run=3)}
    with pytest.raises(IndexError, match="no run 12"):
        node_down.timeline(run=12)


def test_the_reproduce_line_has_runs_seed_and_changes():
    changed = scenario(EXACT).with_(**{"cluster.timers.holdTimeSeconds": 9, "cluster.timers.keepAliveTimeSeconds": 3})
    line = simbgp.run(changed, seed=5).reproduce
    sets = "--set cluster.timers.holdTimeSeconds=9 --set cluster.timers.keepAliveTimeSeconds=3"
    assert line == f"simbgp run '<text>' --runs 1 --seed 5 {sets}"


def test_uncalibrated_profiles_are_named(crash):
    assert "profile rfc8538 is uncalibrated: no measurement of it" in crash.warnings


@pytest.mark.parametrize(
    ("wrong", "what"), [({"runs": 0}, "runs"), ({"jobs": 0}, "jobs"), ({"tables": ["x"]}, "tables x")]
)
def test_arguments_are_checked(wrong, what):
    with pytest.raises(ValueError, match=what):
        simbgp.run(scenario(EXACT), **wrong)


def test_a_table_that_was_not_made_is_not_empty_but_an_error():
    result = simbgp.run(scenario(EXACT), tables=["windows"])
    assert result.rows("windows")
    with pytest.raises(LookupError, match="without the table 'routes'"):
        result.rows("routes")


def test_rows_of_faults_leave_out_the_rest_and_count_it():
    # a cold start: what happens before the fault at 60 s touches no fault
    cold = TEXT.replace("cluster:", "start: cold\ncluster:").replace("node-down", "agent-crash")
    every, touched, none = (simbgp.run(scenario(cold), runs=2, rows=rows) for rows in ("all", "faults", "none"))
    whole = sum(len(every.rows(table)) for table in COLUMNS)
    kept = sum(len(touched.rows(table)) for table in COLUMNS)
    assert (every.rows_left_out, touched.rows_left_out, none.rows_left_out) == (0, whole - kept, whole)
    assert {row[2] is None for row in every.rows("sessions")} == {True, False}
    assert {row[2] is None for row in touched.rows("sessions")} == {False}


def test_the_package_names_its_release():
    import tomllib
    from pathlib import Path

    project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text())["project"]
    assert simbgp.__version__ == project["version"]


@pytest.mark.parametrize(
    ("metric", "narrowed"), [("reset_share", {"router": "tor-1"}), ("detection_s", {"min_share": 0.5})]
)
def test_an_slo_narrowed_to_what_its_metric_ignores_is_refused(metric, narrowed):
    slo = [{"metric": metric, "stat": "max", "max": 1, **narrowed}]
    with pytest.raises(ScenarioError, match=rf"slo.0.{next(iter(narrowed))}: {metric} cannot be narrowed to this"):
        scenario(EXACT, slo=slo)
