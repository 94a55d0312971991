"""Manifest sets of the kinds that Cilium's labs have (contrib/containerlab), each a small one of its own.

Two racks with an AS each, policies of one family and of two, pools of pod addresses, discovered peers: who announces
what to whom, worked out by hand.
"""

from pathlib import Path

from cli_runs import cli

from simbgp.scenario import loads
from simbgp.scenario.plan import Plan

TESTS = Path(__file__).parent
Routes = dict[tuple[str, str], set[str]]


def node(name: str, number: int, labels: str, families: str = "46") -> str:
    """A Node with an address and a PodCIDR of each family, as ``kubectl get nodes`` prints it."""
    cidrs = {"4": f"10.1.{number}.0/24", "6": f"fd00:10:1:{number}::/64"}
    addresses = {"4": f"10.0.{number + 1}.2", "6": f"fd00:10:0:{number + 1}::2"}
    internal = ", ".join(f"{{type: InternalIP, address: '{addresses[family]}'}}" for family in families)
    return (
        f"apiVersion: v1\nkind: Node\nmetadata: {{name: {name}, labels: {{{labels}}}}}\n"
        f"spec: {{podCIDRs: [{', '.join(repr(cidrs[family]) for family in families)}]}}\n"
        f"status: {{addresses: [{internal}]}}\n"
    )


def read(folder: Path, documents: list[str], routers: str, cilium: str = "1.17") -> Plan:
    (folder / "all.yaml").write_text("---\n".join(documents))
    return loads(
        f"cluster: {{cilium: '{cilium}', manifests: [all.yaml]}}\nrouters: [{routers}]\n", folder=folder
    ).plan()


def routes(plan: Plan) -> Routes:
    """What each node announces at time 0 to each router."""
    return {(peering.node, peering.router): set(peering.prefixes) for peering in plan.peerings}


def policy(name: str, asn: int, peer: str, more: str = "") -> str:
    return f"""\
apiVersion: cilium.io/v2alpha1
kind: CiliumBGPPeeringPolicy
metadata: {{name: {name}}}
spec:
  nodeSelector: {{matchLabels: {{kubernetes.io/hostname: {name}}}}}
  virtualRouters:
  - localASN: {asn}
    {more}
    neighbors: [{{peerASN: 65000, peerAddress: '{peer}'}}]
"""


def test_policies_of_ipv6_alone(tmp_path: Path) -> None:
    """One exports its PodCIDR and a Service, the other nothing; both dial router0 under another address of it."""
    service = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, labels: {bgp: "true"}}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web}}}}
---
apiVersion: cilium.io/v2alpha1
kind: CiliumLoadBalancerIPPool
metadata: {name: default}
spec: {blocks: [{cidr: 'fd00:30::/120'}]}
"""
    documents = [
        policy("control-plane", 65001, "fd00:10:0:1::1/128"),
        policy(
            "worker",
            65002,
            "fd00:10:0:2::1/128",
            'exportPodCIDR: true\n    serviceSelector: {matchLabels: {bgp: "true"}}',
        ),
        *(node(name, i, f"kubernetes.io/hostname: {name}", "6") for i, name in enumerate(("control-plane", "worker"))),
        service,
    ]
    router = "{name: router0, profile: frr-8.4, asn: 65000, address: ['fd00:10:0:1::1', 'fd00:10:0:2::1']}"
    found = read(tmp_path, documents, router, cilium="1.15")
    assert routes(found) == {
        ("control-plane", "router0"): set(),
        # 1.15 keeps the pool's first address, fd00:30::, back; the Service of a cluster of IPv6 alone wants IPv6
        ("worker", "router0"): {"fd00:10:1:1::/64", "fd00:30::1/128"},
    }
    assert [(p.local_asn, p.peer_address) for p in found.peerings] == [
        (65001, "fd00:10:0:1::1"),
        (65002, "fd00:10:0:2::1"),
    ]


def test_policies_of_ipv6_are_imported_under_names_that_the_api_server_takes(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(policy("edge", 65001, "fd00:10:0:1::1/128"))
    done = cli("import", str(tmp_path / "all.yaml"), "--to", str(tmp_path / "made.yaml"))
    assert done.code == 0, done.err
    assert cli("import", str(tmp_path / "made.yaml")).out == (tmp_path / "made.yaml").read_text()


def test_policies_of_two_families_announce_both_in_one_session(tmp_path: Path) -> None:
    documents = [
        policy("control-plane", 65001, "10.0.1.1/32", "exportPodCIDR: true"),
        node("control-plane", 0, "kubernetes.io/hostname: control-plane"),
    ]
    found = read(tmp_path, documents, "{name: router0, profile: frr-8.4, asn: 65000, address: 10.0.1.1}", cilium="1.15")
    assert routes(found) == {("control-plane", "router0"): {"10.1.0.0/24", "fd00:10:1::/64"}}


def cluster_config(name: str, asn: int, peer: str, labels: str) -> str:
    return f"""\
