"""The traffic of one prefix at one router, swept through time at a cost of what changes, not of what there is."""

from collections.abc import Iterator
from math import fsum, gcd
from typing import NamedTuple

from simbgp.traffic.history import History, View
from simbgp.traffic.obstacles import CLEAR, ORDER, Cause, Obstacle, Obstacles, met
from simbgp.traffic.steps import START_US, Steps


class Hole(NamedTuple):
    """What a prefix loses at a router; without a cause all is well."""

    cause: Cause | None
    share: float


SOUND = Hole(None, 0.0)
_NO_ROUTE = Hole("no-route", 1.0)


class _Way(NamedTuple):
    """What traffic meets at a node; ``view`` is None where no backend of it ever dies."""

    lost_share: float
    forwards: bool
    view: View | None


_CLEAR_WAY = _Way(0.0, True, None)


class _Node(NamedTuple):
    """What decides over the way to a node, as functions of time; ``view`` is None for PodCIDRs."""

    lost_share: Steps[float]
    forwards: Steps[bool]
    view: Steps[View] | None


class Sweep:
    """Keeps, for all nodes on one way, how much of the traffic goes there; few ways differ at any moment."""

    def __init__(self, history: History, obstacles: Obstacles, router: str, prefix: str) -> None:
        self.router, self.prefix = router, prefix
        self.service = obstacles.service(prefix)
        self._history, self._obstacles = history, obstacles
        self._origins = history.origins(router, prefix)
        self._nodes = {node: self._node(node) for node in self._origins}
        self._groups = history.groups(router, prefix)
        self._dealt = obstacles.inflow.times(router, prefix)
        self._homes = {backend.name: backend.node for backend in self.service.backends} if self.service else {}
        self._ways: dict[str, _Way] = {}
        self._sizes: dict[str, int] = {}
        self._total = self._astray = 0
        self._sent: dict[_Way, int] = {}
        self._now_us = START_US

    def holes(self) -> Iterator[tuple[int, Hole]]:
        """What is lost from each change on, the first since the prefix was announced, none before time 0."""
        since_us = max(0, self._history.announced[self.router, self.prefix])
        changes = self._changes(since_us)
        self._now_us = since_us
        self._ways = {node: self._way(node) for node in self._origins}
        self._deal()
        yield since_us, self._hole()
        for time_us in sorted(changes):
            self._now_us = time_us
            for node in changes[time_us]:
                self._turn(node)
            if time_us in self._dealt:
                self._deal()
            yield time_us, self._hole()

    def concerned(self) -> tuple[str, ...]:
        """The nodes at which something is lost now, and those of the backends that it is lost for."""
        if not self._groups.at(self._now_us).members:
            return self._origins
        nodes: dict[str, None] = {}
        for node, size in self._sizes.items():
            obstacle = self._obstacle(self._ways[node]) if size and self._ways[node] is not _CLEAR_WAY else CLEAR
            if obstacle.cause:
                nodes |= dict.fromkeys((node, *(self._homes[backend] for backend in obstacle.backends)))
        return tuple(nodes)

    def _changes(self, since_us: int) -> dict[int, list[str]]:
        """The moments after ``since_us`` at which something changes, with the nodes whose way does."""
        changes, views = dict[int, list[str]](), dict[View, None]()
        for node, (lost_share, forwards, known) in self._nodes.items():
            times = lost_share.times[1:] + forwards.times[1:]
            if known:
                times += known.times[1:]
                views |= dict.fromkeys(known.values)
            for time_us in times:
                changes.setdefault(time_us, []).append(node)
        for view in views:
            for time_us in self._obstacles.behind(self.service, view, self.router).times:
                changes.setdefault(time_us, [])
        for time_us in self._dealt:
            changes.setdefault(time_us, [])
        return {time_us: nodes for time_us, nodes in changes.items() if time_us > since_us}

    def _node(self, node: str) -> _Node:
        view = self._history.view(node, self.service.name) if self.service else None
        lost_share = self._obstacles.lost_share(self.router, node, self.service)
        return _Node(lost_share, self._history.forwarding(node), view)

    def _way(self, node: str) -> _Way:
        lost_share, forwards, known = self._nodes[node]
        view = known.at(self._now_us) if known else None
        if self._obstacles.behind(self.service, view, self.router).values == [CLEAR]:
            view = None
        way = _Way(lost_share.at(self._now_us), forwards.at(self._now_us), view)
        return _CLEAR_WAY if way == _CLEAR_WAY else way

    def _turn(self, node: str) -> None:
        """The node's way changed: what goes there meets something else."""
        size = self._sizes.get(node, 0)
        self._send(self._ways[node], -size)
        self._ways[node] = self._way(node)
        self._send(self._ways[node], size)

    def _deal(self) -> None:
        hops = self._groups.at(self._now_us)
        sizes, total, astray = self._obstacles.inflow.spread(self.router, self.prefix, self._now_us)
        unit = gcd(total, astray, *sizes) or 1
        self._sizes = {node: size // unit for node, size in zip(hops.members, sizes, strict=True)}
        self._total, self._astray = total // unit, astray // unit
        self._sent = {}
        for node, size in self._sizes.items():
            if self._ways[node] is not _CLEAR_WAY:
                self._send(self._ways[node], size)

    def _send(self, way: _Way, size: int) -> None:
        """``size`` more hashes, or less, go this way; there is nothing to know of the clear one."""
        if size and way is not _CLEAR_WAY:
            self._sent[way] = self._sent.get(way, 0) + size
            if not self._sent[way]:
                del self._sent[way]

    def _hole(self) -> Hole:
        if not self._total:
            return SOUND
        if not self._sizes or self._astray == self._total:
            return _NO_ROUTE
        lost = [(obstacle, size) for way, size in self._sent.items() if (obstacle := self._obstacle(way)).cause]
        if self._astray:
            lost.append((Obstacle("no-route", 1.0), self._astray))
        if not lost:
            return SOUND
        cause = min((obstacle.cause for obstacle, _ in lost if obstacle.cause), key=ORDER.index)
        return Hole(cause, fsum(size * obstacle.lost for obstacle, size in lost) / self._total)

    def _obstacle(self, way: _Way) -> Obstacle:
        behind = self._obstacles.behind(self.service, way.view, self.router).at(self._now_us)
        return met(way.lost_share, way.forwards, behind)
