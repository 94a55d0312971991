"""Figures of several results, of rollouts and of measurements: what they show is what the results hold."""

import numpy as np
import pandas as pd
import pytest
from study_worlds import EXACT, HOPS, TEXT, scenario

import simbgp
from simbgp.measure import Question, Value, estimate
from simbgp.report.figures import calibration, convergence, ecdf, load_bars, outcome_bars, save, upgrade_fan, wait_curve
from simbgp.report.figures.load_bars import loads
from simbgp.report.figures.outcome_bars import doomed
from simbgp.report.figures.style import INK, RED
from simbgp.report.figures.upgrade_fan import fan
from simbgp.report.numbers import percent
from simbgp.scenario import loads as scenario_of
from simbgp.study.wait import wait
from simbgp.study.waiting import OfProfile, Waiting, WayOut
from simbgp.traffic import breaks_us

HOLD, POLICY = "cluster.timers.holdTimeSeconds", "services.0.externalTrafficPolicy"
SLO = [{"metric": "blackhole_s", "stat": "max", "max": "100s"}]


def title(figure):
    return figure.get_suptitle().replace("\n", " ")


# outage curves


@pytest.fixture(scope="module")
def holds():
    # restart time 60 s: an outage is hold - U[0, hold/3] + 60, so within 100 s always at 9, never at 120
    base = scenario(slo=SLO, cluster__gracefulRestart__restartTimeSeconds=60)
    return simbgp.sweep(base, {HOLD: [9, 120]}, runs=20, seed=1)


def test_a_curve_rises_by_one_run_at_each_outage(holds):
    curves = ecdf(holds).axes[0].lines[:2]
    for (setting, result), line in zip(holds, curves, strict=True):
        at, share = line.get_data()
        assert line.get_label() == str(setting[HOLD])
        assert list(at[1:-1]) == sorted(value.value for value in result.blackhole_s().values)
        assert list(share[1:-1]) == pytest.approx([(i + 1) / 20 for i in range(20)])


def test_the_bound_is_that_of_the_slo_and_the_title_counts_who_keeps_to_it(holds):
    figure = ecdf(holds)
    assert title(figure) == "world: only holdTimeSeconds 9 keeps blackhole_s to 100 s in every run"
    assert [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_color() == RED] == [100]
    assert "SLO 100 s" in [text.get_text() for text in figure.axes[0].texts]
    assert "no setting keeps blackhole_s to 1 s in any run" in title(ecdf(holds, bound=1.0))
    assert figure.axes[0].get_xscale() == "log"


def test_each_curve_bears_its_name_at_a_dot_on_it(holds):
    axes = ecdf(holds).axes[0]
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    names = [text for text in axes.texts if text.get_text() in ("9", "120")]
    for (setting, result), dot in zip(holds, dots, strict=True):
        assert dot.get_xdata()[0] in [value.value for value in result.blackhole_s().values]
        (name,) = [text for text in names if text.get_text() == str(setting[HOLD])]
        assert name.xy == (dot.get_xdata()[0], dot.get_ydata()[0])
    assert axes.get_title(loc="left") == "holdTimeSeconds"


def test_a_curve_of_runs_still_open_at_the_horizon_does_not_reach_the_top():
    # hold 90 + restart 120 from 60 s on: at least 240 s, and the horizon is at 200 s
    open_ended = simbgp.run(scenario(horizon="200s"), runs=5)
    line = ecdf(open_ended).axes[0].lines[0]
    assert max(line.get_ydata()) == 0


def test_counts_have_a_plain_axis(holds):
    axes = ecdf(holds, metric="flaps").axes[0]
    assert axes.get_xscale() == "linear"
    low, high = axes.get_xlim()
    assert low < 1 < high  # one session lost in each run


def test_a_curve_of_what_is_not_there_is_refused(holds):
    with pytest.raises(ValueError, match="never happened"):
        ecdf(holds, metric="procedure_s")


def test_more_curves_than_can_be_told_apart_are_refused(holds):
    (_, result), *_ = holds
    with pytest.raises(ValueError, match="13 curves cannot be told apart"):
        ecdf({str(i): result for i in range(13)})


# outcomes

TRAFFIC = [{"service": "web", "connections": 4000, "lifetime": "1000000s", "requests": "1/s"}]


@pytest.fixture(scope="module")
def outcomes():
    return simbgp.sweep(scenario(traffic=TRAFFIC), {POLICY: ["Cluster", "Local"]}, runs=2, seed=4)


