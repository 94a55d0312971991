"""A scenario as a containerlab topology: the same links, addresses and configurations, for containers.

Interfaces, addresses and faults are those of the lab on namespaces; a router can be a vendor's image instead of a
daemon's. What it needs is written out in full: a topology file, a configuration for each router and node, and a script
that plays the faults of one draw at their moments.
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simbgp.lab.daemons import bird, frr, gobgp, openbgpd
from simbgp.lab.daemons.base import Site
from simbgp.lab.daemons.gobgp_router import neighbours
from simbgp.lab.errors import LabError
from simbgp.lab.node import config as node_config
from simbgp.lab.processes import Processes
from simbgp.lab.recorder import Recorder
from simbgp.lab.registry import Registry
from simbgp.lab.topology import Link, Topology, client_net, topology_of, versions_at
from simbgp.scenario import Trial

IMAGES = {
    "frr": "quay.io/frrouting/frr:8.4.4",
    "bird": "pierky/bird:2.0.12",
    "gobgp": "jauderho/gobgp:v3.10.0",
    "openbgpd": "openbgpd/openbgpd:7.7",
    "eos": "ceos:4.32.0F",
    "host": "ghcr.io/srl-labs/network-multitool",
}
"""What is run unless another image is asked for."""
TOPOLOGY, DRIVER = "topology.clab.yml", "faults.sh"


@dataclass(frozen=True, slots=True)
class _Made:
    """A container's part of the topology file, and the files that it needs."""

    node: dict[str, Any]
    files: Mapping[str, str]


def export(trial: Trial, folder: Path, images: Mapping[str, str] | None = None) -> list[Path]:
    """Write the topology of a trial's plan into ``folder``; the files, the topology first. Raises LabError."""
    texts = exported(trial, {**IMAGES, **(images or {})})
    written = []
    for name, text in texts.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        except OSError as error:
            raise LabError(f"{path}: {error.strerror}") from None
        written.append(path)
    (folder / DRIVER).chmod(0o755)
    return written


def exported(trial: Trial, images: Mapping[str, str]) -> dict[str, str]:
    """The files by their names."""
    plan, topology = trial.plan, topology_of(trial.plan)
    for router in plan.routers:
        if 6 in versions_at(plan, router.name):
            raise LabError(f"{router.name}: IPv6 prefixes are not exported; simbgp lab run and compare play them")
    parts = {router.name: _router(topology, router.name, images) for router in plan.routers}
    parts |= {node.name: _node(topology, node.name, images) for node in plan.nodes}
    nodes = {name: part.node for name, part in parts.items()}
    nodes |= {name: dict(_switch(links, images)) for name, links in _switches(topology).items()}
    nodes |= {f"clients-{router.name}": _clients(topology, router.name, images) for router in plan.routers}
    said = {"name": _plain(plan.name), "topology": {"nodes": nodes, "links": list(_links(topology))}}
    files = {name: text for part in parts.values() for name, text in part.files.items()}
    return {TOPOLOGY: _yaml(said), DRIVER: _driver(trial, topology), **files}


def _router(topology: Topology, router: str, images: Mapping[str, str]) -> _Made:
    plan = next(each for each in topology.plan.routers if each.name == router)
    make = plan.profile.name.partition("-")[0]
    write = _ROUTERS.get(make)
    if write is None:
        raise LabError(f"{router}: no image plays the profile {plan.profile.name}; exported: {', '.join(_ROUTERS)}")
    return write(_site(topology, router), topology, images[make])


def _site(topology: Topology, router: str) -> Site:
    """The router as its daemon's file needs it; nothing of it runs."""
    links = topology.of_router(router)
    peerings = {peering.node: peering for peering in topology.plan.peerings if peering.router == router}
    return Site(
        plan=next(each for each in topology.plan.routers if each.name == router),
        namespace=router,
        folder=Path("/etc/simbgp"),
        links=tuple(links),
        peerings=tuple(peerings[link.node] for link in links),
        targets=topology.targets[router],
        router_id=client_net(topology.place(router))[1],
        recorder=Recorder(),
        processes=Processes(Registry()),
    )


