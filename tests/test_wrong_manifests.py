"""Manifests wrong in many ways: the API server's words, Cilium's conditions, or what Cilium says nothing about.

Oracles: limits and rules of cilium ``pkg/k8s/apis/cilium.io/client/crds/v2/*.yaml`` (peer configs @22ca075b, cluster
configs @0d505231, advertisements @1caf37d4, pools @5575315f); the words of Kubernetes' field errors
(apimachinery ``field.Error``: "Unsupported value", "Duplicate value", "Too many"; kube-openapi: "in body should be");
conditions of cilium ``operator/pkg/bgp/cluster.go@23dbd706``, ``operator/pkg/bgp/peer.go@295352e3``,
``operator/pkg/lbipam/lbipam.go@079d9740``, ``pkg/bgp/manager/reconciler/neighbor.go@0d505231``.
"""

import json
from pathlib import Path

import pytest
from cli_runs import cli
from test_scenario_services import PENDING, PODS, WEB, pool

CLUSTER = """\
apiVersion: cilium.io/v2
kind: CiliumBGPClusterConfig
metadata: {name: edge}
spec:
  nodeSelector: {matchLabels: {bgp: on}}
  bgpInstances:
  - {name: a, localASN: 65001, peers: [{name: tor, peerASN: 65000, peerAddress: 10.9.0.1, peerConfigRef: {name: tor}}]}
""".replace("bgp: on", "bgp: enabled")
PEER = """\
apiVersion: cilium.io/v2
kind: CiliumBGPPeerConfig
metadata: {name: tor}
spec:
  authSecretRef: md5
  families: [{afi: ipv4, safi: unicast, advertisements: {matchLabels: {announce: edge}}}]
"""
ADVERT = """\
apiVersion: cilium.io/v2
kind: CiliumBGPAdvertisement
metadata: {name: pods, labels: {announce: edge}}
spec: {advertisements: [{advertisementType: PodCIDR}]}
"""
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: md5, namespace: kube-system}\ndata: {password: aHVzaA==}\n"
NODE = """\
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {bgp: enabled}}
spec: {podCIDR: 10.1.0.0/24}
status: {addresses: [{type: InternalIP, address: 10.9.0.21}]}
"""
OVERRIDE = """\
apiVersion: cilium.io/v2
kind: CiliumBGPNodeConfigOverride
metadata: {name: n1}
spec: {bgpInstances: [{name: a, routerID: 10.9.0.21}]}
"""
GOOD = (CLUSTER, PEER, ADVERT, SECRET, NODE, OVERRIDE, pool(), PENDING, PODS)
PEER_2 = ", peers: [{name: tor, peerASN: 65000, peerAddress: 10.9.0.2}, "
INVALID = "is invalid: "
SUPPORTED_AFI = 'supported values: "ipv4", "ipv6", "l2vpn", "ls", "opaque"'
IN_BODY = "in body should be"
RULE = 'Invalid value: "object": '
HOLD, KEEP = "spec.timers.holdTimeSeconds", "keepAliveTimeSeconds can not be larger than holdTimeSeconds"


def scenario(folder: Path, *documents: str) -> str:
    (folder / "all.yaml").write_text("---\n".join(documents))
    file = folder / "s.yaml"
    file.write_text(
        'cluster: {cilium: "1.19", manifests: [all.yaml]}\n'
        "routers: [{name: tor, profile: frr-8.4, asn: 65000, address: 10.9.0.1}]\n"
    )
    return str(file)


def changed(old: str, new: str) -> tuple[str, ...]:
    assert sum(old in document for document in GOOD) == 1, old
    return tuple(document.replace(old, new) for document in GOOD)


def test_the_manifests_that_are_made_wrong_below_are_sound(tmp_path: Path) -> None:
    done = cli("validate", scenario(tmp_path, *GOOD))
    assert done.code == 0, done.err
    assert "API server" not in done.err


