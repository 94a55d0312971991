"""Which fault a connection's trouble is put down to."""

import math
from collections.abc import Callable

import numpy as np

from simbgp.timeline import FaultLog
from simbgp.traffic.datapath import Bools, Datapath, Ints, Sent
from simbgp.traffic.lookup import rows_where

_MOST_CODES = 100_000


class Causes:
    """Finds, for packets that were not answered, the latest fault that touches what changed.

    Faults are places in ``FaultLog.names()``; -1: none.
    """

    def __init__(self, datapath: Datapath, faults: FaultLog) -> None:
        self._path, self._faults = datapath, faults
        self._places = {name: place for place, name in enumerate(faults.names())}
        self._known: dict[int, int] = {}
        self._homes = [backend.node for backend in datapath.service.backends]

    def of(self, sent: Sent, moves: Ints, homes: Ints) -> Ints:
        """The fault behind each packet; ``moves`` is the epoch that moved the flow (-1: none), ``homes`` where its
        connection was opened."""
        alive = self._path.alive_at.at(sent.epochs, sent.backends)
        by_move = rows_where(alive & (self._path.routing.nodes_of(sent.ways) != homes) & (moves >= 0))
        epochs, ways = len(self._path.times), len(self._path.ways.pairs) + self._path.ways.gaps
        sizes = epochs + 1, epochs + 1, ways + 1, 3, len(self._homes) + 1  # each from -1 on
        codes: Ints = sent.epochs + 1
        for place, size in zip((sent.ways, sent.arrived, sent.backends), sizes[2:], strict=True):
            codes *= size
            codes += place.astype(np.int64)
            codes += 1
        codes[by_move] = (moves[by_move] + 1) * math.prod(sizes[1:])  # a move is put down to nothing else
        return _each_once(codes, lambda code: self._known_fault(code, sizes))

    def of_moves(self, epochs: Ints) -> Ints:
        """The fault behind each move; -1 for those that did not move."""
        return _each_once(epochs + 1, lambda code: self._move(code - 1) if code else -1)

    def _known_fault(self, code: int, sizes: tuple[int, ...]) -> int:
        if code not in self._known:
            self._known[code] = self._fault(*(int(n) - 1 for n in np.unravel_index(code, sizes)))
        return self._known[code]

    def _fault(self, move: int, epoch: int, way: int, arrived: int, backend: int) -> int:
        path, ways = self._path, self._path.ways
        if move >= 0:
            return self._move(move)
        if way < 0:
            everybody = [(router, tuple(ways.of_router(router))) for router in ways.routers]
            return self._latest(_since(path.routing.has_none(None), epoch), everybody)
        if way >= len(ways.pairs):
            router = ways.routers[way - len(ways.pairs)]
            return self._latest(_since(path.routing.has_none(router), epoch), [(router, tuple(ways.of_router(router)))])
        router, node = ways.pairs[way]
        if not arrived:
            troubled = ~path.reached[:, way] | (path.lost_shares[:, way] > 0)
            return self._latest(_since(troubled, epoch), [(router, (node,))])
        if backend < 0:
            return self._latest(epoch, [(router, (node, *self._homes))])
        since = _since(path.life[:, backend] == path.life[epoch, backend], epoch)
        return self._latest(since, [(router, (self._homes[backend], node))])

    def _move(self, epoch: int) -> int:
        return self._latest(epoch, self._path.routing.movers(epoch))

    def _latest(self, epoch: int, places: list[tuple[str, tuple[str, ...]]]) -> int:
        """The latest fault that touches one of the routers, the nodes there, or the service."""
        since_us, service = max(0, self._path.since_us, int(self._path.times[epoch])), self._path.service.name
        touching = (self._faults.latest(since_us, router, *nodes, service=service) for router, nodes in places)
        found = [fault for fault in touching if fault is not None]
        return self._places[max(found, key=lambda fault: fault.time_us).fault] if found else -1


def _each_once(codes: Ints, fault: Callable[[int], int]) -> Ints:
    """``fault`` of each code, a number from 0 on, asked once for all that are equal."""
    if codes.max(initial=0) > _MOST_CODES:  # too many for a place each
        different, places = np.unique(codes, return_inverse=True)
    else:
        met = np.bincount(codes) > 0
        different, places = rows_where(met), (np.cumsum(met) - 1)[codes]
    return np.array([fault(code) for code in different.tolist()], dtype=np.int64)[places]


def _since(holds: Bools, epoch: int) -> int:
    """The first epoch of the unbroken stretch up to ``epoch`` in which something holds."""
    while epoch > 0 and holds[epoch - 1]:
        epoch -= 1
    return epoch
