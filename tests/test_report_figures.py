"""Figures: what they show is what the result holds."""

import pandas as pd
import pytest
from cli_runs import cli
from matplotlib.colors import to_rgba
from study_worlds import EXACT, TEXT, scenario

import simbgp
from simbgp.report.figures import heat_map, save, timeline_strip
from simbgp.report.figures.heat_map import luminance
from simbgp.report.figures.lanes import lanes
from simbgp.report.figures.lattice import as_it_is
from simbgp.report.figures.style import HOLE, WIDTH_IN, empty, house_style

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


RED_FILL = to_rgba(HOLE)


def test_a_setting_too_close_to_call_has_a_question_mark():
    # 12 runs bound no p99 from above: what lies below the bound is INCONCLUSIVE, what lies above it is BREACHED
    slo = [{"metric": "blackhole_s", "stat": "p99", "max": "100s"}]
    few = simbgp.sweep(scenario(slo=slo), {HOLD: [9], RESTART: [30, 120]}, runs=12)
    figure = heat_map(few)
    low, high = (text.get_text() for text in figure.axes[0].texts[:2])
    assert low.endswith(" ?")
    assert not high.endswith("?")
    assert "0 of 2 settings keep to 100 s (1 too close for so few runs)" in figure.get_suptitle().replace("\n", " ")


def test_the_setting_of_the_scenario_is_framed(grid):
    now = as_it_is(grid, scenario(cluster__timers__holdTimeSeconds=30).data)
    assert now == {"now": {HOLD: 30, RESTART: 120}}
    axes = heat_map(grid, marks=now).axes[0]
    (frame,) = [box for box in axes.patches if not box.get_fill()]
    assert (frame.get_x() + 0.47, frame.get_y() + 0.45) == pytest.approx((3, 1))
    assert [text.get_text().endswith("\nnow") for text in axes.texts if "\n" in text.get_text()] == [True]
    assert as_it_is(grid, scenario().data) == {}  # the scenario leaves the hold time to its default
    with pytest.raises(ValueError, match=r"mark 'x': .* is not on the map"):
        heat_map(grid, marks={"x": {HOLD: 10, RESTART: 30}})


def test_each_number_stands_out_from_its_cell(grid):
    axes = heat_map(grid).axes[0]
    (image,) = axes.images
    for text in axes.texts[:12]:
        column, row = (round(each) for each in text.get_position())
        cell = luminance(image.to_rgba(image.get_array())[row, column])
        ink = luminance(to_rgba(text.get_color()))
        assert (max(cell, ink) + 0.05) / (min(cell, ink) + 0.05) >= 4.5


def test_a_frame_is_a_map_too():
    rows = [(9, 30, 1.5, "MET"), (9, 60, 2.5, "MET"), (90, 30, 8.0, "BREACHED"), (90, 60, 9.0, "INCONCLUSIVE")]
    frame = pd.DataFrame(rows, columns=["hold", "restart", "minutes_a_year", "verdict"])
    figure = heat_map(frame, "minutes_a_year")
    assert figure.axes[0].images[0].get_array().tolist() == [[1.5, 2.5], [8.0, 9.0]]
    assert figure.get_suptitle() == "least minutes_a_year is 1.5 at hold 9, restart 30"
    assert [text.get_text() for text in figure.axes[0].texts[:4]] == ["1.5", "2.5", "8", "9 ?"]
    with pytest.raises(ValueError, match="needs two columns of settings and then one of values"):
        heat_map(frame, "hold")


def test_a_title_never_parts_a_number_from_its_unit_and_its_lines_are_about_as_long():
    with house_style():
        figure = empty(2, "Wait 2 s after the node lost its label; then traffic arrives in at most 1 case of 1 000")
    first, second = figure.get_suptitle().split("\n")
    assert abs(len(first) - len(second)) < 12
    assert "1 000" in second
    assert figure.get_figwidth() == WIDTH_IN


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
    assert told["agent of worker-1"] == [(0.0, 60.0, "runs 1.20"), (60.0, 600.0, "down")]
    assert told["session at worker-1"] == [(0.0, 60.0, "established"), (60.0, 600.0, "idle")]
    assert told["session at tor-1"] == [(0.0, down_s, "established"), (down_s, 600.0, "active")]
    ends = down_s + 20
    assert told["route at tor-1"] == [(0.0, down_s, "fresh"), (down_s, ends, "stale"), (ends, 600.0, "none")]
    assert told["next hops at tor-1"] == [(0.0, ends, "4"), (ends, 600.0, "3")]
    assert told["datapath to worker-1"] == [(0.0, 60.0, "forwards"), (60.0, 600.0, "node silent")]


