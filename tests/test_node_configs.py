"""CiliumBGPNodeConfigs in a dump: what the operator made of the other objects, and what the agents reported.

Oracles: cilium ``operator/pkg/bgp/cluster.go@23dbd706`` (toNodeBGPInstance: an instance of the ClusterConfig with what
the override of the node sets; a node that has a NodeConfig of another owner is a conflict),
``pkg/k8s/apis/cilium.io/client/crds/v2/ciliumbgpnodeconfigs.yaml@0d505231`` (fields).
"""

from pathlib import Path

import pytest
from cli_runs import cli

from simbgp.scenario import Scenario, ScenarioError, loads

CLUSTER = """\
apiVersion: cilium.io/v2
kind: CiliumBGPClusterConfig
metadata: {name: edge}
spec:
  nodeSelector: {matchLabels: {bgp: enabled}}
  bgpInstances:
  - {name: a, localASN: 65001, peers: [{name: tor, peerASN: 65000, peerAddress: 10.9.0.1, peerConfigRef: {name: tor}}]}
"""
PEER = """\
apiVersion: cilium.io/v2
kind: CiliumBGPPeerConfig
metadata: {name: tor}
spec:
  timers: {holdTimeSeconds: 9, keepAliveTimeSeconds: 3}
  families: [{afi: ipv4, safi: unicast, advertisements: {matchLabels: {announce: edge}}}]
"""
ADVERT = """\
apiVersion: cilium.io/v2
kind: CiliumBGPAdvertisement
metadata: {name: pods, labels: {announce: edge}}
spec: {advertisements: [{advertisementType: PodCIDR}]}
"""
NODES = """\
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {bgp: enabled}}
spec: {podCIDR: 10.1.0.0/24}
status: {addresses: [{type: InternalIP, address: 10.9.0.21}]}
---
apiVersion: v1
kind: Node
metadata: {name: n2, labels: {bgp: enabled}}
spec: {podCIDR: 10.1.1.0/24}
status: {addresses: [{type: InternalIP, address: 10.9.0.22}]}
"""


def node_config(name: str, owner: str = "edge") -> str:
    """As the operator makes it of CLUSTER, and as the agent of a node with one PodCIDR reports."""
    return f"""\
apiVersion: cilium.io/v2
kind: CiliumBGPNodeConfig
metadata:
  name: {name}
  ownerReferences: [{{apiVersion: cilium.io/v2, kind: CiliumBGPClusterConfig, name: {owner}, controller: true}}]
spec:
  bgpInstances:
  - name: a
    localASN: 65001
    peers: [{{name: tor, peerASN: 65000, peerAddress: 10.9.0.1, peerConfigRef: {{name: tor}}}}]
status:
  bgpInstances:
  - name: a
    localASN: 65001
    peers:
    - name: tor
      peerASN: 65000
      peerAddress: 10.9.0.1
      peeringState: established
      establishedTime: "2026-09-01T08:00:07Z"
      timers: {{appliedHoldTimeSeconds: 9, appliedKeepaliveSeconds: 3}}
      routeCount: [{{afi: ipv4, safi: unicast, received: 2, advertised: 1}}]
"""


BOTH = (node_config("n1"), node_config("n2"))
SCENARIO = """\
cluster: {cilium: "1.19", manifests: [all.yaml]}
routers: [{name: tor, profile: frr-8.4, asn: 65000, address: 10.9.0.1}]
"""


def read(folder: Path, *documents: str) -> Scenario:
    (folder / "all.yaml").write_text("---\n".join(documents))
    return loads(SCENARIO, "s.yaml", folder)


def said(folder: Path, *documents: str) -> list[str]:
    return [line for line in read(folder, *documents).plan().warnings if "NodeConfig" in line]


def test_node_configs_that_say_what_their_cluster_config_does_are_no_news(tmp_path: Path) -> None:
    assert said(tmp_path, CLUSTER, PEER, ADVERT, NODES, *BOTH) == []
    assert "not used" not in " ".join(read(tmp_path, CLUSTER, PEER, ADVERT, NODES, *BOTH).plan().warnings)


