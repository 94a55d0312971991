"""Services of the manifests: who announces which address with which attributes, worked out by hand."""

import shutil
from pathlib import Path

import pytest
from cli_runs import cli

from simbgp.scenario import Plan, ScenarioError, loads
from simbgp.scenario.plan import AnnouncementPlan

TESTS = Path(__file__).parent
CONTROL, WORKER = "bgpv2-cplane-dev-service-control-plane", "bgpv2-cplane-dev-service-worker"
ROUTER = "routers: [{name: router0, profile: frr-8.4, asn: 65000, address: 'fd00:10::1'}]\n"
BGP = """\
apiVersion: cilium.io/v2
kind: CiliumBGPClusterConfig
metadata: {name: edge}
spec:
  bgpInstances:
  - {name: a, localASN: 65001, peers: [{name: tor, peerASN: 65000, peerAddress: 10.9.0.1, peerConfigRef: {name: tor}}]}
---
apiVersion: cilium.io/v2
kind: CiliumBGPPeerConfig
metadata: {name: tor}
spec: {families: [{afi: ipv4, safi: unicast, advertisements: {}}]}
---
apiVersion: v1
kind: NodeList
items:
- {apiVersion: v1, kind: Node, metadata: {name: n1}, spec: {podCIDR: 10.1.0.0/24}}
- {apiVersion: v1, kind: Node, metadata: {name: n2}, spec: {podCIDR: 10.1.1.0/24}}
"""
WEB = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, labels: {expose: edge}}
spec:
  type: LoadBalancer
  clusterIP: 10.96.0.7
  externalTrafficPolicy: Cluster
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
status: {loadBalancer: {ingress: [{ip: 192.0.2.10}]}}
"""
PODS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {replicas: 3, template: {metadata: {labels: {app: web}}}}
"""


def advert(name: str = "vips", addresses: str = "LoadBalancerIP", more: str = "") -> str:
    service = f"service: {{addresses: [{addresses}]{more}}}"
    entry = f"{{advertisementType: Service, {service}, selector: {{matchLabels: {{expose: edge}}}}}}"
    return f"""\
apiVersion: cilium.io/v2
kind: CiliumBGPAdvertisement
metadata: {{name: {name}}}
spec: {{advertisements: [{entry}]}}
"""


def plan(folder: Path, *documents: str, cluster: str = "", more: str = "") -> Plan:
    (folder / "all.yaml").write_text("---\n".join((BGP, *documents)))
    text = (
        f"cluster: {{manifests: [all.yaml]{cluster}}}\nrouters: [{{name: tor, profile: frr-8.4, address: 10.9.0.1}}]\n"
    )
    return loads(text + more, "s.yaml", folder).plan()


def prefixes(of: Plan) -> dict[str, tuple[str, ...]]:
    return {peering.node: peering.prefixes for peering in of.peerings}


@pytest.fixture
def guide(tmp_path: Path) -> Path:
    """The whole service example of Cilium, its four files as they are."""
    for folder in (
        TESTS.parent / "scenarios" / "cilium-dev-service",
        TESTS / "data" / "manifests" / "cilium-dev-service",
    ):
        for file in folder.glob("*.yaml"):
            shutil.copy(file, tmp_path / file.name)
    return tmp_path


