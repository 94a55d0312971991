import shlex

import pytest
from study_worlds import scenario

import simbgp
from simbgp.scenario import load
from simbgp.study.remedy import advise

TRAFFICLESS = {"services": [{"name": "web", "vip": "192.0.2.10", "backends": [{"node": "worker-2", "name": "web-1"}]}]}


def breached(bound, **changes):
    slo = [{"metric": "blackhole_s", "stat": "p99", "max": bound, **changes.pop("narrowed", {})}]
    return simbgp.run(scenario(slo=slo, **TRAFFICLESS, **changes), runs=40)


def test_a_shorter_restart_time_is_tried_as_far_as_the_bound_allows():
    # 120 s after detection by at most 90 s; a bound of 130 s leaves 130 - 90 - 1 for the restart time
    advice = advise(breached("130s"))
    assert advice.found.label == "restart time 39 s"
    assert 120 <= advice.found.value <= 130


def test_without_room_for_a_restart_time_it_is_switched_off():
    assert advise(breached("90s")).found.label == "graceful restart off"


def test_changes_come_in_pairs_where_none_alone_helps():
    # 9/3 alone leaves 129 s, no graceful restart alone 90 s; a bound of 30 s leaves 30 - 9 - 1 for the restart time
    advice = advise(breached("30s"))
    assert advice.found.label == "hold 9 s, keepalive 3 s, restart time 20 s"
    assert "graceful restart off" in advice.tried


def test_a_longer_restart_time_is_tried_for_a_late_agent():
    # down 30 s and a restart time of 15 s: the PodCIDR is out for about 30 + 10 + 2 - 15 s
    crash = [{"at": "60s", "kind": "agent-crash", "node": "worker-1", "downFor": "30s"}]
    late = {"faults": crash, "cluster__gracefulRestart": {"enabled": True, "restartTimeSeconds": 15}}
    advice = advise(breached("1s", narrowed={"prefix": "10.244.1.0/24"}, **late))
    assert advice.found.label.startswith("restart time 4")
    assert advice.found.value == 0.0


def test_where_nothing_helps_it_says_what_was_tried():
    advice = advise(breached("500ms"))
    assert advice.found is None
    assert {"hold 9 s, keepalive 3 s", "hold 3 s, keepalive 1 s", "graceful restart off"} <= set(advice.tried)


def test_without_a_breach_there_is_no_advice():
    assert advise(breached("220s")) is None


def test_the_line_of_a_remedy_plays_it(tmp_path):
    path = tmp_path / "world.yaml"
    text = scenario().source + "slo: [{metric: blackhole_s, stat: max, max: 30s}]\n"
    path.write_text(text.replace("backends: 4", "backends: [{node: worker-2, name: web-1}]"))
    advice = advise(simbgp.run(load(path), runs=20))
    words = shlex.split(advice.found.reproduce)
    overrides = [words[place + 1] for place, word in enumerate(words) if word == "--set"]
    replayed = simbgp.run(load(words[2], overrides), runs=20)
    assert replayed.blackhole_s().max == pytest.approx(advice.found.value, abs=1e-6)