def test_each_bar_is_the_outcomes_of_its_setting(outcomes):
    figure = outcome_bars(outcomes)
    drawn = {box.get_label(): [patch.get_width() for patch in box] for box in figure.axes[0].containers}
    for place, (_, swept) in enumerate(outcomes):
        rows = simbgp.run(swept.scenario, 2, 4).connections
        whole = rows[rows.fault.isna()]
        for kind in ("reset", "timed out", "not opened", "delayed"):
            share = whole[kind.replace(" ", "_")].sum() / whole.total.sum()
            assert drawn.get(kind, [0, 0])[place] == pytest.approx(share)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["Cluster", "Local"]


def test_what_dies_with_its_pod_is_hatched(outcomes):
    # four pods on four nodes, one dies: a quarter of 4000 connections, whoever balances
    hatched = outcome_bars(outcomes).axes[0].containers[-1]
    assert hatched.get_label() == "lost with their pods, unavoidable"
    total = [sum(simbgp.run(r.scenario, 2, 4).connections.query("fault.isna()").total) for _, r in outcomes]
    assert [patch.get_width() for patch in hatched] == pytest.approx([2 * 1000 / each for each in total])


@pytest.mark.parametrize(
    ("fault", "lost"),
    [
        ({"kind": "node-down", "node": "worker-[1-2]"}, 2000),  # two of four pods
        ({"kind": "agent-crash", "node": "worker-1"}, 0),  # the pods live on
        ({"kind": "backends-down", "service": "web"}, 4000),
        ({"kind": "backends-down", "service": "web", "backends": ["web-1"]}, 1000),
        ({"kind": "backends-down", "service": "web", "backends": ["web-1"], "how": "unready"}, 0),  # it serves on
    ],
)
def test_only_dead_pods_are_unavoidable(fault, lost):
    assert doomed(scenario(traffic=TRAFFIC, faults=[{"at": "60s", **fault}]).plan()) == lost


def test_a_local_service_loses_a_node_of_those_with_pods():
    # pods on three nodes, two of them on worker-1: routers divide by nodes, so a third and not a half
    pods = [{"node": f"worker-{n}", "name": f"p{i}"} for i, n in enumerate((1, 1, 2, 3))]
    changed = scenario(services__0__backends=pods, services__0__externalTrafficPolicy="Local", traffic=TRAFFIC)
    assert doomed(changed.plan()) == pytest.approx(4000 / 3)
    assert doomed(changed.with_(**{POLICY: "Cluster"}).plan()) == 2000


def test_a_label_with_commas_is_quoted_in_the_title(outcomes):
    results = [simbgp.run(swept.scenario, 2, 4) for _, swept in outcomes]
    said = title(outcome_bars(dict(zip(["unlabel, wait", "none"], results, strict=True))))
    assert "“unlabel, wait”" in said
    assert "with none" in said


def test_bars_without_traffic_are_refused():
    with pytest.raises(ValueError, match="no traffic"):
        outcome_bars(simbgp.run(scenario(), runs=1))


def test_the_shares_stand_in_columns_beside_the_bars(outcomes):
    figure = outcome_bars(outcomes)
    said = [text.get_text() for text in figure.axes[0].texts]
    assert said[0] == "broken"
    assert said[3] == "delayed"
    shares = []
    for _, swept in outcomes:
        whole = simbgp.run(swept.scenario, 2, 4).connections.query("fault.isna()")
        broken = whole[["reset", "timed_out", "not_opened"]].sum().sum() / whole.total.sum()
        shares.append(percent(broken))
    assert said[1:3] == shares


# the load


def test_the_survivors_share_what_the_dead_node_had():
    # four nodes are sent a quarter each; when one is gone from the group the others are sent a third
    result = simbgp.run(scenario(cluster__gracefulRestart__enabled=False), runs=2)
    found = loads(result, 0)
    assert found.before == pytest.approx(dict.fromkeys(HOPS, 0.25))
    assert found.peak == pytest.approx({"worker-1": 0.25, **dict.fromkeys(HOPS[1:], 1 / 3)})
    axes = load_bars(result).axes[0]
    after, before = ([box.get_width() for box in part] for part in axes.containers)
    assert after == pytest.approx(list(found.peak.values()))
    assert before == pytest.approx(list(found.before.values()))
    assert title(load_bars(result)) == (
        "world: 3 nodes are sent up to 33.3 % of the service traffic, 1.33 times as much as before"
    )


def test_many_nodes_are_a_histogram_of_their_shares_and_the_capacity_a_line():
    result = simbgp.run(scenario(cluster__nodes=40), runs=1)
    axes = load_bars(result, capacity=0.03).axes[0]
    assert max(axes.patches[1].get_xy()[:, 1]) == 40  # before: all alike
    assert [line.get_xdata()[0] for line in axes.lines if line.get_color() == RED] == [0.03]


def test_a_cluster_without_services_has_no_load():
    with pytest.raises(ValueError, match="no node is sent traffic"):
        load_bars(simbgp.run(scenario(services=[]), runs=1))


# the wait