def test_the_whole_service_example_of_cilium_gives_the_routes_worked_out_by_hand(guide: Path) -> None:
    """curl-blue's one pod is dealt to the first node, so that alone announces the Local service-blue.

    lb-service-blue is Local and has no selector, so no pods: nobody announces 20.0.10.0. lb-service-red and service-red
    are Cluster: both nodes do; its pool's first address is 20.1.10.0, for first and last addresses may be given.
    """
    found = loads(f"cluster: {{manifests: ['*.yaml']}}\n{ROUTER}", folder=guide).plan()
    pods = {CONTROL: ("10.1.0.0/24", "fd00:10:1::/64"), WORKER: ("10.1.1.0/24", "fd00:10:1:1::/64")}
    red = {"192.168.200.10/32", "20.1.10.0/32"}
    assert {node: set(own) for node, own in prefixes(found).items()} == {
        CONTROL: {*pods[CONTROL], *red, "192.168.100.10/32"},
        WORKER: {*pods[WORKER], *red},
    }
    said = {entry.prefix: entry for entry in found.peerings[1].announcements}
    assert said["20.1.10.0/32"] == AnnouncementPlan(
        "20.1.10.0/32", "65000-ipv4-Service-lb-service-red-tenant-red-LoadBalancerIP", ("65000:200",)
    )
    assert said["192.168.100.10/32"].communities == ("65000:100",)
    policies = {service.name: service.policy for service in found.services}
    assert policies == {"tenant-blue/service-blue": "Local", "tenant-red/service-red": "Cluster"}


def test_placement_moves_the_pods_and_with_them_a_local_route(guide: Path) -> None:
    placed = f"placement: {{tenant-blue/curl-blue: [{WORKER}]}}"
    found = loads(f"cluster: {{manifests: ['*.yaml'], {placed}}}\n{ROUTER}", folder=guide).plan()
    assert "192.168.100.10/32" not in prefixes(found)[CONTROL]
    assert "192.168.100.10/32" in prefixes(found)[WORKER]


def test_a_placement_of_nothing_or_on_no_node_is_refused(guide: Path) -> None:
    for placed, said in (("{a/b: [x]}", "unknown object 'a/b'"), ("{tenant-blue/curl-blue: [x]}", "unknown node 'x'")):
        with pytest.raises(ScenarioError, match=said):
            loads(f"cluster: {{manifests: ['*.yaml'], placement: {placed}}}\n{ROUTER}", folder=guide)


def test_pods_of_a_deployment_are_dealt_to_the_nodes_in_turn(tmp_path: Path) -> None:
    found = plan(tmp_path, WEB, PODS, advert())
    assert [(b.name, b.node) for b in found.services[0].backends] == [("web-1", "n1"), ("web-2", "n2"), ("web-3", "n1")]
    assert prefixes(found) == {"n1": ("192.0.2.10/32",), "n2": ("192.0.2.10/32",)}


def test_endpoint_slices_say_where_pods_are_and_which_are_ready(tmp_path: Path) -> None:
    slice_ = """\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-x, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{port: 8080, protocol: TCP}]
endpoints:
- {addresses: [10.1.1.9], nodeName: n2, conditions: {ready: true}, targetRef: {kind: Pod, name: web-b}}
- {addresses: [10.1.0.9], nodeName: n1, conditions: {ready: false}}
"""
    local = WEB.replace("externalTrafficPolicy: Cluster", "externalTrafficPolicy: Local")
    found = plan(tmp_path, local, PODS, slice_, advert())
    backend = found.services[0].backends[0]
    assert (backend.name, backend.node, backend.key) == ("web-b", "n2", "[10.1.1.9:8080/TCP,State:active]")
    assert prefixes(found) == {"n1": (), "n2": ("192.0.2.10/32",)}


@pytest.mark.parametrize(("policy", "prefix"), [("Cluster", "192.0.2.0/24"), ("Local", "192.0.2.10/32")])
def test_aggregation_is_for_cluster_services_only(tmp_path: Path, policy: str, prefix: str) -> None:
    service = WEB.replace("externalTrafficPolicy: Cluster", f"externalTrafficPolicy: {policy}")
    found = plan(tmp_path, service, PODS, advert(more=", aggregationLengthIPv4: 24"))
    assert prefixes(found)["n1"] == (prefix,)