P, C, A = 'The CiliumBGPPeerConfig "tor" ', 'The CiliumBGPClusterConfig "edge" ', 'The CiliumBGPAdvertisement "pods" '
BGP_I = "spec.bgpInstances[0]"
NOT_ADMITTED = {
    "bad CIDR of a pool": (
        "20.0.0.0/30",
        "20.0.0.0/33",
        'The CiliumLoadBalancerIPPool "p" is invalid: spec.blocks[0].cidr: Invalid value: "20.0.0.0/33": '
        'spec.blocks[0].cidr in body must be of type cidr: "20.0.0.0/33"',
    ),
    "bad podCIDR of a node": (
        "10.1.0.0/24",
        "10.1.0.0/33",
        'The Node "n1" is invalid: spec.podCIDRs[0]: Invalid value: "10.1.0.0/33": must be a valid CIDR value, '
        "(e.g. 10.9.8.0/24 or 2001:db8::/64)",
    ),
    "two instances of one name": (
        "65001, peers",
        "65001}\n  - {name: a, localASN: 65002, peers",
        f'{C}{INVALID}spec.bgpInstances[1]: Duplicate value: {{"name":"a"}}',
    ),
    "two peers of one name": (
        ", peers: [",
        PEER_2,
        f'{C}{INVALID}{BGP_I}.peers[1]: Duplicate value: {{"name":"tor"}}',
    ),
    "peer without address and discovery": (
        "peerAddress: 10.9.0.1, ",
        "",
        f'{C}{INVALID}{BGP_I}.peers[0]: Invalid value: "object": one of peerAddress or autoDiscovery must be set',
    ),
    "discovery without its gateway": (
        "peerAddress: 10.9.0.1, ",
        "autoDiscovery: {mode: DefaultGateway}, ",
        f'{C}{INVALID}{BGP_I}.peers[0].autoDiscovery: Invalid value: "object": defaultGateway must be set when mode is '
        "DefaultGateway",
    ),
    "discovery by a mode of no release": (  # the enum of the released CRDs; main alone has Unnumbered (#47394)
        "peerAddress: 10.9.0.1, ",
        "autoDiscovery: {mode: Unnumbered, defaultGateway: {addressFamily: ipv6}}, ",
        f'{C}{INVALID}{BGP_I}.peers[0].autoDiscovery.mode: Unsupported value: "Unnumbered": supported values: '
        '"DefaultGateway"',
    ),
    "peer address that is none": (
        "10.9.0.1,",
        "10.9.0.300,",
        f'{C}{INVALID}{BGP_I}.peers[0].peerAddress: Invalid value: "10.9.0.300": {BGP_I}.peers[0].peerAddress in body '
        r"should match '((^\s*",
    ),
    "local ASN 0": (
        "localASN: 65001",
        "localASN: 0",
        f"{C}{INVALID}{BGP_I}.localASN: Invalid value: 0: {BGP_I}.localASN {IN_BODY} greater than or equal to 1",
    ),
    "peer ASN above 32 bits": (
        "peerASN: 65000",
        "peerASN: 4294967296",
        f"{C}{INVALID}{BGP_I}.peers[0].peerASN: Invalid value: 4294967296: {BGP_I}.peers[0].peerASN {IN_BODY} less "
        "than or equal to 4294967295",
    ),
    "ASN in quotes": (
        "localASN: 65001",
        'localASN: "65001"',
        f'{C}{INVALID}{BGP_I}.localASN: Invalid value: "string": {BGP_I}.localASN in body must be of type integer: '
        '"string"',
    ),
    "no instance": (
        CLUSTER[CLUSTER.index("  bgpInstances") :],
        "  bgpInstances: []\n",
        f"{C}{INVALID}spec.bgpInstances: Invalid value: 0: spec.bgpInstances in body should have at least 1 items",
    ),
    "instances above 16": (
        CLUSTER[CLUSTER.index("  bgpInstances") :],
        "  bgpInstances: [" + ", ".join(f"{{name: i{i}, localASN: 65001}}" for i in range(17)) + "]\n",
        f"{C}{INVALID}spec.bgpInstances: Too many: 17: must have at most 16 items",
    ),
    "keepalive above hold": (
        "authSecretRef: md5",
        "timers: {holdTimeSeconds: 9, keepAliveTimeSeconds: 10}",
        f"{P}{INVALID}spec.timers: {RULE}{KEEP}",
    ),
    "the default keepalive above hold": (
        "authSecretRef: md5",
        "timers: {holdTimeSeconds: 29}",
        f"{P}{INVALID}spec.timers: {RULE}{KEEP}",
    ),
    "hold 1": (
        "authSecretRef: md5",
        "timers: {holdTimeSeconds: 1, keepAliveTimeSeconds: 1}",
        f"{P}{INVALID}{HOLD}: Invalid value: 1: {HOLD} {IN_BODY} greater than or equal to 3",
    ),
    "hold 2": (
        "authSecretRef: md5",
        "timers: {holdTimeSeconds: 2, keepAliveTimeSeconds: 1}",
        f"{P}{INVALID}{HOLD}: Invalid value: 2: {HOLD} {IN_BODY} greater than or equal to 3",
    ),
    "restart time beyond 12 bits": (
        "authSecretRef: md5",
        "gracefulRestart: {enabled: true, restartTimeSeconds: 4096}",
        f"{P}{INVALID}spec.gracefulRestart.restartTimeSeconds: Invalid value: 4096: "
        f"spec.gracefulRestart.restartTimeSeconds {IN_BODY} less than or equal to 4095",
    ),
    "graceful restart without enabled": (
        "authSecretRef: md5",
        "gracefulRestart: {restartTimeSeconds: 9}",
        f"{P}{INVALID}spec.gracefulRestart.enabled: Required value",
    ),
    "peer port 0": (
        "authSecretRef: md5",
        "transport: {peerPort: 0}",
        f"{P}{INVALID}spec.transport.peerPort: Invalid value: 0: spec.transport.peerPort {IN_BODY} greater than "
        "or equal to 1",
    ),
    "eBGP multihop 256": (
        "authSecretRef: md5",
        "ebgpMultihop: 256",
        f"{P}{INVALID}spec.ebgpMultihop: Invalid value: 256: spec.ebgpMultihop {IN_BODY} less than or equal to 255",
    ),
    "unknown AFI": (
        "afi: ipv4",
        "afi: ipv5",
        f'{P}{INVALID}spec.families[0].afi: Unsupported value: "ipv5": {SUPPORTED_AFI}',
    ),
    "unknown SAFI": (
        "safi: unicast",
        "safi: anycast",
        f'{P}{INVALID}spec.families[0].safi: Unsupported value: "anycast": supported values: "unicast", "multicast", ',
    ),
    "unknown key": (
        "authSecretRef: md5",
        "authSecret: md5",
        'Error from server (BadRequest): CiliumBGPPeerConfig in version "v2" cannot be handled as a '
        'CiliumBGPPeerConfig: strict decoding error: unknown field "spec.authSecret"',
    ),
    "bad community": (
        "advertisementType: PodCIDR",
        "advertisementType: PodCIDR, attributes: {communities: {standard: ['65001:70000']}}",
        f'{A}{INVALID}spec.advertisements[0].attributes.communities.standard[0]: Invalid value: "65001:70000": '
        "spec.advertisements[0].attributes.communities.standard[0] in body should match '^([0-9]|[1-9][0-9]{1,8}|",
    ),
    "Service advertisement without service": (
        "advertisementType: PodCIDR",
        "advertisementType: Service",
        f"{A}{INVALID}spec.advertisements[0]: Invalid value: \"object\": service field is required for the 'Service' "
        "advertisementType",
    ),
    "PodCIDR advertisement with a selector": (
        "advertisementType: PodCIDR",
        "advertisementType: PodCIDR, selector: {}",
        f'{A}{INVALID}spec.advertisements[0]: Invalid value: "object": selector field is not allowed for the '
        "'PodCIDR' advertisementType",
    ),
    "unknown version of a kind": (
        "cilium.io/v2\nkind: CiliumBGPAdvertisement",
        "cilium.io/v3\nkind: CiliumBGPAdvertisement",
        'error: resource mapping not found for name: "pods" namespace: "" from "all.yaml": no matches for kind '
        '"CiliumBGPAdvertisement" in version "cilium.io/v3"',
    ),
    "router ID that is none": (
        "routerID: 10.9.0.21",
        "routerID: fd00::1",
        'The CiliumBGPNodeConfigOverride "n1" is invalid: spec.bgpInstances[0].routerID: Invalid value: "fd00::1": '
        'spec.bgpInstances[0].routerID in body must be of type ipv4: "fd00::1"',
    ),
    "value of a label with a slash": (
        "matchLabels: {bgp: enabled}",
        "matchLabels: {bgp: on/off}",
        f'{C}{INVALID}spec.nodeSelector.matchLabels.bgp: Invalid value: "on/off": spec.nodeSelector.matchLabels.bgp '
        "in body should match '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$'",
    ),
    "value of a label of 64 signs": (
        "matchLabels: {bgp: enabled}",
        f"matchLabels: {{bgp: {'x' * 64}}}",
        f"{C}{INVALID}spec.nodeSelector.matchLabels.bgp: Too long: may not be more than 63 bytes",
    ),
    "unknown traffic policy": (
        "externalTrafficPolicy: Cluster",
        "externalTrafficPolicy: Near",
        'The Service "web" is invalid: spec.externalTrafficPolicy: Unsupported value: "Near": supported values: '
        '"Cluster", "Local"',
    ),
}


