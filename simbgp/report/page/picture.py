"""The network drawn: services at the left, routers in the middle, nodes at the right, each shape with its track.

The picture is narrow so that it can be read on a telephone. Of many nodes each is a small square without links of its
own; then the square says what the link would.
"""

from dataclasses import dataclass

from simbgp.report.page.network import MOST_ROWS
from simbgp.report.page.tracks import Tracks
from simbgp.scenario import Plan

WIDTH = 460
_ROW, _BOX = 46, 34
_SERVICE_X, _ROUTER_X, _NODE_X = 4, 158, 330
_SERVICE_W, _ROUTER_W, _NODE_W = 96, 96, 126
_MOST_LARGE = 160
"""Nodes whose cells are large."""
_LETTER = 7.4
"""Width of a letter of a name."""


@dataclass(frozen=True, slots=True)
class Box:
    """A thing with its name; ``track`` is the place of the track that says how it looks, None if it always looks so."""

    kind: str
    name: str
    title: str
    x: float
    y: float
    width: float
    height: float
    track: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A way between two things."""

    kind: str
    title: str
    x1: float
    y1: float
    x2: float
    y2: float
    track: int | None = None


@dataclass(frozen=True, slots=True)
class Dot:
    """One end of a session."""

    title: str
    x: float
    y: float
    track: int


@dataclass(frozen=True, slots=True)
class Picture:
    """All shapes, in units of which the picture is ``WIDTH`` wide."""

    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    dots: tuple[Dot, ...]
    many: bool
    width: int = WIDTH


def picture(plan: Plan, tracks: Tracks) -> Picture:
    """Where everything stands."""
    return _Drawing(plan, tracks).picture()


class _Drawing:
    def __init__(self, plan: Plan, tracks: Tracks) -> None:
        self._plan, self._places = plan, tracks.places()
        self._many = len(plan.nodes) > MOST_ROWS
        self._cell, self._cells_a_row = (13, 9) if len(plan.nodes) <= _MOST_LARGE else (7, 17)
        self._cells_high = self._cell * -(-len(plan.nodes) // self._cells_a_row)
        nodes = self._cells_high + 8 if self._many else len(plan.nodes) * _ROW
        self._height = max(nodes, len(plan.routers) * _ROW, len(plan.services) * _ROW, _ROW)

    def picture(self) -> Picture:
        services = self._column("service", [s.name for s in self._plan.services], _SERVICE_X, _SERVICE_W)
        routers = self._column("router", [r.name for r in self._plan.routers], _ROUTER_X, _ROUTER_W)
        nodes = (
            self._cells() if self._many else self._column("node", [n.name for n in self._plan.nodes], _NODE_X, _NODE_W)
        )
        lines = [*self._entries(services, routers), *self._links(routers, nodes)]
        dots = [] if self._many else self._dots(routers, nodes)
        boxes = (*services.values(), *routers.values(), *nodes.values())
        return Picture(self._height + 4, boxes, tuple(lines), tuple(dots), self._many)

    def _column(self, kind: str, names: list[str], x: float, width: float) -> dict[str, Box]:
        gap = self._height / max(1, len(names))
        return {
            name: Box(
                kind, _fitting(name, width), f"{kind} {name}", x, 2 + gap * place + (gap - _BOX) / 2, width, _BOX,
                self._places.get(f"{kind} {name}"),
            )
            for place, name in enumerate(names)
        }  # fmt: skip

    def _cells(self) -> dict[str, Box]:
        top, size, a_row = (self._height - self._cells_high) / 2, self._cell, self._cells_a_row
        return {
            node.name: Box(
                "cell", "", f"node {node.name}",
                _NODE_X + 4 + place % a_row * size, top + place // a_row * size, 0.8 * size, 0.8 * size,
                self._places[f"cell {node.name}"],
            )
            for place, node in enumerate(self._plan.nodes)
        }  # fmt: skip

    def _entries(self, services: dict[str, Box], routers: dict[str, Box]) -> list[Line]:
        """How clients of each service come in: at every router."""
        found = []
        for router in self._plan.routers:
            for service in self._plan.services:
                one, other = services[service.name], routers[router.name]
                place = self._places[f"entry {router.name} {service.name}"]
                found.append(_between("entry", f"{service.name} at {router.name}", one, other, place))
        return found

    def _links(self, routers: dict[str, Box], nodes: dict[str, Box]) -> list[Line]:
        if self._many:
            middle = self._height / 2
            return [
                Line("bundle", f"links of {name}", box.x + box.width, box.y + box.height / 2, _NODE_X - 2, middle)
                for name, box in routers.items()
            ]
        return [
            _between(
                "link", f"{router} to {node}", routers[router], nodes[node], self._places[f"link {router} {node}"], part
            )
            for router, node, part in self._fanned()
        ]  # fmt: skip

    def _fanned(self) -> list[tuple[str, str, float]]:
        """Each pair, and where on the router's side its link begins: 0 at the top, 1 at the bottom."""
        found = []
        for router in self._plan.routers:
            nodes = dict.fromkeys(peering.node for peering in self._plan.peerings if peering.router == router.name)
            ordered = [node.name for node in self._plan.nodes if node.name in nodes]
            found += [(router.name, node, (place + 0.5) / len(ordered)) for place, node in enumerate(ordered)]
        return found

    def _dots(self, routers: dict[str, Box], nodes: dict[str, Box]) -> list[Dot]:
        """Both ends of each session, on its link a little away from the boxes."""
        found = []
        for router, node, begins in self._fanned():
            line = _between("link", "", routers[router], nodes[node], None, begins)
            for side, part in (("router", 0.2), ("node", 0.86)):
                title = f"session of {router} and {node}, the {side}'s end"
                x, y = line.x1 + part * (line.x2 - line.x1), line.y1 + part * (line.y2 - line.y1)
                found.append(Dot(title, round(x, 1), round(y, 1), self._places[f"end {router} {node} {side}"]))
        return found


def _between(kind: str, title: str, left: Box, right: Box, track: int | None, begins: float = 0.5) -> Line:
    y1, y2 = left.y + left.height * begins, right.y + right.height / 2
    return Line(kind, title, left.x + left.width, round(y1, 1), right.x, round(y2, 1), track)


def _fitting(name: str, width: float) -> str:
    """The name, its middle left out where it is too long."""
    most = int((width - 10) / _LETTER)
    if len(name) <= most:
        return name
    return f"{name[: most // 2]}…{name[len(name) - (most - 1 - most // 2) :]}"
