"""What a profile leaves open is played every way, and the result says so."""

import json
import re
from dataclasses import replace

import pytest
from click import unstyle
from study_worlds import EXACT, TEXT, scenario

import simbgp
from simbgp.measure import Verdict
from simbgp.profiles import router, router_names
from simbgp.report.text import report
from simbgp.study.alternatives import other_ways
from simbgp.study.remedy import advise

SHORT = {"services": [{"name": "web", "vip": "192.0.2.10", "backends": [{"node": "worker-2", "name": "web-1"}]}]}
OUTAGE = re.compile(r"blackhole p99 ([\d.]+) s without, ([\d.]+) s with the N bit; find out: `show ip bgp neighbors`")
RUNS = 40


def eos(bound=None, runs=RUNS, text=TEXT, stat="p50", **changes):
    slo = [] if bound is None else [{"metric": "blackhole_s", "stat": stat, "max": bound}]
    world = scenario(text.replace("rfc8538", "eos"), slo=slo, **SHORT, **changes)
    return simbgp.run(world, runs=runs)


@pytest.fixture(scope="module")
def result():
    return eos("150s")


def both(result):
    (sentence,) = [text for text in result.assumptions if text.startswith("eos: blackhole")]
    return [float(number) for number in OUTAGE.search(sentence).groups()]


def test_the_sentence_has_the_figures_of_both_ways_and_the_question(result):
    # a silent loss at 90/30 is seen after 60..90 s; with N the restart time of 120 s follows; up to 0.5 s to the FIB
    without, with_n = both(result)
    assert 85 <= without <= 90.5
    assert with_n == pytest.approx(without + 120, abs=0.6)


def test_each_figure_is_that_of_a_run_which_says_it(result):
    for known, figure in zip((False, True), both(result), strict=True):
        told = eos(routers__0__gracefulRestart__notification=known)
        assert told.blackhole_s().p99 == pytest.approx(figure, abs=0.05)
        assert not any("blackhole" in text for text in told.assumptions)


def test_the_median_is_75_s_without_and_195_s_with_the_n_bit():
    # (60 + 90) / 2 = 75 and 75 + 120 = 195, plus 0.25 s to the FIB; the median of 400 runs has a sd of 0.75 s
    medians = [
        eos(runs=400, routers__0__gracefulRestart__notification=known).blackhole_s().p50 for known in (False, True)
    ]
    assert medians == pytest.approx([75.25, 195.25], abs=3)


@pytest.mark.parametrize(
    ("bound", "verdict", "disputed"),
    [
        ("50s", "BREACHED", None),
        ("150s", "INCONCLUSIVE", "met without, breached with the N bit"),
        ("250s", "MET", None),
    ],
)
def test_a_verdict_stands_if_both_ways_give_it(bound, verdict, disputed):
    found = eos(bound)
    assert found.verdict == verdict
    assert found.disputes == (disputed,)
    assert found.to_dict()["slo"][0].get("disputed") == disputed


def test_a_least_bound_is_disputed_too():
    slo = [{"metric": "blackhole_s", "stat": "p50", "min": "150s"}]
    found = simbgp.run(scenario(TEXT.replace("rfc8538", "eos"), slo=slo, **SHORT), runs=RUNS)
    assert found.disputes == ("breached without, met with the N bit",)


def test_the_report_says_on_what_the_verdict_hangs(result):
    text = unstyle(report(result, advise(result)))
    (line,) = [line for line in text.splitlines() if line.startswith("  ? blackhole_s p50")]
    assert line.endswith("hangs on an unknown: met without, breached with the N bit")
    assert "  assumed: eos: blackhole p50 " in text


def test_the_json_carries_the_same_sentence(result):
    assert list(result.assumptions) == json.loads(result.to_json())["assumptions"]


def test_the_rows_are_those_of_the_first_alternative(result):
    told = eos("150s", routers__0__gracefulRestart__notification=False)
    assert result.rows("windows") == told.rows("windows")


def test_a_remedy_passes_every_way():
    # below 50 s: 9/3 is enough without N (9 s), with N there are 120 s more; without graceful restart both ways are 9 s
    found = advise(eos("50s", stat="max")).found
    assert found.label != "hold 9 s, keepalive 3 s"
    assert found.value <= 50


@pytest.mark.parametrize(
    "changes",
    [
        {"cluster__gracefulRestart__enabled": False},
        {"routers__0__gracefulRestart__notification": True},
        {"routers__0__profile": "frr-8.4"},
    ],
)
def test_what_cannot_show_is_not_played(changes):
    assert other_ways(scenario(TEXT.replace("rfc8538", "eos"), **changes).plan()) == []


