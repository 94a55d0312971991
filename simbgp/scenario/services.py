"""Services expanded: which backend stands on which node, under which address."""

import ipaddress
import math
from collections.abc import Sequence
from functools import lru_cache

from simbgp.scenario.plan import BackendPlan, NodePlan, ServicePlan
from simbgp.scenario.pod_keys import PodAddresses
from simbgp.scenario.schema import Service
from simbgp.scenario.schema.services import SessionAffinityConfig


def backends_of(service: Service, nodes: Sequence[str]) -> list[tuple[str, str]]:
    """Name and node of each backend; a number is dealt to the nodes in turn."""
    if isinstance(service.backends, int):
        return [(f"{service.name}-{i + 1}", nodes[i % len(nodes)]) for i in range(service.backends)]
    return [(entry.name or f"{service.name}-{i + 1}", entry.node) for i, entry in enumerate(service.backends)]


def part_of(written: int | float, whole: int) -> int:
    """A number, or a share of ``whole`` rounded up, as Kubernetes reads an IntOrString."""
    return math.ceil(round(written * whole, 9)) if isinstance(written, float) else written


@lru_cache(maxsize=2**16)
def host_prefix(address: str) -> str:
    """The /32 or /128 of an address, canonical."""
    return str(ipaddress.ip_network(address))


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
