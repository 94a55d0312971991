"""LB-IPAM by hand: who shares an address with whom, in which release, and what a Service is told that may not.

The rules and words are those of cilium ``operator/pkg/lbipam`` (``service_store.go``, ``lbipam.go``), and of
cilium/cilium#33808, #34691, #30055, #33151 for what came when.
"""

import itertools
import json
import random
from pathlib import Path

import pytest
from cli_runs import cli
from test_scenario_services import BGP, OTHER, PENDING, PODS, WEB, advert, plan, pool

from simbgp.scenario.crd_pools import IpPool
from simbgp.scenario.k8s import ServiceObject
from simbgp.scenario.lbipam import LbIpam
from simbgp.scenario.lbipam_pools import ranges_of
from simbgp.scenario.lbipam_sharing import Sharer, sharer

KEY = "lbipam.cilium.io/sharing-key: k"
SATISFIED = ("True", "satisfied", "")
APART = "The IP '20.0.0.2' is already allocated to an incompatible service. Reason: "


def service(name: str, *notes: str, port: str = "80", spec: str = "", space: str = "shop") -> str:
    """PENDING under another name and port."""
    made = PENDING.replace("namespace: shop", f"namespace: {space}").replace("{port: 80", f"{{port: {port}")
    made = made.replace("name: web,", f"name: {name}, annotations: {{{', '.join(notes)}}},")
    return made.replace("  clusterIP", f"  {spec}\n  clusterIP") if spec else made


def given(folder: Path, *documents: str, release: str = "") -> dict[str, tuple[str, ...]]:
    cluster = f", cilium: '{release}'" if release else ""
    found = plan(folder, *documents, PODS, advert(), cluster=cluster)
    return {each.name: each.prefixes for each in found.services}


def conditions(folder: Path, *documents: str, release: str = "1.20") -> dict[str, tuple[str, str, str]]:
    (folder / "all.yaml").write_text("---\n".join((BGP, *documents)))
    text = f"cluster: {{cilium: '{release}', manifests: [all.yaml]}}\nrouters: [{{name: tor, profile: frr-8.4}}]\n"
    (folder / "s.yaml").write_text(text)
    done = cli("show", "conditions", "-f", str(folder / "s.yaml"), "-o", "json")
    assert done.code == 0, done.err
    return {c["name"]: (c["status"], c["reason"], c["message"]) for c in json.loads(done.out) if c["kind"] == "Service"}


def test_services_of_one_key_share_an_address_and_others_do_not(tmp_path: Path) -> None:
    """a has .0; b shares its key, c has another port but no key, d's port is a's: the address after c's."""
    documents = service("a", KEY), service("b", KEY, port="81"), service("c", port="82"), service("d", KEY)
    found = given(tmp_path, *documents, pool())
    assert found == {
        "shop/a": ("20.0.0.0/32",),
        "shop/b": ("20.0.0.0/32",),
        "shop/c": ("20.0.0.1/32",),
        "shop/d": ("20.0.0.2/32",),
    }


def test_a_shared_address_of_a_dump_stays_shared(tmp_path: Path) -> None:
    """Both have 20.0.0.2 in their status; a third, without the key, gets another: of the free blocks .0 to .1 and .3
    the smallest (pkg/ipalloc)."""
    status = "status: {loadBalancer: {ingress: [{ip: 20.0.0.2}]}}\n"
    documents = service("a", KEY), service("b", KEY, port="81"), service("c", port="82")
    found = given(tmp_path, *(document + status for document in documents), pool())
    assert [found[f"shop/{name}"] for name in "abc"] == [("20.0.0.2/32",), ("20.0.0.2/32",), ("20.0.0.3/32",)]


@pytest.mark.parametrize(
    ("asks", "told"),
    [
        ({}, SATISFIED),
        ({"port": "80"}, "same port"),
        ({"spec": "externalTrafficPolicy: Local"}, "different ExternalTrafficPolicy"),
        ({"space": "mall"}, "different and not permitted namespace"),
        ({"notes": ("lbipam.cilium.io/sharing-key: other",)}, "different sharing key"),
    ],
)
def test_who_may_not_share_is_told_why(tmp_path: Path, asks: dict[str, object], told: object) -> None:
    asked = {"port": "81", "notes": (KEY,)} | asks
    wanted = "lbipam.cilium.io/ips: 20.0.0.2"
    spec = str(asked.get("spec", ""))
    second = service("b", wanted, *asked["notes"], port=str(asked["port"]), space=str(asked.get("space", "shop")))  # type: ignore[misc]
    second = second.replace("externalTrafficPolicy: Cluster", spec) if spec else second
    name = f"{asked.get('space', 'shop')}/b"
    found = conditions(tmp_path, service("a", KEY, wanted), second, pool())
    expected = (
        told if isinstance(told, tuple) else ("False", "already_allocated_incompatible_service", f"{APART}{told}")
    )
    assert found == {"shop/a": SATISFIED, name: expected}