@pytest.mark.parametrize("name", NOT_ADMITTED)
def test_what_the_api_server_would_not_admit_is_told_in_its_words(tmp_path: Path, name: str) -> None:
    old, new, words = NOT_ADMITTED[name]
    done = cli("validate", scenario(tmp_path, *changed(old, new)))
    assert done.code == 2
    here = f"{tmp_path}/all.yaml"
    told = [line.replace(here, "all.yaml") for line in done.err.splitlines()]
    assert any(words in line and line.startswith("all.yaml:") for line in told), done.err


POD_POOL = "apiVersion: cilium.io/v2alpha1\nkind: CiliumPodIPPool\nmetadata: {name: %s}\n%s\n"
OBJECTS_NOT_ADMITTED = {
    "mask beyond an address": (
        POD_POOL % ("blue", "spec: {ipv4: {cidrs: [10.0.0.0/16], maskSize: 33}}"),
        'The CiliumPodIPPool "blue" is invalid: spec.ipv4.maskSize: Invalid value: 33: spec.ipv4.maskSize in body '
        "should be less than or equal to 32",
    ),
    "pool of pods without a mask": (
        POD_POOL % ("blue", "spec: {ipv6: {cidrs: ['fd00::/48']}}"),
        'The CiliumPodIPPool "blue" is invalid: spec.ipv6.maskSize: Required value',
    ),
    "pool of pods without CIDRs": (
        POD_POOL % ("blue", "spec: {ipv4: {cidrs: [], maskSize: 24}}"),
        'The CiliumPodIPPool "blue" is invalid: spec.ipv4.cidrs: Invalid value: 0: spec.ipv4.cidrs in body should have '
        "at least 1 items",
    ),
    "bad CIDR of a pool of pods": (
        POD_POOL % ("blue", "spec: {ipv4: {cidrs: [10.0.0/16], maskSize: 24}}"),
        'The CiliumPodIPPool "blue" is invalid: spec.ipv4.cidrs[0]: Invalid value: "10.0.0/16": spec.ipv4.cidrs[0] in '
        'body must be of type cidr: "10.0.0/16"',
    ),
    "pool without a spec": (
        "apiVersion: cilium.io/v2\nkind: CiliumLoadBalancerIPPool\nmetadata: {name: x}\n",
        'The CiliumLoadBalancerIPPool "x" is invalid: spec: Required value',
    ),
    "peer config without a spec": (
        "apiVersion: cilium.io/v2\nkind: CiliumBGPPeerConfig\nmetadata: {name: x}\n",
        'The CiliumBGPPeerConfig "x" is invalid: spec: Required value',
    ),
    "name with capitals": (
        POD_POOL % ("Blue_Pool", "spec: {}"),
        'The CiliumPodIPPool "Blue_Pool" is invalid: metadata.name: Invalid value: "Blue_Pool": a lowercase RFC 1123 '
        "subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
        "alphanumeric character (e.g. 'example.com', regex used for validation is "
        r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ),
}


