"""Names and numbers of the data plane: addresses, ports and pods. Nothing here touches the machine.

All nodes and their pods share a network of their own beside that of the routers, as nodes of a cluster do. The pods of
a node are a namespace with an address for each; their way out is the node.
"""

from collections import Counter
from dataclasses import dataclass
from ipaddress import ip_network

from simbgp.lab.topology import Topology
from simbgp.scenario.plan import ServicePlan

SERVICE_PORT = 80
"""The TCP port of every service; scenarios know none."""
POD_NETS, POD_HOSTS, NODE_HOSTS = "172.28.0.0/16", "172.28.{}.{}", "172.29.0.{}"
_FIRST_PORT = 20_000
MOST_PODS = 250
"""Of one node."""


@dataclass(frozen=True, slots=True)
class Vip:
    """One address of a service; pods listen for it on a port of its own, by which a reply knows where it belongs."""

    service: ServicePlan
    prefix: str
    address: str
    pod_port: int


@dataclass(frozen=True, slots=True)
class Pod:
    """A backend: its number in its service, from 1, its address, and what Cilium hashes of it."""

    service: str
    backend: str
    node: str
    number: int
    address: str
    key: str


@dataclass(frozen=True, slots=True)
class Layout:
    """All addresses with clients, all pods behind them, and where nodes and their pods are."""

    vips: tuple[Vip, ...]
    pods: tuple[Pod, ...]
    node_addresses: dict[str, str]
    pod_spaces: dict[str, str]
    """Short names of the namespaces of the pods, by node."""

    def of_service(self, name: str) -> list[Pod]:
        """The pods of a service, in the order of its backends."""
        return [pod for pod in self.pods if pod.service == name]

    def on(self, node: str) -> list[Pod]:
        """The pods of a node."""
        return [pod for pod in self.pods if pod.node == node]


def layout_of(topology: Topology) -> Layout:
    """The data plane of a plan: the services that have traffic."""
    plan = topology.plan
    wanted = {traffic.service for traffic in plan.traffic}
    services = [service for service in plan.services if service.name in wanted]
    places = {node: int(space.removeprefix("n")) for node, space in topology.spaces.items() if space.startswith("n")}
    vips = [(service, prefix) for service in services for prefix in service.prefixes]
    pods, counts = [], Counter[str]()
    for service in services:
        for number, backend in enumerate(service.backends, 1):
            counts[backend.node] += 1
            address = POD_HOSTS.format(places[backend.node], counts[backend.node])
            pods.append(Pod(service.name, backend.name, backend.node, number, address, backend.key))
    return Layout(
        tuple(
            Vip(service, prefix, str(ip_network(prefix)[0]), _FIRST_PORT + n)
            for n, (service, prefix) in enumerate(vips)
        ),
        tuple(pods),
        {node: NODE_HOSTS.format(place) for node, place in places.items()},
        {node: f"p{place}" for node, place in places.items()},
    )