def test_without_a_cluster_config_the_node_configs_decide_who_peers(tmp_path: Path) -> None:
    config = node_config("n2").replace("peerConfigRef", "localAddress: 10.9.0.122, peerConfigRef")
    config = config.replace(
        "    localASN: 65001\n    peers: [", "    localASN: 65001\n    routerID: 1.2.3.4\n    peers: ["
    )
    plan = read(tmp_path, PEER, ADVERT, NODES, config).plan()
    (peering,) = plan.peerings
    assert (peering.node, peering.router, peering.instance, peering.peer) == ("n2", "tor", "a", "tor")
    assert (peering.local_address, peering.hold_s, peering.prefixes) == ("10.9.0.122", 9, ("10.1.1.0/24",))
    assert (peering.origin.cluster_config, peering.origin.router_id) == ("edge", "1.2.3.4")


def test_node_configs_alone_are_the_nodes_with_the_timers_of_their_status(tmp_path: Path) -> None:
    config = node_config("n1").replace("peerConfigRef", "localAddress: 10.9.0.21, peerConfigRef")
    scenario = read(tmp_path, config)
    (node,), (peering,) = scenario.plan().nodes, scenario.plan().peerings
    assert (node.name, node.addresses, node.pod_cidrs) == ("n1", ("10.9.0.21",), ())
    assert (peering.hold_s, peering.keepalive_s, peering.families, peering.prefixes) == (9, 3, ("ipv4",), ())
    told = " ".join(scenario.plan().warnings)
    assert "no Node is in the manifests: the nodes are those of the CiliumBGPNodeConfigs" in told
    assert "CiliumBGPPeerConfig tor is missing: the timers and families are those of the CiliumBGPNodeConfigs'" in told
    assert "peer tor has 1 ipv4/unicast routes advertised in the dump, and 0 here" in told


def test_a_peer_config_that_no_status_tells_of_is_refused(tmp_path: Path) -> None:
    config = node_config("n1")
    with pytest.raises(ScenarioError, match=r"are missing: \[tor\]"):
        read(tmp_path, NODES, config[: config.index("status:")])


def test_the_address_of_a_default_gateway_is_the_one_of_the_status(tmp_path: Path) -> None:
    found = "autoDiscovery: {mode: DefaultGateway, defaultGateway: {addressFamily: ipv4}}"
    cluster = CLUSTER.replace("peerAddress: 10.9.0.1", found)
    config = node_config("n1").replace("peerAddress: 10.9.0.1, ", f"{found}, ")
    routers = (
        "  - {name: left, profile: frr-8.4, asn: 65000, address: 10.9.0.9}\n"
        "  - {name: right, profile: frr-8.4, asn: 65000, address: 10.9.0.1}\n"
    )
    (tmp_path / "all.yaml").write_text("---\n".join((cluster, PEER, ADVERT, NODES[: NODES.index("---")], config)))
    scenario = SCENARIO.replace("[{name: tor, profile: frr-8.4, asn: 65000, address: 10.9.0.1}]", f"\n{routers}")
    plan = loads(scenario, "s.yaml", tmp_path).plan()
    assert [(peering.router, peering.peer_address) for peering in plan.peerings] == [("right", "10.9.0.1")]


