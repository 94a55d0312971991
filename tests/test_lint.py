"""What `validate` warns of, each rule just inside and just outside its bound."""

import pytest
from cli_runs import cli
from scenario_texts import SMALL, small

import simbgp
from simbgp.scenario import ScenarioError

WEB = "services: [{name: web, vip: 192.0.2.10, backends: 4%s}]\n"
ON = "cluster.gracefulRestart={enabled: true, restartTimeSeconds: 120}"
CRASH = "faults: [{at: 60s, kind: agent-crash, node: worker-1, downFor: %s}]\n"
UPGRADE = 'faults: [{at: 60s, kind: agent-upgrade, to: "1.20", imagePull: %s}]\n'
V6 = "services: [{name: web, vip: ['192.0.2.10', '2001:db8::10'], backends: 4}]\n"
GOBGP = "routers=[{name: tor-1, profile: gobgp-3.10, timers: {holdTimeSeconds: %s, keepAliveTimeSeconds: %s}}]"
MAGLEV = "cluster.loadBalancer={algorithm: %s, mode: %s}"
DRAIN = "faults: [{at: 60s, kind: node-drain, node: worker-1%s}]\n"
DOWN = WEB % "" + "faults: [{at: 60s, kind: node-down, node: worker-1}]\n"
BARE = "cluster.cilium=gobgp-3.10"
PLAIN = "routers=[{name: tor-1, profile: %s, gracefulRestart: {helper: false}}]"
HELPS = "routers=[{name: tor-1, profile: %s, gracefulRestart: {helper: true}}]"
TWO = "routers=[{name: tor-1, profile: frr-8.4}, {name: tor-2, profile: frr-8.4}]"


def told(words, extra, *overrides):
    return any(words in warning for warning in small(extra, *overrides).warnings)


@pytest.mark.parametrize(
    ("words", "warned", "silent"),
    [
        (
            "are rarer than the 8000 s",
            (DOWN + "traffic: [{service: web, connections: 9, lifetime: 9h, requests: 0.44/h}]\n",),  # 8181 s
            (DOWN + "traffic: [{service: web, connections: 9, lifetime: 9h, requests: 0.46/h}]\n",),  # 7826 s
        ),
        ("is above a third of", ("", "cluster.timers.keepAliveTimeSeconds=31"), ("",)),
        ("is above a third of", ("", GOBGP % (90, 31)), ("", GOBGP % (90, 30))),
        # GoBGP takes a third where the node's 90 s lower its own hold time
        ("is above a third of", ("", GOBGP % (90, 60)), ("", GOBGP % (91, 60))),
        (
            "a negotiated hold time of 19 s without BFD",
            ("", "cluster.timers.holdTimeSeconds=19"),
            ("", "cluster.timers.holdTimeSeconds=20"),
        ),
        (
            "without BFD",
            ("", "cluster.timers.holdTimeSeconds=9"),
            (
                "",
                "cluster.timers.holdTimeSeconds=9",
                "routers.0.bfd={enabled: true, interval: 300ms, detectMultiplier: 3}",
            ),
        ),
        (
            "is above restartTimeSeconds",
            ("", ON, "cluster.timers.connectRetryTimeSeconds=121"),
            ("", ON, "cluster.timers.connectRetryTimeSeconds=120"),
        ),
        # 108.1 + 10 start-up + at most 2 to the first dial; 107.9 is in time
        ("restartTimeSeconds 120 is below the 120 s", (CRASH % "108.1s", ON), (CRASH % "107.9s", ON)),
        ("or pull the image before", (UPGRADE % "110s", ON), (UPGRADE % "110s, prePulled: true", ON)),
        ("announces nothing to any router while another", ("", ON, TWO), ("", ON, TWO, "cluster.cilium=1.19")),
        ("announces nothing to it for 360 s", ("", ON, BARE, PLAIN % "bird-2.0"), ("", ON, BARE, HELPS % "bird-2.0")),
        ("before the session is a new one", ("", ON, BARE, PLAIN % "frr-8.4"), ("", BARE, PLAIN % "frr-8.4")),
        ("announces nothing to it", ("", ON, BARE, PLAIN % "frr-8.4"), ("", ON, PLAIN % "frr-8.4")),
        ("keeps its share of Cluster services", (DOWN, ON), (DOWN, ON, "routers.0.profile=bird-2.0")),
        ("keeps its share of", (DOWN, ON), (DOWN, ON, "services.0.externalTrafficPolicy=Local")),
        ("keeps its share of", (DOWN, ON), (DOWN, "cluster.gracefulRestart={enabled: false}")),
        ("maglev with snat", (WEB % "", MAGLEV % ("maglev", "snat")), (WEB % "", MAGLEV % ("maglev", "dsr"))),
        ("maglev with snat", (WEB % "", MAGLEV % ("maglev", "snat")), (WEB % "", MAGLEV % ("random", "snat"))),
        (
            "announces a Cluster service without endpoints all the same",
            (WEB % "", "cluster.enableNoServiceEndpointsRoutable=false", "cluster.cilium=1.18"),
            (WEB % "", "cluster.enableNoServiceEndpointsRoutable=false", "cluster.cilium=1.19"),
        ),
        ("sends the packets of one", ("", "routers.0.ecmp.hash=per-packet"), ("", "routers.0.ecmp.hash=resilient")),
        ("announce IPv6 prefixes without", (WEB.replace("192.0.2.10", "'2001:db8::10'") % "",), (WEB % "",)),
        (
            "4 nodes announce 192.0.2.10/32, and maximumPaths 3",
            (WEB % "", "routers.0.ecmp.maximumPaths=3"),
            (WEB % "", "routers.0.ecmp.maximumPaths=4"),
        ),
        ("never ends", (WEB % ", minAvailable: 4" + DRAIN % "",), (WEB % ", minAvailable: 3" + DRAIN % "",)),
        ("after poweroff finds the node dead", (DRAIN % ", order: [poweroff, unlabel]",), (DRAIN % "",)),
        (
            "is switched off while BGP announces it",
            (DRAIN % ", order: [drain, poweroff]",),
            (DRAIN % ", order: [drain, unlabel, poweroff]",),
        ),
    ],
)
def test_a_rule_warns_beyond_its_bound_only(words, warned, silent):
    assert told(words, *warned)
    assert not told(words, *silent)