def _addresses(site: Site, topology: Topology) -> list[str]:
    """Commands that set up a router of Linux."""
    _, own, _ = client_net(topology.place(site.plan.name))
    found = {link.router_device: f"{link.router_address}/{link.length}" for link in site.links}
    lines = [f"ip addr add {address} dev {device}" for device, address in found.items()]
    settings = "net.ipv4.fib_multipath_hash_policy=3 net.ipv4.fib_multipath_hash_fields=0x37"
    return [f"ip addr add {own}/24 dev client", *lines, f"sysctl -w net.ipv4.ip_forward=1 {settings}"]


def _linux(image: str, binds: Mapping[str, str], commands: list[str], **more: str) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": "linux", "image": image, **more}
    if binds:
        found["binds"] = [f"{name}:{inside}" for name, inside in binds.items()]
    return found | {"exec": commands}


def _frr(site: Site, topology: Topology, image: str) -> _Made:
    name = site.plan.name
    binds = {f"{name}/bgpd.conf": "/etc/frr/frr.conf", f"{name}/daemons": "/etc/frr/daemons"}
    files = {f"{name}/bgpd.conf": frr.config(site), f"{name}/daemons": "bgpd=yes\nvtysh_enable=no\n"}
    return _Made(_linux(image, binds, _addresses(site, topology)), files)


def _bird(site: Site, topology: Topology, image: str) -> _Made:
    name = site.plan.name
    binds = {f"{name}/bird.conf": "/etc/bird/bird.conf"}
    return _Made(_linux(image, binds, _addresses(site, topology)), {f"{name}/bird.conf": bird.config(site)})


def _gobgp(site: Site, topology: Topology, image: str) -> _Made:
    name, file = site.plan.name, "/etc/simbgp/gobgpd.toml"
    text = gobgp.config(site.plan.asn, site.router_id, listens=True, neighbours=neighbours(site))
    node = _linux(image, {f"{name}/gobgpd.toml": file}, _addresses(site, topology), cmd=f"gobgpd -f {file}")
    return _Made(node, {f"{name}/gobgpd.toml": text})


def _openbgpd(site: Site, topology: Topology, image: str) -> _Made:
    name = site.plan.name
    binds = {f"{name}/bgpd.conf": "/etc/bgpd/bgpd.conf"}
    return _Made(_linux(image, binds, _addresses(site, topology)), {f"{name}/bgpd.conf": openbgpd.config(site)})


def _eos(site: Site, topology: Topology, image: str) -> _Made:
    """Arista EOS (cEOS-lab): its interfaces are eth1, eth2, ... in containerlab, Ethernet1, ... in its own words."""
    devices = eos_devices(site.links)
    _, own, _ = client_net(topology.place(site.plan.name))
    networks = {link.router_device: f"{link.router_address}/{link.length}" for link in site.links} | {
        "client": f"{own}/24"
    }
    lines = ["service routing protocols model multi-agent", f"hostname {site.plan.name}", "ip routing"]
    for device, address in networks.items():
        number = devices[device].removeprefix("eth")
        lines += [f"interface Ethernet{number}", "   no switchport", f"   ip address {address}"]
    lines += [f"router bgp {site.plan.asn}", f"   router-id {site.router_id}", "   no bgp default ipv4-unicast"]
    lines += [f"   timers bgp {site.keepalive_s} {site.hold_s}", "   bgp bestpath as-path multipath-relax"]
    lines += ["   maximum-paths 64 ecmp 64"]
    for link, peering in zip(site.links, site.peerings, strict=True):
        lines.append(f"   neighbor {link.node_address} remote-as {peering.local_asn}")
    lines.append("   address-family ipv4")
    lines += [f"      neighbor {link.node_address} activate" for link in site.links]
    if site.plan.profile.helper:
        lines += [f"   neighbor {link.node_address} graceful-restart-helper" for link in site.links]
    file = f"{site.plan.name}/startup.cfg"
    node = {"kind": "arista_ceos", "image": image, "startup-config": file}
    return _Made(node, {file: "\n".join([*lines, "end"]) + "\n"})