def test_the_cluster_address_follows_the_internal_policy(tmp_path: Path) -> None:
    one = PODS.replace("replicas: 3", "replicas: 1")
    service = WEB.replace("  selector", "  internalTrafficPolicy: Local\n  selector")
    found = plan(tmp_path, service, one, advert(addresses="LoadBalancerIP, ClusterIP"))
    assert prefixes(found) == {"n1": ("192.0.2.10/32", "10.96.0.7/32"), "n2": ("192.0.2.10/32",)}
    assert [(s.name, s.policy) for s in found.services] == [("shop/web", "Cluster"), ("shop/web-cluster-ip", "Local")]


def test_overlapping_advertisements_unite_communities_and_take_the_higher_preference(tmp_path: Path) -> None:
    def with_attributes(name: str, community: str, preference: int) -> str:
        attributes = (
            f"attributes: {{communities: {{standard: ['{community}']}}, localPreference: {preference}}}, selector"
        )
        return advert(name).replace("selector", attributes)

    found = plan(tmp_path, WEB, PODS, with_attributes("a", "65000:2", 200), with_attributes("b", "65000:1", 100))
    entry = found.peerings[0].announcements[0]
    assert (entry.communities, entry.local_preference) == (("65000:1", "65000:2"), 200)


@pytest.mark.parametrize(
    ("release", "expected"), [("1.17", (("65000:1",), 100)), ("1.18", (("65000:1", "65000:2"), 200))]
)
def test_before_1_18_the_last_entry_for_a_service_counts(
    tmp_path: Path, release: str, expected: tuple[tuple[str, ...], int]
) -> None:
    """cilium/cilium#35721: "the last sequential match is used and previous matches are ignored"; #36414 unites them."""

    def with_attributes(name: str, community: str, preference: int) -> str:
        attributes = f"communities: {{standard: ['{community}']}}, localPreference: {preference}"
        return advert(name).replace("selector", f"attributes: {{{attributes}}}, selector")

    both = with_attributes("a", "65000:2", 200), with_attributes("b", "65000:1", 100)
    found = plan(tmp_path, WEB, PODS, *both, cluster=f", cilium: '{release}'")
    (entry,) = found.peerings[0].announcements
    assert (entry.communities, entry.local_preference) == expected
    told = "several CiliumBGPAdvertisement entries are for Service shop/web: up to 1.17 the last one's addresses"
    assert any(told in line for line in found.warnings) == (release == "1.17")


def test_of_several_entries_for_podcidrs_the_last_one_counts_in_all_releases(tmp_path: Path) -> None:
    """pod_cidr.go: the policies are kept by name, and nothing merges them."""
    text = (
        "apiVersion: cilium.io/v2\nkind: CiliumBGPAdvertisement\nmetadata: {name: %s}\nspec: {advertisements: [%s]}\n"
    )
    entry = "{advertisementType: PodCIDR, attributes: {communities: {standard: ['65000:%d']}}}"
    pods = [text % (name, entry % number) for name, number in (("a", 1), ("b", 2))]
    found = plan(tmp_path, *pods)
    assert found.peerings[0].announcements == (AnnouncementPlan("10.1.0.0/24", "tor-ipv4-PodCIDR", ("65000:2",)),)
    assert any("are for the PodCIDRs of a node: the last one's attributes alone count" in w for w in found.warnings)
    assert not any("several" in w for w in plan(tmp_path, pods[0], pods[0].replace("name: a", "name: c")).warnings)


def test_families_are_spoken_in_the_order_in_which_they_are_written(tmp_path: Path) -> None:
    six_first = "families: [{afi: ipv6, safi: unicast}, {afi: ipv4, safi: unicast, advertisements: {}}]"
    documents = BGP.replace("families: [{afi: ipv4, safi: unicast, advertisements: {}}]", six_first)
    (tmp_path / "all.yaml").write_text(documents)
    text = "cluster: {manifests: [all.yaml]}\nrouters: [{name: tor, profile: frr-8.4, address: 10.9.0.1}]\n"
    assert loads(text, "s.yaml", tmp_path).plan().peerings[0].families == ("ipv6", "ipv4")