apiVersion: cilium.io/v2alpha1
kind: CiliumBGPClusterConfig
metadata: {{name: {name}}}
spec:
  nodeSelector: {{matchLabels: {{{labels}}}}}
  bgpInstances:
  - name: {name}
    localASN: {asn}
    peers: [{{name: tor, {peer}, peerConfigRef: {{name: tor}}}}]
"""


def peer_config(*families: str, selector: str = ", advertisements: {matchLabels: {advertise: bgp}}") -> str:
    written = ", ".join(f"{{afi: {family}, safi: unicast{selector}}}" for family in families)
    head = "apiVersion: cilium.io/v2\nkind: CiliumBGPPeerConfig\nmetadata: {name: tor}\n"
    return f"{head}spec: {{families: [{written}]}}\n"


def advertisement(*entries: str) -> str:
    return (
        "apiVersion: cilium.io/v2\nkind: CiliumBGPAdvertisement\nmetadata: {name: all, labels: {advertise: bgp}}\n"
        "spec:\n  advertisements:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries)
    )


def test_two_racks_of_an_as_each_announce_gateways_to_their_own_router(tmp_path: Path) -> None:
    """iBGP; a pool for each colour, of which the first address goes to the one Gateway's Service of that colour."""
    colours = ("blue", "red")
    services = [
        f"apiVersion: v1\nkind: Service\n"
        f"metadata: {{name: gateway, namespace: {colour}, labels: {{color: {colour}}}}}\n"
        f"spec: {{type: LoadBalancer, ports: [{{port: 80}}]}}\n---\n"
        f"apiVersion: cilium.io/v2alpha1\nkind: CiliumLoadBalancerIPPool\nmetadata: {{name: {colour}}}\n"
        f"spec: {{blocks: [{{cidr: 20.0.{i}0.0/24}}], serviceSelector: {{matchLabels: {{color: {colour}}}}}}}\n---\n"
        f"apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {{name: {colour}, namespace: {colour}}}\n"
        for i, colour in enumerate(colours, 1)
    ]
    entry = "advertisementType: Service, service: {addresses: [LoadBalancerIP]}, selector: {matchExpressions: [%s]}"
    documents = [
        cluster_config("rack0", 65010, "peerASN: 65010, peerAddress: 10.0.0.1", "rack: rack0"),
        cluster_config("rack1", 65011, "peerASN: 65011, peerAddress: 10.0.0.2", "rack: rack1"),
        peer_config("ipv4"),
        advertisement(entry % "{key: color, operator: In, values: [red, blue]}"),
        *(node(f"n{i}", i, f"rack: rack{i // 2}", "4") for i in range(4)),
        *services,
    ]
    routers = "{name: tor0, profile: frr-8.4, asn: 65010, address: 10.0.0.1}, "
    routers += "{name: tor1, profile: frr-8.4, asn: 65011, address: 10.0.0.2}"
    found = read(tmp_path, documents, routers)
    both = {"20.0.10.0/32", "20.0.20.0/32"}
    assert routes(found) == {(f"n{i}", f"tor{i // 2}"): both for i in range(4)}
    assert "2 objects of the manifests are not used: Gateway 2" in found.warnings


