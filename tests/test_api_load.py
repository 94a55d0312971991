"""Status patches at the API server (pkg/bgp/manager/reconciler/crd_status.go): counted by hand, and against `show`."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cli_runs import cli

import simbgp
from simbgp.measure import Observed
from simbgp.measure.api_load import patches_us
from simbgp.report.cilium.node_config import NodeConfigs
from simbgp.report.cilium.replay import Replay
from simbgp.report.figures import patch_rates, save
from simbgp.scenario import loads
from simbgp.study.replay import timeline

CRASH = "faults: [{at: 60s, kind: agent-crash, node: worker-1, downFor: 5s}]\n"
ROLLOUT = "faults: [{at: 60s, kind: agent-upgrade, to: '1.19', maxUnavailable: 2, prePulled: true}]\n"


def text(nodes: int, faults: str = "", report: bool | None = True, cluster: str = "", horizon: str = "5m") -> str:
    said = "" if report is None else f", statusReport: {{enabled: {str(report).lower()}}}"
    return (
        f"cluster: {{cilium: '1.19', nodes: {nodes}{said}{cluster}}}\nrouters: [{{name: tor, profile: frr-8.4}}]\n"
        f"horizon: {horizon}\n{faults}"
    )


def result(*arguments: object, runs: int = 1, **more: object) -> simbgp.Result:
    return simbgp.run(loads(text(*arguments, **more)), runs=runs)


def patches(source: str, run: int = 0) -> list[int]:
    plan = loads(source).plan()
    return patches_us(Observed(plan, timeline(plan, 0, run), (), (), 0, run))


@pytest.mark.parametrize("report", [True, False])
@pytest.mark.parametrize("nodes", [1, 10, 5000])
def test_a_quiet_cluster_patches_nothing(nodes: int, report: bool) -> None:
    assert patches(text(nodes, report=report)) == []


@pytest.mark.parametrize("nodes", [2, 10, 300])
def test_one_flapping_node_makes_every_agent_patch(nodes: int) -> None:
    # the crash takes one prefix from the router: n - 1 agents count one less. Container back at 65 s, agent at 75 s,
    # session 2 to 10 s later with GoBGP 3.36: n - 1 count one more, and the new agent reports its session. It looks
    # first some 5 s after its start (7 s is four standard deviations away), so it patches once or, with the session
    # not yet up at its first look, twice
    found = patches(text(nodes, CRASH))
    at_loss = [at for at in found if at < 70e6]
    assert len(at_loss) == nodes - 1
    assert len(found) - len(at_loss) in (nodes, nodes + 1)
    # every agent looks once in 5 s, sigma 0.5 s
    assert min(at_loss) > 60e6
    assert max(at_loss) < 60e6 + 8e6


def test_a_change_of_all_is_spread_over_one_interval() -> None:
    # phases are uniform over 5 s: of 2 000 agents 400 a second, sigma sqrt(2000 * .2 * .8) = 17.9; five of these
    at = [moment // 1_000_000 for moment in patches(text(2000, CRASH)) if moment < 70e6]
    for second in (60, 61, 62):
        assert abs(at.count(second) - 400) < 5 * 17.9


def test_many_changes_within_an_interval_are_one_patch() -> None:
    # 10 of 20 agents end 0.1 s apart, within 0.9 s: each of the 10 others sees 10 changes, and looks once or, as two
    # looks are 5 s apart, sigma 0.5 s, at most once within the second and once after it. The 10 may have told of the
    # first ones. So 10 to 10 * 2 + 10, of 10 * 10 + 9 + 8 + ... + 0 = 145 changes
    faults = "".join(f"  - {{at: {60 + i / 10}s, kind: agent-crash, node: worker-{i + 1}}}\n" for i in range(10))
    assert 10 <= len(patches(text(20, f"faults:\n{faults}"))) <= 30


def test_switching_it_off_cleans_up_once_for_each_agent() -> None:
    # the rollout restarts each of 12 agents once; the 12 that start patch an empty status, and then are silent
    plan = loads(text(12, ROLLOUT, report=False, horizon="30m")).plan()
    happened = timeline(plan, 0, 0)
    starts = sorted(fact.time_us for fact in happened.of(simbgp.timeline.AgentChanged) if fact.up)
    assert len(starts) == 12
    assert patches_us(Observed(plan, happened, (), (), 0, 0)) == starts


def test_an_agent_without_a_configuration_has_nothing_to_patch() -> None:
    # unlabelled for good: its object is deleted, a patch of it would be a 404; the other 3 see one prefix less
    found = patches(text(4, "faults: [{at: 60s, kind: unlabel, node: worker-1}]\n"))
    assert len(found) == 3


@pytest.mark.parametrize(
    "faults", [CRASH, ROLLOUT, "faults: [{at: 60s, kind: unlabel, node: worker-1, relabelAfter: 60s}]\n"]
)
def test_every_patch_follows_a_change_of_what_show_status_prints(faults: str) -> None:
    plan = loads(text(3, faults, horizon="20m")).plan()
    happened = timeline(plan, 0, 0)
    found = patches_us(Observed(plan, happened, (), (), 0, 0))
    assert found
    zero = datetime(2026, 1, 1, tzinfo=UTC)

    def status(at_us: int) -> list[object]:
        return [entry["status"] for entry in NodeConfigs(Replay(plan, happened, at_us), zero).of()]

    moments = sorted({0, *(fact.time_us for fact in happened)})
    shown = [status(at) for at in moments]
    changed = [at for at, one, two in zip(moments[1:], shown, shown[1:], strict=False) if one != two]
    for at in found:  # 5 s and four standard deviations at most before it
        assert any(at - 7e6 <= moment <= at for moment in changed), at


def test_a_run_tells_of_patches_only_if_it_is_asked(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(text(10, CRASH, report=None))
    assert "patches" not in json.loads(cli("run", str(file), "--runs", "1", "--format", "json").out)
    assert "status patches" not in cli("run", str(file), "--runs", "1").out
    file.write_text(text(10, CRASH))
    rows = json.loads(cli("run", str(file), "--runs", "1", "--format", "json").out)["patches"]
    assert sum(row["patches"] for row in rows) in (19, 20)
    assert "status patches (report on)" in cli("run", str(file), "--runs", "1").out


def test_the_metrics_are_sums_over_the_table() -> None:
    found = result(10, CRASH, runs=3)
    sums = found.patches.groupby("run").patches.agg(["sum", "max"])
    assert found.api_patches().mean == sums["sum"].mean()
    assert found.api_patches_per_s().max == sums["max"].max()
    assert not found.exact  # when an agent looks is luck


def test_the_figure_shows_the_busiest_second_over_the_nodes(tmp_path: Path) -> None:
    worlds = {name: [result(n, CRASH, report) for n in (10, 2, 5)] for name, report in (("on", True), ("off", False))}
    figure = patch_rates(worlds)
    bound, on, off = figure.axes[0].get_lines()
    assert list(on.get_xdata()) == [2, 5, 10]
    assert list(on.get_ydata()) == [w.api_patches_per_s().mean for w in (worlds["on"][i] for i in (1, 2, 0))]
    assert list(off.get_ydata()) == [1, 1, 1]  # the crashed agent's clean-up
    assert list(bound.get_ydata()) == [2 / 5, 1, 2]
    assert figure.get_suptitle().startswith("on: ")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "0",
        "1",
        "2",
    ]  # 2 at most, plain numbers
    save(figure, tmp_path / "f.png")
    with pytest.raises(ValueError, match="no results"):
        patch_rates({})