def answer(profile, values):
    return OfProfile(profile, ("tor-1",), estimate("p99", values, seed=0, purpose="t"), None, "", tuple(values))


def test_the_curve_falls_by_one_run_at_each_time_and_the_quantiles_are_marked():
    # 1000 runs at 0.01, 0.02, ... 10 s: 1 % are left after the 990th, 0.1 % after the 999th
    values = [Value(i / 100) for i in range(1, 1001)]
    figure = wait_curve(Waiting(99.9, 0, (WayOut((), "worker-1", (answer("frr-8.4", values),)),)))
    curve, *marks = [line for line in figure.axes[0].lines if line.get_color() != INK][:3]
    assert list(curve.get_xdata()[1:-1]) == pytest.approx([i / 100 for i in range(1, 1001)])
    assert list(curve.get_ydata()[1:-2]) == pytest.approx([1 - i / 1000 for i in range(1, 1000)])
    assert [(mark.get_xdata()[0], mark.get_ydata()[0]) for mark in marks] == [(9.9, 0.01), (9.99, 0.001)]


def test_too_few_runs_mark_no_quantile():
    figure = wait_curve(Waiting(99, 0, (WayOut((), "worker-1", (answer("x", [Value(i) for i in range(1, 101)]),)),)))
    assert [line.get_ydata()[0] for line in figure.axes[0].lines if len(line.get_xdata()) == 1] == [0.01]


def test_the_wait_of_a_scenario_is_drawn_from_its_own_runs():
    found = wait(scenario(), p=99, runs=400)
    assert len(found.ways[0].worst.values) in (1, 400)
    marked = [line.get_xdata()[0] for line in wait_curve(found).axes[0].lines if line.get_color() == INK]
    assert marked == [found.whole_seconds]
    assert title(wait_curve(found)).startswith(f"Wait {found.whole_seconds} s after worker-1 lost its label")


def test_a_router_that_never_forgets_is_no_matter_of_time():
    figure = wait_curve(Waiting(99, 0, (WayOut((), "worker-1", (answer("x", [Value(7200.0, True)] * 5),)),)))
    assert title(figure) == "Some router never forgets worker-1: do not switch it off by the clock"
    assert set(figure.axes[0].lines[0].get_ydata()) == {1.0}


# a rollout


@pytest.fixture(scope="module")
def rollout():
    fault = {"at": "60s", "kind": "agent-upgrade", "to": "1.20", "maxUnavailable": 1, "imagePull": "10s"}
    text = TEXT.replace('"1.20"', '"1.19"').replace("enabled: true", "enabled: false")
    return simbgp.run(scenario_of(text).with_(faults=[fault], traffic=TRAFFIC), runs=3, seed=2)


def test_the_fan_counts_what_broke_by_the_end_of_each_step(rollout):
    found = fan(rollout)
    assert found.broken.shape == found.next_hops.shape == (3, 5)
    for run in range(3):
        steps = rollout.progress.query("run == @run")
        moments = breaks_us(rollout.plan, rollout.timeline(run), 2, run) / 1e6
        for upgraded, end_s in zip(steps.upgraded, steps.end_s, strict=True):
            assert found.broken[run, upgraded] == (moments < end_s).sum()
    whole = rollout.connections[rollout.connections.fault.isna()]
    assert list(found.broken[:, -1]) == list(whole.reset + whole.timed_out)
    least = rollout.progress.groupby(["run", "upgraded"]).min_next_hops.min()
    assert least.to_dict() == {(run, step): found.next_hops[run, step] for run, step in least.index}
    assert least.max() == 3  # without graceful restart: from the first step on there is always one of four away


def test_the_fan_draws_the_median_run(rollout):
    upper, lower = upgrade_fan(rollout).axes
    found = fan(rollout)
    assert list(upper.lines[0].get_ydata()) == list(np.median(found.broken, axis=0))
    # four next hops at the start, one of them away at least from the first step on
    assert (found.missing == 4 - found.next_hops).all()
    assert found.missing.min() == 1
    assert list(lower.lines[0].get_ydata()) == list(np.median(found.missing, axis=0))


def test_a_rollout_that_breaks_nothing_says_so_on_an_axis_of_whole_connections():
    # the image is there after 10 s, the routes are kept for 120 s
    fault = {"at": "60s", "kind": "agent-upgrade", "to": "1.20", "maxUnavailable": 1, "imagePull": "10s"}
    text = TEXT.replace('"1.20"', '"1.19"')
    figure = upgrade_fan(simbgp.run(scenario_of(text).with_(faults=[fault], traffic=TRAFFIC), runs=1, seed=2))
    assert title(figure).startswith("world: upgrading 4 nodes breaks no connection (4 000 are open at a time)")
    upper = figure.axes[0]
    assert upper.get_ylim() == (0, 1)
    assert all(tick == round(tick) for tick in upper.get_yticks())


