"""The pytest plugin, in projects of its own (pytester)."""

from pathlib import Path

import pytest

import simbgp
from simbgp.testing import assert_at_least, assert_at_most, assert_slo

pytest_plugins = ["pytester"]

SCENARIO = """\
name: crash
cluster: {cilium: gobgp-3.36, nodes: 2, timers: {holdTimeSeconds: 9}}
routers: [{name: tor-1, profile: rfc8538}]
services: [{name: web, vip: 192.0.2.10, backends: 2}]
faults: [{at: 60s, kind: node-down, node: worker-1}]
slo:
  - {metric: detection_s, stat: max, max: %s}
  - {metric: flaps, stat: max, max: 1}
"""
"""Detection is hold - U[0, keepalive 3]: within 9 s always, within 5 s never."""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makefile(".yaml", crash=SCENARIO % "9.1s")
    return pytester


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """In a process of its own: what is imported there is what pytest and the plugin imported."""
    return project.runpytest_subprocess("-p", "simbgp.testing.plugin", "-p", "no:cacheprovider", *arguments)


def test_the_fixture_plays_a_scenario_and_its_metrics_are_at_hand(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        def test_outage(simbgp_run):
            result = simbgp_run("crash.yaml", runs=20)
            assert result.runs == 20
            assert 6.0 <= result.detection_s().min <= result.detection_s().p50 <= 9.0

        def test_setting(simbgp_run):
            result = simbgp_run("crash.yaml", runs=5, set={"cluster.timers.holdTimeSeconds": 30})
            assert result.detection_s().min >= 20.0
        """
    )
    run(project).assert_outcomes(passed=2)


def test_a_failed_test_tells_the_worst_run_and_the_line_that_reproduces_it(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        def test_outage(simbgp_run):
            assert simbgp_run("crash.yaml", runs=20, seed=7).detection_s().max <= 5.0
        """
    )
    found = run(project)
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(
        [
            "E*where <detection_s over 20 runs: *> = detection_s()",
            "*- simbgp -*",
            "  run *, the worst (times from 60 s, the first fault)",
            "*worker-1 forwards nothing any more",
            "*tor-1 loses the session with worker-1: hold timer expired",
            "  reproduce: simbgp run crash.yaml --runs 20 --seed 7",
        ]
    )


def test_the_marker_and_the_options_say_how_often_and_with_which_seed(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.simbgp(runs=3, seed=5)
        def test_marked(simbgp_run):
            result = simbgp_run("crash.yaml")
            assert (result.runs, result.seed) == (3, 5)

        def test_optional(simbgp_run):
            result = simbgp_run("crash.yaml")
            assert (result.runs, result.seed) == (4, 9)
        """
    )
    run(project, "--strict-markers", "--simbgp-runs", "4", "--simbgp-seed", "9").assert_outcomes(passed=2)


def test_a_scenario_file_is_a_test_of_each_of_its_slos(pytester: pytest.Pytester) -> None:
    pytester.makefile(".simbgp.yaml", good=SCENARIO % "9.1s", bad=SCENARIO % "5s")
    found = run(pytester, "-v", "--simbgp-runs", "20")
    found.assert_outcomes(passed=3, failed=1)
    found.stdout.fnmatch_lines(
        [
            "bad.simbgp.yaml::detection_s max ≤ 5 s FAILED*",
            "bad.simbgp.yaml::flaps max ≤ 1 PASSED*",
            "good.simbgp.yaml::detection_s max ≤ 9.1 s PASSED*",
            "✗ detection_s max ≤ 5 s  *breached by*",
            "  reproduce: simbgp run bad.simbgp.yaml --runs 20 --seed 0",
        ]
    )


def test_a_broken_file_says_what_is_wrong_and_where(pytester: pytest.Pytester) -> None:
    pytester.makefile(".simbgp.yaml", broken=SCENARIO.replace("metric: flaps", "metric: flips") % "5s")
    found = run(pytester)
    found.assert_outcomes(errors=1)
    found.stdout.fnmatch_lines(["*broken.simbgp.yaml:8:*flips*allowed:*"])
    assert "Traceback" not in found.stdout.str()


def test_files_are_played_under_xdist_too(pytester: pytest.Pytester) -> None:
    pytester.makefile(".simbgp.yaml", good=SCENARIO % "9.1s", bad=SCENARIO % "5s")
    run(pytester, "-n", "2", "--dist", "loadgroup", "--simbgp-runs", "20").assert_outcomes(passed=3, failed=1)


def test_a_scenario_file_needs_no_xdist(pytester: pytest.Pytester) -> None:
    pytester.makefile(".simbgp.yaml", good=SCENARIO % "9.1s")
    strict = ("-p", "no:xdist", "--strict-markers", "-W", "error")
    run(pytester, *strict, "--simbgp-runs", "5").assert_outcomes(passed=2)


def test_nothing_heavy_is_loaded_for_tests_that_play_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_light():
            assert not {"numpy", "pandas", "simpy", "scipy", "simbgp.scenario", "simbgp.study"} & set(sys.modules)
        """
    )
    run(pytester).assert_outcomes(passed=1)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> simbgp.Result:
    file: Path = tmp_path_factory.mktemp("scenario") / "crash.yaml"
    file.write_text(SCENARIO % "5s")
    return simbgp.run(simbgp.load(file), runs=20)


def test_assert_slo_lists_what_is_not_met_and_nothing_else(result: simbgp.Result) -> None:
    with pytest.raises(AssertionError) as failed:
        assert_slo(result)
    said = str(failed.value)
    assert said.startswith("✗ detection_s max ≤ 5 s")
    assert "flaps" not in said
    assert "reproduce: simbgp run" in said


def test_bounds_of_ones_own_are_judged_as_slos_are(result: simbgp.Result) -> None:
    assert_at_most(result, "detection_s", 9.1, stat="max")
    assert_at_least(result, "detection_s", 5.9)
    with pytest.raises(AssertionError, match=r"detection_s min ≥ 8\.9 s .*breached"):
        assert_at_least(result, "detection_s", 8.9)
    # 20 runs have no upper bound of a p99: nothing is claimed that they cannot show
    with pytest.raises(AssertionError, match="inconclusive: about 279 more runs would tell"):
        assert_at_most(result, "detection_s", 9.1)
    with pytest.raises(ValueError, match="unknown metric 'outage'; allowed: blackhole_s"):
        assert_at_most(result, "outage", 1.0)
