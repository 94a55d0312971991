"""`simbgp wait` against the laws it is made of: the label's way, U[0.1, 1] s in Cilium, and what the router adds."""

import numpy as np
import pytest
from cli_runs import cli

from simbgp.profiles import router
from simbgp.scenario import loads
from simbgp.study.wait import wait

TEXT = """\
cluster:
  cilium: "{cilium}"
  nodes: 3
  gracefulRestart: {{enabled: {restart}, restartTimeSeconds: 120}}
routers: [{{name: tor-1, profile: {profile}}}]
services: [{{name: web, vip: 192.0.2.10, backends: 3}}]
"""
RUNS = 1500
DRAWS = np.random.default_rng(7).random((400_000, 2))


def text(cilium="1.20", profile="frr-8.4", restart=True):
    return TEXT.format(cilium=cilium, profile=profile, restart=str(restart).lower())


def quantile(label, fib, kept_s=0.0):
    """The 99 % quantile of the label's way, the time for which routes are kept, and the FIB; 35 us for each prefix."""
    made = [np.array([law.quantile(u) for u in np.linspace(0.0005, 0.9995, 1000)]) for law in (label, fib)]
    drawn = sum(law[(DRAWS[:, i] * 1000).astype(int)] for i, law in enumerate(made))
    return float(np.quantile(drawn, 0.99)) + kept_s


FRR = router("frr-8.4")


@pytest.mark.parametrize(
    ("settings", "fib", "kept_s", "decides"),
    [
        ({}, FRR.fib_withdraw, 0, "Hard Reset"),
        ({"restart": False}, FRR.fib_withdraw, 0, "graceful restart is off"),
        ({"profile": "rfc4724"}, router("rfc4724").fib_withdraw, 0, "no N bit at the router"),
        ({"cilium": "gobgp-3.10"}, FRR.fib_expire, 120, "the N bit without Hard Reset"),
        ({"cilium": "gobgp-3.36"}, FRR.fib_withdraw, 0, "Hard Reset"),
    ],
)
def test_the_wait_is_the_quantile_of_its_laws_and_names_what_decides(settings, fib, kept_s, decides):
    scenario = loads(text(**settings))
    found = wait(scenario, p=99, runs=RUNS).ways[0].worst
    expected = quantile(scenario.plan().speaker.unlabel, fib, kept_s)
    assert found.estimate.low - 0.005 <= expected <= found.estimate.high + 0.005
    assert found.closed.low <= found.estimate.value <= found.closed.high
    assert found.decides.startswith(decides)


def test_an_open_switch_of_the_release_is_answered_both_ways():
    found = wait(loads(text(cilium="1.15")), runs=50)
    seconds = {tuple(c.alternative.label for c in way.choices): way.worst.estimate.value for way in found.ways}
    assert seconds[()] < 2 < 120 < seconds["without Hard Reset",]
    assert found.whole_seconds in (121, 122)


def test_the_bit_of_an_uncalibrated_router_matters_to_a_speaker_without_hard_reset():
    found = wait(loads(text(cilium="gobgp-3.10", profile="eos")), runs=50)
    assert sorted(way.worst.estimate.value > 100 for way in found.ways) == [False, True]


def test_the_node_is_the_one_of_the_fault_and_else_the_slowest():
    slow = text(restart=False).replace("nodes: 3", "nodes: [{name: a}, {name: b}]")
    far = slow.replace("tor-1, profile: frr-8.4", "tor-1, profile: rfc4724, nodes: a")
    far = far.replace("}]\nservices", "}, {name: tor-2, profile: frr-8.4, nodes: b}]\nservices").replace(
        "backends: 3", "backends: 2"
    )
    assert wait(loads(far), runs=50).ways[0].node == "b"  # FRR's FIB takes 0.07 s, that of the RFC's router less
    fault = "faults: [{at: 1s, kind: node-down, node: a}]\n"
    assert wait(loads(far + fault), runs=50).ways[0].node == "a"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "w.yaml"
    path.write_text(text(cilium="gobgp-3.10"))
    return str(path)


def test_quiet_prints_whole_seconds_for_sleep(file):
    done = cli("wait", file, "--runs", "50", "--quiet")
    assert (done.code, done.out, done.err) == (0, "121\n", "")  # 120 + 0.06 of the FIB, rounded up


def test_the_text_says_what_decides_and_how_long(file):
    out = cli("wait", file, "--runs", "50").out
    assert "decides: the N bit without Hard Reset" in out
    assert f"WAIT  121 s      in a script: sleep $(simbgp wait {file} --quiet)" in out


def test_how_to_find_out_stands_below_what_differs(file):
    out = cli("wait", file, "--runs", "50", "--set", "cluster.cilium=1.15").out
    assert "Cilium 1.15 without Hard Reset: 121" in out
    assert "find out: `cilium-dbg version` gives the patch release" in out


def test_without_a_router_there_is_nothing_to_wait_for(tmp_path):
    path = tmp_path / "alone.yaml"
    path.write_text(
        text().replace(
            "}]\nservices", ", nodes: [worker-1]}]\nfaults: [{at: 1s, kind: node-down, node: worker-2}]\nservices"
        )
    )
    done = cli("wait", str(path), "--runs", "5")
    assert (done.code, done.out) == (0, "no router has a session with worker-2: nothing to wait for\n")
