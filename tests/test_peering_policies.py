"""CiliumBGPPeeringPolicies (cilium v2alpha1/bgp_types.go) are read as the newer objects that say the same."""

from pathlib import Path

import pytest
from cli_runs import cli
from test_scenario_services import PODS, WEB

from simbgp.scenario import Plan, ScenarioError, loads

POLICY = """\
apiVersion: cilium.io/v2alpha1
kind: CiliumBGPPeeringPolicy
metadata: {name: rack0}
spec:
  nodeSelector: {matchLabels: {rack: r0}}
  virtualRouters:
  - localASN: 65010
    exportPodCIDR: true
    serviceSelector: {matchLabels: {expose: edge}}
    neighbors:
    - peerAddress: 10.9.0.1/32
      peerASN: 65000
      holdTimeSeconds: 9
      keepAliveTimeSeconds: 3
      gracefulRestart: {enabled: true, restartTimeSeconds: 15}
      advertisedPathAttributes: [{selectorType: PodCIDR, communities: {standard: ["65000:100"]}, localPreference: 150}]
"""
NODES = """\
apiVersion: v1
kind: NodeList
items:
- {apiVersion: v1, kind: Node, metadata: {name: n1, labels: {rack: r0}}, spec: {podCIDR: 10.1.0.0/24}}
- {apiVersion: v1, kind: Node, metadata: {name: n2}, spec: {podCIDR: 10.1.1.0/24}}
"""
SCENARIO = (
    "cluster: {cilium: '1.15', MANIFESTS}\nrouters: [{name: tor, profile: frr-8.4, asn: 65000, address: 10.9.0.1}]\n"
)


def plan(folder: Path, policy: str = POLICY) -> Plan:
    (folder / "all.yaml").write_text("---\n".join((policy, NODES, WEB, PODS)))
    return loads(SCENARIO.replace("MANIFESTS", "manifests: [all.yaml]"), "s.yaml", folder).plan()


def test_a_policy_says_who_peers_and_what_is_announced(tmp_path: Path) -> None:
    (peering,) = plan(tmp_path).peerings
    assert (peering.node, peering.router, peering.instance, peering.local_asn) == ("n1", "tor", "65010", 65010)
    assert (peering.hold_s, peering.keepalive_s, peering.connect_retry_s) == (9, 3, 120)
    assert (peering.restart.enabled, peering.restart.restart_time_s) == (True, 15)
    assert peering.prefixes == ("10.1.0.0/24", "192.0.2.10/32")
    pods, web = peering.announcements
    assert (pods.communities, pods.local_preference) == (("65000:100",), 150)
    assert (web.communities, web.local_preference) == ((), None)


def test_nothing_is_exported_that_the_policy_does_not_say(tmp_path: Path) -> None:
    silent = POLICY.replace("exportPodCIDR: true", "exportPodCIDR: false").replace(
        "serviceSelector", "podIPPoolSelector"
    )
    (peering,) = plan(tmp_path, silent).peerings
    assert peering.prefixes == ()


def test_an_import_of_a_policy_gives_the_newer_objects(tmp_path: Path) -> None:
    before = plan(tmp_path)
    done = cli("import", str(tmp_path / "all.yaml"), "--to", str(tmp_path / "cluster.yaml"))
    assert done.code == 0, done.err
    assert "CiliumBGPPeeringPolicy" not in (tmp_path / "cluster.yaml").read_text()
    after = loads(SCENARIO.replace("MANIFESTS", "from: cluster.yaml"), "s.yaml", tmp_path).plan()
    assert after.peerings == before.peerings


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("10.9.0.1/32", "10.9.0.1/33", "all.yaml:11:20: spec.virtualRouters.0.neighbors.0.peerAddress: '10.9.0.1/33'"),
        ("holdTimeSeconds: 9", "holdTimeSeconds: 2", "all.yaml:13:24: spec.virtualRouters.0.neighbors.0.holdTime"),
        (
            "selectorType: PodCIDR",
            "selectorType: CiliumLoadBalancerIPPool",
            "'CiliumLoadBalancerIPPool' is not supported",
        ),
        (
            "cilium.io/v2alpha1",
            "cilium.io/v2",
            "is not a version of CiliumBGPPeeringPolicy; allowed: cilium.io/v2alpha1",
        ),
    ],
)
def test_what_is_wrong_in_a_policy_is_told_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        plan(tmp_path, POLICY.replace(old, new))
    assert message in str(caught.value)
