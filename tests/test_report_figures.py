"""Figures: what they show is what the result holds."""

import pytest
from cli_runs import cli
from study_worlds import scenario

import simbgp
from simbgp.report.figures import heat_map, save

HOLD, RESTART = "cluster.timers.holdTimeSeconds", "cluster.gracefulRestart.restartTimeSeconds"
SLO = [{"metric": "blackhole_s", "stat": "max", "max": "100s"}]


@pytest.fixture(scope="module")
def grid():
    # rfc8538: the outage of a dead node is hold - U[0, keepalive] + restart, so within 100 s where hold + restart are
    return simbgp.sweep(scenario(slo=SLO), {HOLD: [9, 30, 60], RESTART: [30, 60, 90, 120]}, runs=12, seed=3)


def test_each_cell_is_the_figure_of_its_setting(grid):
    axes = heat_map(grid).axes[0]
    (image,) = axes.images
    shown = image.get_array()
    for setting, result in grid:
        row, column = [9, 30, 60].index(setting[HOLD]), [30, 60, 90, 120].index(setting[RESTART])
        assert shown[row, column] == result.blackhole_s().max
    assert [label.get_text() for label in axes.get_xticklabels()] == ["30", "60", "90", "120"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["9", "30", "60"]


def test_the_title_counts_the_settings_within_the_bound(grid):
    # at most 9+30, 9+60, 9+90, 30+30, 30+60, 60+30 = 90 and none other: 6 of 12; the least is that of the endpoints,
    # whose loss the other nodes see 50 s + at most 1 s later
    title = heat_map(grid).get_suptitle().replace("\n", " ")
    assert title.startswith(
        f"{next(iter(grid))[1].scenario.name}: 6 of 12 settings keep to 100 s; least blackhole_s max is 51 s"
    )
    assert title.endswith("at holdTimeSeconds 9, restartTimeSeconds 30")


def test_the_line_runs_between_met_and_not_met(grid):
    # steps down from 9 s x 90 s | 120 s, by 30 x 60 | 90, to 60 x 30 | 60: 3 upright pieces, 2 level ones, drawn twice
    lines = [c for c in heat_map(grid).axes[0].collections if hasattr(c, "get_segments")]
    assert [len(line.get_segments()) for line in lines] == [5, 5]


def test_another_metric_may_be_asked_for(grid):
    figure = heat_map(grid, metric="detection_s", stat="p50")
    (_, result), *_ = grid
    assert figure.axes[0].images[0].get_array()[0, 0] == result.detection_s().p50
    assert "detection_s p50, seconds" in figure.axes[1].get_ylabel()


def test_a_map_of_one_path_is_refused():
    one = simbgp.sweep(scenario(), {HOLD: [9, 30]}, runs=2)
    with pytest.raises(ValueError, match="needs two varied paths; this sweep varied 1"):
        heat_map(one)


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_figure_is_the_same_bytes(grid, tmp_path, suffix):
    first, second = (tmp_path / f"{name}.{suffix}" for name in "ab")
    save(heat_map(grid), first)
    save(heat_map(grid), second)
    assert first.read_bytes() == second.read_bytes()


def test_an_unknown_kind_of_file_is_refused(grid, tmp_path):
    with pytest.raises(ValueError, match=r"allowed: \.png, \.svg, \.pdf"):
        save(heat_map(grid), tmp_path / "map.doc")


def test_sweep_draws_the_map(tmp_path):
    target = tmp_path / "map.png"
    varied = [f"--vary={HOLD}=9,30", f"--vary={RESTART}=30,60"]
    done = cli("sweep", "scenarios/node-down-gr.yaml", *varied, "--runs", "2", "--figure", str(target), "--quiet")
    assert done.code in (0, 1, 4), done.err
    assert target.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([f"--vary={HOLD}=9,30", "--figure", "m.png"], "a heat map needs two --vary; there is 1"),
        ([f"--vary={HOLD}=9", f"--vary={RESTART}=9", "--figure", "m.gif"], "'m.gif'; allowed: .png, .svg, .pdf"),
    ],
)
def test_what_would_fail_after_the_sweep_is_said_before(arguments, message):
    done = cli("sweep", "scenarios/node-down-gr.yaml", *arguments)
    assert done.code == 2
    assert message in done.err
