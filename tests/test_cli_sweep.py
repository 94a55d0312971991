import csv
import io
import json
import re
import shlex

import pytest
from cli_runs import cli
from study_worlds import EXACT, TEXT

from simbgp.cli.sweep import split_values

HOLD = "cluster.timers.holdTimeSeconds"
SLO = "slo: [{metric: blackhole_s, stat: max, max: 135s}]\n"
QUIET = ("--runs", "2", "--quiet")


@pytest.fixture
def world(tmp_path):
    path = tmp_path / "world.yaml"
    path.write_text(TEXT + SLO)
    return str(path)


def test_a_table_has_a_line_for_each_setting_and_says_how_many_pass(world):
    # a restart time of 120 s after at most 9 s or at least 60 s
    done = cli("sweep", world, "--vary", f"{HOLD}=9,90", "--runs", "4", "--quiet")
    lines = done.out.splitlines()
    assert done.code == 0
    assert lines[2].split()[:4] == ["holdTimeSeconds", "blackhole_s", "max", "≤"]
    assert [(line.split()[0], line.split()[-1]) for line in lines[3:5]] == [("9", "MET"), ("90", "BREACHED")]
    assert "VERDICT  1 of 2 settings meets the SLOs" in done.out


def test_without_a_setting_that_passes_the_code_is_that_of_the_best(world):
    done = cli("sweep", world, "--vary", f"{HOLD}=90,180", "--runs", "4", "--quiet")
    assert done.code == 1
    assert "no setting of 2 meets the SLOs; the best is BREACHED" in done.out


def test_the_json_names_each_setting_with_its_summary(world):
    found = json.loads(cli("sweep", world, "--vary", f"{HOLD}=9,90", "--runs", "4", "--format", "json").out)
    assert [each["set"] for each in found["settings"]] == [{HOLD: 9}, {HOLD: 90}]
    assert [each["verdict"] for each in found["settings"]] == ["MET", "BREACHED"]
    assert found["settings"][0]["summary"][0]["within"] == 1.0


def test_the_csv_is_long(world):
    out = cli("sweep", world, "--vary", f"{HOLD}=9,90", "--runs", "4", "--format", "csv", "--quiet").out
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(row[HOLD], row["run"]) for row in rows] == [(hold, str(run)) for hold in ("9", "90") for run in range(4)]


def test_two_workers_give_the_same_bytes(world):
    line = ("sweep", world, "--vary", f"{HOLD}=9,90", "--runs", "40", "--format", "csv", "--quiet")
    assert cli(*line).out == cli(*line, "--jobs", "2").out


def test_the_line_that_reproduces_a_sweep_does(world):
    line = ("sweep", world, "--vary", f"{HOLD}=9,90", "--set", "cluster.nodes=3", "--runs", "2", "--quiet")
    first = cli(*line).out
    again = first.splitlines()[-1].removeprefix("reproduce: simbgp ")
    assert cli(*shlex.split(again), "--quiet").out == first


def test_a_text_that_looks_like_a_number_stays_a_text(tmp_path):
    (tmp_path / "world.yaml").write_text(EXACT)
    line = ("sweep", str(tmp_path / "world.yaml"), "--vary", "cluster.cilium=1.18,1.20", "--runs", "1")
    found = json.loads(cli(*line, "--format", "json").out)
    assert [each["set"]["cluster.cilium"] for each in found["settings"]] == ["1.18", "1.20"]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("9,90", ["9", "90"]),
        ("20s,{uniform: [1s, 2s]}", ["20s", "{uniform: [1s, 2s]}"]),
        ('"a,b", c', ['"a,b"', "c"]),
    ],
)
def test_values_are_cut_at_commas_outside_of_brackets_and_quotation_marks(text, values):
    assert split_values(text) == values


@pytest.mark.parametrize("vary", ["cluster.nodes", "=1", "cluster.nodes=1,,2", "cluster.nodes="])
def test_what_is_no_list_of_values_is_bad_usage(world, vary):
    done = cli("sweep", world, "--vary", vary)
    assert (done.code, done.out) == (2, "")
    assert "is not PATH=V1,V2" in done.err


def test_settings_that_are_not_allowed_are_named(world):
    done = cli("sweep", world, "--vary", f"{HOLD}=1,90", "--quiet")
    assert done.code == 2
    assert HOLD in done.err
    assert "Traceback" not in done.err


def test_lists_and_switches_are_printed_as_they_are_written(world):
    kinds = "cluster.advertise=[PodCIDR,LoadBalancerIP]"
    done = cli("sweep", world, "--vary", "cluster.gracefulRestart.enabled=true,false", "--vary", kinds, *QUIET)
    heads, *rows = [re.split(r"  +", line.strip())[:2] for line in done.out.splitlines()[2:5]]
    assert heads == ["gracefulRestart.enabled", "advertise"]
    assert rows == [["true", "PodCIDR, LoadBalancerIP"], ["false", "PodCIDR, LoadBalancerIP"]]
