from dataclasses import replace

import pytest
from click import unstyle
from study_worlds import EXACT, TEXT, scenario

import simbgp
from simbgp.report.text import report, worst_run
from simbgp.study.remedy import advise

SLO = [
    {"metric": "blackhole_s", "stat": "p50", "max": "100s"},
    {"metric": "min_next_hops", "stat": "min", "min": 3},
    {"metric": "blackhole_s", "stat": "p99.9", "max": "300s"},
    {"metric": "reset_share", "stat": "mean", "max": "1%"},
]
SHORT = {"services": [{"name": "web", "vip": "192.0.2.10", "backends": [{"node": "worker-2", "name": "web-1"}]}]}


@pytest.fixture(scope="module")
def breached():
    return simbgp.run(scenario(slo=SLO, **SHORT), runs=20, seed=3)


@pytest.fixture(scope="module")
def text(breached):
    return unstyle(report(breached, advise(breached)))


def test_the_first_line_says_what_was_played(text):
    first, story = text.splitlines()[:2]
    for word in ("world", "hold 90 s", "restart 120 s", "web eTP Cluster", "random/snat", "4 × Cilium 1.20", "rfc8538"):
        assert word in first
    assert first.endswith("20 runs, seed 3")
    assert story == "Four nodes and a router."


def test_the_closed_form_stands_beside_the_value(text):
    (line,) = [line for line in text.splitlines() if line.startswith("  service outage ")]
    assert line.endswith("closed form 180-210 s  ok")
    assert "service outage:  hold 90 - keepalive 30 .. hold 90, + restart 120" in text


def test_each_slo_has_its_mark_its_value_and_by_how_much(text):
    lines = {
        line.split()[1] + line.split()[2]: line
        for line in text.splitlines()
        if line[2:3] in "✗✓?-" and line[:2] == "  "
    }
    assert lines["blackhole_sp50"].startswith("  ✗")
    assert "breached by" in lines["blackhole_sp50"]
    assert "≥ 3" in lines["min_next_hopsmin"]
    assert lines["min_next_hopsmin"].endswith("met")
    assert lines["blackhole_sp99.9"].endswith("inconclusive: about 2 975 more runs would tell")
    assert lines["reset_sharemean"].endswith("never happened in these runs")


def test_a_breach_comes_with_the_nearest_setting_that_passes(text):
    # p50 of 60..90 s detection without graceful restart is below 100 s; a shorter restart time of 9 s is nearer
    assert "nearest setting that passes: restart time 9 s -> p50 8" in text
    assert "--set cluster.gracefulRestart.restartTimeSeconds=9" in text


def test_the_last_line_is_the_verdict_and_how_to_reproduce_it(text):
    expected = "VERDICT  BREACHED (1 of 4)      reproduce: simbgp run '<text>' --runs 20 --seed 3 --set 'slo="
    assert text.splitlines()[-1].startswith(expected)


def test_the_story_is_that_of_the_worst_run(breached, text):
    values = [value.value for value in breached.blackhole_s().values]
    assert worst_run(breached) == values.index(max(values))
    assert f"run {worst_run(breached)}, the worst" in text


def test_every_report_tells_its_story_in_few_lines(text):
    story = [line for line in text.splitlines() if line.lstrip().startswith("+")]
    assert 6 <= len(story) <= 15


def test_an_exact_result_says_so_and_shows_no_interval():
    slo = [{"metric": "blackhole_s", "stat": "p99", "max": "1s", "prefix": "10.244.1.0/24"}]
    text = unstyle(report(simbgp.run(scenario(EXACT, slo=slo))))
    assert "exact: nothing in it is random" in text.splitlines()[0]
    # gone 120 s after the crash at 60 s, not back by the horizon at 600 s
    (line,) = [line for line in text.splitlines() if line.startswith("  ✗")]
    assert line == "  ✗ blackhole_s (prefix 10.244.1.0/24) p99 ≤ 1 s  ≥ 420 s  breached by 419 s"


def test_a_result_that_contradicts_the_closed_form_is_red(breached):
    wrong = simbgp.run(scenario(**SHORT), runs=5)
    form = next(form for form in wrong.closed_forms if form.label == "service outage")
    wrong.__dict__["closed_forms"] = (replace(form, high_s=form.low_s, fib_s=0.0),)
    text = report(wrong)
    assert "\x1b[31m\x1b[1mclosed form 180 s  DISAGREES" in text


def test_connections_are_a_table_of_shares():
    traffic = [{"service": "web", "connections": 100, "lifetime": "1000h"}]
    lines = unstyle(report(simbgp.run(scenario(traffic=traffic, **SHORT), runs=12))).splitlines()
    place = next(place for place, line in enumerate(lines) if line.startswith("  connections of"))
    assert lines[place].split()[2:] == [
        "a",
        "run",
        "unaffected",
        "delayed",
        "reset",
        "timed",
        "out",
        "not",
        "opened",
        "moved",
    ]
    assert lines[place + 1].split()[:2] == ["web", "100"]
    # one of four nodes, hash-threshold, SNAT: its quarter of the connections is reset when it moves, and others with it
    assert lines[place + 2].count("[") >= 2


def test_a_quiet_scenario_has_a_report_too():
    text = unstyle(report(simbgp.run(scenario(TEXT, faults=[]))))
    assert "nothing happened" in text
    assert "no window: nothing is lost in any run" in text
    assert text.splitlines()[-1].startswith("VERDICT  NO_SLO ")
