"""Services times nodes: what does not differ from node to node is worked out once, and what is too much is refused."""

import json

import pytest

from simbgp.scenario import ScenarioError, load, loads
from simbgp.scenario.api_objects import LabelSelector
from simbgp.scenario.label_index import LabelIndex
from simbgp.scenario.pods import Standing
from simbgp.scenario.selectors import Known, read_selector

NODES, SERVICES = 30, 40
ROUTERS = """\
routers:
- {name: tor-1, profile: frr-8.4, asn: 65001, address: 10.255.0.1}
- {name: tor-2, profile: frr-8.4, asn: 65002, address: 10.255.0.2}
"""


def thing(kind: str, name: str, spec: object, version: str = "cilium.io/v2", **metadata: object) -> dict[str, object]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}


def node(i: int) -> dict[str, object]:
    address = {"type": "InternalIP", "address": f"192.168.0.{i + 1}"}
    return {**thing("Node", f"n{i}", {"podCIDR": f"10.0.{i}.0/24"}, "v1"), "status": {"addresses": [address]}}


def service(i: int, local: bool, app: str) -> dict[str, object]:
    spec = {"type": "LoadBalancer", "clusterIP": f"10.128.0.{i + 1}", "selector": {"app": app}, "ports": [{"port": 80}]}
    policy = {"externalTrafficPolicy": "Local" if local else "Cluster"}
    return thing("Service", f"s{i}", spec | policy, "v1", namespace="default", labels={"n": str(i % 2)})


def deployment(name: str, app: str, replicas: int, kind: str = "Deployment") -> dict[str, object]:
    spec = {"replicas": replicas, "template": {"metadata": {"labels": {"app": app}}}}
    return thing(kind, name, spec, "apps/v1", namespace="default")


BGP = [
    thing("CiliumLoadBalancerIPPool", "pool", {"blocks": [{"cidr": "172.16.0.0/16"}]}),
    thing(
        "CiliumBGPClusterConfig",
        "bgp",
        {
            "bgpInstances": [
                {
                    "name": "i",
                    "localASN": 65100,
                    "peers": [
                        {
                            "name": f"tor-{p}",
                            "peerASN": 65000 + p,
                            "peerAddress": f"10.255.0.{p}",
                            "peerConfigRef": {"name": "p"},
                        }
                        for p in (1, 2)
                    ],
                }
            ]
        },
    ),
    thing("CiliumBGPPeerConfig", "p", {"families": [{"afi": "ipv4", "safi": "unicast", "advertisements": {}}]}),
    thing(
        "CiliumBGPAdvertisement",
        "a",
        {
            "advertisements": [
                {"advertisementType": "PodCIDR"},
                {
                    "advertisementType": "Service",
                    "service": {"addresses": ["LoadBalancerIP"]},
                    "selector": {"matchExpressions": [{"key": "n", "operator": "Exists"}]},
                },
            ]
        },
    ),
]


def loaded(tmp_path, objects):
    (tmp_path / "m.json").write_text(json.dumps({"kind": "List", "items": [*map(node, range(NODES)), *objects]}))
    (tmp_path / "s.yaml").write_text(f'cluster: {{manifests: ["m.json"]}}\n{ROUTERS}')
    return load(tmp_path / "s.yaml")


def test_the_sessions_of_a_peer_share_what_is_announced_of_services(tmp_path) -> None:
    """Of each router 1 PodCIDR for each of 30 nodes, and 40 Services once: 2 x (30 + 40) announcements are made."""
    plan = loaded(tmp_path, [*BGP, *(service(i, False, "x") for i in range(SERVICES))]).plan()
    made = {id(entry) for peering in plan.peerings for entry in peering.announcements}
    assert len(plan.peerings) == 2 * NODES
    assert len(made) == 2 * (NODES + SERVICES)


def test_local_services_are_announced_by_their_own_nodes_and_the_others_by_all(tmp_path) -> None:
    """The pods of a Deployment stand on n0, n1, ... in turn: two of ``a`` on n0 and n1, three of ``b`` up to n2."""
    objects = [*BGP, deployment("a", "a", 2), deployment("b", "b", 3), service(0, True, "a"), service(1, True, "b")]
    plan = loaded(tmp_path, [*objects, service(2, False, "a")]).plan()
    announced = {(p.node, p.router): set(p.prefixes) for p in plan.peerings}
    first, second, third = (plan.services[i].prefixes[0] for i in range(3))
    for router in ("tor-1", "tor-2"):
        assert announced["n0", router] == {"10.0.0.0/24", first, second, third}
        assert announced["n1", router] == {"10.0.1.0/24", first, second, third}
        assert announced["n2", router] == {"10.0.2.0/24", second, third}
        assert announced["n3", router] == {"10.0.3.0/24", third}
    attributes = {tuple(entry.prefix for entry in p.announcements[1:]) for p in plan.peerings}
    assert attributes == {(first, second, third)}  # all may announce them, once a pod of theirs is there


def test_services_that_select_the_same_pods_have_backends_of_their_own_addresses(tmp_path) -> None:
    """Nothing says where a DaemonSet's pods are, so each Service has its own made-up ones: .11 and .12 of a node."""
    objects = [*BGP, deployment("d", "d", 1, "DaemonSet"), service(0, False, "d"), service(1, False, "d")]
    one, two = loaded(tmp_path, objects).plan().services
    assert [backend.name for backend in one.backends] == [f"d-{i + 1}" for i in range(NODES)]
    assert one.backends[5].key == "[10.0.5.11:8080/TCP,State:active]"
    assert two.backends[5].key == "[10.0.5.12:8080/TCP,State:active]"