def test_the_strip_names_and_shades_the_hole(dead_node):
    figure = timeline_strip(dead_node, 0, prefix="10.244.1.0/24", until_s=110)
    # only worker-1 announces its own pods: all of it is lost until the route goes, and then there is none to the end
    assert figure.get_suptitle().replace("\n", " ").startswith("world: 10.244.1.0/24 loses all of its traffic at tor-1")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "pods 10.244.1.0/24", "datapath to worker-1", "next hops at tor-1", "route at tor-1", "session at tor-1",
        "session at worker-1", "agent of worker-1", "fault",
    ]  # fmt: skip
    said = [text.get_text() for text in axes.texts]
    hole_s = dead_node.detection_s().values[0].value + 20
    assert f"dead-next-hop {hole_s:.3g} s" in said


def test_the_strip_shows_the_service_and_below_it_the_pods_of_the_node(dead_node):
    # one of four next hops is dead: a quarter of web is lost there, and a quarter of the rest meets the dead pod
    # (7/16 = 43.8 %); all that is sent to its own pods is lost
    figure = timeline_strip(dead_node, 0)
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()][:2] == ["pods 10.244.1.0/24", "web at tor-1"]
    assert "web loses up to 43.8 % of its traffic" in figure.get_suptitle().replace("\n", " ")
    starts = {(round(box.get_y() + 0.37), box.get_x()) for box in axes.patches if box.get_facecolor() == RED_FILL}
    assert starts >= {(1, 0.0), (0, 0.0)}


def test_a_service_that_loses_nothing_is_said_to_and_the_pods_beside_it():
    # without graceful restart an agent crash takes the node's routes at once: three next hops are left for web, none
    # for the pods of the node
    away = simbgp.run(scenario(EXACT, cluster__gracefulRestart__enabled=False), runs=1)
    figure = timeline_strip(away)
    said = figure.get_suptitle().replace("\n", " ")
    assert said.startswith(
        "world: web loses nothing at tor-1; the pods of worker-1 lose all of what is sent to them for"
    )
    assert "nothing lost" in [text.get_text() for text in figure.axes[0].texts]


def test_a_hole_too_short_to_see_is_drawn_all_the_same():
    # a link that is away for 3 s of a run of an hour: 3 s are less than 0.4 % of the picture
    cut = {"at": "60s", "kind": "link-down", "node": "worker-1", "router": "tor-1", "downFor": "3s"}
    short = simbgp.run(scenario(horizon="1h", faults=[cut]), runs=1)
    axes = timeline_strip(short, until_s=3600).axes[0]
    width = 0.004 * (axes.get_xlim()[1] - axes.get_xlim()[0])
    drawn = [box.get_width() for box in axes.patches if box.get_facecolor() == RED_FILL]
    assert drawn == pytest.approx([width] * len(drawn))
    assert len(drawn) >= 1
    assert any(text.get_text().endswith("link 3 s") for text in axes.texts)


def test_a_strip_of_a_rollout_ends_after_its_own_node():
    # one node after the other: worker-1 is away for the pull of 10 s and a start, the last of four ends much later
    fault = {"at": "60s", "kind": "agent-upgrade", "to": "1.20", "maxUnavailable": 1, "imagePull": "10s"}
    rollout = simbgp.run(scenario(TEXT.replace('"1.20"', '"1.19"'), faults=[fault]), runs=1)
    left, right = timeline_strip(rollout).axes[0].get_xlim()
    timeline = rollout.timeline(0)
    own = max(f.time_us for f in timeline if getattr(f, "node", None) == "worker-1" and f.time_us < timeline.horizon_us)
    assert left < 0 < right < 1.2 * (own / 1e6 - 60) + 1


def test_what_no_span_can_name_the_legend_does(dead_node):
    (legend,) = timeline_strip(dead_node, 0).legends
    assert [text.get_text() for text in legend.texts] == [
        "as it should be", "on the way, or fewer", "harmful", "not there",
    ]  # fmt: skip


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
