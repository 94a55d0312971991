"""The kernel's routes of a router's namespace, as ``ip monitor`` tells them."""

import json
import re
import time
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from simbgp.lab.groups import PROTOCOL, is_ours
from simbgp.lab.shell import tried

if TYPE_CHECKING:
    from simbgp.lab.daemons.base import Site

_STAMP = re.compile(r"^\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6})\]")


def watch(site: "Site") -> None:
    """Record every change of the site's prefixes from now on.

    A line says when; what holds then is read from the table, for a lost carrier takes next hops out of a group without
    a word about the routes that use it.
    """
    site.processes.start(site.namespace, ["ip", "-ts", "-o", "monitor", "route", "nexthop", "link"], _Reader(site).read)


class _Reader:
    """Turns lines of the monitor into next hops."""

    def __init__(self, site: "Site") -> None:
        self._site = site
        self._prefixes = {target.prefix for target in site.targets}
        self._lock = Lock()

    def read(self, time_s: float, line: str) -> None:
        """Take the line's own time, and the route it tells of, or the whole table."""
        if is_ours(line):
            return
        stamp = _STAMP.match(line)
        if stamp:
            time_s = datetime.fromisoformat(stamp[1]).timestamp()
        with self._lock:
            said = route_in(line)
            if said is not None:
                prefix, hops = said
                if prefix in self._prefixes:
                    self._tell(time_s, prefix, hops)
            elif stamp and time.time() - time_s < 5:
                self._table(time_s)

    def _table(self, time_s: float) -> None:
        text = tried(["ip", f"-{self._site.version}", "-n", self._site.namespace, "-j", "route", "show"])
        if text is None:
            return
        routes = [route for route in json.loads(text or "[]") if route.get("protocol") != PROTOCOL]
        found = dict(map(_of_json, routes))
        for prefix in self._prefixes:
            self._tell(time_s, prefix, found.get(prefix, ()))

    def _tell(self, time_s: float, prefix: str, hops: tuple[str, ...]) -> None:
        nodes = tuple(node for node in map(self._site.node_at, hops) if node is not None)
        self._site.recorder.next_hops(time_s, self._site.plan.name, prefix, nodes)


def route_in(line: str) -> tuple[str, tuple[str, ...]] | None:
    """The prefix and the next hops of a line about a route: none where it was deleted; None for other lines.

    Those of IPv6 are among the others: the kernel tells of one next hop of several at a time.
    """
    text = _STAMP.sub("", line).strip()
    text = re.sub(r"^\[(ROUTE|NEXTHOP|LINK|[A-Z ]+)\]", "", text).strip()
    gone = text.startswith("Deleted ")
    words = text.removeprefix("Deleted ").split()
    if not words or not re.fullmatch(r"[0-9.]+(/\d+)?|default", words[0]) or " dev " not in f" {text} ":
        return None
    if gone:
        return canonical(words[0]), ()
    dead = [part for part in re.split(r"\\?\s*nexthop ", text) if " dead" in part or " linkdown" in part]
    hops = re.findall(r"via ([0-9.]+)", text)
    lost = {hop for part in dead for hop in re.findall(r"via ([0-9.]+)", part)}
    return canonical(words[0]), tuple(hop for hop in hops if hop not in lost)


def _of_json(route: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    hops = route.get("nexthops") or [route]
    alive = [hop["gateway"] for hop in hops if "gateway" in hop and "dead" not in hop.get("flags", [])]
    return canonical(str(route.get("dst"))), tuple(alive)


def canonical(prefix: str) -> str:
    """``192.0.2.10`` as iproute2 writes a host's route is 192.0.2.10/32; of IPv6 /128."""
    whole = "128" if ":" in prefix else "32"
    return prefix if "/" in prefix or prefix == "default" else f"{prefix}/{whole}"