def test_local_services_share_only_if_they_select_the_same_pods(tmp_path: Path) -> None:
    local = {"spec": "externalTrafficPolicy: Local"}
    wanted = "lbipam.cilium.io/ips: 20.0.0.2"
    first, same = (service(n, KEY, wanted, port=p) for n, p in (("a", "80"), ("b", "81")))
    first, same = (text.replace("externalTrafficPolicy: Cluster", local["spec"]) for text in (first, same))
    other = same.replace("name: b", "name: c").replace("port: 81", "port: 82").replace("{app: web}", "{app: api}")
    found = conditions(tmp_path, first, same, other, pool())
    why = f"{APART}compatible ExternalTrafficPolicy local but selecting different set of pods"
    assert found["shop/b"] == SATISFIED
    assert found["shop/c"] == ("False", "already_allocated_incompatible_service", why)


def test_before_1_17_every_reason_was_the_key(tmp_path: Path) -> None:
    wanted = "lbipam.cilium.io/ips: 20.0.0.2"
    documents = service("a", KEY, wanted), service("b", KEY, wanted), pool()
    what = "The IP '20.0.0.2' is already allocated to another service with a different sharing key"
    told = conditions(tmp_path, *documents, release="1.16")["shop/b"]
    assert told == ("False", "already_allocated_different_sharing_key", what)


@pytest.mark.parametrize(("release", "shared"), [("1.16", False), ("1.17", True)])
def test_protocols_are_told_apart_since_1_17(tmp_path: Path, release: str, shared: bool) -> None:
    """DNS over TCP and UDP with one key, as in cilium/cilium#39172."""
    udp = service("b", KEY, port="80, protocol: UDP")
    found = given(tmp_path, service("a", KEY), udp, pool(), release=release)
    assert (found["shop/a"] == found["shop/b"]) is shared


@pytest.mark.parametrize(
    ("release", "lets_in", "shared"),
    [("1.16", "mall", True), ("1.16", "'*'", True), ("1.16", "bazaar", False), ("1.15", "mall", False)],
)
def test_namespaces_share_if_both_let_the_other_in(tmp_path: Path, release: str, lets_in: str, shared: bool) -> None:
    across = "lbipam.cilium.io/sharing-cross-namespace: "
    first = service("a", KEY, across + lets_in)
    second = service("b", KEY, across + "shop", port="81", space="mall")
    workload = PODS.replace("namespace: shop", "namespace: mall")
    found = given(tmp_path, first, second, workload, pool(), release=release)
    assert (found["shop/a"] == found["mall/b"]) is shared


@pytest.mark.parametrize(
    ("release", "first", "spec"),
    [
        ("1.15", "20.0.0.1/32", "blocks: [{cidr: 20.0.0.0/30}]"),  # network and broadcast address are kept back
        ("1.16", "20.0.0.0/32", "blocks: [{cidr: 20.0.0.0/30}]"),
        ("1.16", "20.0.0.1/32", "blocks: [{cidr: 20.0.0.0/30}], allowFirstLastIPs: 'No'"),
        ("1.15", "20.0.0.0/32", "blocks: [{cidr: 20.0.0.0/31}]"),  # of two addresses none is kept back
        ("1.15", "20.0.0.0/32", "blocks: [{start: 20.0.0.0, stop: 20.0.0.3}]"),  # nor of a range
        ("1.15", "20.0.0.1/32", "cidrs: [{cidr: 20.0.0.0/30}]"),
    ],
)
def test_which_address_of_a_pool_comes_first(tmp_path: Path, release: str, first: str, spec: str) -> None:
    assert given(tmp_path, PENDING, pool(spec=spec), release=release) == {"shop/web": (first,)}


def test_cidrs_are_no_more_since_1_16(tmp_path: Path) -> None:
    said = plan(tmp_path, PENDING, PODS, advert(), pool(spec="cidrs: [{cidr: 20.0.0.0/30}]")).warnings
    told = "CiliumLoadBalancerIPPool p: spec.cidrs is no more since Cilium 1.16: nothing is given from it"
    assert any(warning.startswith(told) for warning in said)


