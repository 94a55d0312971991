"""GoBGP as a router. It writes no kernel routes: an agent of ours copies its table on every change it tells."""

import json
from threading import Condition, Thread
from typing import Any

from simbgp.lab.daemons import gobgp
from simbgp.lab.daemons.base import LONGEST_S, PASSWORD, Site, files, in_order
from simbgp.lab.errors import LabError
from simbgp.lab.shell import run, tried, within
from simbgp.timeline import Reason


def neighbours(site: Site) -> list[gobgp.Neighbour]:
    """Every node, as the router is configured for it."""
    profile = site.plan.profile
    return [
        gobgp.Neighbour(
            address=link.node_address,
            local_address=link.router_address,
            asn=peering.local_asn,
            hold_s=site.hold_s,
            keepalive_s=site.keepalive_s,
            restart_s=profile.restart_time_s if profile.helper else None,
            notification=profile.notification,
            passive=True,
            long_lived_s=LONGEST_S if profile.helper and profile.long_lived else 0,
            password=PASSWORD if peering.md5 else None,
        )
        for link, peering in zip(site.links, site.peerings, strict=True)
    ]


class GoBgp:
    """A router of GoBGP."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._agent = Agent(site)

    def start(self) -> None:
        """Start the daemon, then the monitor whose lines wake the agent."""
        site = self._site
        text = gobgp.config(site.plan.asn, site.router_id, listens=True, neighbours=neighbours(site))
        files(site.folder, gobgpd__toml=text)
        process = site.processes.start(
            site.namespace, gobgp.daemon(str(site.folder / "gobgpd.toml")), gobgp.Log(self._told).read
        )
        for _ in range(200):
            if gobgp.answers(site.namespace):
                break
            if process.ended:
                raise LabError(f"{site.plan.name}: gobgpd did not start: {process.last or 'it says nothing'}")
        self._agent.start()
        monitor = ["gobgp", "-u", "127.0.0.1", "-p", "50051", "monitor", "global", "rib", *gobgp.family(site.version)]
        site.processes.start(site.namespace, monitor, self._wake)

    def _told(self, time_s: float, address: str, up: bool, reason: Reason) -> None:
        self._site.session(time_s, address, up, reason)
        self._agent.wake(time_s)

    def _wake(self, time_s: float, line: str) -> None:
        self._agent.wake(time_s)


class Agent:
    """Copies the table of a gobgpd into the kernel whenever it is woken."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._woken = Condition()
        self._since_s: float | None = None
        self._has: dict[str, tuple[str, ...]] = {}

    def start(self) -> None:
        """On a thread of its own."""
        Thread(target=self._work, daemon=True).start()

    def wake(self, time_s: float) -> None:
        """Something changed at this moment."""
        with self._woken:
            if self._since_s is None:
                self._since_s = time_s
            self._woken.notify()

    def _work(self) -> None:
        while True:
            with self._woken:
                while self._since_s is None:
                    self._woken.wait()
                time_s, self._since_s = self._since_s, None
            self._copy(time_s)

    def _copy(self, time_s: float) -> None:
        asked = "gobgp", "-u", "127.0.0.1", "global", "rib", *gobgp.family(self._site.version), "-j"
        text = tried(within(self._site.namespace, *asked))
        if text is None:
            return
        wanted = table_of(text)
        for target in self._site.targets:
            hops = wanted.get(target.prefix, ())
            if hops != self._has.get(target.prefix, ()):
                self._install(target.prefix, hops)
                self._has[target.prefix] = hops
                nodes = tuple(node for node in map(self._site.node_at, hops) if node is not None)
                self._site.recorder.next_hops(time_s, self._site.plan.name, target.prefix, nodes)

    def _install(self, prefix: str, hops: tuple[str, ...]) -> None:
        install(self._site.namespace, prefix, hops)


def install(namespace: str, prefix: str, hops: tuple[str, ...]) -> None:
    """Write one route with all its next hops, or take it away."""
    if not hops:
        tried(["ip", "-n", namespace, "route", "del", prefix])
        return
    ways = [word for hop in hops for word in ("nexthop", "via", hop)]
    run(["ip", "-n", namespace, "route", "replace", prefix, *ways])


def table_of(text: str) -> dict[str, tuple[str, ...]]:
    """Next hops by prefix, by address, from ``gobgp global rib -j``; the kernel's group has them in that order."""
    said: dict[str, list[dict[str, Any]]] = json.loads(text or "{}") or {}
    return {prefix: tuple(sorted(set(filter(None, map(_hop, paths))), key=in_order)) for prefix, paths in said.items()}


def _hop(path: dict[str, Any]) -> str | None:
    return next((str(attribute["nexthop"]) for attribute in path["attrs"] if "nexthop" in attribute), None)