def test_strict_refuses_what_is_only_warned_of(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL.replace("nodes: 4", "nodes: 4\n  timers: {keepAliveTimeSeconds: 31}"))
    assert cli("validate", str(path)).code == 0
    strict = cli("validate", "--strict", str(path))
    assert (strict.code, strict.out) == (2, "")
    assert strict.err.endswith(f"{path}: 1 warning, which --strict refuses\n")


def test_strict_lets_pass_what_nothing_is_said_of(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    assert cli("validate", "--strict", str(path)).code == 0


FILE = """\
cluster:
  cilium: "1.20"
  nodes: 4
  timers: {holdTimeSeconds: 19,
    keepAliveTimeSeconds: 7}
  gracefulRestart: {enabled: true, restartTimeSeconds: 119}
  loadBalancer: {algorithm: maglev}
routers:
  - {name: tor-1, profile: frr-8.4, ecmp: {hash: per-packet}}
  - {name: tor-2, profile: frr-8.4, ecmp: {maximumPaths: 3}}
services: [{name: web, vip: 192.0.2.10, backends: 4}]
faults:
  - {at: 60s, kind: node-drain, node: worker-1, order: [drain, poweroff, unlabel]}
"""


def test_a_warning_names_file_line_and_column(tmp_path):
    path = tmp_path / "many.yaml"
    path.write_text(FILE)
    told = [line.removeprefix(f"simbgp: warning: {path}:") for line in cli("validate", str(path)).err.splitlines()]
    assert [": ".join(line.split(": ")[:2]) for line in told] == [
        "7:29: cluster.loadBalancer.algorithm",
        "5:27: cluster.timers.keepAliveTimeSeconds",
        "4:29: cluster.timers.holdTimeSeconds",
        "4:11: cluster.timers",  # connectRetryTimeSeconds is not written: 120
        "6:30: cluster.gracefulRestart.enabled",
        "10:58: routers.1.ecmp.maximumPaths",
        "9:50: routers.0.ecmp.hash",
        "13:56: faults.0.order",
    ]


def test_connections_over_a_router_that_hashes_no_flows_are_refused():
    traffic = WEB % "" + "traffic: [{service: web, connections: 10}]\n"
    with pytest.raises(ScenarioError, match="'per-packet' sends a connection's packets to all nodes"):
        small(traffic, "routers.0.ecmp.hash=per-packet")


def test_a_router_that_hashes_no_flows_gives_each_next_hop_its_share():
    scenario = small(
        WEB % "" + "faults: [{at: 60s, kind: node-down, node: worker-1}]\n", "routers.0.ecmp.hash=per-packet"
    )
    loads = simbgp.run(scenario, runs=1, rows="all").to_dict()["load"]
    assert {row["share"] for row in loads if row["time_s"] == 0} == {0.25}