def test_an_address_that_is_kept_back_cannot_be_asked_for(tmp_path: Path) -> None:
    kept = pool(spec="blocks: [{cidr: 20.0.0.0/30}], allowFirstLastIPs: 'No'")
    for notes in ((), (KEY,)):
        found = conditions(tmp_path, service("a", "lbipam.cilium.io/ips: 20.0.0.3", *notes), kept)["shop/a"]
        assert found == ("False", "already_allocated", "The IP '20.0.0.3' is already allocated to another service")


def test_an_address_of_a_family_that_is_not_wanted_is_dropped(tmp_path: Path) -> None:
    both = pool(spec="blocks: [{cidr: 20.0.0.0/30}, {cidr: '2001:db8::/126'}]")
    status = "status: {loadBalancer: {ingress: [{ip: '2001:db8::2'}]}}\n"
    assert given(tmp_path, PENDING + status, both) == {"shop/web": ("20.0.0.0/32",)}


def test_a_cluster_of_ipv6_alone_gives_ipv6(tmp_path: Path) -> None:
    """serviceIPFamilyRequest: what a Service leaves out is IPv4 only where the cluster has it."""
    (tmp_path / "all.yaml").write_text(
        "---\n".join((BGP, PENDING, PODS, pool(spec="blocks: [{cidr: '2001:db8::/126'}]")))
    )
    text = (tmp_path / "all.yaml").read_text()
    for n in (0, 1):
        text = text.replace(f"podCIDR: 10.1.{n}.0/24", f"podCIDR: 'fd00:10:{n}::/64'")
    (tmp_path / "all.yaml").write_text(text)
    (tmp_path / "s.yaml").write_text("cluster: {manifests: [all.yaml]}\nrouters: [{name: tor, profile: frr-8.4}]\n")
    done = cli("show", "conditions", "-f", str(tmp_path / "s.yaml"), "-o", "json")
    assert ("shop/web", "satisfied") in {(c["name"], c["reason"]) for c in json.loads(done.out)}


def test_services_of_one_address_run_and_are_announced_once(tmp_path: Path) -> None:
    documents = service("a", KEY), service("b", KEY, port="81"), PODS, advert(), pool(), pool("q", OTHER)
    (tmp_path / "all.yaml").write_text("---\n".join((BGP, *documents)))
    (tmp_path / "s.yaml").write_text(
        "cluster: {manifests: [all.yaml]}\nrouters: [{name: tor, profile: frr-8.4, address: 10.9.0.1}]\n"
    )
    done = cli("show", "routes", "advertised", "ipv4", "unicast", "-f", str(tmp_path / "s.yaml"), "--at", "30s")
    assert done.code == 0, done.err
    assert [line.count("20.0.0.0/32") for line in done.out.splitlines()].count(1) == 2  # of n1 and of n2
    assert WEB.startswith(PENDING)


@pytest.mark.parametrize("seed", range(20))
def test_the_next_address_is_the_first_of_the_smallest_free_block_whatever_was_taken_before(seed):
    """64 addresses, some of them asked for by name; the oracle looks through all blocks each time."""
    luck = random.Random(seed)
    pool = IpPool.model_validate({"metadata": {"name": "p"}, "spec": {"blocks": [{"cidr": "10.0.0.0/26"}]}})
    (entry,) = ranges_of([pool], ("gives-ends",), [])
    start, taken = int(entry.first), set()
    web = sharer("shop/web", ServiceObject.model_validate({"metadata": {"name": "web"}}), ())
    while len(taken) < 64:
        runs, at = [], 0
        for is_taken, run in itertools.groupby(range(64), taken.__contains__):
            size = len(list(run))
            runs += [] if is_taken else [(size, at)]
            at += size
        assert int(entry.free()) - start == min(runs)[1]
        chosen = luck.randrange(64) if luck.random() < 0.3 else min(runs)[1]
        entry.take(type(entry.first)(start + chosen), web)
        taken.add(chosen)
    assert entry.free() is None


def made_pools(*blocks: list[str]) -> list[IpPool]:
    """Pools p0, p1, ... of ranges ``first-last``."""
    ends = [[dict(zip(("start", "stop"), block.split("-"), strict=True)) for block in own] for own in blocks]
    return [
        IpPool.model_validate({"metadata": {"name": f"p{i}"}, "spec": {"blocks": own}}) for i, own in enumerate(ends)
    ]


