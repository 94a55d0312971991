"""JUnit XML and Markdown from ``simbgp run``, and a project whose regression test goes red."""

from xml.etree import ElementTree as Xml

import pytest
from cli_runs import cli
from study_worlds import scenario

import simbgp
from simbgp.report.junit import junit
from simbgp.report.summary import summary

pytest_plugins = ["pytester"]

# rfc8538, hold 90, keepalive 30, restart 120: detection 60 to 90 s, the outage 180 to 210 s
SLO = [
    {"metric": "detection_s", "stat": "max", "max": "91s"},
    {"metric": "blackhole_s", "stat": "max", "max": "100s"},
    {"metric": "procedure_s", "stat": "max", "max": "1s"},  # there is no rollout
]


@pytest.fixture(scope="module")
def result():
    return simbgp.run(scenario(slo=SLO), runs=5, seed=3)


def test_a_case_for_each_slo_fails_unless_it_is_met(result):
    suites = Xml.fromstring(junit([result]))
    (suite,) = suites
    assert (suites.get("tests"), suites.get("failures"), suite.get("name")) == ("3", "2", "world")
    assert [case.get("name") for case in suite] == [
        "detection_s max ≤ 91 s",
        "blackhole_s max ≤ 100 s",
        "procedure_s max ≤ 1 s",
    ]
    assert [[(failure.tag, failure.get("type")) for failure in case] for case in suite] == [
        [],
        [("failure", "BREACHED")],
        [("failure", "NOT_APPLICABLE")],
    ]


def test_a_failure_says_by_how_much_and_tells_the_worst_run(result):
    failure = Xml.fromstring(junit([result]))[0][1][0]
    worst = result.blackhole_s().max
    by = failure.get("message").split("breached by ")[1].removesuffix(" s")
    assert float(by) == pytest.approx(worst - 100, abs=0.05)
    assert "worker-1 forwards nothing any more" in failure.text
    assert failure.text.rstrip().endswith(f"reproduce: {result.reproduce}")


def test_a_scenario_without_slos_is_a_case_that_passes():
    suite = Xml.fromstring(junit([simbgp.run(scenario(), runs=1)]))[0]
    assert [(case.get("name"), len(case)) for case in suite] == [("plays without breaking an invariant", 0)]


def test_what_xml_cannot_hold_is_replaced(tmp_path):
    file = tmp_path / "a\x01<b>&.yaml"  # names in scenarios are printable, those of files need not be
    file.write_text(scenario().source)
    case = Xml.fromstring(junit([simbgp.run(simbgp.load(file), runs=1)]))[0][0]
    assert case.get("file").endswith("/a\ufffd<b>&.yaml")


def test_the_summary_has_a_line_for_each_slo_and_the_command(result):
    lines = summary([result]).splitlines()
    assert lines[0] == "### world: BREACHED"
    rows = [line for line in lines if line.startswith(("| ✅", "| ❌", "| ➖"))]
    assert [row.split(" | ")[1].replace("\\", "") for row in rows] == [
        "detection_s max ≤ 91 s",
        "blackhole_s max ≤ 100 s",
        "procedure_s max ≤ 1 s",
    ]
    assert lines[-6:-1] == ["5 runs, seed 3:", "", "```console", f"$ {result.reproduce}", "```"]


def test_a_name_is_no_markup_in_the_summary():
    odd = summary([simbgp.run(scenario(name="a|b", description="<script> *x* [y](z)"), runs=1)])
    assert odd.startswith("### a\\|b: NO_SLO\n\n&lt;script&gt; \\*x\\* \\[y\\](z)\n")


def test_the_command_writes_both_and_appends_to_the_summary(tmp_path):
    xml, markdown = tmp_path / "j.xml", tmp_path / "s.md"
    markdown.write_text("before\n")
    asked = ["scenarios/agent-crash-gr.yaml", "scenarios/node-down-gr.yaml", "--runs", "20", "--quiet"]
    for _ in range(2):
        done = cli("run", *asked, "--junit", str(xml), "--summary", str(markdown))
        assert done.code == 1, done.err
    assert [suite.get("name") for suite in Xml.parse(xml).getroot()] == ["agent-crash-gr", "node-down-gr"]
    text = markdown.read_text()
    assert text.startswith("before\n### agent-crash-gr: MET\n")
    assert text.count("### node-down-gr: BREACHED") == 2


@pytest.mark.parametrize("option", ["--junit", "--summary"])
def test_a_folder_that_is_not_there_is_said_before_anything_is_played(tmp_path, option):
    done = cli("run", "scenarios/node-down.yaml", "--runs", "100000", option, str(tmp_path / "no" / "file"))
    assert done.code == 2
    assert f"{option} '{tmp_path}/no/file': there is no folder" in done.err


def test_a_projects_regression_test_goes_red_when_the_hold_time_is_raised(pytester):
    """As docs/ci.md has it: silence is noticed after hold - U[0, keepalive], 6 to 9 s, or 60 to 90 s."""
    text = """\
name: node-down
cluster: {cilium: "1.20", nodes: 4, timers: {holdTimeSeconds: %d, keepAliveTimeSeconds: %d}}
routers: [{name: tor-1, profile: rfc4724}]
services: [{name: web, vip: 192.0.2.10, backends: 4}]
faults: [{at: 60s, kind: node-down, node: worker-1}]
"""
    folder = pytester.mkdir("outages")
    pytester.makepyfile(
        """
        def test_a_dead_node_is_noticed_within_ten_seconds(simbgp_run):
            result = simbgp_run("outages/node-down.yaml", runs=50)
            assert result.detection_s().max <= 10.0
        """
    )
    plugin = ("-p", "simbgp.testing.plugin", "-p", "no:cacheprovider")
    (folder / "node-down.yaml").write_text(text % (9, 3))
    pytester.runpytest_subprocess(*plugin).assert_outcomes(passed=1)
    (folder / "node-down.yaml").write_text(text % (90, 30))
    red = pytester.runpytest_subprocess(*plugin)
    red.assert_outcomes(failed=1)
    red.stdout.fnmatch_lines(
        [
            "E*assert 8* <= 10.0",
            "*worker-1 forwards nothing any more",
            "*tor-1 loses the session with worker-1: hold timer expired",
            "  reproduce: simbgp run outages/node-down.yaml --runs 50 --seed 0",
        ]
    )
