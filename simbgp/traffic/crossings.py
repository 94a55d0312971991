"""What vanishes on the links between routers and nodes, each way for itself."""

from collections.abc import Mapping
from typing import NamedTuple

from simbgp.timeline import PathChanged
from simbgp.traffic.steps import Steps


class Crossing(NamedTuple):
    """The shares that vanish on the way to the node and to the router, and whether the node has carrier."""

    to_node: float
    to_router: float
    carrier: bool


_SOUND = Crossing(0.0, 0.0, True)
_ALWAYS_SOUND = Steps(_SOUND)


class Crossings:
    """All links of a run as functions of time; ``routers`` are those that each node has a session with."""

    def __init__(self, routers: Mapping[str, Mapping[str, None]]) -> None:
        self._found: dict[tuple[str, str], Steps[Crossing]] = {}
        self._routers = routers

    def take(self, fact: PathChanged) -> None:
        """The next change of a link."""
        steps = self._found.setdefault((fact.router, fact.node), Steps(_SOUND))
        steps.set(fact.time_us, Crossing(fact.lost_to_node, fact.lost_to_router, fact.carrier))

    def of(self, router: str, node: str) -> Steps[Crossing]:
        """One link."""
        return self._found.get((router, node), _ALWAYS_SOUND)

    def lost_to_node(self, router: str, node: str) -> Steps[float]:
        """The share of the router's packets to the node that vanish."""
        crossing, lost = self.of(router, node), Steps(0.0)
        for time_us, value in zip(crossing.times, crossing.values, strict=True):
            lost.set(time_us, value.to_node)
        return lost

    def are_linked(self, router: str, node: str) -> bool:
        """Whether there is a link between the two: a session over it, or at least a change of it."""
        return router in self._routers.get(node, {}) or (router, node) in self._found

    def routers(self, node: str) -> tuple[str, ...]:
        """The routers that the node is linked to, in the order of its sessions."""
        return tuple(self._routers.get(node, ()))