def test_a_switch_for_one_kind_of_fault_is_played_with_it_only():
    restart = [{"at": "60s", "kind": "router-restart", "router": "tor-1", "downFor": "5s"}]
    ways = other_ways(scenario(TEXT.replace("rfc8538", "junos"), faults=restart).plan())
    assert [way.plan.routers[0].profile.fib_after_crash for way in ways] == ["kept"]
    assert other_ways(scenario(TEXT.replace("rfc8538", "junos")).plan()) == []


def test_switches_are_played_in_every_combination():
    # graceful restart off or on, N bit off or on: three ways beside the one that is taken
    ways = other_ways(scenario(TEXT.replace("rfc8538", "iosxr")).plan())
    assert sorted((way.plan.routers[0].profile.helper, way.plan.routers[0].profile.notification) for way in ways) == [
        (False, True),
        (True, False),
        (True, True),
    ]


def test_above_eight_ways_switches_are_turned_one_at_a_time():
    # three profiles with an N bit and one with graceful restart too: 2^4 = 16 ways
    routers = [{"name": name, "profile": name} for name in ("eos", "nxos", "iosxr")]
    assert [len(way.choices) for way in other_ways(scenario(routers=routers).plan())] == [1, 1, 1, 1]


def test_two_routers_of_one_make_have_one_unknown_unless_one_is_known():
    routers = [
        {"name": "a", "profile": "eos"},
        {"name": "b", "profile": "eos", "gracefulRestart": {"notification": False}},
        {"name": "c", "profile": "eos"},
    ]
    (way,) = other_ways(scenario(routers=routers).plan())
    assert [router.profile.notification for router in way.plan.routers] == [True, False, True]


def test_only_the_switches_that_tell_are_named_and_the_fewest_that_do():
    world = scenario(TEXT.replace("rfc8538", "iosxr"), **SHORT)
    (sentence,) = [text for text in simbgp.run(world, runs=RUNS).assumptions if "blackhole" in text]
    assert re.match(
        r"iosxr: blackhole p99 8\d\.?\d* s by default, 20\d\.?\d* s with graceful restart on and with the N bit; ",
        sentence,
    )
    assert "`show running-config router bgp`" in sentence
    assert "`show bgp neighbor`" in sentence


def test_a_switch_that_turns_nothing_is_named_too():
    found = eos(text=EXACT)
    assert "eos: not known, but no figure here hangs on it: N bit" in found.assumptions


def test_an_unknown_of_the_speaker_is_cilium_s():
    # a restart with GoBGP 3.10 inside: silent until the router's End-of-RIB, and until all routers are back
    faults = [{"at": "60s", "kind": "agent-crash", "node": "worker-1", "downFor": "20s"}]
    world = scenario(faults=faults, cluster__cilium="1.17", **SHORT)
    (way,) = other_ways(world.plan())
    assert (way.plan.speaker.waits_for_end_of_rib, world.plan().speaker.waits_for_end_of_rib) == (True, False)
    said = "Cilium 1.17: not known, but no figure here hangs on it: wait for End-of-RIB"
    assert said in simbgp.run(world, runs=3).assumptions


def test_the_runs_of_all_ways_are_counted():
    seen = []
    world = scenario(TEXT.replace("rfc8538", "eos"), **SHORT)
    simbgp.run(world, runs=3, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 6) for done in range(1, 7)]


@pytest.mark.parametrize("name", router_names())
def test_every_router_sees_a_node_loss_within_its_closed_form(name):
    found = simbgp.run(scenario(TEXT.replace("rfc8538", name), **SHORT), runs=10)
    (form,) = [form for form in found.closed_forms if form.label == "detection"]
    assert form.agrees(found.stats(form.question).values)
    assert any(name in text for text in found.warnings) is (router(name).calibrated is None)


def test_any_number_of_jobs_gives_the_same_bytes(result):
    assert simbgp.run(result.scenario, runs=RUNS, jobs=2).to_json() == result.to_json()


def test_connections_are_compared_where_an_slo_asks_for_them():
    traffic = [{"service": "web", "connections": 100, "lifetime": "1000h"}]
    slo = [{"metric": "broken_share", "stat": "mean", "max": "50%"}]
    found = simbgp.run(scenario(TEXT.replace("rfc8538", "eos"), traffic=traffic, slo=slo, **SHORT), runs=3)
    assert found.otherwise[0].slo[0].verdict is not Verdict.NOT_APPLICABLE


def test_a_result_without_switches_says_nothing_of_them():
    found = simbgp.run(scenario(slo=[{"metric": "blackhole_s", "stat": "p50", "max": "300s"}], **SHORT), runs=3)
    assert found.otherwise == ()
    assert "disputed" not in found.to_dict()["slo"][0]
    assert not any("hangs on" in text for text in found.assumptions)


def test_a_disputed_slo_asks_for_no_more_runs(result):
    (found,) = result.slo
    assert (found.verdict, found.runs_needed) == (Verdict.INCONCLUSIVE, None)
    assert replace(found, verdict=Verdict.MET) == result._slo_as_taken[0]
