"""Namespaces, bridges, links and addresses of a topology, and what may be cut in it.

A pair of interfaces is made inside of two namespaces at once: none is ever in the host's own.
"""

from collections.abc import Iterable
from ipaddress import ip_address

from simbgp.lab.registry import Registry
from simbgp.lab.shell import ip, run, tried, within
from simbgp.lab.topology import SWITCH, Link, Topology, client_net

_ROUTER_SETTINGS = (
    "net.ipv4.ip_forward=1",
    "net.ipv4.fib_multipath_hash_policy=3",  # a policy of 1 lets veth reuse the sender's hash, drawn anew at each RTO
    "net.ipv4.fib_multipath_hash_fields=0x37",
    "net.ipv4.icmp_ratelimit=0",
)
_ROUTER_SETTINGS_OF_IPV6 = (
    "net.ipv6.conf.all.forwarding=1",
    "net.ipv6.fib_multipath_hash_policy=3",
    "net.ipv6.fib_multipath_hash_fields=0x37",
    "net.ipv6.icmp.ratelimit=0",
)
_SETTINGS_OF_IPV6 = ("net.ipv6.conf.all.disable_ipv6=0", "net.ipv6.conf.default.disable_ipv6=0")
_TABLE = "simbgp"
_WAYS = {"ingress": "to-router", "egress": "to-node"}
"""What passes each hook of a node's port at the switch."""


class Network:
    """The built topology."""

    def __init__(self, topology: Topology, registry: Registry) -> None:
        self.topology, self._registry = topology, registry

    def name(self, short: str) -> str:
        """The full name of a namespace."""
        return self._registry.name(short)

    def space(self, who: str) -> str:
        """The namespace of a node or a router."""
        return self.name(self.topology.spaces[who])

    def build(self) -> None:
        """Make all of it; the registry knows it first."""
        names = [self.name(short) for short in self.topology.short_names()]
        self._registry.namespaces += names
        self._registry.write()
        for name in names:
            run(["ip", "netns", "add", name])
            if any(link.version == 6 for link in self.topology.links):
                run(within(name, "sysctl", "-q", "-w", *_SETTINGS_OF_IPV6))
            ip(name, ["link set lo up"])
        for router in self.topology.plan.routers:
            self._router(router.name)
        for node in self.topology.plan.nodes:
            self._node(node.name)

    def _router(self, router: str) -> None:
        space, switch = self.space(router), self.name(SWITCH)
        version = self.topology.version(router)
        run(within(space, "sysctl", "-q", "-w", *(_ROUTER_SETTINGS if version == 4 else _ROUTER_SETTINGS_OF_IPV6)))
        _, own, client = client_net(self.topology.place(router), version)
        there = self.name(self.topology.clients[router])
        net = "24" if version == 4 else "64 nodad"
        ip(space, [f"link add client type veth peer name uplink netns {there}", f"addr add {own}/{net} dev client"])
        ip(space, ["link set dev client up"])
        ip(there, [f"addr add {client}/{net} dev uplink", "link set dev uplink up", f"route add default via {own}"])
        for link in _first_of_each_bridge(self.topology.of_router(router)):
            ip(
                switch,
                [f"link add {link.bridge} type bridge stp_state 0 mcast_snooping 0", f"link set dev {link.bridge} up"],
            )
            self._plug(space, link.router_device, link.router_address, link, link.router_port)

    def _node(self, node: str) -> None:
        space = self.space(node)
        held = {
            target.address
            for link in self.topology.of_node(node)
            for target in self.topology.targets[link.router]
            if node in target.nodes
        }
        for link in self.topology.of_node(node):
            self._plug(space, link.node_device, link.node_address, link, link.node_port)
            net, _, _ = client_net(self.topology.place(link.router), link.version)
            ip(space, [f"route add {net} via {link.router_address}"])
        ip(space, [f"addr add {address}/{ip_address(address).max_prefixlen} dev lo" for address in sorted(held)])

    def _plug(self, space: str, device: str, address: str, link: Link, port: str) -> None:
        switch = self.name(SWITCH)
        ip(space, [f"link add {device} type veth peer name {port} netns {switch}"])
        nodad = " nodad" if link.version == 6 else ""  # else a session waits for the check of the address
        ip(space, [f"addr add {address}/{link.length} dev {device}{nodad}", f"link set dev {device} up"])
        ip(switch, [f"link set dev {port} master {link.bridge}", f"link set dev {port} up"])

    def carrier(self, link: Link, up: bool) -> None:
        """Give or take the carrier of both ends of a direct link."""
        state = "up" if up else "down"
        ip(self.name(SWITCH), [f"link set dev {link.router_port} {state}", f"link set dev {link.node_port} {state}"])

    def drop(self, holder: int, links: Iterable[Link], share: float = 1.0, direction: str = "both") -> None:
        """Lose this share of all frames, ARP too, in the switch: neither end's kernel hears of it.

        Each ``holder`` has rules of its own, so that overlapping losses are mended one by one.
        """
        hooks = [hook for hook, way in _WAYS.items() if direction in ("both", way)]
        luck = "" if share >= 1 else f"numgen random mod 1000000 < {round(share * 1e6)} "
        chains = [
            f'chain {_chain(holder, hook, link)} {{ type filter hook {hook} device "{link.node_port}" priority 0; '
            f"{luck}drop; }}"
            for link in links
            for hook in hooks
        ]
        rules = f"table netdev {_TABLE} {{\n" + "\n".join(chains) + "\n}\n"
        run(within(self.name(SWITCH), "nft", "-f", "-"), rules)

    def mend(self, holder: int, links: Iterable[Link]) -> None:
        """Lose nothing more because of ``holder``."""
        for link in links:
            for hook in _WAYS:
                tried(within(self.name(SWITCH), "nft", "delete", "chain", "netdev", _TABLE, _chain(holder, hook, link)))

    def forget_connections(self, node: str) -> None:
        """What a power cycle does to TCP: the kernel knows no connection any more."""
        run(within(self.space(node), "ss", "-K", "-t", "-a"))


def _first_of_each_bridge(links: Iterable[Link]) -> list[Link]:
    return list({link.bridge: link for link in reversed(list(links))}.values())[::-1]


def _chain(holder: int, hook: str, link: Link) -> str:
    return f"h{holder}_{hook}_{link.node_port.replace('-', '_')}"