def eos_devices(links: tuple[Link, ...] | list[Link]) -> dict[str, str]:
    """The names that cEOS gives its interfaces, by ours."""
    ours = [*dict.fromkeys(link.router_device for link in links), "client"]
    return {device: f"eth{place}" for place, device in enumerate(ours, 1)}


_ROUTERS = {"frr": _frr, "bird": _bird, "gobgp": _gobgp, "openbgpd": _openbgpd, "eos": _eos}


def _node(topology: Topology, node: str, images: Mapping[str, str]) -> _Made:
    links = topology.of_node(node)
    peerings = {peering.router: peering for peering in topology.plan.peerings if peering.node == node}
    routers = {router.name: router for router in topology.plan.routers}
    mine = [peerings[link.router] for link in links]
    commands = []
    for link in links:
        net, _, _ = client_net(topology.place(link.router))
        commands += [
            f"ip addr add {link.node_address}/{link.length} dev {link.node_device}",
            f"ip route add {net} via {link.router_address}",
        ]
    held = [t for link in links for t in topology.targets[link.router] if node in t.nodes]
    commands += [f"ip addr add {address}/32 dev lo" for address in dict.fromkeys(t.address for t in held)]
    commands += ["sh -c 'gobgpd -f /etc/simbgp/gobgpd.toml >/proc/1/fd/1 2>&1 &'", "sleep 1"]
    commands += [f"gobgp global rib add {prefix}" for prefix in dict.fromkeys(t.prefix for t in held)]
    file = f"{node}/gobgpd.toml"
    made = _linux(images["gobgp"], {file: "/etc/simbgp/gobgpd.toml"}, commands, entrypoint="sleep infinity")
    return _Made(made, {file: node_config(links, mine, routers)})


def _switches(topology: Topology) -> dict[str, list[Link]]:
    """The links of each switch; a direct link has none."""
    found: dict[str, list[Link]] = {}
    for link in topology.links:
        if not link.direct:
            found.setdefault(f"switch-{link.router}", []).append(link)
    return found


def _switch(links: list[Link], images: Mapping[str, str]) -> dict[str, Any]:
    ports = [links[0].router_port, *(link.node_port for link in links)]
    commands = ["ip link add br0 type bridge stp_state 0", "ip link set br0 up"]
    return _linux(images["host"], {}, commands + [f"ip link set {port} master br0" for port in ports])


def _clients(topology: Topology, router: str, images: Mapping[str, str]) -> dict[str, Any]:
    _, own, client = client_net(topology.place(router))
    targets = dict.fromkeys(target.prefix for target in topology.targets[router])
    routes = [f"ip route add {prefix} via {own}" for prefix in targets]
    return _linux(images["host"], {}, [f"ip addr add {client}/24 dev uplink", *routes])


def _links(topology: Topology) -> Iterator[dict[str, list[str]]]:
    for router in topology.plan.routers:
        links = topology.of_router(router.name)
        devices = eos_devices(links) if router.profile.name.startswith("eos") else {}
        yield _ends(f"{router.name}:{devices.get('client', 'client')}", f"clients-{router.name}:uplink")
        switched = [link for link in links if not link.direct]
        if switched:
            first = switched[0]
            own = devices.get(first.router_device, first.router_device)
            yield _ends(f"{router.name}:{own}", f"switch-{router.name}:{first.router_port}")
        for link in links:
            own = devices.get(link.router_device, link.router_device)
            there = f"{router.name}:{own}" if link.direct else f"switch-{router.name}:{link.node_port}"
            yield _ends(f"{link.node}:{link.node_device}", there)


def _ends(one: str, other: str) -> dict[str, list[str]]:
    return {"endpoints": [one, other]}