@pytest.mark.parametrize("name", OBJECTS_NOT_ADMITTED)
def test_an_object_more_that_the_api_server_would_not_admit_is_told_in_its_words(tmp_path: Path, name: str) -> None:
    document, words = OBJECTS_NOT_ADMITTED[name]
    done = cli("validate", scenario(tmp_path, *GOOD, document))
    assert (done.code, words in done.err) == (2, True), done.err


LOST = "Referenced CiliumBGPPeerConfig(s) are missing: [spine]"
RIVAL = "Selecting the same node(s) with ClusterConfig(s): [edge]"
NO_POOL = "There are no enabled CiliumLoadBalancerIPPools that match this service"
OVERLAP = "Pool conflicts since range '20.0.0.{}' overlaps range '20.0.0.{}' from IP Pool 'p'"
CORE = CLUSTER.replace("name: edge", "name: core")
OLDER = CORE.replace("name: core", "name: core, creationTimestamp: '2026-01-01T00:00:00Z'")
YOUNGER = CLUSTER.replace("name: edge", "name: edge, creationTimestamp: '2026-01-02T00:00:00Z'")
REPORTED = {
    "missing Secret": (
        tuple(d for d in GOOD if d is not SECRET),
        ("tor", "MissingAuthSecret", "True", "MissingAuthSecret", 'Referenced Auth Secret "md5" is missing'),
    ),
    "Secret without password": (
        changed("password: aHVzaA==", "Password: aHVzaA=="),
        (
            "n1",
            "BGPReconcileError",
            "True",
            "BGPReconcileError",
            'a: failed to fetch secret "md5": missing password key\n',
        ),
    ),
    "Secret with an empty password": (
        changed("password: aHVzaA==", "password: ''"),
        (
            "n1",
            "BGPReconcileError",
            "True",
            "BGPReconcileError",
            'a: failed to fetch secret "md5": missing password key\n',
        ),
    ),
    "two ClusterConfigs on one node": (
        (*GOOD, CORE),
        ("core", "ConflictingClusterConfig", "True", "ConflictingClusterConfigs", RIVAL),
    ),
    "two ClusterConfigs, the later one first in the file": (
        (YOUNGER, OLDER, *GOOD[1:]),
        ("edge", "ConflictingClusterConfig", "True", "ConflictingClusterConfigs", RIVAL.replace("edge", "core")),
    ),
    "unknown peer config": (
        changed("peerConfigRef: {name: tor}", "peerConfigRef: {name: spine}"),
        ("edge", "MissingPeerConfigs", "True", "MissingPeerConfigs", LOST),
    ),
    "no node selected": (
        changed("labels: {bgp: enabled}", "labels: {bgp: off-duty}"),
        ("edge", "NoMatchingNode", "True", "NoMatchingNode", "No node matches spec.nodeSelector"),
    ),
    "pool for other services": (
        changed(
            "blocks: [{cidr: 20.0.0.0/30}]", "blocks: [{cidr: 20.0.0.0/30}], serviceSelector: {matchLabels: {a: b}}"
        ),
        ("shop/web", "IPAMRequestSatisfied", "False", "no_pool", NO_POOL),
    ),
    "pool switched off": (
        changed("blocks: [{cidr: 20.0.0.0/30}]", "blocks: [{cidr: 20.0.0.0/30}], disabled: true"),
        ("shop/web", "IPAMRequestSatisfied", "False", "no_pool", NO_POOL),
    ),
    "pool conflict": (
        (*GOOD, pool("q", "blocks: [{cidr: 20.0.0.2/31}]")),
        ("q", "PoolConflict", "True", "cidr_overlap", OVERLAP.format("2 - 20.0.0.3", "0 - 20.0.0.3")),
    ),
    "pool that overlaps itself": (  # areRangesInternallyConflicting: the first range that meets another, and that one
        changed("blocks: [{cidr: 20.0.0.0/30}]", "blocks: [{cidr: 20.0.0.0/30}, {start: 20.0.0.3, stop: 20.0.0.9}]"),
        ("p", "PoolConflict", "True", "cidr_overlap", OVERLAP.format("0 - 20.0.0.3", "3 - 20.0.0.9")),
    ),
    "pool whose start is above its stop": (
        changed("blocks: [{cidr: 20.0.0.0/30}]", "blocks: [{start: 20.0.0.9, stop: 20.0.0.3}]"),
        ("p", "IPsTotal", "Unknown", "noreason", "0"),
    ),
}


