"""Which fault something at a router is put down to."""

from bisect import bisect_right
from collections.abc import Collection

from simbgp.timeline import FaultBegan, Timeline


class FaultLog:
    """The faults of a run in the order in which they began."""

    def __init__(self, timeline: Timeline) -> None:
        self.began = timeline.of(FaultBegan)
        self._times = [fault.time_us for fault in self.began]

    def names(self) -> list[str | int]:
        """Each fault that occurred, once, in the order of its first occurrence."""
        return list(dict.fromkeys(fault.fault for fault in self.began))

    def latest(self, time_us: int, router: str, nodes: Collection[str]) -> FaultBegan | None:
        """The latest fault that began at or before ``time_us`` and touches the router or one of the nodes.

        A fault that names both (one session, one link) touches only what is on both.
        """
        for fault in reversed(self.began[: bisect_right(self._times, time_us)]):
            if _touches(fault, router, nodes):
                return fault
        return None


def _touches(fault: FaultBegan, router: str, nodes: Collection[str]) -> bool:
    at_router = router in fault.routers
    at_node = any(node in nodes for node in fault.nodes)
    return at_router and at_node if fault.routers and fault.nodes else at_router or at_node