def _plain(name: str) -> str:
    return "".join(sign if sign.isalnum() else "-" for sign in name.lower()).strip("-") or "scenario"


def _yaml(said: dict[str, Any]) -> str:
    from io import StringIO

    from ruamel.yaml import YAML

    yaml, text = YAML(), StringIO()
    yaml.default_flow_style = False
    yaml.width = 4096
    yaml.dump(said, text)
    return text.getvalue()


def _driver(trial: Trial, topology: Topology) -> str:
    """The faults as a shell script; ``clab-NAME-NODE`` is what containerlab calls a container."""
    name = _plain(trial.plan.name)
    lines = [
        "#!/bin/sh",
        f"# Plays the faults of {trial.plan.name}, run {trial.run}. Begin when all sessions are up.",
        "set -eu",
        f'inside() {{ node="$1"; shift; docker exec "clab-{name}-$node" "$@"; }}',
    ]
    for at_us, command in sorted(_commands(trial, topology)):
        lines.append(f"(sleep {at_us / 1e6:.6f}; {command}) &")
    return "\n".join([*lines, "wait"]) + "\n"


_STARTS_AGAIN = ("agent-crash", "agent-restart")


def _commands(trial: Trial, topology: Topology) -> Iterator[tuple[int, str]]:
    for fault in trial.occurrences:
        if not fault.nodes:
            _words(fault.kind, "", [], topology)
        for node, down_us in zip(fault.nodes, fault.down_for_us, strict=True):
            links = [link for link in topology.of_node(node) if not fault.routers or link.router in fault.routers]
            wait_us = 0
            if fault.kind in _STARTS_AGAIN:
                wait_us = trial.tape.draw_us(trial.plan.agent_startup, node, "lab agent startup", 0)
            begin, end = _words(fault.kind, node, links, topology)
            yield from ((fault.at_us, command) for command in begin)
            if down_us is not None and not end:
                raise LabError(f"faults: the end of {fault.kind} is not exported; take it without one")
            if down_us is not None:
                yield from ((fault.at_us + down_us + wait_us, command) for command in end)


def _words(kind: str, node: str, links: list[Link], topology: Topology) -> tuple[list[str], list[str]]:
    """The commands that begin a fault and those that end it. Raises LabError for one that has none."""
    start = "gobgpd -r -f /etc/simbgp/gobgpd.toml >/proc/1/fd/1 2>&1 & sleep 1"
    prefixes = dict.fromkeys(
        t.prefix for link in topology.of_node(node) for t in topology.targets[link.router] if node in t.nodes
    )
    again = "; ".join([start, *(f"gobgp global rib add {prefix}" for prefix in prefixes)])
    starts = [f"inside {node} sh -c {shlex.quote(again)}"]
    peers = [link.router_address for link in links]
    ways = {
        "agent-crash": ([f"inside {node} pkill -KILL gobgpd"], starts),
        "agent-restart": ([f"inside {node} pkill -TERM gobgpd"], starts),
        "link-down": ([_port(link, "down") for link in links], [_port(link, "up") for link in links]),
        "unlabel": ([f"inside {node} gobgp neighbor del {peer}" for peer in peers], []),
        "peer-shutdown": (
            [f"inside {node} gobgp neighbor {peer} disable" for peer in peers],
            [f"inside {node} gobgp neighbor {peer} enable" for peer in peers],
        ),
        "session-reset": ([f"inside {node} gobgp neighbor {peer} reset" for peer in peers], []),
    }
    if kind not in ways:
        raise LabError(f"faults: {kind} is not exported; exported: {', '.join(sorted(ways))}")
    return ways[kind]


def _port(link: Link, state: str) -> str:
    """Take or give the carrier: of the node's port at the switch, or of the node's end of a direct link."""
    if link.direct:
        return f"inside {link.node} ip link set {link.node_device} {state}"
    return f"inside switch-{link.router} ip link set {link.node_port} {state}"
