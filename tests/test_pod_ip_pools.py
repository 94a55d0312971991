"""CiliumPodIPPool advertisements (pkg/bgp/manager/reconciler/pod_ip_pool.go) and peers that are discovered."""

import json
from pathlib import Path

import pytest
from cli_runs import cli
from test_wrong_manifests import CLUSTER, NODE, PEER, SECRET

from simbgp.scenario import Plan, ScenarioError, loads
from simbgp.scenario.plan import AnnouncementPlan

ADVERT = """\
apiVersion: cilium.io/v2
kind: CiliumBGPAdvertisement
metadata: {name: pools, labels: {announce: edge}}
spec:
  advertisements:
  - advertisementType: CiliumPodIPPool
    selector: {SELECTOR}
    attributes: {localPreference: 200}
"""
NODES = """\
apiVersion: cilium.io/v2
kind: CiliumNode
metadata: {name: n1, labels: {bgp: enabled}}
spec:
  ipam:
    pools:
      allocated:
      - {pool: blue, cidrs: [10.2.0.0/27, 10.2.0.64/27, "fd00:2::/96"]}
      - {pool: red, cidrs: [10.3.0.0/27]}
---
apiVersion: cilium.io/v2alpha1
kind: CiliumPodIPPool
metadata: {name: blue, labels: {tier: front}}
spec: {ipv4: {cidrs: [10.2.0.0/16], maskSize: 27}}
---
apiVersion: cilium.io/v2alpha1
kind: CiliumPodIPPool
metadata: {name: red}
spec: {ipv4: {cidrs: [10.3.0.0/16], maskSize: 27}}
"""
ROUTER = "routers: [{name: tor, profile: frr-8.4, asn: 65000, address: 10.9.0.1}]\n"


def plan(folder: Path, selector: str, *documents: str, routers: str = ROUTER) -> Plan:
    advert = ADVERT.replace("{SELECTOR}", selector)
    every = documents or (CLUSTER, PEER, SECRET, NODE, NODES)
    (folder / "all.yaml").write_text("---\n".join((*every, advert)))
    return loads(f"cluster: {{manifests: [all.yaml]}}\n{routers}", "s.yaml", folder).plan()


BLUE, RED = ("10.2.0.0/27", "10.2.0.64/27"), ("10.3.0.0/27",)


@pytest.mark.parametrize(
    ("selector", "announced"),
    [
        ("{}", (*BLUE, *RED)),
        ("{matchLabels: {tier: front}}", BLUE),
        ("{matchLabels: {io.cilium.podippool.name: red}}", RED),
        ("{matchLabels: {tier: back}}", ()),
    ],
)
def test_a_node_announces_its_own_cidrs_of_the_pools_that_are_selected(
    tmp_path: Path, selector: str, announced: tuple[str, ...]
) -> None:
    (peering,) = plan(tmp_path, selector).peerings  # IPv4 alone is spoken: fd00:2::/96 stays at home
    assert peering.prefixes == announced
    named = {"10.2": "blue", "10.3": "red"}
    assert peering.announcements == tuple(
        AnnouncementPlan(p, f"tor-ipv4-CiliumPodIPPool-{named[p[:4]]}", local_preference=200) for p in announced
    )


def test_the_routes_of_a_pool_live_and_die_with_the_node(tmp_path: Path) -> None:
    plan(tmp_path, "{}")
    file = tmp_path / "s.yaml"
    fault = "faults: [{at: 60s, kind: node-down, node: n1}]\n"
    file.write_text(f"cluster: {{manifests: [all.yaml]}}\n{ROUTER}{fault}")
    shown = cli("show", "routes", "available", "ipv4", "unicast", "-f", str(file), "--at", "10")
    assert all(prefix in shown.out for prefix in (*BLUE, *RED))
    done = cli("run", str(file), "--runs", "1", "--format", "json")
    assert done.code == 0, done.err
    lost = [row["prefix"] for row in json.loads(done.out)["routes"] if row["event"] == "withdrawn"]
    assert sorted(lost) == sorted((*BLUE, *RED))


