"""Which fault something is put down to: the latest that began at or before it and touches the same things."""

from bisect import bisect_right

from simbgp.timeline.facts import FaultBegan, FaultEnded
from simbgp.timeline.record import Timeline


def touches(fault: FaultBegan | FaultEnded, router: str, *nodes: str, service: str | None = None) -> bool:
    """Whether ``fault`` touches what happens at ``router`` to any of ``nodes``.

    A fault of nodes touches them at every router, one of routers touches every node there, and one of both (a link, a
    session) only what is between them. One of a service touches what happens to that ``service`` anywhere.
    """
    if isinstance(fault, FaultBegan) and fault.service is not None:
        return fault.service == service
    if not fault.nodes and not fault.routers:
        return False
    return (not fault.routers or router in fault.routers) and (
        not fault.nodes or not set(nodes).isdisjoint(fault.nodes)
    )


class FaultLog:
    """The faults of one run in the order in which they began."""

    def __init__(self, timeline: Timeline) -> None:
        self.began = timeline.of(FaultBegan)
        self._touching: dict[tuple[str | None, ...], tuple[list[int], list[FaultBegan]]] = {}

    def names(self) -> list[str | int]:
        """Each fault that occurred, once, in the order of its first occurrence."""
        return list(dict.fromkeys(fault.fault for fault in self.began))

    def latest(self, time_us: int, router: str, *nodes: str, service: str | None = None) -> FaultBegan | None:
        """The latest fault that began at or before ``time_us`` and touches the router or one of the nodes there, or
        the ``service`` in question."""
        times, faults = self._those_that_touch(router, *nodes, service=service)
        place = bisect_right(times, time_us)
        return faults[place - 1] if place else None

    def next_after(self, time_us: int, router: str, *nodes: str) -> int | None:
        """When the first such fault after ``time_us`` begins."""
        times, _ = self._those_that_touch(router, *nodes)
        place = bisect_right(times, time_us)
        return times[place] if place < len(times) else None

    def since_us(self, time_us: int, router: str, *nodes: str, service: str | None = None) -> int | None:
        """Time from the latest such fault to ``time_us``."""
        fault = self.latest(time_us, router, *nodes, service=service)
        return None if fault is None else time_us - fault.time_us

    def _those_that_touch(self, *place: str, service: str | None = None) -> tuple[list[int], list[FaultBegan]]:
        key = (service, *place)
        if key not in self._touching:
            faults = [fault for fault in self.began if touches(fault, *place, service=service)]
            self._touching[key] = [fault.time_us for fault in faults], faults
        return self._touching[key]
