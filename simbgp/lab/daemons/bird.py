"""BIRD 2: one daemon that writes the kernel's routes itself."""

import re

from simbgp.lab.daemons.base import PASSWORD, Site, Told, files
from simbgp.lab.kernel_routes import watch
from simbgp.timeline import Reason


def config(site: Site) -> str:
    """BIRD's file: its defaults, and what the scenario sets."""
    profile = site.plan.profile
    parts = [
        f"log stderr all;\nrouter id {site.router_id};",
        "protocol device { scan time 5; }\nprotocol direct { FAMILY; }",
        "protocol kernel { FAMILY { export where source = RTS_BGP; import none; }; "
        f"merge paths on limit {site.plan.ecmp.maximum_paths or 64}; }}",
    ]
    helper = "aware" if profile.helper else "off"
    long_lived = "aware" if profile.helper and profile.long_lived else "off"
    for link, peering in zip(site.links, site.peerings, strict=True):
        parts.append(
            f"protocol bgp {_name(link.node_address)} {{\n"
            f"  local {link.router_address} as {site.plan.asn};\n"
            f"  neighbor {link.node_address} as {peering.local_asn};\n"
            "  direct; check link yes; debug { states, events };\n"
            f"  hold time {site.hold_s}; graceful restart {helper}; long lived graceful restart {long_lived};\n"
            + (f'  password "{PASSWORD}";\n' if peering.md5 else "")
            + "  FAMILY { import all; export none; };\n}"
        )
    return "\n".join(parts).replace("FAMILY", f"ipv{site.version}") + "\n"


def _name(address: str) -> str:
    """A protocol's name; BIRD takes no dots or colons in it."""
    return "p" + address.replace(".", "_").replace(":", "x")


def _address(name: str) -> str:
    """The address in a protocol's name."""
    return name.removeprefix("p").replace("_", ".").replace("x", ":")


_LINE = re.compile(r"\b(p\d+_\d+_\d+_\d+|p[0-9a-fx]+): (.*)")
_WHY = (
    ("Hold timer expired", Reason.HOLD_EXPIRED),
    ("Administrative shutdown", Reason.SHUTDOWN),
    ("Peer de-configured", Reason.DECONFIGURED),
    ("Administrative reset", Reason.ADMIN_RESET),
    ("Hard reset", Reason.HARD_RESET),
    ("Link down", Reason.INTERFACE_DOWN),
    ("Neighbor lost", Reason.INTERFACE_DOWN),
    ("Connection closed", Reason.TCP_CLOSED),
    ("Connection reset", Reason.TCP_RESET),
)


class Log:
    """Reads the log, in which the reason of a loss stands before the loss."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._why: dict[str, Reason] = {}

    def read(self, time_s: float, line: str) -> None:
        """Look for a change of a session."""
        found = _LINE.search(line)
        if not found:
            return
        peer, text = _address(found[1]), found[2]
        for part, reason in _WHY:
            if part in text:
                self._why[peer] = reason
        if "BGP session established" in text:
            self._why.pop(peer, None)
            self._told(time_s, peer, True, Reason.KEEPALIVE_RECEIVED)
        elif "BGP session closed" in text or "graceful restart detected" in text or "State changed to stop" in text:
            self._told(time_s, peer, False, self._why.get(peer, Reason.TCP_CLOSED))


class Bird:
    """A router of BIRD."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def start(self) -> None:
        """Start it in the foreground."""
        site = self._site
        files(site.folder, bird__conf=config(site))
        watch(site)
        file, control = site.folder / "bird.conf", site.folder / "bird.ctl"
        argv = ["bird", "-f", "-c", str(file), "-s", str(control)]
        site.processes.start(site.namespace, argv, Log(site.session).read)
