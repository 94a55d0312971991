"""Which fault a connection's trouble is put down to."""

from collections.abc import Callable

import numpy as np

from simbgp.timeline import FaultLog
from simbgp.traffic.datapath import Bools, Datapath, Ints, Sent

_MOST_CODES = 100_000


class Causes:
    """Finds, for packets that were not answered, the latest fault that touches what changed.

    Faults are places in ``FaultLog.names()``; -1: none.
    """

    def __init__(self, datapath: Datapath, faults: FaultLog) -> None:
        self._path, self._faults = datapath, faults
        self._places = {name: place for place, name in enumerate(faults.names())}
        self._homes = [backend.node for backend in datapath.service.backends]

    def of(self, sent: Sent, moves: Ints, homes: Ints) -> Ints:
        """The fault behind each packet; ``moves`` is the epoch that moved the flow (-1: none), ``homes`` where its
        connection was opened."""
        alive = (sent.backends >= 0) & (self._path.life[sent.epochs, sent.backends] % 2 == 0)
        by_move = alive & (sent.nodes != homes) & (moves >= 0)
        trouble = np.stack([moves, sent.epochs, sent.nodes, sent.arrived, sent.backends])
        trouble[0, ~by_move] = -1
        trouble[1:, by_move] = -1  # what a move is put down to depends on nothing else
        epochs = len(self._path.times)
        sizes = epochs + 1, epochs + 1, len(self._path.nodes) + 1, 3, len(self._homes) + 1  # each from -1 on
        codes = np.ravel_multi_index(tuple(trouble + 1), sizes)
        return _each_once(codes, lambda code: self._fault(*(int(n) - 1 for n in np.unravel_index(code, sizes))))

    def of_moves(self, epochs: Ints) -> Ints:
        """The fault behind each move; -1 for those that did not move."""
        return _each_once(epochs + 1, lambda code: self._move(code - 1) if code else -1)

    def _fault(self, move: int, epoch: int, node: int, arrived: int, backend: int) -> int:
        path = self._path
        if move >= 0:
            return self._move(move)
        if node < 0:
            since = _since(path.group_sizes == 0, epoch)
            return self._latest(since, path.nodes)
        if not arrived:
            troubled = ~path.reached[:, node] | (path.lost_shares[:, node] > 0)
            return self._latest(_since(troubled, epoch), (path.nodes[node],))
        if backend < 0:
            return self._latest(epoch, (path.nodes[node], *self._homes))
        since = _since(path.life[:, backend] == path.life[epoch, backend], epoch)
        return self._latest(since, (self._homes[backend], path.nodes[node]))

    def _move(self, epoch: int) -> int:
        return self._latest(epoch, self._path.group_changes(epoch) or self._path.nodes)

    def _latest(self, epoch: int, nodes: tuple[str, ...]) -> int:
        since_us = max(0, self._path.since_us, int(self._path.times[epoch]))
        fault = self._faults.latest(since_us, self._path.router, *nodes, service=self._path.service.name)
        return -1 if fault is None else self._places[fault.fault]


def _each_once(codes: Ints, fault: Callable[[int], int]) -> Ints:
    """``fault`` of each code, a number from 0 on, asked once for all that are equal."""
    if codes.max(initial=0) > _MOST_CODES:  # too many for a place each
        different, places = np.unique(codes, return_inverse=True)
    else:
        met = np.bincount(codes) > 0
        different, places = np.flatnonzero(met), (np.cumsum(met) - 1)[codes]
    return np.array([fault(code) for code in different.tolist()], dtype=np.int64)[places]


def _since(holds: Bools, epoch: int) -> int:
    """The first epoch of the unbroken stretch up to ``epoch`` in which something holds."""
    while epoch > 0 and holds[epoch - 1]:
        epoch -= 1
    return epoch
