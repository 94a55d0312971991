"""What became of the lab's clients: their own records, what the nodes saw of their flows, and how the world ended."""

import time
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from threading import Timer

from simbgp.lab.dataplane.build import DataPlane
from simbgp.lab.dataplane.fates import Ended, Record, ended, outcomes_of
from simbgp.lab.faults import Stage
from simbgp.lab.topology import client_net
from simbgp.scenario import Plan
from simbgp.timeline import FaultBegan, Timeline
from simbgp.traffic import ServiceOutcome

_JUST_BEFORE_S = 0.2
Seen = Mapping[tuple[str, int], int]
"""By a client's address and port, how many nodes the flow has met."""


class Clients:
    """The clients of a running data plane."""

    def __init__(self, plan: Plan, data: DataPlane, stage: Stage) -> None:
        self._plan, self._data, self._stage = plan, data, stage
        self._zero_s = 0.0
        self._earlier: list[tuple[float, Seen]] = []

    def begin(self, zero_s: float, faults_us: list[int]) -> None:
        """Time 0 has come. Before each fault but the first it is noted who has moved by then."""
        self._zero_s = zero_s
        self._data.begin(zero_s)
        for at_us in sorted(set(faults_us))[1:]:
            timer = Timer(max(0.0, zero_s + at_us / 1e6 - _JUST_BEFORE_S - time.time()), self._note, [at_us / 1e6])
            timer.daemon = True
            timer.start()

    def _note(self, until_s: float) -> None:
        self._earlier.append((until_s, self._data.seen()))

    def outcomes(self, timeline: Timeline) -> tuple[ServiceOutcome, ...]:
        """Wait until the clients have said how it went, and count. Raises LabError."""
        told = self._data.records()
        end_s = time.time() - self._zero_s
        seen = [*sorted(self._earlier, key=lambda each: each[0]), (float("inf"), self._data.seen())]
        clients: list[Ended] = []
        for router, records in told.items():
            source = client_net(self._data.topology.place(router))[2]
            dead = self._dead(router, records)
            clients += ended(
                records,
                lambda record, source=source: _moved(timeline, seen, (source, record["port"])),  # type: ignore[misc]
                lambda record, dead=dead: record["port"] in dead,  # type: ignore[misc]
                end_s,
            )
        return tuple(outcomes_of(self._plan, timeline, clients))

    def _dead(self, router: str, records: Sequence[Record]) -> set[int]:
        """Ports of the connections that wait for nothing: their backend has no power, or what they send arrives."""
        waiting = [r for r in records if r["end"] is None and r["opened_s"] is not None and r["asked_s"] is not None]
        gone = {r["port"] for r in waiting if self._backend_is_dark(r)}
        rest = [r for r in waiting if r["port"] not in gone]
        for vip in self._data.layout.vips:
            ports = [r["port"] for r in rest if r["target"] == vip.address]
            hops = self._data.next_hop(router, vip, ports)
            gone |= {port for port, hop in zip(ports, hops, strict=True) if hop and self._arrives(router, hop)}
        return gone

    def _backend_is_dark(self, record: Record) -> bool:
        pods = self._data.layout.of_service(record["service"])
        return any(pod.number == record["backend"] and pod.node in self._stage.dark for pod in pods)

    def _arrives(self, router: str, hop: str) -> bool:
        links = self._data.topology.of_router(router)
        node = next(link.node for link in links if ip_address(link.node_address) == ip_address(hop))
        return node not in self._stage.dark and (router, node) not in self._stage.cut


def _moved(timeline: Timeline, seen: list[tuple[float, Seen]], flow: tuple[str, int]) -> tuple[bool, str | int | None]:
    """Whether the flow met two nodes, and the latest fault that had begun when it was first noted so."""
    for until_s, met in seen:
        if met.get(flow, 0) > 1:
            past = [fault.fault for fault in timeline.of(FaultBegan) if fault.time_us / 1e6 < until_s - 1e-3]
            return True, past[-1] if past else None
    return False, None
