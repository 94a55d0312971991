import shlex
from pathlib import Path

import pytest
from cli_runs import cli
from study_worlds import EXACT, TEXT, scenario

import simbgp
from simbgp.scenario import load
from simbgp.study.compare import compare
from simbgp.study.comparison import Gate

SCENARIOS = Path(simbgp.__file__).parents[1] / "scenarios"
SLO = "slo: [{metric: blackhole_s, stat: p50, max: 60s}]\n"


@pytest.fixture
def pair(tmp_path):
    """The same loss with a restart time of 120 and of 150 s."""
    paths = [tmp_path / "short.yaml", tmp_path / "long.yaml"]
    for path, restart in zip(paths, ("120", "150"), strict=True):
        text = TEXT.replace("restartTimeSeconds: 120", f"restartTimeSeconds: {restart}")
        path.write_text(text.replace("name: world", f"name: {path.stem}") + SLO)
    return [str(path) for path in paths]


def test_the_difference_of_a_pair_is_free_of_the_luck_that_it_shares(pair):
    done = cli("compare", *pair, "--runs", "20", "--quiet")
    assert done.code == 0
    assert done.out.startswith("### long against short\n")
    row = next(line for line in done.out.splitlines() if line.startswith("| blackhole_s p50"))
    assert [cell.strip() for cell in row.split("|")[4:6]] == ["+30 s", "+30 s to +30 s"]


@pytest.mark.parametrize(
    ("one", "other", "metric"),
    [
        ("node-down", "node-down-gr", "blackhole_s"),
        ("node-down", "guide-link-switched", "detection_s"),
        ("guide-drain", "guide-drain-withdraw-first", "procedure_s"),
    ],
)
def test_of_shipped_pairs_the_paired_interval_is_at_most_half_as_wide(one, other, metric):
    sides = [load(SCENARIOS / f"{name}.yaml").with_(traffic=[]) for name in (one, other)]
    sides = [side.with_(slo=[{"metric": metric, "stat": "mean", "max": "1s"}]) for side in sides]
    found = compare(*sides, runs=60).rows[0].found
    assert found.unpaired_width > 0
    assert found.high - found.low <= found.unpaired_width / 2


@pytest.mark.parametrize(("order", "allowed", "code"), [(1, "1%", 1), (1, "50%", 0), (-1, "1%", 0)])
def test_the_gate_is_for_what_gets_worse(pair, order, allowed, code):
    # 30 s more on about 195 s are 15 %
    assert cli("compare", *pair[::order], "--runs", "20", "--max-regression", allowed, "--quiet").code == code


def test_runs_that_cannot_tell_are_said_to_be_so(pair):
    done = cli("compare", *pair, "--runs", "5", "--max-regression", "50%", "--quiet")
    assert done.code == 4
    assert "**? inconclusive**" in done.out


def test_the_line_that_reproduces_a_comparison_does(pair):
    first = cli("compare", *pair, "--runs", "12", "--max-regression", "5%", "--quiet").out
    line = first.splitlines()[-1].strip("`").removeprefix("simbgp ")
    assert cli(*shlex.split(line), "--quiet").out == first


def test_a_scenario_without_luck_is_compared_run_by_run_too():
    found = compare(scenario(EXACT), scenario(), max_regression=0.5)
    assert (found.one.runs, found.other.runs) == (400, 400)
    assert found.gate is Gate.FAILED


def test_a_service_that_only_one_side_has_is_no_figure():
    other = scenario(services=[{"name": "shop", "vip": "192.0.2.20", "backends": 2}])
    rows = compare(scenario(), other, runs=2).rows
    assert [row.question.service for row in rows] == []


@pytest.mark.parametrize("arguments", [["compare"], ["compare", "a.yaml"], ["compare", "/no/a.yaml", "/no/b.yaml"]])
def test_bad_usage_exits_2(arguments):
    done = cli(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "Traceback" not in done.err


@pytest.mark.parametrize("share", ["0", "-1%", "all"])
def test_a_gate_is_a_share(pair, share):
    assert "allowed: a share" in cli("compare", *pair, "--max-regression", share).err
