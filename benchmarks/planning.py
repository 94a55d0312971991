"""What planning costs as Services, nodes and pools grow: ``python -m benchmarks.planning [KIND ...] [--sizes N ...]``.

Of each kind a scenario is made with so many of each thing, and read, planned and linted in a process of its own. Told
are the seconds of CPU and, beside them, the times of the first size: what is in proportion to what is written grows as
the size does.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Thing = dict[str, Any]
_TIMED = """\
import sys, time
from simbgp.scenario import load
began = time.process_time()
scenario = load(sys.argv[1])
plan, warnings = scenario.plan(), scenario.warnings
print(time.process_time() - began, len(plan.peerings), sum(len(peering.announcements) for peering in plan.peerings))
"""
_CILIUM = "cilium.io/v2"
_SCENARIO = """\
cluster: {manifests: ["m.json"]}
routers:
- {name: tor-1, profile: frr-8.4, asn: 65101, address: 10.255.0.1}
- {name: tor-2, profile: frr-8.4, asn: 65102, address: 10.255.0.2}
faults: [{at: 60s, kind: agent-crash, node: n1, downFor: 20s}]
"""


def _thing(kind: str, name: str, spec: Thing, version: str = _CILIUM, more: Thing | None = None, **meta: Any) -> Thing:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **meta}, "spec": spec, **(more or {})}


def _nodes(count: int) -> Iterator[Thing]:
    for i in range(count):
        address = {"type": "InternalIP", "address": f"192.168.{i // 250}.{i % 250 + 1}"}
        cidr, labels = f"10.{i // 256}.{i % 256}.0/24", {"host": f"n{i}"}
        yield _thing("Node", f"n{i}", {"podCIDR": cidr}, "v1", {"status": {"addresses": [address]}}, labels=labels)


def _services(count: int, app: str = "a{}", notes: Thing | None = None, **spec: Any) -> Iterator[Thing]:
    for i in range(count):
        body = {
            "type": "LoadBalancer",
            "clusterIP": f"10.{128 + i // 62500}.{i // 250 % 250}.{i % 250 + 1}",
            "selector": {"app": app.format(i)},
            "ports": [{"port": 80}],
        }
        meta = {"namespace": "default", "labels": {"team": f"t{i % 7}"}, "annotations": notes or {}}
        yield _thing("Service", f"s{i}", body | spec, "v1", **meta)


def _workloads(count: int, kind: str = "Deployment") -> Iterator[Thing]:
    for i in range(count):
        template = {"metadata": {"labels": {"app": f"a{i}"}}}
        yield _thing(kind, f"d{i}", {"replicas": 3, "template": template}, "apps/v1", namespace="default")


def _bgp(peers: int) -> Iterator[Thing]:
    wanted = [
        {"name": f"tor-{p}", "peerASN": 65100 + p, "peerAddress": f"10.255.0.{p}", "peerConfigRef": {"name": "p"}}
        for p in range(1, peers + 1)
    ]
    service = {"advertisementType": "Service", "service": {"addresses": ["LoadBalancerIP"]}, "selector": {}}
    family = {"afi": "ipv4", "safi": "unicast", "advertisements": {}}
    yield _thing("CiliumBGPClusterConfig", "b", {"bgpInstances": [{"name": "i", "localASN": 65001, "peers": wanted}]})
    yield _thing("CiliumBGPPeerConfig", "p", {"families": [family]})
    yield _thing("CiliumBGPAdvertisement", "a", {"advertisements": [{"advertisementType": "PodCIDR"}, service]})
    yield _pool("pool", "172.16.0.0/12")


def _pool(name: str, cidr: str, **spec: Any) -> Thing:
    return _thing("CiliumLoadBalancerIPPool", name, {"blocks": [{"cidr": cidr}], **spec})


def _cluster(size: int) -> list[Thing]:
    return [*_nodes(size), *_services(size), *_workloads(size), *_bgp(2)]


def _local(size: int) -> list[Thing]:
    return [*_nodes(size), *_services(size, externalTrafficPolicy="Local"), *_workloads(size), *_bgp(2)]


def _daemons(size: int) -> list[Thing]:
    return [*_nodes(size), *_services(size, app="a0"), *_workloads(1, "DaemonSet"), *_bgp(2)]


def _real(size: int) -> list[Thing]:
    return [*_nodes(size // 4), *_services(size), *_workloads(size), *_bgp(1)]


def _pools(size: int) -> list[Thing]:
    nobody = {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": [f"t{i}" for i in range(7)]}]}
    pools = [_pool(f"p{i}", f"172.{16 + i // 256}.{i % 256}.0/24", serviceSelector=nobody) for i in range(size)]
    return [*_nodes(2), *_services(size), *pools]


def _sharing(size: int) -> list[Thing]:
    shared = {"lbipam.cilium.io/sharing-key": "k"}
    return [*_nodes(2), *_services(size, notes=shared), _pool("pool", "172.16.0.0/12")]


KINDS: dict[str, tuple[Callable[[int], list[Thing]], str]] = {
    "cluster": (_cluster, "Services on as many nodes, two peers"),
    "local": (_local, "the same with externalTrafficPolicy Local"),
    "daemons": (_daemons, "Services over one DaemonSet on as many nodes, two peers"),
    "real": (_real, "Services on a quarter as many nodes, one peer"),
    "pools": (_pools, "Services and as many LB-IPAM pools for none of them"),
    "sharing": (_sharing, "Services of one sharing key and one port"),
}


def main() -> int:
    """A line for each kind and size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planning", description=__doc__)
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], help="default all: %(choices)s")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 300, 500], metavar="N")
    asked = parser.parse_args()
    for kind in asked.kinds or KINDS:
        make, what = KINDS[kind]
        print(f"{kind}: {what}")
        first_s = None
        for size in asked.sizes:
            with tempfile.TemporaryDirectory() as folder:
                (Path(folder) / "m.json").write_text(json.dumps({"kind": "List", "items": make(size)}))
                (Path(folder) / "s.yaml").write_text(_SCENARIO)
                line = [sys.executable, "-c", _TIMED, f"{folder}/s.yaml"]
                done = subprocess.run(line, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"  {size:>6}  {done.stderr.strip().splitlines()[-1][:200]}")
                continue
            took_s, sessions, paths = map(float, done.stdout.split())
            first_s = first_s or took_s
            print(
                f"  {size:>6}  {took_s:6.2f} s  x {took_s / first_s:5.1f}  {sessions:.0f} sessions, {paths:.0f} paths"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