def test_pools_may_be_written_by_hand() -> None:
    text = (
        "cluster:\n  advertise: [CiliumPodIPPool]\n"
        "  nodes: [{name: a, podIPPools: {blue: [10.2.0.0/27]}}, {name: b}]\n"
        "routers: [{name: tor, profile: frr-8.4}]\n"
    )
    assert [peering.prefixes for peering in loads(text).plan().peerings] == [("10.2.0.0/27",), ()]
    with pytest.raises(
        ScenarioError, match=r"s.yaml:2:15: cluster.advertise.0: no node has CIDRs of a CiliumPodIPPool"
    ):
        loads(text.replace("{blue: [10.2.0.0/27]}", "{}"), "s.yaml")


GATEWAY = "autoDiscovery: {mode: DefaultGateway, defaultGateway: {addressFamily: ipv4}}, "
TWO = (
    "routers:\n"
    "  - {name: tor-1, profile: frr-8.4, asn: 65000, address: 10.9.0.1, nodes: [n1]}\n"
    "  - {name: tor-2, profile: frr-8.4, asn: 65000, address: 10.9.1.1, nodes: [n2]}\n"
)


def test_the_default_gateway_of_a_node_is_its_own_router(tmp_path: Path) -> None:
    cluster = CLUSTER.replace("peerAddress: 10.9.0.1, ", GATEWAY)
    second = NODE.replace("name: n1", "name: n2").replace("10.1.0.0/24", "10.1.1.0/24").replace("0.21", "1.21")
    found = plan(tmp_path, "{}", cluster, PEER, SECRET, NODE, second, routers=TWO)
    sessions = [(p.node, p.router, p.peer_address) for p in found.peerings]
    assert sessions == [("n1", "tor-1", "10.9.0.1"), ("n2", "tor-2", "10.9.1.1")]
    assert "peer tor: the ipv4 default gateway of n2 is taken to be tor-2, 10.9.1.1 (autoDiscovery)" in found.warnings
    both = TWO.replace("[n2]", "all").replace("[n1]", "all")
    far = NODE.replace("10.9.0.21", "10.9.2.21")
    with pytest.raises(ScenarioError, match="default gateway of n1 is not known: routers that may be it: tor-1, tor-2"):
        plan(tmp_path, "{}", cluster, PEER, SECRET, far, routers=both)


def test_a_default_gateway_is_the_router_address_next_to_the_node(tmp_path: Path) -> None:
    """n1 has 10.9.0.21 and n2 10.9.1.21; both routers, and one router with both addresses, serve both."""
    cluster = CLUSTER.replace("peerAddress: 10.9.0.1, ", GATEWAY)
    nodes = [
        f"apiVersion: v1\nkind: Node\nmetadata: {{name: n{i + 1}, labels: {{bgp: enabled}}}}\n"
        f"spec: {{podCIDR: 10.1.{i}.0/24}}\nstatus: {{addresses: [{{type: InternalIP, address: 10.9.{i}.21}}]}}\n"
        for i in (0, 1)
    ]
    both = TWO.replace("[n2]", "all").replace("[n1]", "all")
    one = "routers: [{name: tor, profile: frr-8.4, asn: 65000, address: [10.9.0.1, 10.9.1.1]}]\n"
    for routers, names in ((both, ["tor-1", "tor-2"]), (one, ["tor", "tor"])):
        found = plan(tmp_path, "{}", cluster, PEER, SECRET, *nodes, routers=routers)
        sessions = [(p.node, p.router, p.peer_address) for p in found.peerings]
        assert sessions == [("n1", names[0], "10.9.0.1"), ("n2", names[1], "10.9.1.1")]


def test_an_import_keeps_pools_and_whether_a_secret_has_a_password(tmp_path: Path) -> None:
    (tmp_path / "dump.yaml").write_text(
        "---\n".join((NODES, SECRET, SECRET.replace("md5", "bad").replace("pass", "w")))
    )
    done = cli("import", str(tmp_path / "dump.yaml"))
    assert done.code == 0, done.err
    assert "10.2.0.64/27" in done.out
    assert "CiliumPodIPPool" in done.out
    assert "aHVzaA" not in done.out
    assert "password" not in done.out
    (tmp_path / "again.yaml").write_text(done.out)
    assert cli("import", str(tmp_path / "again.yaml")).out == done.out
