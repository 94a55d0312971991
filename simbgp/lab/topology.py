"""What of a plan is built: namespaces, addresses, links. Names and numbers only; nothing here touches the machine.

Each router has a segment of its own, a bridge in the switch's namespace: ``switched``, one for all of its nodes, so
that it sees no node's carrier; ``direct``, one for each link, both ports of which lose their carrier together. Clients
of a router are a namespace behind it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from simbgp.scenario.plan import NodePlan, PeeringPlan, Plan, RouterPlan

SWITCH = "sw"
"""Short name of the switch's namespace."""
_PORT = 4791
"""UDP port of the echo; any that nobody else has in a namespace of our own."""


@dataclass(frozen=True, slots=True)
class Link:
    """One node at one router: interfaces and addresses at both ends, and the ports of the bridge between them."""

    router: str
    node: str
    direct: bool
    router_address: str
    node_address: str
    length: int
    router_device: str
    node_device: str
    bridge: str
    router_port: str
    node_port: str


@dataclass(frozen=True, slots=True)
class Target:
    """Where probes of a prefix go, and the nodes that hold its address."""

    prefix: str
    address: str
    nodes: tuple[str, ...]
    service: bool
    port: int = _PORT


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything to build for a plan; ``spaces`` gives the short name of each node's and router's namespace."""

    plan: Plan
    spaces: dict[str, str]
    clients: dict[str, str]
    links: tuple[Link, ...]
    targets: dict[str, tuple[Target, ...]]

    def of_router(self, router: str) -> list[Link]:
        """Its links, in the order of the nodes."""
        return [link for link in self.links if link.router == router]

    def of_node(self, node: str) -> list[Link]:
        """Its links, in the order of the routers."""
        return [link for link in self.links if link.node == node]

    def link(self, router: str, node: str) -> Link:
        """The one between the two."""
        return next(link for link in self.links if (link.router, link.node) == (router, node))

    def short_names(self) -> list[str]:
        """Every namespace."""
        return [SWITCH, *self.spaces.values(), *self.clients.values()]

    def place(self, router: str) -> int:
        """The number of a router, from 1."""
        return [router_plan.name for router_plan in self.plan.routers].index(router) + 1


def topology_of(plan: Plan) -> Topology:
    """The topology of ``plan``; nodes are numbered by their address, as FRR and BIRD order next hops."""
    nodes = sorted(plan.nodes, key=_rank)
    spaces = {node.name: f"n{i}" for i, node in enumerate(nodes, 1)}
    spaces |= {router.name: f"r{j}" for j, router in enumerate(plan.routers, 1)}
    clients = {router.name: f"c{j}" for j, router in enumerate(plan.routers, 1)}
    links = tuple(_links(plan, nodes))
    return Topology(plan, spaces, clients, links, {router.name: _targets(plan, router) for router in plan.routers})


def client_net(place: int) -> tuple[str, str, str]:
    """Network, router's address and client's address of the clients of the router at ``place`` (RFC 2544 range)."""
    return f"198.18.{place}.0/24", f"198.18.{place}.1", f"198.18.{place}.2"


def _rank(node: NodePlan) -> tuple[int, int]:
    """Nodes without an IPv4 address come last, in their order."""
    found = [int(ip_address(text)) for text in node.addresses if ip_address(text).version == 4]
    return (0, found[0]) if found else (1, 0)


def _links(plan: Plan, nodes: list[NodePlan]) -> Iterator[Link]:
    places = {node.name: i for i, node in enumerate(nodes, 1)}
    for j, router in enumerate(plan.routers, 1):
        mine = sorted((p for p in plan.peerings if p.router == router.name), key=lambda p: places[p.node])
        for peering in mine:
            yield _link(router, j, peering, places[peering.node])


def _link(router: RouterPlan, j: int, peering: PeeringPlan, i: int) -> Link:
    if router.link == "switched":
        ends = f"172.31.{j}.254", f"172.31.{j}.{i}", 24
        names = "lan", f"to-r{j}", f"b{j}", f"b{j}-up", f"b{j}-n{i}"
    else:
        ends = f"172.30.{j}.{4 * i + 1}", f"172.30.{j}.{4 * i + 2}", 30
        names = f"to-n{i}", f"to-r{j}", f"d{j}-{i}", f"d{j}-{i}-up", f"d{j}-{i}-n"
    return Link(router.name, peering.node, router.link == "direct", *ends, *names)


def _targets(plan: Plan, router: RouterPlan) -> tuple[Target, ...]:
    """The prefixes that the router's nodes announce to it, in the order of their first announcement."""
    announced: dict[str, list[str]] = {}
    for peering in plan.peerings:
        if peering.router == router.name:
            for prefix in peering.prefixes:
                announced.setdefault(prefix, []).append(peering.node)
    services = {prefix for service in plan.services for prefix in service.prefixes}
    return tuple(Target(p, address_in(p), tuple(nodes), p in services) for p, nodes in announced.items())


def address_in(prefix: str) -> str:
    """An address of the prefix: its only one, else the first host."""
    network = ip_network(prefix)
    return str(network[0] if network.num_addresses == 1 else network[1])