def test_pools_of_pod_addresses_have_communities_of_their_own(tmp_path: Path) -> None:
    pools = [
        f"apiVersion: cilium.io/v2alpha1\nkind: CiliumPodIPPool\nmetadata: {{name: {name}, labels: {{pool: {name}}}}}\n"
        f"spec: {{ipv4: {{cidrs: [10.{i}00.0.0/16], maskSize: 24}}, "
        f"ipv6: {{cidrs: ['fd00:{i}00::/48'], maskSize: 64}}}}\n"
        for i, name in enumerate(("blue", "red"), 1)
    ]
    have = [
        f"apiVersion: cilium.io/v2\nkind: CiliumNode\nmetadata: {{name: n{i}, labels: {{bgp: 'yes'}}}}\n"
        f"spec: {{ipam: {{pools: {{allocated: [{{pool: blue, "
        f"cidrs: [10.100.{i}.0/24, 'fd00:100:0:{i}::/64']}}{red}]}}}}}}\n"
        for i, red in enumerate(("", ", {pool: red, cidrs: [10.200.1.0/24]}"))
    ]
    entry = "advertisementType: CiliumPodIPPool, selector: {matchLabels: {pool: %s}}, "
    entry += "attributes: {communities: {standard: ['65000:%d']}}"
    documents = [
        cluster_config("edge", 65001, "peerASN: 65000, peerAddress: 'fd00:10:0:1::1'", "bgp: 'yes'"),
        peer_config("ipv4", "ipv6"),
        advertisement(entry % ("blue", 100), entry % ("red", 200)),
        *(node(f"n{i}", i, "bgp: 'yes'") for i in range(2)),
        *pools,
        *have,
    ]
    found = read(tmp_path, documents, "{name: router0, profile: frr-8.4, asn: 65000, address: 'fd00:10:0:1::1'}")
    assert routes(found) == {
        ("n0", "router0"): {"10.100.0.0/24", "fd00:100::/64"},
        ("n1", "router0"): {"10.100.1.0/24", "fd00:100:0:1::/64", "10.200.1.0/24"},
    }
    said = {entry.prefix: entry.communities for entry in found.peerings[1].announcements}
    assert said["10.100.1.0/24"] == said["fd00:100:0:1::/64"] == ("65000:100",)
    assert said["10.200.1.0/24"] == ("65000:200",)


def test_a_discovered_peer_is_announced_what_a_written_one_is(tmp_path: Path) -> None:
    """The service lab of Cilium with its address left out: each node's gateway is the router's side of its link."""
    folder = TESTS.parent / "scenarios" / "cilium-dev-service"
    text, nodes = (folder / "bgp.yaml").read_text(), (folder / "nodes.yaml").read_text()
    gateway = "autoDiscovery:\n        mode: DefaultGateway\n        defaultGateway: {addressFamily: ipv6}"
    router = (
        "{name: router0, profile: frr-8.4, asn: 65000, address: ['fd00:10:0:1::1', 'fd00:10:0:2::1', 'fd00:10::1']}"
    )
    written, found = (
        read(tmp_path, [changed, nodes], router, cilium="1.18")
        for changed in (text, text.replace("peerAddress: fd00:10::1", gateway))
    )
    assert routes(found) == routes(written)
    assert [peering.peer_address for peering in found.peerings] == ["fd00:10:0:1::1", "fd00:10:0:2::1"]
    assert [peering.peer_address for peering in written.peerings] == ["fd00:10::1"] * 2