CONFLICTS = {
    "the later of two": ([["10.0.0.0-10.0.0.9"], ["10.0.0.9-10.0.0.12"], ["10.0.0.13-10.0.0.13"]], {1: (1, 0, "p0")}),
    "one in conflict is no rival": (
        [["10.0.0.0-10.0.0.9"], ["10.0.0.5-10.0.0.20"], ["10.0.0.15-10.0.0.30"]],
        {1: (1, 0, "p0")},
    ),
    "of several the first": (
        [["10.0.0.20-10.0.0.29"], ["10.0.0.0-10.0.0.9"], ["10.0.0.40-10.0.0.49"], ["10.0.0.5-10.0.0.45"]],
        {3: (3, 0, "p0")},
    ),
    "within itself": ([["10.0.0.9-10.0.0.9", "10.0.0.0-10.0.0.4", "10.0.0.4-10.0.0.9"]], {0: (0, 2, "p0")}),
    "the first of a long one": (
        [["10.0.0.7-10.0.0.7", "10.0.0.1-10.0.0.2", "10.0.0.0-10.0.0.9"]],
        {0: (0, 2, "p0")},
    ),
    "of two families never": ([["10.0.0.0-10.0.0.9"], ["::a00:0-::a00:9"]], {}),
}


@pytest.mark.parametrize("case", CONFLICTS)
def test_a_pool_is_in_conflict_with_the_first_that_it_overlaps(case: str) -> None:
    """Of each pool in conflict: the places, among all ranges, of the one that is told and of its rival."""
    blocks, expected = CONFLICTS[case]
    ranges = ranges_of(made_pools(*blocks), (), [])
    told = {int(entry.pool.metadata.name[1:]): entry.conflict for entry in ranges if entry.conflict}
    shown = [f"{entry.first} - {entry.last}" for entry in ranges]
    assert told == {
        pool: f"Pool conflicts since range '{shown[one]}' overlaps range '{shown[two]}' from IP Pool '{name}'"
        for pool, (one, two, name) in expected.items()
    }


@pytest.mark.parametrize("seed", range(10))
def test_conflicts_are_those_that_are_found_by_comparing_each_with_each(seed: int) -> None:
    """The oracle is the rule as the operator has it: of all pairs in their order, the later one is in conflict."""
    luck = random.Random(seed)
    blocks = []
    for _ in range(12):
        first = [luck.randrange(60) for _ in range(luck.choice((1, 1, 2)))]
        blocks.append([f"10.0.0.{at}-10.0.0.{at + luck.randrange(6)}" for at in first])
    ranges = ranges_of(made_pools(*blocks), (), [])
    lost = {r.pool.metadata.name for r, o in itertools.combinations(ranges, 2) if r.pool is o.pool and r.overlaps(o)}
    new = set()
    for late, early in ((late, early) for i, late in enumerate(ranges) for early in ranges[:i]):
        sound = {late.pool.metadata.name, early.pool.metadata.name}.isdisjoint(lost) and not {late, early} & new
        new |= {late} if sound and late.overlaps(early) else set()
    assert {r.pool.metadata.name for r in ranges if r.conflict} == lost | {r.pool.metadata.name for r in new}


def test_thousands_who_share_are_not_each_compared_with_each(monkeypatch) -> None:
    """300 Services of one key on 300 ports have one address; another of the first's port has the next. Nobody is
    asked one by one: all are of one kind, and the ports that are had are known."""
    looks = []
    incompatible = Sharer.incompatible
    monkeypatch.setattr(Sharer, "incompatible", lambda one, two: looks.append(1) or incompatible(one, two))
    services = [
        (f"shop/s{i}", ServiceObject.model_validate(
            {
                "metadata": {"name": f"s{i}", "annotations": {"lbipam.cilium.io/sharing-key": "k"}},
                "spec": {"type": "LoadBalancer", "ports": [{"port": 1 + i % 300}]},
            }
        ))
        for i in range(301)
    ]  # fmt: skip
    given = LbIpam(made_pools(["10.0.0.0-10.0.0.9"]), services, {4}, ()).given
    assert {given[f"shop/s{i}"].addresses for i in range(300)} == {("10.0.0.0",)}
    assert given["shop/s300"].addresses == ("10.0.0.1",)
    assert looks == []
