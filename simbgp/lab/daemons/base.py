"""What a router of the lab is given and what it can do, whichever daemon it runs."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol

from simbgp.lab.processes import Processes
from simbgp.lab.recorder import Recorder
from simbgp.lab.topology import Link, Target
from simbgp.scenario.plan import PeeringPlan, RouterPlan
from simbgp.timeline import Reason

PASSWORD = "simbgp-lab"
"""Of sessions with MD5 (RFC 2385); nobody listens in a namespace."""
LONGEST_S = 86400
"""A router's own bound on a long-lived stale time, above every speaker's of the lab."""


@dataclass(frozen=True)
class Site:
    """One router of the topology: where it runs and whom it has for peers."""

    plan: RouterPlan
    namespace: str
    folder: Path
    links: tuple[Link, ...]
    peerings: tuple[PeeringPlan, ...]
    targets: tuple[Target, ...]
    router_id: str
    recorder: Recorder
    processes: Processes

    def node_at(self, address: str) -> str | None:
        """The node that has this address on its link with the router."""
        return next((link.node for link in self.links if link.node_address == address), None)

    def session(self, time_s: float, address: str, up: bool, reason: Reason) -> None:
        """Record a change of the router's end of a session."""
        node = self.node_at(address)
        if node is not None:
            self.recorder.session(time_s, self.plan.name, node, "router", up, reason)

    @property
    def version(self) -> int:
        """The IP version of its sessions and of what they announce."""
        return next((link.version for link in self.links), 4)

    @property
    def hold_s(self) -> int:
        """Its own hold time."""
        return self.plan.profile.hold_s

    @property
    def keepalive_s(self) -> int:
        """Its own keepalive interval."""
        return self.plan.profile.keepalive_s


Told = Callable[[float, str, bool, Reason], None]
"""Told a moment, a peer's address, whether its session is Established, and why."""


class Router(Protocol):
    """A daemon with the kernel routes of its namespace."""

    def start(self) -> None:
        """Start it; sessions and routes are recorded from now on."""


def in_order(address: str) -> int:
    """What next hops are sorted by: addresses as numbers."""
    return int(ip_address(address))


def files(folder: Path, **texts: str) -> None:
    """Write files that a daemon's own user may read; ``__`` in a name stands for its dot."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name.replace("__", ".")).write_text(text)
