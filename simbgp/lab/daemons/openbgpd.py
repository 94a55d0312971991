"""OpenBGPD on Linux. It writes no kernel routes there: a poller of ours copies its table ten times a second."""

import json
import pwd
import re
import time
from threading import Thread
from typing import Any

from simbgp.lab.daemons.base import PASSWORD, Site, Told, files, in_order
from simbgp.lab.daemons.gobgp_router import install
from simbgp.lab.errors import LabError
from simbgp.lab.shell import tried, within
from simbgp.timeline import Reason

_PERIOD_S, _STARTS_S = 0.1, 0.3
_IN_A_RUN_OF_ITS_OWN = 'mount -t tmpfs tmpfs /run && mkdir -p "$0" && exec /usr/sbin/bgpd -d -v -f "$1"'
"""Its children chroot into a folder under /run that systemd would have made: here it is in a mount namespace of its own
(``ip netns exec`` makes one), so that the host's /run stays as it is."""


def _home() -> str:
    """Where its user lives, and its children chroot."""
    try:
        return pwd.getpwnam("_openbgpd").pw_dir
    except KeyError:
        raise LabError("openbgpd: there is no user _openbgpd; its package makes one") from None


def config(site: Site) -> str:
    """bgpd.conf: its defaults, and what the scenario sets."""
    lines = [
        f"AS {site.plan.asn}",
        f"router-id {site.router_id}",
        f"holdtime {site.hold_s}",
        "fib-update no",
        "rde evaluate all",
        f'socket "{site.folder / "bgpd.sock"}"',
    ]
    for link, peering in zip(site.links, site.peerings, strict=True):
        lines += [f"neighbor {link.node_address} {{", f"  remote-as {peering.local_asn}"]
        lines += [f"  local-address {link.router_address}", "  passive"]
        lines += [] if site.plan.profile.helper else ["  announce restart no"]
        lines += [f"  tcp md5sig password {PASSWORD}"] if peering.md5 else []
        lines += ["}"]
    return "\n".join([*lines, "allow from any", "deny to any"]) + "\n"


_CHANGE = re.compile(r"neighbor ([0-9a-f.:]+)\b.*state change (\w+) -> (\w+), reason: (.*)")
_WHY = (
    ("HoldTimer expired", Reason.HOLD_EXPIRED),
    ("Connection closed", Reason.TCP_CLOSED),
    ("Stop", Reason.ADMIN_RESET),
    ("NOTIFICATION", Reason.ADMIN_RESET),
)


class Log:
    """Reads the log, which tells every change of a state."""

    def __init__(self, told: Told) -> None:
        self._told = told

    def read(self, time_s: float, line: str) -> None:
        """Look for a change of a session."""
        found = _CHANGE.search(line)
        if found and found[3] == "Established":
            self._told(time_s, found[1], True, Reason.KEEPALIVE_RECEIVED)
        elif found and found[2] == "Established":
            reason = next((reason for part, reason in _WHY if part in found[4]), Reason.TCP_CLOSED)
            self._told(time_s, found[1], False, reason)


class OpenBgpd:
    """A router of OpenBGPD."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._has: dict[str, tuple[str, ...]] = {}

    def start(self) -> None:
        """Start it in the foreground, then the poller."""
        site = self._site
        files(site.folder, bgpd__conf=config(site))
        file = site.folder / "bgpd.conf"
        file.chmod(0o600)
        argv = ["sh", "-c", _IN_A_RUN_OF_ITS_OWN, _home(), str(file)]
        self._process = site.processes.start(site.namespace, argv, Log(site.session).read)
        time.sleep(_STARTS_S)
        if self._process.ended:
            raise LabError(f"{site.plan.name}: bgpd did not start: {self._process.last or 'it says nothing'}")
        Thread(target=self._poll, daemon=True).start()

    def _poll(self) -> None:
        while not self._process.ended:
            begun = time.monotonic()
            self._copy()
            time.sleep(max(0.0, _PERIOD_S - (time.monotonic() - begun)))

    def _copy(self) -> None:
        site = self._site
        now = time.time()
        socket = str(site.folder / "bgpd.sock")
        text = tried(within(site.namespace, "bgpctl", "-j", "-s", socket, "show", "rib"))
        if text is None:
            return
        wanted = table_of(text)
        for target in site.targets:
            hops = wanted.get(target.prefix, ())
            if hops != self._has.get(target.prefix, ()) and self._written(target.prefix, hops):
                nodes = tuple(node for node in map(site.node_at, hops) if node is not None)
                site.recorder.next_hops(now, site.plan.name, target.prefix, nodes)

    def _written(self, prefix: str, hops: tuple[str, ...]) -> bool:
        """Whether the kernel took it; not while the namespace goes, nor while a link is down."""
        try:
            install(self._site.namespace, prefix, hops)
        except LabError:
            return False
        self._has[prefix] = hops
        return True


def table_of(text: str) -> dict[str, tuple[str, ...]]:
    """Next hops by prefix, by address, from ``bgpctl -j show rib``: every valid path, as the table has them all."""
    found: dict[str, set[str]] = {}
    said: dict[str, list[dict[str, Any]]] = json.loads(text or "{}") or {}
    for path in said.get("rib", []):
        if path.get("valid", True) and "exit_nexthop" in path:
            found.setdefault(str(path["prefix"]), set()).add(str(path["exit_nexthop"]))
    return {prefix: tuple(sorted(hops, key=in_order)) for prefix, hops in found.items()}