@pytest.mark.parametrize(("most", "refused"), [(60, False), (59, True)])
def test_backends_of_manifests_are_counted(tmp_path, monkeypatch, most: int, refused: bool) -> None:
    """Two Services over a DaemonSet on 30 nodes are 60 backends."""
    monkeypatch.setattr("simbgp.scenario.cluster_services.MAX_BACKENDS", most)
    objects = [*BGP, deployment("d", "d", 1, "DaemonSet"), service(0, False, "d"), service(1, False, "d")]
    if not refused:
        assert len(loaded(tmp_path, objects).plan().services) == 2
        return
    with pytest.raises(ScenarioError, match=r"items\.36: the Services up to default/s1 have more than 59 backends"):
        loaded(tmp_path, objects)


def test_no_more_pods_are_made_than_are_allowed_and_one(tmp_path, monkeypatch) -> None:
    """A hundred thousand replicas, of which 50 are allowed."""
    made = []
    for module in ("pods", "cluster_services"):
        monkeypatch.setattr(f"simbgp.scenario.{module}.MAX_BACKENDS", 50)
    monkeypatch.setattr("simbgp.scenario.pods.Standing", lambda *pod: made.append(1) or Standing(*pod))
    with pytest.raises(ScenarioError, match="default/s0 have more than 50 backends in all; allowed: 50"):
        loaded(tmp_path, [*BGP, deployment("d", "d", 100_000), service(0, False, "d")])
    assert len(made) == 51


def test_routers_of_all_nodes_share_them_and_are_counted_before_a_session_is_made() -> None:
    """2 000 nodes and 60 routers are 120 000 sessions."""
    routers = "".join(f", {{name: r{i}, profile: frr-8.4}}" for i in range(60))[2:]
    with pytest.raises(ScenarioError, match="120000 sessions; allowed: 100000"):
        loads(f"cluster: {{nodes: 2000}}\nrouters: [{routers}]", "s.yaml")
    small = loads(f"cluster: {{nodes: 3}}\nrouters: [{routers}]", "s.yaml")
    assert len({id(router.nodes) for router in small._layout.routers}) == 1


KNOWN = Known({"w-1": {"rack": "a"}, "w-2": {"rack": "b", "x": "y"}, "w-3": {"rack": "a", "x": "y"}})


@pytest.mark.parametrize(
    ("written", "picked"),
    [
        ("all", ["w-1", "w-2", "w-3"]),
        ({"random": 2}, ["w-1", "w-2", "w-3"]),
        (["w-3", "w-1", "w-3", "w-9"], ["w-1", "w-3"]),
        ("w-[2-9]", ["w-2", "w-3"]),
        ("w-[3-2]", []),
        ({"matchLabels": {"rack": "a"}}, ["w-1", "w-3"]),
        ({"matchLabels": {"rack": "a", "x": "y"}}, ["w-3"]),
        ({"matchLabels": {"rack": "c"}}, []),
    ],
)
def test_a_selector_of_a_scenario_picks_in_the_order_of_the_nodes(written: object, picked: list[str]) -> None:
    assert [*read_selector(written).pick(KNOWN)] == picked


@pytest.mark.parametrize(("entry", "fits"), [("w[1-100000]", True), ("w[0-100000]", False), ("w[1-400][1-251]", False)])
def test_a_range_of_a_hundred_thousand_names_is_the_longest(entry: str, fits: bool) -> None:
    """100 001 and 400 x 251 = 100 400 are too many."""
    if fits:
        assert read_selector(entry).names == (entry,)
        return
    with pytest.raises(ValueError, match="too long a range; allowed: 100000 names"):
        read_selector(entry)


LABELLED = [({"a": "1", "b": "1"}, "x"), ({"a": "2"}, "y"), ({}, "z"), ({"a": "1", "b": "2"}, "w")]


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ({}, "xyzw"),
        ({"matchLabels": {"a": "1"}}, "xw"),
        ({"matchLabels": {"a": "1", "b": "2"}}, "w"),
        ({"matchLabels": {"a": "3"}}, ""),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["2", "1", "2"]}]}, "xyw"),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": []}]}, ""),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, "yz"),
        ({"matchExpressions": [{"key": "b", "operator": "DoesNotExist"}]}, "yz"),
        (
            {
                "matchLabels": {"a": "1"},
                "matchExpressions": [{"key": "b", "operator": "In", "values": ["1"]}],
            },
            "x",
        ),
    ],
)
def test_an_index_finds_what_the_selector_matches_in_its_order(selector, found: str) -> None:
    """As metav1.LabelSelector has it: all parts must match, and NotIn does not ask for the key."""
    made = LabelSelector.model_validate(selector)
    assert "".join(LabelIndex(LABELLED).selected(made)) == found
    assert "".join(thing for labels, thing in LABELLED if made.matches(labels)) == found


def test_an_index_finds_what_has_all_labels() -> None:
    index = LabelIndex(LABELLED)
    assert [*index.with_all({"a": "1"})] == ["x", "w"]
    assert [*index.with_all({"a": "1", "b": "1"})] == ["x"]
    assert [*index.with_all({"c": "1"})] == []
    assert [*index.with_all({})] == ["x", "y", "z", "w"]
