from pathlib import Path

import pytest

from simbgp.scenario import Scenario, ScenarioError, loads
from simbgp.scenario.api_objects import LabelSelector

TESTS = Path(__file__).parent
SERVICE = TESTS.parent / "scenarios"
HOMING = TESTS / "data" / "manifests"
CLUSTER = """\
apiVersion: cilium.io/v2
kind: CiliumBGPClusterConfig
metadata: {name: edge}
spec:
  nodeSelector: {matchLabels: {bgp: enabled}}
  bgpInstances:
  - name: a
    localASN: 65001
    peers:
    - {name: tor, peerASN: 65000, peerAddress: 10.9.0.1, peerConfigRef: {name: tor}}
"""
PEER = """\
apiVersion: cilium.io/v2
kind: CiliumBGPPeerConfig
metadata: {name: tor}
spec:
  families:
  - {afi: ipv4, safi: unicast, advertisements: {matchLabels: {advertise: pods}}}
"""
ADVERT = """\
apiVersion: cilium.io/v2
kind: CiliumBGPAdvertisement
metadata: {name: pods, labels: {advertise: pods}}
spec:
  advertisements: [{advertisementType: PodCIDR}]
"""
NODES = """\
apiVersion: v1
kind: NodeList
items:
- {apiVersion: v1, kind: Node, metadata: {name: n1, labels: {bgp: enabled}}, spec: {podCIDR: 10.1.0.0/24}}
- {apiVersion: v1, kind: Node, metadata: {name: n2}, spec: {podCIDR: 10.1.1.0/24}}
"""
GOOD = (CLUSTER, PEER, ADVERT, NODES)
SCENARIO = """\
cluster: {manifests: ["*.yaml"]}
routers:
  - {name: tor, profile: frr-8.4, asn: 65000, address: 10.9.0.1}
"""


def read(folder: Path, *documents: str, scenario: str = SCENARIO, overrides: tuple[str, ...] = ()) -> Scenario:
    (folder / "all.yaml").write_text("---\n".join(documents))
    return loads(scenario, "s.yaml", folder, overrides)


