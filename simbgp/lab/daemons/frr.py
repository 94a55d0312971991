"""FRRouting: zebra and bgpd in one namespace, the kernel's routes watched."""

import os
import pwd
import re
import shutil
import time
from datetime import datetime
from pathlib import Path

from simbgp.lab.daemons.base import LONGEST_S, PASSWORD, Site, Told, files
from simbgp.lab.errors import LabError
from simbgp.lab.kernel_routes import watch
from simbgp.lab.processes import OnLine
from simbgp.timeline import Reason

HOME = Path("/usr/lib/frr")
_PATIENCE_S = 10.0


def state_folder(namespace: str) -> Path:
    """Where FRR keeps sockets and process ids of a namespace (its ``-N``)."""
    return Path("/var/run/frr") / namespace


def config(site: Site) -> str:
    """bgpd's file: FRR's defaults, and what the scenario sets."""
    plan, profile = site.plan, site.plan.profile
    lines = [
        "frr defaults traditional",
        "log stdout debugging",
        "log timestamp precision 6",
        f"router bgp {plan.asn}",
        f" bgp router-id {site.router_id}",
        " bgp log-neighbor-changes",
        " no bgp ebgp-requires-policy",
        " bgp bestpath as-path multipath-relax",
        *([" no bgp default ipv4-unicast"] if site.version == 6 else []),
        f" timers bgp {site.keepalive_s} {site.hold_s}",
    ]
    if not profile.helper:
        lines.append(" bgp graceful-restart-disable")
    if not profile.notification:
        lines.append(" no bgp graceful-restart notification")
    if profile.stale_path_s is not None:
        lines.append(f" bgp graceful-restart stalepath-time {profile.stale_path_s}")
    if profile.long_lived:
        lines.append(f" bgp long-lived-graceful-restart stale-time {LONGEST_S}")
    activated: list[str] = []
    for link, peering in zip(site.links, site.peerings, strict=True):
        lines.append(f" neighbor {link.node_address} remote-as {peering.local_asn}")
        activated.append(f"  neighbor {link.node_address} activate")
        lines += [f" neighbor {link.node_address} password {PASSWORD}"] if peering.md5 else []
    paths = plan.ecmp.maximum_paths
    lines += [
        f" address-family ipv{site.version} unicast",
        *(activated if site.version == 6 else []),
        f"  maximum-paths {min(paths or 64, 256)}",
        " exit-address-family",
        "exit",
    ]
    return "\n".join(lines) + "\n"


def zebra_config(site: Site) -> str:
    """zebra's file. Beside resilient groups of the lab's it keeps to routes: else it takes these groups for its own."""
    lines = ["frr defaults traditional", "log stdout debugging"]
    if site.plan.ecmp.hash == "resilient":
        lines.append("no zebra nexthop kernel enable")
    return "\n".join(lines) + "\n"


class Frr:
    """A router of FRR."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def start(self) -> None:
        """Start zebra, then bgpd."""
        site = self._site
        files(site.folder, bgpd__conf=config(site), zebra__conf=zebra_config(site))
        state = state_folder(site.namespace)
        state.mkdir(parents=True, exist_ok=True)
        owner = pwd.getpwnam("frr")
        for path in (state, site.folder, *site.folder.iterdir()):
            os.chown(path, owner.pw_uid, owner.pw_gid)
        watch(site)
        self._daemon("zebra", _ignore)
        _wait_for(state / "zserv.api")
        self._daemon("bgpd", Log(site.session).read)

    def _daemon(self, name: str, on_line: OnLine) -> None:
        site, state = self._site, state_folder(self._site.namespace)
        file, pid = site.folder / f"{name}.conf", state / f"{name}.pid"
        argv = [str(HOME / name), "-N", site.namespace, "-f", str(file), "-i", str(pid), "-A", "127.0.0.1"]
        site.processes.start(site.namespace, argv, on_line)


def remove_state(namespace: str) -> None:
    """Forget what FRR kept of a namespace."""
    shutil.rmtree(state_folder(namespace), ignore_errors=True)


_CHANGE = re.compile(r"%ADJCHANGE: neighbor ([0-9a-f.:]+)\S* in vrf \S+ (Up|Down)\s*(.*)")
_SENT = re.compile(r"%NOTIFICATION(?:\(Hard Reset\))?: (sent to|received from) neighbor ([0-9a-f.:]+)\S* (\d+)/(\d+)")
_STAMP = re.compile(r"^(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6})")
_CEASE = {2: Reason.SHUTDOWN, 3: Reason.DECONFIGURED, 4: Reason.ADMIN_RESET, 7: Reason.COLLISION, 9: Reason.HARD_RESET}
_DOWN = (
    ("Interface down", Reason.INTERFACE_DOWN),
    ("Peer closed", Reason.TCP_CLOSED),
    ("Hold Timer", Reason.HOLD_EXPIRED),
    ("BGP Notification send", Reason.HOLD_EXPIRED),
    ("BGP Notification received", Reason.ADMIN_RESET),
)


class Log:
    """Reads bgpd's log; its own times count, in microseconds."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._noted: dict[str, tuple[float, Reason]] = {}

    def read(self, time_s: float, line: str) -> None:
        """Look for a change of a session; the line of its NOTIFICATION stands beside that of the change."""
        stamp = _STAMP.match(line)
        if stamp:
            time_s = datetime.strptime(stamp[1], "%Y/%m/%d %H:%M:%S.%f").timestamp()
        sent = _SENT.search(line)
        if sent:
            self._noted[sent[2]] = time_s, _of_notification(int(sent[3]), int(sent[4]))
        change = _CHANGE.search(line)
        if change:
            up = change[2] == "Up"
            self._told(
                time_s, change[1], up, Reason.KEEPALIVE_RECEIVED if up else self._why(time_s, *change.group(1, 3))
            )

    def _why(self, time_s: float, address: str, text: str) -> Reason:
        noted = self._noted.get(address)
        if noted is not None and abs(noted[0] - time_s) < 0.05:
            return noted[1]
        return next((reason for part, reason in _DOWN if part in text), Reason.TCP_CLOSED)


def _of_notification(code: int, subcode: int) -> Reason:
    if code == 4:
        return Reason.HOLD_EXPIRED
    return _CEASE.get(subcode, Reason.ADMIN_RESET) if code == 6 else Reason.TCP_CLOSED


def _ignore(time_s: float, line: str) -> None:
    """Zebra's log tells nothing that the kernel does not."""


def _wait_for(path: Path) -> None:
    until = time.monotonic() + _PATIENCE_S
    while not path.exists():
        if time.monotonic() > until:
            raise LabError(f"zebra did not start: no {path} after {_PATIENCE_S:g} s")
        time.sleep(0.05)