def test_breaks_are_those_of_the_outcomes():
    result = simbgp.run(scenario(traffic=TRAFFIC), runs=2, seed=4)
    for run, whole in result.connections[result.connections.fault.isna()].groupby("run"):
        moments = breaks_us(result.plan, result.timeline(run), 4, run)
        assert len(moments) <= int((whole.reset + whole.timed_out).iloc[0])
        assert (np.diff(moments) >= 0).all()
        assert moments.min() >= 60_000_000
        assert moments.max() < 600_000_000


def test_a_fan_without_a_rollout_is_refused():
    with pytest.raises(ValueError, match="there is no rollout to show"):
        upgrade_fan(simbgp.run(scenario(), runs=1))


# enough runs


def test_each_look_is_the_estimate_from_the_first_runs():
    result = simbgp.run(scenario(), runs=50, seed=3)
    axes = convergence(result, "p50", "detection_s").axes[0]
    runs, middle = axes.lines[0].get_data()
    assert (runs[0], runs[-1]) == (10, 50)
    values = [value for value in result.stats(Question("detection_s")).values if value is not None]
    for size, drawn in zip(runs, middle, strict=True):
        assert drawn == estimate("p50", values[:size], seed=3, purpose="detection_s/p50").value
    last = result.stats(Question("detection_s")).estimate("p50")
    assert (axes.lines[1].get_ydata()[-1], axes.lines[2].get_ydata()[-1]) == (last.low, last.high)


def test_an_end_that_so_few_runs_cannot_bound_is_open():
    # a p99 of 50 runs has no upper end: pale from the lower one up to the frame, and the figure says so
    axes = convergence(simbgp.run(scenario(), runs=50, seed=3), "p99", "detection_s").axes[0]
    pale = axes.collections[-1].get_paths()
    assert max(path.vertices[:, 1].max() for path in pale) == pytest.approx(axes.get_ylim()[1])
    assert "SLO" not in [text.get_text() for text in axes.texts]
    near = convergence(simbgp.run(scenario(), runs=50, seed=3), "p99", "detection_s", bound=91).axes[0]
    assert near.get_ylim()[1] > 91  # the line is inside the frame
    assert "pale: so few runs cannot bound that end" in [text.get_text() for text in axes.texts]


def test_few_runs_are_one_look_and_equal_ones_none():
    assert list(convergence(simbgp.run(scenario(), runs=5)).axes[0].lines[0].get_xdata()) == [5]
    with pytest.raises(ValueError, match="every run is the same"):
        convergence(simbgp.run(scenario_of(EXACT), runs=1))


# measurements


def measurements():
    rows = [("lost", 6.0, 5.0, 6.5, 8.0), ("lost", 8.14, 5.0, 6.5, 8.0), ("lost", 8.16, 5.0, 6.5, 8.0)]
    return pd.DataFrame(
        [*rows, ("back", 0.0, 0.0, 0.0, 0.0)], columns=["group", "measured", "low", "predicted", "high"]
    )


def test_each_dot_is_a_measurement_and_the_title_counts_those_inside():
    # 8.14 is within 8.0 and 0.15 s of noise, 8.16 is not: 3 of 4
    figure = calibration(measurements())
    assert title(figure).startswith("75.0 % of 4 measurements of real daemons lie in the central 99 %")
    lost = next(line for line in figure.axes[0].lines if line.get_label().startswith("lost\n"))
    assert lost.get_label() == "lost\n3, 66.7 % inside,\nmedian residual +1.6 s"  # 8.14 - 6.5
    assert [list(part) for part in lost.get_data()] == [[6.0, 8.14, 8.16], [6.5, 6.5, 6.5]]


def test_a_frame_of_other_columns_is_refused():
    with pytest.raises(ValueError, match="the frame lacks low, high"):
        calibration(measurements().drop(columns=["low", "high"]))


def test_the_measured_failures_are_drawn_from_their_scores():
    from benchmarks.calibration import frame
    from benchmarks.score import Score, scores

    found = scores(
        ("r",), "c", ["lost_s"], [{"t_obs": 40.0, "lost_s": 3.0}], lambda _: [{"lost_s": float(i)} for i in range(201)]
    )
    assert frame(found).to_dict("records") == [
        {"group": "traffic lost", "measured": 3.0, "low": 1.0, "predicted": 100.0, "high": 199.0}
    ]
    never = Score(("r",), "c", "lost_s", None, "never", 0.0, None, True)
    assert frame([never]).empty


@pytest.mark.parametrize("draw", [lambda grid: ecdf(grid), lambda grid: convergence(next(iter(grid))[1])])
def test_the_same_figure_is_the_same_bytes(holds, tmp_path, draw):
    for name in "ab":
        save(draw(holds), tmp_path / f"{name}.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