def test_an_override_gives_a_node_its_own_asn_and_address(tmp_path: Path) -> None:
    override = """\
apiVersion: cilium.io/v2
kind: CiliumBGPNodeConfigOverride
metadata: {name: n2}
spec: {bgpInstances: [{name: a, localASN: 65002, peers: [{name: tor, localAddress: 10.7.0.2}]}]}
"""
    found = plan(tmp_path, override)
    assert [(p.local_asn, p.local_address) for p in found.peerings] == [(65001, "10.0.0.1"), (65002, "10.7.0.2")]


def test_a_service_of_another_class_is_not_announced(tmp_path: Path) -> None:
    other = WEB.replace("type: LoadBalancer", "type: LoadBalancer\n  loadBalancerClass: example.com/other")
    assert prefixes(plan(tmp_path, other, PODS, advert()))["n1"] == ()


def test_traffic_goes_to_services_of_the_manifests(tmp_path: Path) -> None:
    traffic = "traffic: [{service: shop/web, connections: 10, lifetime: 60s}]\n"
    assert plan(tmp_path, WEB, PODS, advert(), more=traffic).traffic[0].service == "shop/web"
    with pytest.raises(ScenarioError, match="unknown service 'shop/wab'; did you mean 'shop/web'"):
        plan(tmp_path, WEB, PODS, advert(), more=traffic.replace("web", "wab"))


def pool(name: str = "p", spec: str = "blocks: [{cidr: 20.0.0.0/30}]") -> str:
    return f"apiVersion: cilium.io/v2\nkind: CiliumLoadBalancerIPPool\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"


PENDING = WEB[: WEB.index("status")]
OTHER = "blocks: [{cidr: 21.0.0.0/30}]"
ASKING = "name: web, annotations: {lbipam.cilium.io/ips: 20.0.0.2},"


@pytest.mark.parametrize(
    ("pools", "service", "given"),
    [
        ((pool(),), PENDING, "20.0.0.0/32"),
        ((pool(spec="blocks: [{cidr: 20.0.0.0/30}], allowFirstLastIPs: 'No'"),), PENDING, "20.0.0.1/32"),
        ((pool(spec="blocks: [{start: 20.0.0.9, stop: 20.0.0.12}]"),), PENDING, "20.0.0.9/32"),
        (
            (pool(spec="blocks: [{cidr: 20.0.0.0/30}], disabled: true"), pool("q", "blocks: [{cidr: 21.0.0.0/30}]")),
            PENDING,
            "21.0.0.0/32",
        ),
        (
            (pool(),),
            PENDING.replace("name: web,", "name: web, annotations: {lbipam.cilium.io/ips: 20.0.0.2},"),
            "20.0.0.2/32",
        ),
    ],
)
def test_lb_ipam_gives_the_first_address_that_may_be_given(
    tmp_path: Path, pools: tuple[str, ...], service: str, given: str
) -> None:
    assert prefixes(plan(tmp_path, service, PODS, advert(), *pools))["n1"] == (given,)


@pytest.mark.parametrize(
    ("pools", "said"),
    [
        ((), "there is no CiliumLoadBalancerIPPool"),
        (
            (pool(spec="blocks: [{cidr: 20.0.0.0/30}], serviceSelector: {matchLabels: {a: b}}"),),
            "There are no enabled CiliumLoadBalancerIPPools that match this service",
        ),
        (
            (pool(spec="blocks: [{cidr: '2001:db8::/64'}]"),),
            "There are no enabled CiliumLoadBalancerIPPools that match this service",
        ),
    ],
)
def test_a_service_without_an_address_is_warned_of_in_lb_ipams_words(
    tmp_path: Path, pools: tuple[str, ...], said: str
) -> None:
    assert (
        f"Service shop/web has no LoadBalancer address: {said}"
        in plan(tmp_path, PENDING, PODS, advert(), *pools).warnings
    )


