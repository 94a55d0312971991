"""Keys of pods whose addresses nobody wrote: made up, and as Cilium hashes them."""

import ipaddress
import socket
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from simbgp.scenario.plan import NodePlan

FIRST_POD = 11
"""The first backend of a node has the address .11 of its podCIDR; a made-up address decides Maglev slots only."""
_FIRST_PORT = 8080
_FIRST_POD_CIDR = ipaddress.IPv4Address("10.244.1.0")


def default_pod_cidr(index: int) -> str:
    """The PodCIDR of the node at a place from 0: 10.244.1.0/24, and on beyond 10.244.255.0/24."""
    return f"{_FIRST_POD_CIDR + index * 256}/24"


@dataclass(frozen=True, slots=True)
class _Hosts:
    """The addresses that pods of a node get, ``count`` from ``first`` on."""

    first: ipaddress.IPv4Address | ipaddress.IPv6Address
    count: int

    def key(self, pod: int) -> str:
        """The key of a node's pod, counted from 0; more pods than addresses go on with the next port."""
        ports, host = divmod(pod, self.count)
        return f"[{self._shown(host)}:{_FIRST_PORT + ports}/TCP,State:active]"

    def _shown(self, host: int) -> str:
        if self.first.version == 4:  # a quarter of the time of ipaddress, and there may be a million
            return socket.inet_ntoa((int(self.first) + host).to_bytes(4, "big"))
        return f"[{self.first + host}]"


class PodAddresses:
    """Keys of pods whose addresses are not known: those of all services are numbered on per node."""

    def __init__(self, nodes: Sequence[NodePlan]) -> None:
        self._hosts = {node.name: _pod_hosts(node, i) for i, node in enumerate(nodes)}
        self._pods: Counter[str] = Counter()

    def next_key(self, node: str, version: int) -> str:
        """The key of one more pod on ``node``, as Cilium hashes it."""
        pod = self._pods[node]
        self._pods[node] = pod + 1
        hosts = self._hosts[node]
        return hosts.get(version, hosts[0]).key(pod)


def _pod_hosts(node: NodePlan, index: int) -> dict[int, _Hosts]:
    """Those of a node's PodCIDRs: of the first of each IP version by that, and of the first of all by 0."""
    found: dict[int, _Hosts] = {}
    for cidr in node.pod_cidrs or (default_pod_cidr(index),):
        network = ipaddress.ip_network(cidr)
        first = FIRST_POD if network.num_addresses > FIRST_POD + 1 else 0
        made = _Hosts(network[first], max(1, network.num_addresses - first - 1))
        found.setdefault(0, made)
        found.setdefault(network.version, made)
    return found


def replacement_key(node: NodePlan, serial: int) -> str:
    """The key of the ``serial``-th pod that is made during a run, on ``node``: addresses from the podCIDR's end."""
    hosts = _all_hosts(node.pod_cidrs[0] if node.pod_cidrs else default_pod_cidr(0))
    return hosts.key(max(0, hosts.count - 2 - serial % max(1, hosts.count // 2)))


@lru_cache(maxsize=4096)  # every run makes pods on the same nodes
def _all_hosts(cidr: str) -> _Hosts:
    network = ipaddress.ip_network(cidr)
    return _Hosts(network[0], network.num_addresses)
