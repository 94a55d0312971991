"""Services expanded: which backend stands on which node, under which address."""

import ipaddress
import math
from collections import Counter
from collections.abc import Sequence

from simbgp.scenario.layout import default_pod_cidr
from simbgp.scenario.plan import BackendPlan, NodePlan, ServicePlan
from simbgp.scenario.schema import Service
from simbgp.scenario.schema.services import SessionAffinityConfig

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
FIRST_POD = 11
"""The first backend of a node has the address .11 of its podCIDR; a made-up address decides Maglev slots only."""
_FIRST_PORT = 8080


def backends_of(service: Service, nodes: Sequence[str]) -> list[tuple[str, str]]:
    """Name and node of each backend; a number is dealt to the nodes in turn."""
    if isinstance(service.backends, int):
        return [(f"{service.name}-{i + 1}", nodes[i % len(nodes)]) for i in range(service.backends)]
    return [(entry.name or f"{service.name}-{i + 1}", entry.node) for i, entry in enumerate(service.backends)]


def part_of(written: int | float, whole: int) -> int:
    """A number, or a share of ``whole`` rounded up, as Kubernetes reads an IntOrString."""
    return math.ceil(round(written * whole, 9)) if isinstance(written, float) else written


def host_prefix(address: str) -> str:
    """The /32 or /128 of an address, canonical."""
    return str(ipaddress.ip_network(address))


class PodAddresses:
    """Keys of pods whose addresses are not known: those of all services are numbered on per node."""

    def __init__(self, nodes: Sequence[NodePlan]) -> None:
        self._networks = {node.name: _pod_networks(node, i) for i, node in enumerate(nodes)}
        self._pods: Counter[str] = Counter()

    def next_key(self, node: str, version: int) -> str:
        """The key of one more pod on ``node``, as Cilium hashes it."""
        self._pods[node] += 1
        return _key(self._networks[node], version, self._pods[node] - 1)


def service_plans(
    services: Sequence[Service], nodes: Sequence[NodePlan], addresses: PodAddresses
) -> tuple[ServicePlan, ...]:
    """Every service, its backends with the keys that Cilium hashes."""
    names = tuple(node.name for node in nodes if not node.joins) or tuple(node.name for node in nodes)
    plans = []
    for service in services:
        version = ipaddress.ip_address(service.vip[0]).version
        backends = [
            BackendPlan(name, node, addresses.next_key(node, version)) for name, node in backends_of(service, names)
        ]
        prefixes = tuple(host_prefix(vip) for vip in service.vip)
        least = part_of(service.min_available, len(backends))
        policy, affinity_s = service.external_traffic_policy, _affinity_s(service)
        plans.append(
            ServicePlan(service.name, prefixes, policy, tuple(backends), least, affinity_s, allocated=prefixes)
        )
    return tuple(plans)


def _affinity_s(service: Service) -> float | None:
    config = service.session_affinity_config or SessionAffinityConfig()
    return float(config.client_ip.timeout_seconds) if service.session_affinity == "ClientIP" else None


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