PLAYED = "CiliumBGPClusterConfig edge is played"
DIFFERENCES = {
    "a node that is gone": (
        (*BOTH, node_config("n3")),
        "CiliumBGPNodeConfig n3: there is no node of that name, so it is left out",
    ),
    "a node that has none yet": (
        (node_config("n1"),),
        "CiliumBGPNodeConfig n2: it is missing, though CiliumBGPClusterConfig edge selects the node; it is played so",
    ),
    "another address of the peer": (
        tuple(c.replace("peerAddress: 10.9.0.1,", "peerAddress: 10.9.0.9,") for c in BOTH),
        f"CiliumBGPNodeConfig n1 and 1 more: instance a, peer tor: peerAddress 10.9.0.9 is now 10.9.0.1; {PLAYED}",
    ),
    "another local ASN": (
        (node_config("n1").replace("localASN: 65001\n    peers: [", "localASN: 65009\n    peers: ["), BOTH[1]),
        f"CiliumBGPNodeConfig n1: instance a: localASN 65009 is now 65001; {PLAYED}",
    ),
    "an override that the operator has not come to": (
        (
            *BOTH,
            "apiVersion: cilium.io/v2\nkind: CiliumBGPNodeConfigOverride\nmetadata: {name: n1}\n"
            "spec: {bgpInstances: [{name: a, peers: [{name: tor, localAddress: 10.9.0.121}]}]}\n",
        ),
        f"CiliumBGPNodeConfig n1: instance a, peer tor: localAddress unset is now 10.9.0.121; {PLAYED}",
    ),
    "a session that is down": (
        (node_config("n1").replace("established\n", "active\n"), BOTH[1]),
        "CiliumBGPNodeConfig n1: instance a, peer tor is active in the dump; a run begins with every session "
        "established",
    ),
    "another hold time": (
        tuple(c.replace("HoldTimeSeconds: 9", "HoldTimeSeconds: 3") for c in BOTH),
        "CiliumBGPNodeConfig n1 and 1 more: instance a, peer tor has a hold time of 3 s applied in the dump, and 9 s "
        "here: tor has a holdTimeSeconds of 180",
    ),
    "more routes": (
        (BOTH[0], node_config("n2").replace("advertised: 1", "advertised: 7")),
        "CiliumBGPNodeConfig n2: instance a, peer tor has 7 ipv4/unicast routes advertised in the dump, and 1 here",
    ),
    "an error of the agent": (
        (
            node_config("n1").replace(
                "status:\n",
                "status:\n  conditions: [{type: cilium.io/BGPReconcileError, status: 'True', message: 'a: no'}]\n",
            ),
            BOTH[1],
        ),
        "CiliumBGPNodeConfig n1: cilium.io/BGPReconcileError is True in the dump: a: no",
    ),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_what_a_dump_contradicts_is_told_by_name(tmp_path: Path, name: str) -> None:
    documents, line = DIFFERENCES[name]
    assert said(tmp_path, CLUSTER, PEER, ADVERT, NODES, *documents) == [line]


def test_a_node_that_no_cluster_config_selects_keeps_no_session(tmp_path: Path) -> None:
    nodes = NODES.replace("name: n1, labels: {bgp: enabled}", "name: n1")
    left_out = "CiliumBGPNodeConfig n1: no CiliumBGPClusterConfig selects its node, so it is left out; the operator"
    assert [line[: len(left_out)] for line in said(tmp_path, CLUSTER, PEER, ADVERT, nodes, *BOTH)] == [left_out]
    assert [peering.node for peering in read(tmp_path, CLUSTER, PEER, ADVERT, nodes, *BOTH).plan().peerings] == ["n2"]


def test_the_owner_of_the_node_config_has_the_node_in_a_conflict(tmp_path: Path) -> None:
    core = CLUSTER.replace("name: edge", "name: core")
    (tmp_path / "all.yaml").write_text("---\n".join((core, CLUSTER, PEER, ADVERT, NODES, *BOTH)))
    (tmp_path / "s.yaml").write_text(SCENARIO)
    done = cli("show", "conditions", "-f", str(tmp_path / "s.yaml"), "-o", "json")
    # core stands first, and would have the nodes; but their NodeConfigs are edge's
    assert '"Selecting the same node(s) with ClusterConfig(s): [edge]"' in done.out
    assert "[core]" not in done.out


def test_import_keeps_them_and_reads_what_it_wrote(tmp_path: Path) -> None:
    listed = "kind: List\napiVersion: v1\nitems:\n" + "".join(
        "- " + text.replace("\n", "\n  ").rstrip() + "\n" for text in BOTH
    )
    (tmp_path / "dump.yaml").write_text(listed)
    done = cli("import", str(tmp_path / "dump.yaml"))
    assert done.code == 0, done.err
    (tmp_path / "cluster.yaml").write_text(done.out)
    assert cli("import", str(tmp_path / "cluster.yaml")).out == done.out
    assert "localASN: 65001" in done.out
    assert "peeringState: established" in done.out
