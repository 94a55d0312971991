"""Keys of pods whose addresses nobody wrote: made up, and as Cilium hashes them."""

import ipaddress
from collections import Counter
from collections.abc import Sequence

from simbgp.scenario.plan import NodePlan

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
FIRST_POD = 11
"""The first backend of a node has the address .11 of its podCIDR; a made-up address decides Maglev slots only."""
_FIRST_PORT = 8080
_FIRST_POD_CIDR = ipaddress.IPv4Address("10.244.1.0")


def default_pod_cidr(index: int) -> str:
    """The PodCIDR of the node at a place from 0: 10.244.1.0/24, and on beyond 10.244.255.0/24."""
    return f"{_FIRST_POD_CIDR + index * 256}/24"


class PodAddresses:
    """Keys of pods whose addresses are not known: those of all services are numbered on per node."""

    def __init__(self, nodes: Sequence[NodePlan]) -> None:
        self._networks = {node.name: _pod_networks(node, i) for i, node in enumerate(nodes)}
        self._pods: Counter[str] = Counter()

    def next_key(self, node: str, version: int) -> str:
        """The key of one more pod on ``node``, as Cilium hashes it."""
        self._pods[node] += 1
        return _key(self._networks[node], version, self._pods[node] - 1)


def _pod_networks(node: NodePlan, index: int) -> list[Network]:
    return [ipaddress.ip_network(cidr) for cidr in node.pod_cidrs or (default_pod_cidr(index),)]


def _key(networks: Sequence[Network], version: int, pod: int) -> str:
    """The key of a node's pod, counted from 0; more pods than addresses go on with the next port."""
    network = next((network for network in networks if network.version == version), networks[0])
    first = FIRST_POD if network.num_addresses > FIRST_POD + 1 else 0
    ports, host = divmod(pod, max(1, network.num_addresses - first - 1))
    address = network[first + host]
    shown = f"[{address}]" if address.version == 6 else address
    return f"[{shown}:{_FIRST_PORT + ports}/TCP,State:active]"


def replacement_key(node: NodePlan, serial: int) -> str:
    """The key of the ``serial``-th pod that is made during a run, on ``node``: addresses from the podCIDR's end."""
    network = ipaddress.ip_network(node.pod_cidrs[0]) if node.pod_cidrs else ipaddress.ip_network(default_pod_cidr(0))
    address = network[network.num_addresses - 2 - serial % max(1, network.num_addresses // 2)]
    shown = f"[{address}]" if address.version == 6 else address
    return f"[{shown}:{_FIRST_PORT}/TCP,State:active]"
