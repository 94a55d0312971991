"""GoBGP: its configuration, its log and its command line, as a node's speaker or as a router."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from simbgp.lab.daemons.base import Told
from simbgp.lab.shell import run, tried, within
from simbgp.timeline import Reason

_PORT = "50051"
_NEAR_S = 0.2


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One neighbour of a gobgpd; ``restart_s`` None: no graceful restart; ``long_lived_s`` 0: no long-lived one."""

    address: str
    local_address: str
    asn: int
    hold_s: int
    keepalive_s: int
    connect_retry_s: int = 120
    restart_s: int | None = None
    notification: bool = False
    passive: bool = False
    long_lived_s: int = 0
    password: str | None = None


def config(asn: int, router_id: str, listens: bool, neighbours: Iterable[Neighbour]) -> str:
    """The TOML file; a node does not listen (Cilium's port -1)."""
    parts = [f'[global.config]\nas = {asn}\nrouter-id = "{router_id}"\nport = {179 if listens else -1}']
    if listens:
        parts.append("[global.use-multiple-paths.config]\nenabled = true")
    return "\n".join([*parts, *map(_neighbour, neighbours)]) + "\n"


def _neighbour(of: Neighbour) -> str:
    lines = [
        "[[neighbors]]",
        "[neighbors.config]",
        f'neighbor-address = "{of.address}"',
        f"peer-as = {of.asn}",
        *([f'auth-password = "{of.password}"'] if of.password else []),
        "[neighbors.timers.config]",
        f"connect-retry = {of.connect_retry_s}",
        f"hold-time = {of.hold_s}",
        f"keepalive-interval = {of.keepalive_s}",
        "[neighbors.transport.config]",
        f'local-address = "{of.local_address}"',
        f"passive-mode = {str(of.passive).lower()}",
    ]
    if of.restart_s is not None:
        lines += ["[neighbors.graceful-restart.config]", "enabled = true", f"restart-time = {of.restart_s}"]
        lines.append(f"notification-enabled = {str(of.notification).lower()}")
        lines += ["long-lived-enabled = true"] if of.long_lived_s else []
    family = "ipv6-unicast" if ":" in of.address else "ipv4-unicast"
    lines += ["[[neighbors.afi-safis]]", "[neighbors.afi-safis.config]", f'afi-safi-name = "{family}"']
    if of.restart_s is not None:
        lines += ["[neighbors.afi-safis.mp-graceful-restart.config]", "enabled = true"]
    if of.restart_s is not None and of.long_lived_s:
        lines += ["[neighbors.afi-safis.long-lived-graceful-restart.config]", "enabled = true"]
        lines.append(f"restart-time = {of.long_lived_s}")
    return "\n".join(lines)


def command(namespace: str, *argv: str) -> str:
    """What ``gobgp`` says to the daemon in ``namespace``. Raises LabError."""
    return run(within(namespace, "gobgp", "-u", "127.0.0.1", "-p", _PORT, *argv))


def family(version: int) -> list[str]:
    """What the command line wants to hear of a table of this IP version."""
    return ["-a", f"ipv{version}"]


def answers(namespace: str) -> bool:
    """Whether the daemon there serves its API."""
    return tried(within(namespace, "gobgp", "-u", "127.0.0.1", "-p", _PORT, "global", "-j")) is not None


def daemon(file: str, restarting: bool = False) -> list[str]:
    """The command line of ``gobgpd``; ``restarting`` sets R and F in its OPEN."""
    flags = ["--api-hosts", f"127.0.0.1:{_PORT}", "--pprof-disable"]
    return ["gobgpd", "-f", file, *flags, *(["-r"] if restarting else [])]


_DOWN: tuple[tuple[str, Reason], ...] = (
    ("hard-reset", Reason.HARD_RESET),
    ("hold-timer-expired", Reason.HOLD_EXPIRED),
    ("hold timer expired", Reason.HOLD_EXPIRED),
    ("subcode 2", Reason.SHUTDOWN),
    ("administrative shutdown", Reason.SHUTDOWN),
    ("subcode 3", Reason.DECONFIGURED),
    ("de-configured", Reason.DECONFIGURED),
    ("deconfigured", Reason.DECONFIGURED),
    ("subcode 4", Reason.ADMIN_RESET),
    ("administrative reset", Reason.ADMIN_RESET),
    ("admin-down", Reason.SHUTDOWN),
    ("new-connection", Reason.REPLACED),
    ("subcode 9", Reason.HARD_RESET),
    ("code 4", Reason.HOLD_EXPIRED_SENT),
)
"""What a reason in the log contains (GoBGP pkg/server/fsm.go fsmStateReason); the rest is a closed connection."""


class Log:
    """Reads the log of a gobgpd; lines count from when they come, for its own times are whole seconds."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._warned: dict[str, tuple[float, str]] = {}

    def read(self, time_s: float, line: str) -> None:
        """Look for a change of a session; where graceful restart hides its reason, the warning before it tells."""
        if '"Key"' not in line:
            return
        try:
            said = json.loads(line)
        except ValueError:
            return
        peer, text = str(said.get("Key")), str(said.get("msg"))
        if text == "Peer Up":
            self._told(time_s, peer, True, Reason.KEEPALIVE_RECEIVED)
        elif text == "Peer Down":
            before_s, warned = self._warned.get(peer, (0.0, ""))
            near = warned if time_s - before_s < _NEAR_S else ""
            self._told(time_s, peer, False, reason_of(f"{said.get('Reason')} {near}"))
        else:
            self._warned[peer] = time_s, " ".join(f"{key} {value}" for key, value in said.items())


def reason_of(text: str) -> Reason:
    """The reason that the log gives for the end of a session."""
    lower = text.lower()
    return next((reason for part, reason in _DOWN if part in lower), Reason.TCP_CLOSED)