def test_an_import_keeps_what_matters_and_gives_the_same_plan(
    guide: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = "\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: bgp-auth-secret}\ndata: {password: aHVzaA==}\n"
    with (guide / "lb-ip.yaml").open("a") as file:
        file.write(secret)
    whole = loads(f"cluster: {{manifests: ['*.yaml']}}\n{ROUTER}", "s.yaml", guide).plan()
    folder = tmp_path_factory.mktemp("imported")
    done = cli("import", *(str(file) for file in sorted(guide.glob("*.yaml"))), "--to", str(folder / "cluster.yaml"))
    assert done.code == 0
    assert "2 objects of the manifests are not used: Namespace 2" in done.err
    assert "aHVzaA" not in (folder / "cluster.yaml").read_text()
    again = loads(f"cluster: {{from: cluster.yaml}}\n{ROUTER}", "s.yaml", folder).plan()
    assert (again.nodes, again.peerings, again.services) == (whole.nodes, whole.peerings, whole.services)


def test_what_cannot_be_imported_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("kind: Node\napiVersion: v1\nmetadata: {}\n")
    done = cli("import", str(tmp_path / "bad.yaml"))
    assert (done.code, done.out) == (2, "")
    assert "required key 'name' is missing" in done.err


SECOND = PENDING.replace("name: web", "name: later")
COMES = "faults: [{at: 1s, kind: service-add, service: %s}]\n"


def test_lb_ipam_serves_a_service_that_comes_later_after_the_others(tmp_path: Path) -> None:
    """Without a fault web, the first in the file, has the pool's first address; created later it has the second."""
    documents = PENDING, SECOND, PODS, advert(), pool()
    assert [service.prefixes for service in plan(tmp_path, *documents).services] == [("20.0.0.0/32",), ("20.0.0.1/32",)]
    found = plan(tmp_path, *documents, more=COMES % "shop/web")
    assert [(s.name, s.prefixes, s.added, s.allocated) for s in found.services] == [
        ("shop/web", ("20.0.0.1/32",), True, ("20.0.0.1/32",)),
        ("shop/later", ("20.0.0.0/32",), False, ("20.0.0.0/32",)),
    ]
    assert prefixes(found) == {"n1": ("20.0.0.0/32",), "n2": ("20.0.0.0/32",)}


def test_only_what_lb_ipam_gives_waits_for_the_operator(tmp_path: Path) -> None:
    found = plan(tmp_path, WEB, PODS, advert(addresses="LoadBalancerIP, ClusterIP"), more=COMES % "shop/web")
    assert found.services[0].prefixes == ("192.0.2.10/32", "10.96.0.7/32")
    assert found.services[0].allocated == ("192.0.2.10/32",)
    assert prefixes(found) == {"n1": (), "n2": ()}


def test_a_service_without_pods_cannot_come_later(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="service 'shop/web' has no pod; allowed: a service with pods"):
        plan(tmp_path, WEB, advert(), more=COMES % "shop/web")


def test_the_pods_of_a_deployment_are_dealt_to_the_nodes_that_are_there(tmp_path: Path) -> None:
    found = plan(tmp_path, WEB, PODS, advert(), more="faults: [{at: 1s, kind: node-join, node: n2}]\n")
    assert [(b.node, b.late) for b in found.services[0].backends] == [("n1", False)] * 3


def test_session_affinity_of_a_manifest_reaches_the_plan_and_survives_an_import(tmp_path: Path) -> None:
    sticky = WEB.replace("spec:\n", "spec:\n  sessionAffinity: ClientIP\n", 1)
    short = sticky.replace("spec:\n", "spec:\n  sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}\n", 1)
    for text, affinity_s in ((WEB, None), (sticky, 10800.0), (short, 60.0)):
        (service,) = plan(tmp_path, text, PODS, advert()).services
        assert service.affinity_s == affinity_s
    assert "timeoutSeconds: 60" in cli("import", str(tmp_path / "all.yaml")).out
