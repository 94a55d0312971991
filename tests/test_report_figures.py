"""Figures: what they show is what the result holds."""

import pytest
from cli_runs import cli
from study_worlds import scenario

import simbgp
from simbgp.report.figures import heat_map, save, timeline_strip
from simbgp.report.figures.lanes import lanes

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


# the timeline strip

HOLD_9 = {"cluster.timers.holdTimeSeconds": 9, "cluster.gracefulRestart.restartTimeSeconds": 20}


@pytest.fixture(scope="module")
def dead_node():
    return simbgp.run(scenario().with_(**HOLD_9), runs=3, seed=1)


def test_the_lanes_of_a_dead_node_follow_its_timers(dead_node):
    # dead at 60 s; rfc8538 without latency: the session ends at D (at most 9 s later), its routes 20 s after that
    found = lanes(dead_node.timeline(0), "tor-1", "worker-1", "192.0.2.10/32")
    told = {lane.name: [(span.start_us / 1e6, span.end_us / 1e6, span.text) for span in lane.spans] for lane in found}
    down_s = 60 + dead_node.detection_s().values[0].value
    assert told["fault"] == [(60.0, 600.0, "node-down")]
    assert told["session at worker-1"] == [(0.0, 60.0, "established"), (60.0, 600.0, "idle")]
    assert told["session at tor-1"] == [(0.0, down_s, "established"), (down_s, 600.0, "active")]
    ends = down_s + 20
    assert told["route at tor-1"] == [(0.0, down_s, "fresh"), (down_s, ends, "stale"), (ends, 600.0, "none")]
    assert told["next hops"] == [(0.0, ends, "4"), (ends, 600.0, "3")]
    assert told["datapath"] == [(0.0, 60.0, "forwards"), (60.0, 600.0, "node silent")]


def test_the_strip_names_and_shades_the_hole(dead_node):
    figure = timeline_strip(dead_node, 0, prefix="10.244.1.0/24", until_s=110)
    # only worker-1 announces its own pods: all of it is lost until the route goes, and then there is none to the end
    assert figure.get_suptitle().replace("\n", " ").startswith("world: 10.244.1.0/24 loses all of its traffic at tor-1")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "lost traffic", "datapath", "next hops", "route at tor-1", "session at tor-1", "session at worker-1", "fault",
    ]  # fmt: skip
    said = [text.get_text() for text in axes.texts]
    hole_s = dead_node.detection_s().values[0].value + 20
    assert f"dead-next-hop {hole_s:.3g} s" in said


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"router": "tor-9"}, "worker-1 has no session with tor-9"),
        ({"prefix": "::/0"}, "worker-1 does not announce ::/0"),
    ],
)
def test_a_strip_of_what_is_not_there_is_refused(dead_node, asked, message):
    with pytest.raises(ValueError, match=message):
        timeline_strip(dead_node, **asked)