@pytest.mark.parametrize("name", REPORTED)
def test_what_cilium_would_report_is_a_condition(tmp_path: Path, name: str) -> None:
    documents, expected = REPORTED[name]
    done = cli("show", "conditions", "-f", scenario(tmp_path, *documents), "-o", "json")
    assert done.code == 0, done.err
    told = {
        (c["name"], c["type"].removeprefix("cilium.io/"), c["status"], c["reason"], c["message"])
        for c in json.loads(done.out)
    }
    assert expected in told


def test_agents_before_1_18_report_no_errors(tmp_path: Path) -> None:
    file = scenario(tmp_path, *changed("password: aHVzaA==", "Password: aHVzaA=="))
    Path(file).write_text(Path(file).read_text().replace("1.19", "1.17"))
    assert "BGPReconcileError" not in cli("show", "conditions", "-f", file).out


NOTHING = "so nothing is announced in it"
SILENT = {
    "no podCIDR": (changed("spec: {podCIDR: 10.1.0.0/24}", "spec: {}"), "Node n1 has no podCIDR, so it announces none"),
    "Service without pool": (
        tuple(d for d in GOOD if d != pool()),
        "Service shop/web has no LoadBalancer address: there is no CiliumLoadBalancerIPPool",
    ),
    "selector of no advertisement": (
        changed("labels: {announce: edge}", "labels: {announce: core}"),
        f"CiliumBGPPeerConfig tor: ipv4/unicast: its selector matches no CiliumBGPAdvertisement, {NOTHING}",
    ),
    "family without selector": (
        changed(", advertisements: {matchLabels: {announce: edge}}", ""),
        f"CiliumBGPPeerConfig tor: ipv4/unicast has no advertisements selector, {NOTHING}",
    ),
    "Service entry without selector": (
        changed("advertisementType: PodCIDR", "advertisementType: Service, service: {addresses: [ClusterIP]}"),
        "CiliumBGPAdvertisement pods: a Service entry without selector selects nothing",
    ),
    "load balancer class of another": (
        tuple(
            d.replace(PENDING, WEB.replace("type: LoadBalancer", "type: LoadBalancer\n  loadBalancerClass: other/lb"))
            for d in GOOD
        ),
        "Service shop/web has loadBalancerClass other/lb: Cilium's BGP control plane does not announce its",
    ),
    "CiliumPodIPPool that is missing": (
        (
            *changed("advertisementType: PodCIDR", "advertisementType: CiliumPodIPPool, selector: {}"),
            "apiVersion: cilium.io/v2\nkind: CiliumNode\nmetadata: {name: n1, labels: {bgp: enabled}}\n"
            "spec: {ipam: {pools: {allocated: [{pool: blue, cidrs: [10.2.0.0/27]}]}}}\n",
        ),
        "CiliumPodIPPool blue of node n1 is missing, so its CIDRs are not announced",
    ),
    "override of a node that is not there": (
        changed("metadata: {name: n1}\nspec: {bgpInstances", "metadata: {name: n9}\nspec: {bgpInstances"),
        "CiliumBGPNodeConfigOverride n9: there is no node of that name, so it overrides nothing",
    ),
    "override of an instance that is not there": (
        changed("{name: a, routerID: 10.9.0.21}", "{name: b, routerID: 10.9.0.21}"),
        "CiliumBGPNodeConfigOverride n1: no CiliumBGPClusterConfig has an instance b, so it overrides nothing there",
    ),
    "start above stop": (
        changed("blocks: [{cidr: 20.0.0.0/30}]", "blocks: [{start: 20.0.0.9, stop: 20.0.0.3}]"),
        "error making LB Range for '': 'start' must be less then or equal to 'stop'",
    ),
}


@pytest.mark.parametrize("name", SILENT)
def test_what_cilium_says_nothing_about_is_warned_of(tmp_path: Path, name: str) -> None:
    documents, warning = SILENT[name]
    done = cli("validate", scenario(tmp_path, *documents))
    assert done.code == 0, done.err
    assert warning in done.out + done.err
