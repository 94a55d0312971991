"""A router on which one address family alone is active, and nodes that speak both."""

import pytest
from cli_runs import cli
from test_scenario_manifests import ADVERT, CLUSTER, read

import simbgp
from simbgp.scenario import ScenarioError, loads

DUAL = """\
name: dual
horizon: 5m
cluster:
  cilium: "1.18"
  nodes:
    - {name: n1, address: [10.0.0.1, "fd00::1"], podCIDRs: [10.1.0.0/24, "fd00:1::/64"]}
    - {name: n2, address: [10.0.0.2, "fd00::2"], podCIDRs: [10.1.1.0/24, "fd00:2::/64"]}
routers:
  - {name: tor-1, profile: rfc8538, families: [ipv4]}
  - {name: tor-2, profile: rfc8538}
services: [{name: web, vip: "2001:db8::10", backends: 2, externalTrafficPolicy: Local}]
faults: [{at: 60s, kind: agent-crash, node: n1, downFor: 5s}]
"""
NODES = """\
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {bgp: enabled}}
spec: {podCIDRs: [10.1.0.0/24, "fd00:1::/64"]}
status: {addresses: [{type: InternalIP, address: 10.0.0.1}, {type: InternalIP, address: "fd00::1"}]}
"""
BOTH = """\
apiVersion: cilium.io/v2
kind: CiliumBGPPeerConfig
metadata: {name: tor}
spec:
  families:
  - {afi: ipv4, safi: unicast, advertisements: {matchLabels: {advertise: pods}}}
  - {afi: ipv6, safi: unicast, advertisements: {matchLabels: {advertise: pods}}}
"""
TOR = """\
cluster: {manifests: ["*.yaml"]}
routers:
  - {name: tor, profile: frr-8.4, asn: 65000, address: 10.9.0.1%s}
"""


def test_prefixes_of_the_other_family_are_not_announced_there():
    plan = loads(DUAL, "dual.yaml").plan()
    told = {(p.node, p.router): p.prefixes for p in plan.peerings}
    assert told["n1", "tor-1"] == ("10.1.0.0/24",)
    assert told["n1", "tor-2"] == ("10.1.0.0/24", "fd00:1::/64", "2001:db8::10/128")
    assert {p.prefix for p in plan.peerings[0].announcements} == {"10.1.0.0/24"}


def test_no_route_of_the_other_family_ever_appears_at_that_router():
    """Not by a return either, nor by a Local service that gains a backend."""
    backends = (
        "services: [{name: web, vip: '2001:db8::10', externalTrafficPolicy: Local, backends: [{node: n2, name: b}]}]"
    )
    moves = DUAL.split("services:")[0] + backends + "\nfaults: [{at: 60s, kind: node-drain, node: n2}]\n"
    for text in (DUAL, moves):
        routes = simbgp.run(loads(text, "dual.yaml"), runs=1).routes
        seen = {router: set(rows.prefix) for router, rows in routes.groupby("router")}
        assert not any(":" in prefix for prefix in seen.get("tor-1", ()))
        assert any(":" in prefix for prefix in seen["tor-2"])


def test_the_mismatch_is_named_with_file_and_line():
    (warning,) = [text for text in loads(DUAL, "dual.yaml").warnings if "is not active on" in text]
    assert warning == (
        "dual.yaml:9:47: routers.0.families: ipv6 is not active on tor-1, and n1 and 1 more would speak it: no prefix "
        "of that family is announced there; activate it on the router, or leave it out on the nodes"
    )


@pytest.mark.parametrize("families", ["", ", families: [ipv4, ipv6]", ", families: [ipv6, ipv4]"])
def test_nothing_is_said_where_both_are_active(tmp_path, families):
    scenario = read(tmp_path, CLUSTER, BOTH, ADVERT, NODES, scenario=TOR % families)
    assert not any("is not active on" in text for text in scenario.warnings)
    assert scenario.plan().peerings[0].prefixes == ("10.1.0.0/24", "fd00:1::/64")


def test_the_family_of_a_peer_config_is_named_where_it_stands(tmp_path):
    """all.yaml: 10 lines of ClusterConfig, ---, and the family on the 7th line of the PeerConfig: 18."""
    scenario = read(tmp_path, CLUSTER, BOTH, ADVERT, NODES, scenario=TOR % ", families: [ipv4]")
    (warning,) = [text for text in scenario.warnings if "is not active on" in text]
    assert warning.startswith("s.yaml:3:76: routers.0.families: ipv6 is not active on tor, and n1 would speak it")
    assert f"(CiliumBGPPeerConfig tor, {tmp_path}/all.yaml:18:5)" in warning
    assert scenario.plan().peerings[0].prefixes == ("10.1.0.0/24",)
    assert scenario.plan().peerings[0].families == ("ipv4", "ipv6")  # the node's own setting stays


def test_the_session_is_up_and_empty_where_no_family_is_common(tmp_path):
    scenario = read(
        tmp_path, CLUSTER, BOTH.rsplit("  - {afi: ipv6", 1)[0], ADVERT, NODES, scenario=TOR % ", families: [ipv6]"
    )
    assert scenario.plan().peerings[0].prefixes == ()
    assert any("ipv4 is not active on tor" in text for text in scenario.warnings)


@pytest.mark.parametrize("written", ["[ipv5]", "[]", "ipv4/unicast"])
def test_another_family_is_refused(written):
    with pytest.raises(ScenarioError, match=r"dual\.yaml:9:\d+: routers\.0\.families.*"):
        loads(DUAL.replace("[ipv4]}", f"{written}}}"), "dual.yaml")


def test_validate_prints_it_and_strict_refuses_it(tmp_path):
    path = tmp_path / "dual.yaml"
    path.write_text(DUAL)
    assert f"{path}:9:47: routers.0.families: ipv6 is not active on tor-1" in cli("validate", str(path)).err
    assert cli("validate", "--strict", str(path)).code == 2


def test_racks_are_named_by_their_own_key():
    text = DUAL.split("  nodes:")[0] + (
        "  racks: {count: 1, nodes: 1, routers: 1, router: {families: [ipv4]}}\n"
        'services: [{name: web, vip: "2001:db8::10", backends: 1}]\n'
    )
    (warning,) = [told for told in loads(text, "r.yaml").warnings if "is not active on" in told]
    assert warning.startswith("r.yaml:5:")
    assert ": cluster.racks.router.families: ipv6 is not active on rack-1-tor-1" in warning
