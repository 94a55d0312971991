import json
from pathlib import Path

import pytest
from cli_runs import cli
from hypothesis import given, settings
from hypothesis import strategies as st

from simbgp.report.cilium.replay import Replay
from simbgp.report.cilium.snapshot import Snapshot
from simbgp.scenario import loads
from simbgp.study.replay import timeline

TESTS = Path(__file__).parent
GOLDEN = TESTS / "data" / "cli-golden"
SCENARIOS = TESTS.parent / "scenarios"
CONTROL, WORKER = "bgpv2-cplane-dev-service-control-plane", "bgpv2-cplane-dev-service-worker"
GUIDE = """\
cluster: {cilium: "1.18", manifests: [cilium-dev-service/bgp.yaml, cilium-dev-service/nodes.yaml]}
routers: [{name: router0, profile: frr-8.4, asn: 65000, address: "fd00:10::1"}]
"""


@pytest.fixture
def guide(tmp_path: Path) -> str:
    """The cluster of Cilium's operation guide as a file."""
    (tmp_path / "cilium-dev-service").symlink_to(SCENARIOS / "cilium-dev-service", target_is_directory=True)
    for name in ("bgp.yaml", "nodes.yaml"):
        text = (SCENARIOS / "cilium-dev-service" / name).read_text()
        (tmp_path / name).write_text(text)
    file = tmp_path / "guide.yaml"
    file.write_text(GUIDE.replace("cilium-dev-service/", ""))
    return str(file)


def golden(name: str) -> str:
    return (GOLDEN / f"{name}.txt").read_text()


def now(text: str, at_s: float, *overrides: str) -> Snapshot:
    plan = loads(text, "s.yaml", SCENARIOS, overrides).plan()
    return Snapshot(Replay(plan, timeline(plan, 0, 0), round(at_s * 1e6)))


def test_the_tables_of_the_guide_are_printed_to_the_byte(guide: str) -> None:
    def shown(up_for: str, *words: str) -> str:
        return cli("show", *words, "-f", guide, "--at", "0", "--set", f"upFor={up_for}").out

    assert shown("46m45s", "routes", "available", "ipv4", "unicast") == golden("cli_routes_available_seed")
    assert shown("47m", "routes", "advertised", "ipv4", "unicast") == golden("cli_routes_advertised_seed")
    assert shown("47m", "route-policies") == golden("agent_route_policies_seed")
    assert shown("47m", "route-policies", "--match-families") == golden("agent_route_policies_new")


def test_the_guide_counts_two_advertised_routes_where_its_own_table_has_one(guide: str) -> None:
    """Its ``cilium bgp peers`` says 2 for each family; its ``routes advertised`` lists one, and so do we."""
    own = cli("show", "peers", "-f", guide, "--at", "0", "--set", "upFor=33m26s").out
    theirs = golden("cli_peers_seed").replace("33m25s", "33m26s")  # one of its sessions is a second younger
    assert own == theirs.replace("2          2    ", "2          1    ")
    assert golden("cli_routes_advertised_seed").count(CONTROL) == 1


CRASH = GUIDE + f"faults: [{{at: 60s, kind: agent-crash, node: {WORKER}, downFor: 30s}}]\n"


def test_an_agent_that_is_down_is_missing_from_the_tables() -> None:
    assert now(CRASH, 59.9).nodes == [CONTROL, WORKER]
    during = now(CRASH, 70)
    assert (during.nodes, during.silent) == ([CONTROL], [WORKER])


def test_a_lost_route_is_no_longer_sent_to_the_other_nodes() -> None:
    # restart time 15 s: from 75 s on the router has the PodCIDR of the other node alone, so it sends one route, not two
    assert [f.received for f in now(CRASH, 74).peers(CONTROL)[0].families] == [2, 2]
    assert [f.received for f in now(CRASH, 76).peers(CONTROL)[0].families] == [1, 1]


def test_a_session_that_is_back_counts_from_then() -> None:
    plan = loads(CRASH, "s.yaml", SCENARIOS).plan()
    facts = timeline(plan, 0, 0)
    back_us = next(
        fact.time_us
        for fact in facts
        if getattr(fact, "side", "") == "node" and getattr(fact, "to_state", "") == "established"
    )
    peer = Snapshot(Replay(plan, facts, back_us + 8_000_000)).peers(WORKER)[0]
    assert (peer.state, peer.uptime_ns) == ("established", 8_000_000_000)


def test_a_node_without_its_label_has_no_peers_and_one_that_lost_its_peer_shows_its_state() -> None:
    unlabel = GUIDE + f"faults: [{{at: 60s, kind: unlabel, node: {WORKER}}}]\n"
    assert now(unlabel, 100).peers(WORKER) == []
    assert now(unlabel, 100).policies(WORKER, mask=True) == []
    router = GUIDE + "faults: [{at: 60s, kind: router-down, router: router0, host: silent}]\n"
    down = now(router, 200).peers(WORKER)[0]  # the hold time of 90 s is over
    assert down.state != "established"
    assert [(f.received, f.advertised) for f in down.families] == [(0, 0), (0, 0)]
    assert [route.prefix for route in now(router, 200).available(WORKER, "ipv4")] == ["10.1.1.0/24"]


