"""The data plane on the machine: pods, load balancers, clients; built, darkened with a node, read off in the end."""

import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import Any

from simbgp.lab.dataplane.layout import SERVICE_PORT, Vip, layout_of
from simbgp.lab.dataplane.rules import FABRIC, TABLE, is_dsr, ruleset
from simbgp.lab.dataplane.schedule import schedule
from simbgp.lab.errors import LabError
from simbgp.lab.network import Network
from simbgp.lab.processes import Process, Processes
from simbgp.lab.registry import Registry
from simbgp.lab.shell import ip, run, tried, within
from simbgp.lab.topology import SWITCH, client_net
from simbgp.scenario import Plan
from simbgp.traffic.clients import SYN_LINEAR_TIMEOUTS

LINGER_S = 15.0
"""After the horizon, for clients that wait, at most."""
_OPENING_S = 60.0
_HERE = Path(__file__).resolve().parent
_BRIDGE = "fab"
_NODE_SETTINGS = ("net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0")
Records = list[dict[str, Any]]


class DataPlane:
    """Everything behind the routers' next hops, and the clients in front of them."""

    def __init__(self, plan: Plan, network: Network, registry: Registry, processes: Processes, folder: Path) -> None:
        self._plan, self._network, self._registry = plan, network, registry
        self._processes, self._folder = processes, folder
        self.topology, self.layout = network.topology, layout_of(network.topology)
        self._uplinks = {
            node.name: [link.node_device for link in self.topology.of_node(node.name)] for node in plan.nodes
        }
        self._clients: dict[str, _Program] = {}

    def build(self) -> None:
        """Namespaces, links, rules, and pods that listen."""
        switch = self._network.name(SWITCH)
        spaces = [self._network.name(short) for short in self.layout.pod_spaces.values()]
        self._registry.namespaces += spaces
        self._registry.write()
        for space in spaces:
            run(["ip", "netns", "add", space])
        ip(switch, [f"link add {_BRIDGE} type bridge stp_state 0 mcast_snooping 0", f"link set dev {_BRIDGE} up"])
        for node in self._plan.nodes:
            self._pods_of(node.name)
            self._node(node.name)
        for router in self._plan.routers:
            self._settings_of_clients(self._network.name(self.topology.clients[router.name]))
        self._listen()

    def _node(self, node: str) -> None:
        space, address = self._network.space(node), self.layout.node_addresses[node]
        run(within(space, "sysctl", "-q", "-w", *_NODE_SETTINGS))
        self._plug(space, f"n-{self.layout.pod_spaces[node]}", [f"{address}/16"])
        ip(space, [f"route add 172.28.0.0/16 dev {FABRIC} scope link"])
        run(within(space, "nft", "-f", "-"), ruleset(self._plan, self.layout, node, self._uplinks[node]))

    def _pods_of(self, node: str) -> None:
        short = self.layout.pod_spaces[node]
        space, way_out = self._network.name(short), self.layout.node_addresses[node]
        own = way_out.replace("172.29.0.", "172.29.1.")
        pods = [f"{pod.address}/32" for pod in self.layout.on(node)]
        ip(space, ["link set dev lo up"])
        self._plug(space, f"p-{short}", [f"{own}/16", *pods])
        ip(space, [f"route add default via {way_out}"])

    def _plug(self, space: str, port: str, addresses: list[str]) -> None:
        switch = self._network.name(SWITCH)
        ip(space, [f"link add {FABRIC} type veth peer name {port} netns {switch}"])
        ip(space, [*(f"addr add {each} dev {FABRIC}" for each in addresses), f"link set dev {FABRIC} up"])
        ip(switch, [f"link set dev {port} master {_BRIDGE}", f"link set dev {port} up"])

    def _settings_of_clients(self, space: str) -> None:
        traffic = self._plan.traffic[0]
        settings = [
            f"net.ipv4.tcp_syn_linear_timeouts={SYN_LINEAR_TIMEOUTS[traffic.client]}",
            f"net.ipv4.tcp_retries2={traffic.tcp_retries2}",
        ]
        run(within(space, "sysctl", "-q", "-w", *settings))

    def _listen(self) -> None:
        sockets = [
            [self._network.name(self.layout.pod_spaces[pod.node]), pod.address, vip.pod_port, pod.number]
            for vip in self.layout.vips
            for pod in self.layout.of_service(vip.service.name)
        ]
        file = self._folder / "pods.json"
        file.write_text(json.dumps(sockets))
        program = _Program(self._processes, self._network.name(SWITCH), "echo.py", file)
        program.wait_for("ready", _OPENING_S)

    def open(self, seed: int, run_number: int) -> None:
        """Start the clients, and wait until all that are open at time 0 are. Raises LabError."""
        topology = self.topology
        for router in self._plan.routers:
            said = schedule(self._plan, self.layout, router.name, seed, run_number) | {
                "address": client_net(topology.place(router.name))[2],
                "zero": str(self._zero),
                "linger_s": LINGER_S,
                "seed": f"{seed}/{run_number}/{router.name}",
            }
            if said["connections"]:
                file = self._folder / f"clients-{topology.clients[router.name]}.json"
                file.write_text(json.dumps(said))
                space = self._network.name(topology.clients[router.name])
                self._clients[router.name] = _Program(self._processes, space, "dial.py", file)
        for program in self._clients.values():
            program.wait_for("open", _OPENING_S)

    @property
    def _zero(self) -> Path:
        return self._folder / "zero"

    def begin(self, zero_s: float) -> None:
        """Tell the clients when time 0 was, in seconds since the epoch."""
        fresh = self._zero.with_suffix(".new")
        fresh.write_text(repr(zero_s))
        fresh.replace(self._zero)

    def darken(self, node: str) -> None:
        """A node's pods are as silent as the node."""
        for port in self._ports(node):
            ip(self._network.name(SWITCH), [f"link set dev {port} nomaster"])

    def lighten(self, node: str) -> None:
        """The node and its pods are back, and know nothing of any connection."""
        space, pods = self._network.space(node), self._network.name(self.layout.pod_spaces[node])
        run(within(pods, "ss", "-K", "-t", "state", "established"))
        tried(within(space, "conntrack", "-F"))
        for vip in self.layout.vips:
            if is_dsr(self._plan, vip):
                run(within(space, "nft", "flush", "map", "ip", TABLE, f"dsr{vip.pod_port}_flows"))
        for port in self._ports(node):
            ip(self._network.name(SWITCH), [f"link set dev {port} master {_BRIDGE}"])

    def _ports(self, node: str) -> tuple[str, str]:
        short = self.layout.pod_spaces[node]
        return f"n-{short}", f"p-{short}"

    def records(self) -> Mapping[str, Records]:
        """What the clients of each router say in the end. Raises LabError."""
        for program in self._clients.values():
            program.wait_for("done", LINGER_S + 10)
        return {router: [json.loads(line) for line in program.lines] for router, program in self._clients.items()}

    def seen(self) -> Mapping[tuple[str, int], int]:
        """How many nodes each flow has met, by the client's address and port."""
        found: Counter[tuple[str, int]] = Counter()
        for node in self._plan.nodes:
            text = run(within(self._network.space(node.name), "nft", "-j", "list", "set", "ip", TABLE, "seen"))
            sets = [each["set"] for each in json.loads(text)["nftables"] if "set" in each]
            flows = [element["concat"] for of in sets for element in of.get("elem", [])]
            found.update((str(address), int(port)) for address, port in flows)
        return found

    def next_hop(self, router: str, vip: Vip, ports: list[int]) -> list[str | None]:
        """The address of the next hop to which the router's kernel sends each flow now; None without a route."""
        if not ports:
            return []
        client = client_net(self.topology.place(router))[2]
        asked = [
            f"route get {vip.address} from {client} iif client ipproto tcp sport {port} dport {SERVICE_PORT}"
            for port in ports
        ]
        try:
            said = run(["ip", "-n", self._network.space(router), "-j", "-batch", "-"], "\n".join(asked) + "\n")
        except LabError:  # all ask for one address: if it has no route, it has none for anybody
            return [None] * len(ports)
        return [json.loads(line)[0].get("gateway") for line in said.splitlines() if line.strip()]


class _Program:
    """One of our own programs; its lines of JSON are kept, its words awaited."""

    def __init__(self, processes: Processes, space: str, name: str, file: Path) -> None:
        self._words: dict[str, Event] = {word: Event() for word in ("ready", "open", "done")}
        self.lines: list[str] = []
        self._said = ""
        argv = [sys.executable, "-I", str(_HERE / name), str(file)]
        self._process: Process = processes.start(space, argv, self._read)

    def _read(self, time_s: float, line: str) -> None:
        if line in self._words:
            self._words[line].set()
        elif line.startswith("{"):
            self.lines.append(line)
        else:
            self._said = line or self._said

    def wait_for(self, word: str, patience_s: float) -> None:
        """Until it says the word. Raises LabError with the last of what it said else."""
        until = time.monotonic() + patience_s
        while not self._words[word].wait(0.2):
            if self._process.ended:
                self._process.read_out(patience_s)
                if self._words[word].is_set():
                    return
            if self._process.ended or time.monotonic() > until:
                raise LabError(f"the lab's clients or pods did not get {word}: {self._said or 'they say nothing'}")
