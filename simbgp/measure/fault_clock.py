"""Which fault a row belongs to: the latest that began at or before it and touches the same node or router."""

from bisect import bisect_right

from simbgp.timeline import FaultBegan, FaultEnded, Timeline


def touches(fault: FaultBegan | FaultEnded, node: str, router: str) -> bool:
    """Whether ``fault`` touches the session of ``node`` with ``router``.

    A fault of nodes touches them at every router, one of routers touches every node there, and one of both only the
    sessions between them.
    """
    if not fault.nodes and not fault.routers:
        return False
    return (not fault.nodes or node in fault.nodes) and (not fault.routers or router in fault.routers)


class FaultClock:
    """Counts the time of rows from the faults of one run."""

    def __init__(self, timeline: Timeline) -> None:
        self.began = timeline.of(FaultBegan)
        self._of_session: dict[tuple[str, str], tuple[list[int], list[FaultBegan]]] = {}

    def latest(self, time_us: int, node: str, router: str) -> FaultBegan | None:
        """The latest fault that began at or before ``time_us`` and touches the session; None if there is none."""
        times, faults = self._faults(node, router)
        place = bisect_right(times, time_us)
        return faults[place - 1] if place else None

    def next_after(self, time_us: int, node: str, router: str) -> int | None:
        """When the first fault after ``time_us`` that touches the session begins."""
        times, _ = self._faults(node, router)
        place = bisect_right(times, time_us)
        return times[place] if place < len(times) else None

    def since_us(self, time_us: int, node: str, router: str) -> int | None:
        """Time from that latest fault to ``time_us``."""
        fault = self.latest(time_us, node, router)
        return None if fault is None else time_us - fault.time_us

    def _faults(self, node: str, router: str) -> tuple[list[int], list[FaultBegan]]:
        if (node, router) not in self._of_session:
            faults = [fault for fault in self.began if touches(fault, node, router)]
            self._of_session[node, router] = [fault.time_us for fault in faults], faults
        return self._of_session[node, router]