LOCAL = """\
upFor: 1h
cluster: {nodes: 3, localASN: 65001}
routers: [{name: tor, profile: frr-8.4, asn: 65000}]
services: [{name: shop/web, vip: 192.0.2.10, externalTrafficPolicy: Local, backends: [{node: worker-1, name: a}]}]
faults: [{at: 60s, kind: backends-down, service: shop/web, backends: [a]}]
"""


def test_a_local_service_is_in_the_tables_of_nodes_with_a_pod_of_it_only() -> None:
    before = now(LOCAL, 10)
    assert [r.prefix for r in before.available("worker-1", "ipv4")] == ["10.244.1.0/24", "192.0.2.10/32"]
    assert [r.prefix for r in before.available("worker-2", "ipv4")] == ["10.244.2.0/24"]
    names = [policy.name for policy in before.policies("worker-1", mask=True)]
    assert names == ["tor-ipv4-PodCIDR", "tor-ipv4-Service-web-shop-LoadBalancerIP", "allow-local"]
    after = now(LOCAL, 300)
    assert [r.prefix for r in after.available("worker-1", "ipv4")] == ["10.244.1.0/24"]
    assert [r.prefix for r in after.advertised("worker-1", "ipv4")] == ["10.244.1.0/24"]


def test_an_internal_peer_sees_a_local_preference_and_no_path() -> None:
    text = LOCAL.replace("asn: 65000", "asn: 65001")
    route = now(text, 0).advertised("worker-2", "ipv4")[0]
    assert route.attributes == "[{Origin: i} {AsPath: } {Nexthop: 10.0.0.2} {LocalPref: 100}]"


def test_the_json_has_the_keys_of_the_agents_api(guide: str) -> None:
    dump = Path(guide).with_suffix(".json")
    words = ("routes", "advertised", "ipv4", "unicast")
    dump.write_text(cli("show", *words, "-f", guide, "--at", "0", "-o", "json").out)
    again = cli("show", *words, "--from", str(dump)).out
    assert again == cli("show", *words, "-f", guide, "--at", "0").out
    peers = cli("show", "peers", "-f", guide, "--at", "0", "-o", "json").out
    assert '"configured-hold-time-seconds": 90' in peers
    assert '"accepted"' not in peers  # zero, so omitted


def test_bad_questions_are_answered_in_a_line(guide: str) -> None:
    for words in (["--at", "0", "--node", "n"], ["--at", "1d"], [], ["--at", "11m"]):
        done = cli("show", "peers", "-f", guide, *words)
        assert (done.code, "Traceback" in done.err) == (2, False)


FAULTS = ("agent-crash", "agent-restart", "node-down", "unlabel", "session-reset", "link-down", "router-down", "stall")


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(FAULTS), st.integers(60, 300), st.integers(1, 200))
def test_the_tables_of_one_moment_agree_with_each_other(kind: str, at_s: int, down_s: int) -> None:
    place = {"session-reset": "node: worker-1, router: tor", "router-down": "router: tor", "stall": "node: worker-1"}
    place["link-down"] = place["session-reset"]
    length = {"session-reset": "", "unlabel": f"relabelAfter: {down_s}s", "stall": f"stallFor: {down_s}s"}
    fault = ", ".join(filter(None, (place.get(kind, "node: worker-1"), length.get(kind, f"downFor: {down_s}s"))))
    text = LOCAL[: LOCAL.index("faults")] + f"faults: [{{at: 60s, kind: {kind}, {fault}}}]\n"
    shown = now(text, at_s)
    for node in shown.nodes:
        own = {route.prefix for route in shown.available(node, "ipv4")}
        sent = [route.prefix for route in shown.advertised(node, "ipv4")]
        assert set(sent) <= own
        assert sum(f.advertised for peer in shown.peers(node) for f in peer.families) == len(sent)
        matched = " ".join(s.prefixes for policy in shown.policies(node, mask=True) for s in policy.statements)
        assert all(prefix in matched for prefix in own)


SEVERAL = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, labels: {bgp: blue}}
spec: {type: ClusterIP, clusterIP: 10.96.0.7, externalIPs: [192.0.2.10, 192.0.2.9]}
"""


@pytest.mark.parametrize(("release", "kind"), [("1.18", ""), ("1.19", "(any) ")])
def test_several_prefixes_of_a_policy_stand_by_address_and_since_1_19_with_their_match_type(
    guide: str, release: str, kind: str
) -> None:
    """GoBGP lists a prefix set by its bits, so .9 before .10; cilium/cilium#42714 added the match type."""
    objects = Path(guide).parent / "bgp.yaml"
    objects.write_text(objects.read_text() + "---\n" + SEVERAL)
    chosen = ("--set", f"cluster.cilium={release}", "--node", WORKER)
    done = cli("show", "route-policies", "-f", guide, "--at", "0", *chosen)
    row = next(line for line in done.out.splitlines() if "ExternalIP" in line)
    assert f"{kind}{{192.0.2.9/32 (32..32)}} {{192.0.2.10/32 (32..32)}}   accept" in row
    found = json.loads(cli("show", "route-policies", "-f", guide, "--at", "0", *chosen, "-o", "json").out)
    match = next(p for p in found if "ExternalIP" in p["name"])["statements"][0]["match-prefixes"]
    prefixes = match["prefixes"] if release == "1.19" else match
    assert [prefix["cidr"] for prefix in prefixes] == ["192.0.2.9/32", "192.0.2.10/32"]
    assert release == "1.18" or match["type"] == "any"
