"""A node: a gobgpd that dials and never listens, and what it announces."""

import signal
import time
from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from pathlib import Path
from threading import Lock

from simbgp.lab.daemons import gobgp
from simbgp.lab.daemons.base import PASSWORD, files
from simbgp.lab.errors import LabError
from simbgp.lab.processes import Process, Processes
from simbgp.lab.recorder import Recorder
from simbgp.lab.topology import Link
from simbgp.scenario.plan import NodePlan, PeeringPlan, RouterPlan
from simbgp.timeline import Reason

_PATIENCE_S = 15.0


def config(
    links: Sequence[Link], peerings: Sequence[PeeringPlan], routers: Mapping[str, RouterPlan], selected: bool = True
) -> str:
    """The daemon's file: every neighbour, none if the node is not selected; ``peerings`` in the order of ``links``."""
    neighbours = [_neighbour(*pair, routers) for pair in zip(links, peerings, strict=True)] if selected else []
    asn = peerings[0].local_asn if peerings else 65001
    router_id = links[0].router_id if links else "127.0.0.1"
    return gobgp.config(asn, router_id, listens=False, neighbours=neighbours)


def _neighbour(link: Link, peering: PeeringPlan, routers: Mapping[str, RouterPlan]) -> gobgp.Neighbour:
    restart = peering.restart
    return gobgp.Neighbour(
        address=link.router_address,
        local_address=link.node_address,
        asn=routers[link.router].asn,
        hold_s=peering.hold_s,
        keepalive_s=peering.keepalive_s,
        connect_retry_s=peering.connect_retry_s,
        restart_s=restart.restart_time_s if restart.enabled else None,
        notification=restart.notification,
        long_lived_s=restart.long_lived_s if restart.enabled else 0,
        password=PASSWORD if peering.md5 else None,
    )


class Node:
    """One node of the lab; ``peerings`` stand in the order of ``links``."""

    def __init__(
        self,
        plan: NodePlan,
        namespace: str,
        folder: Path,
        links: list[Link],
        peerings: list[PeeringPlan],
        routers: dict[str, RouterPlan],
        recorder: Recorder,
        processes: Processes,
    ) -> None:
        self.name, self.namespace, self.links = plan.name, namespace, links
        self._folder, self._peerings, self._routers = folder, peerings, routers
        self._recorder, self._processes = recorder, processes
        self._process: Process | None = None
        self._ending = Reason.SPEAKER_KILLED
        self._lock = Lock()
        self.selected = True
        self.started_before = False

    @property
    def _file(self) -> Path:
        return self._folder / "gobgpd.toml"

    def _write(self) -> None:
        files(self._folder, gobgpd__toml=config(self.links, self._peerings, self._routers, self.selected))

    def start(self, announces: bool = True) -> None:
        """Start the daemon and give it its routes; R and F are set in its OPEN after any earlier start."""
        with self._lock:
            self._write()
            restarting = self.started_before and any(
                p.restart.enabled and p.restart.restart_bit for p in self._peerings
            )
            self.started_before = True
            argv = gobgp.daemon(str(self._file), restarting)
            self._process = process = self._processes.start(self.namespace, argv, gobgp.Log(self._told).read)
            self._wait_for(process)
            if announces:
                self.announce()

    def _wait_for(self, process: Process) -> None:
        until = time.monotonic() + _PATIENCE_S
        while not gobgp.answers(self.namespace):
            if process.ended or time.monotonic() > until:
                raise LabError(f"{self.name}: gobgpd did not start: {process.last or 'it says nothing'}")
            time.sleep(0.05)

    def announce(self) -> None:
        """Give the daemon its routes."""
        for prefix in dict.fromkeys(prefix for peering in self._peerings for prefix in peering.prefixes):
            gobgp.command(self.namespace, "global", "rib", *gobgp.family(ip_network(prefix).version), "add", prefix)

    def _told(self, time_s: float, address: str, up: bool, reason: Reason) -> None:
        for link in self.links:
            if link.router_address == address:
                self._recorder.session(time_s, link.router, self.name, "node", up, reason)

    def kill(self, reason: Reason = Reason.SPEAKER_KILLED) -> None:
        """SIGKILL: the kernel closes its connections."""
        self._end(signal.SIGKILL, reason)

    def stop(self) -> None:
        """SIGTERM: it says goodbye as its release does."""
        self._end(signal.SIGTERM, Reason.SPEAKER_STOPPED)

    def _end(self, number: signal.Signals, reason: Reason) -> None:
        if self._process is None:
            return
        now = time.time()
        self._process.end(number)
        self._process = None
        for link in self.links:
            self._recorder.session(now, link.router, self.name, "node", False, reason)

    def select(self, selected: bool) -> None:
        """Take every neighbour out of the configuration, or put them back; the daemon reads it on SIGHUP."""
        self.selected = selected
        if self._process is not None:
            self._write()
            self._process.send(signal.SIGHUP)

    def tell(self, router: str, verb: str) -> None:
        """``gobgp neighbor X reset``, ``disable`` or ``enable``."""
        for link in self.links:
            if link.router == router and self._process is not None:
                gobgp.command(self.namespace, "neighbor", link.router_address, verb)
