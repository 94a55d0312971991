"""What of a plan is built: namespaces, addresses, links. Names and numbers only; nothing here touches the machine.

A router whose nodes announce IPv6 to it has IPv6 sessions, and no IPv4 address but its router ID.

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

    @property
    def version(self) -> int:
        """The IP version of its addresses, of the session over it and of what that announces."""
        return ip_address(self.node_address).version

    @property
    def router_id(self) -> str:
        """The node's BGP identifier there: 32 bits, whatever the session's addresses are (RFC 6286)."""
        words = ip_address(self.node_address).packed
        return self.node_address if self.version == 4 else f"172.31.{words[5]}.{words[7] or words[15]}"


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

    def version(self, router: str) -> int:
        """The IP version that a router speaks with its nodes."""
        return next((link.version for link in self.of_router(router)), 4)

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


def client_net(place: int, version: int = 4) -> tuple[str, str, str]:
    """Network, router's address and client's address of the clients of the router at ``place``: of RFC 2544's range,
    or of RFC 4193's."""
    if version == 6:
        return f"fd00:18:{place:x}::/64", f"fd00:18:{place:x}::1", f"fd00:18:{place:x}::2"
    return f"198.18.{place}.0/24", f"198.18.{place}.1", f"198.18.{place}.2"


def versions_at(plan: Plan, router: str) -> set[int]:
    """The IP versions of what nodes announce to a router."""
    prefixes = {prefix for peering in plan.peerings if peering.router == router for prefix in peering.prefixes}
    return {ip_network(prefix).version for prefix in prefixes}


def _rank(node: NodePlan) -> tuple[int, int]:
    """By the IPv4 address, nodes of IPv6 alone behind them by theirs, those without any last, in their order."""
    found = sorted((address.version, int(address)) for address in map(ip_address, node.addresses))
    return found[0] if found else (7, 0)


def _links(plan: Plan, nodes: list[NodePlan]) -> Iterator[Link]:
    places = {node.name: i for i, node in enumerate(nodes, 1)}
    for j, router in enumerate(plan.routers, 1):
        mine = sorted((p for p in plan.peerings if p.router == router.name), key=lambda p: places[p.node])
        for peering in mine:
            yield _link(plan, router, j, peering, places[peering.node])


def _ends(link: str, j: int, i: int) -> tuple[str, str, int]:
    """Addresses of router j and node i, and the length of their net."""
    if link == "switched":
        return f"172.31.{j}.254", f"172.31.{j}.{i}", 24
    return f"172.30.{j}.{4 * i + 1}", f"172.30.{j}.{4 * i + 2}", 30


def _ends_of_ipv6(link: str, j: int, i: int) -> tuple[str, str, int]:
    if link == "switched":
        return f"fd00:31:{j:x}::fe", f"fd00:31:{j:x}::{i:x}", 64
    return f"fd00:30:{j:x}:{i:x}::1", f"fd00:30:{j:x}:{i:x}::2", 64


def _link(plan: Plan, router: RouterPlan, j: int, peering: PeeringPlan, i: int) -> Link:
    ends = _ends_of_ipv6(router.link, j, i) if versions_at(plan, router.name) == {6} else _ends(router.link, j, i)
    if router.link == "switched":
        names = "lan", f"to-r{j}", f"b{j}", f"b{j}-up", f"b{j}-n{i}"
    else:
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