def told(folder: Path, *documents: str, **more: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        read(folder, *documents, **more)
    return str(caught.value)


def test_the_service_example_of_cilium_is_read_as_it_is() -> None:
    text = (
        "cluster: {cilium: '1.18', manifests: [cilium-dev-service/bgp.yaml, cilium-dev-service/nodes.yaml]}\n"
        "routers: [{name: router0, profile: frr-8.4, asn: 65000, address: 'fd00:10:0:0::1'}]\n"
    )
    scenario = loads(text, "shipped.yaml", SERVICE)
    plan = scenario.plan()
    assert [node.name for node in plan.nodes] == [
        "bgpv2-cplane-dev-service-control-plane",
        "bgpv2-cplane-dev-service-worker",
    ]
    worker = plan.peerings[1]
    assert (worker.node, worker.router) == ("bgpv2-cplane-dev-service-worker", "router0")
    assert (worker.hold_s, worker.keepalive_s, worker.connect_retry_s) == (90, 30, 120)
    assert (worker.restart.enabled, worker.restart.restart_time_s) == (True, 15)
    assert (worker.prefixes, worker.families) == (("10.1.1.0/24", "fd00:10:1:1::/64"), ("ipv4", "ipv6"))
    assert plan.nodes[1].addresses == ("10.0.2.2", "fd00:10:0:2::2")
    assert plan.warnings[:2] == (
        "2 objects of the manifests are not used: Namespace 2",
        "Secret bgp-auth-secret of CiliumBGPPeerConfig cilium-peer is assumed to be present",
    )
    told = scenario.warnings[2]
    assert told.startswith("shipped.yaml:1:38: cluster.manifests: connectRetryTimeSeconds 120 is above restartTime")


def test_the_multi_homing_example_of_cilium_has_two_sessions_for_each_node() -> None:
    text = (
        "cluster: {manifests: [cilium-dev-multi-homing/*.yaml]}\n"
        "routers:\n"
        "  - {name: router0, profile: frr-8.4, asn: 65000, address: 'fd00:10::1'}\n"
        "  - {name: router1, profile: frr-8.4, asn: 65011}\n"  # by ASN, which is its own
    )
    plan = loads(text, folder=HOMING).plan()
    assert [peering.router for peering in plan.peerings] == ["router0", "router1"] * 2
    assert len(plan.nodes) == 2


def test_the_selector_of_the_cluster_config_chooses_the_nodes(tmp_path: Path) -> None:
    plan = read(tmp_path, *GOOD).plan()
    assert [peering.node for peering in plan.peerings] == ["n1"]
    assert plan.peerings[0].prefixes == ("10.1.0.0/24",)
    assert plan.peerings[0].restart.enabled is False  # no gracefulRestart block: off
    every = read(tmp_path, CLUSTER.replace("  nodeSelector: {matchLabels: {bgp: enabled}}\n", ""), PEER, ADVERT, NODES)
    assert [peering.node for peering in every.plan().peerings] == ["n1", "n2"]


def test_without_a_selected_advertisement_nothing_is_announced(tmp_path: Path) -> None:
    assert read(tmp_path, CLUSTER, PEER, NODES).plan().peerings[0].prefixes == ()
    no_families = PEER[: PEER.index("spec:")] + "spec: {}\n"
    peering = read(tmp_path, CLUSTER, no_families, ADVERT, NODES).plan().peerings[0]
    # absent means both, IPv6 first (bgp_peer_types.go, SetDefaults)
    assert (peering.prefixes, peering.families) == ((), ("ipv6", "ipv4"))


def test_timers_of_the_scenario_win_over_those_of_the_objects(tmp_path: Path) -> None:
    peer = PEER + "  timers: {holdTimeSeconds: 60, keepAliveTimeSeconds: 20, connectRetryTimeSeconds: 5}\n"
    peer += "  gracefulRestart: {enabled: true, restartTimeSeconds: 60}\n"
    own = read(tmp_path, CLUSTER, peer, ADVERT, NODES).plan().peerings[0]
    assert (own.hold_s, own.keepalive_s, own.connect_retry_s, own.restart.restart_time_s) == (60, 20, 5, 60)
    what_if = ("cluster.timers.holdTimeSeconds=9", "cluster.gracefulRestart={enabled: true, restartTimeSeconds: 30}")
    set_to = read(tmp_path, CLUSTER, peer, ADVERT, NODES, overrides=what_if).plan().peerings[0]
    assert (set_to.hold_s, set_to.keepalive_s, set_to.connect_retry_s, set_to.restart.restart_time_s) == (9, 3, 5, 30)


def test_nodes_of_the_scenario_win_over_node_objects(tmp_path: Path) -> None:
    nodes = "cluster.nodes=[{name: mine, labels: {bgp: enabled}}, {name: other}]"
    plan = read(tmp_path, *GOOD, overrides=(nodes,)).plan()
    assert [peering.node for peering in plan.peerings] == ["mine"]


def test_node_objects_alone_leave_the_sessions_to_the_routers(tmp_path: Path) -> None:
    plan = read(tmp_path, NODES).plan()
    assert [(peering.node, peering.router) for peering in plan.peerings] == [("n1", "tor"), ("n2", "tor")]


@pytest.mark.parametrize(
    ("selector", "chosen"),
    [
        ({}, "abc"),
        ({"matchLabels": {"zone": "x"}}, "ab"),
        ({"matchExpressions": [{"key": "zone", "operator": "In", "values": ["x", "y"]}]}, "ab"),
        ({"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["x"]}]}, "c"),  # the key may be absent
        ({"matchExpressions": [{"key": "edge", "operator": "Exists"}]}, "a"),
        ({"matchExpressions": [{"key": "edge", "operator": "DoesNotExist"}]}, "bc"),
        ({"matchLabels": {"zone": "x"}, "matchExpressions": [{"key": "edge", "operator": "DoesNotExist"}]}, "b"),
    ],
)
def test_label_selectors_select_as_kubernetes_does(selector: dict, chosen: str) -> None:
    labels = {"a": {"zone": "x", "edge": ""}, "b": {"zone": "x"}, "c": {}}
    parsed = LabelSelector.model_validate(selector)
    assert "".join(name for name, own in labels.items() if parsed.matches(own)) == chosen


@pytest.mark.parametrize(
    ("index", "old", "new", "line", "message"),
    [
        (
            0,
            "peerConfigRef: {name: tor}",
            "peerConfigRef: {name: spine}",
            10,
            "Referenced CiliumBGPPeerConfig(s) are missing: [spine]; in the manifests: tor",
        ),
        (
            0,
            "peerASN: 65000, peerAddress: 10.9.0.1",
            "peerASN: 65009, peerAddress: 10.9.0.9",
            10,
            "no router of the scenario has the address",
        ),
        (0, "localASN: 65001", "localPort: 179", 7, "localASN is missing"),
        (0, "localASN: 65001", "localASN: 65001, ", 8, "not allowed here; allowed: an integer from 1 to 4294967295"),
        (0, "cilium.io/v2", "cilium.io/v1", 1, "is not a version of CiliumBGPClusterConfig; allowed: cilium.io/v2, "),
        (0, "nodeSelector", "nodeselector", 5, "unknown key 'nodeselector'; did you mean 'nodeSelector'?"),
        (
            0,
            "peerAddress: 10.9.0.1, ",
            "autoDiscovery: {mode: DefaultGateway}, ",
            10,
            "defaultGateway must be set when mode is DefaultGateway",
        ),
        (1, "spec:", "spec:\n  timers: {holdTimeSeconds: 2}", 16, "allowed: an integer from 3 to 65535"),
        (
            1,
            "spec:",
            "spec:\n  timers: {holdTimeSeconds: 9}",
            16,
            "keepAliveTimeSeconds can not be larger than holdTimeSeconds (9)",
        ),
        (1, "spec:", "spec:\n  gracefulRestart: {restartTimeSeconds: 9}", 16, "required key 'enabled' is missing"),
        (
            1,
            "spec:",
            "spec:\n  gracefulRestart: {enabled: true, restartTimeSeconds: 4096}",
            16,
            "allowed: an integer from 1 to 4095",
        ),
        (1, "afi: ipv4", "afi: ipv5", 17, "allowed: ipv4, ipv6, l2vpn, ls, opaque"),
        (1, "safi: unicast", "safi: flowspec", 17, "'ipv4/flowspec' is not supported yet"),
        (2, "PodCIDR", "PodCidr", 23, "allowed: PodCIDR, CiliumPodIPPool, Service, Interface"),
        (3, "10.1.1.0/24", "10.1.1.0/33", 29, "'10.1.1.0/33' is not a prefix"),
        (3, "10.1.1.0/24", "10.1.0.0/24", None, "podCIDR 10.1.0.0/24 of n2 overlaps one of n1"),
        (3, "name: n2", "name: n1", 29, "Node 'n1' is there twice, first in"),
        (3, "kind: NodeList", "kin: NodeList", 25, "not a Kubernetes object: it has no kind"),
    ],
)
def test_a_wrong_object_is_told_with_its_place(
    tmp_path: Path, index: int, old: str, new: str, line: int | None, message: str
) -> None:
    documents = list(GOOD)
    assert old in documents[index]
    documents[index] = documents[index].replace(old, new)
    first = next(text for text in told(tmp_path, *documents).splitlines() if message in text)
    assert line is None or first.startswith(f"{tmp_path}/all.yaml:{line}:")


def test_two_cluster_configs_on_one_node_conflict(tmp_path: Path) -> None:
    second = CLUSTER.replace("name: edge", "name: core")
    assert "Selecting the same node(s) with ClusterConfig(s): [edge]" in told(tmp_path, CLUSTER, second, *GOOD[1:])


def test_a_cluster_config_without_nodes_and_a_router_without_peer_are_warned_of(tmp_path: Path) -> None:
    scenario = SCENARIO + "  - {name: spare, profile: frr-8.4, asn: 65009}\n"
    cluster = CLUSTER.replace("bgp: enabled", "bgp: disabled")
    warnings = read(tmp_path, cluster, *GOOD[1:], scenario=scenario).warnings
    assert "CiliumBGPClusterConfig edge: No node matches spec.nodeSelector" in warnings
    assert "router spare is no peer in the manifests: no node has a session with it" in warnings


def test_services_beside_a_cluster_config_are_refused_not_forgotten(tmp_path: Path) -> None:
    scenario = SCENARIO + "services: [{name: web, vip: 192.0.2.1, backends: 1}]\n"
    assert "'services' beside a CiliumBGPClusterConfig is not supported yet" in told(tmp_path, *GOOD, scenario=scenario)


def test_manifests_stay_beneath_the_folder_of_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "secret.yaml").write_text(NODES)
    (tmp_path / "inside" / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    for pattern, reason in (("../*.yaml", "leaves"), (f"{tmp_path}/*.yaml", "leaves"), ("link.yaml", "leads out of")):
        with pytest.raises(ScenarioError, match=f"cluster.manifests.0: .*{reason} the scenario's folder"):
            loads(SCENARIO.replace("*.yaml", pattern), "s.yaml", tmp_path / "inside")


def test_the_hash_of_a_scenario_covers_its_manifests(tmp_path: Path) -> None:
    assert read(tmp_path, *GOOD).hash != read(tmp_path, *GOOD, "# a change\n").hash


def test_a_list_of_several_kinds_and_empty_documents_are_read(tmp_path: Path) -> None:
    as_items = "".join("- " + text.replace("\n", "\n  ").rstrip() + "\n" for text in (CLUSTER, PEER, ADVERT))
    plan = read(tmp_path, "", f"kind: List\nitems:\n{as_items}", NODES).plan()
    assert [peering.node for peering in plan.peerings] == ["n1"]
