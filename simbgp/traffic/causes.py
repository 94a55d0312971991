"""Which fault a connection's trouble is put down to."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simbgp.timeline import FaultLog
from simbgp.traffic.datapath import Bools, Datapath, Ints, Sent
from simbgp.traffic.lookup import rows_where

_MOST_CODES = 100_000
_UNASKED = -2


class Causes:
    """Finds, for packets that were not answered, the latest fault that touches what changed.

    Faults are places in ``FaultLog.names()``; -1: none.
    """

    def __init__(self, datapath: Datapath, faults: FaultLog) -> None:
        self._path, self._faults = datapath, faults
        self._places = {name: place for place, name in enumerate(faults.names())}
        self._homes = [backend.node for backend in datapath.service.backends]
        ways = len(datapath.ways.pairs) + datapath.ways.gaps
        self._sizes = len(datapath.times) + 1, ways + 1, 3, len(self._homes) + 1
        """Of a packet's epoch, way, arrival and backend: how many there are of each, -1 among them."""
        self._first_move = math.prod(self._sizes)
        """Codes from here on stand for the epoch of a move, -1 first; those below for a packet."""
        self._faults_of = _EachOnce(self._first_move + self._sizes[0])

    def of(self, sent: Sent, moves: Ints, homes: Ints) -> Ints:
        """The fault behind each packet; ``moves`` is the epoch that moved the flow (-1: none), ``homes`` where its
        connection was opened."""
        _, ways, arrivals, backends = self._sizes
        codes: Ints = sent.epochs + 1
        codes = codes * ways + sent.ways + 1
        codes = codes * arrivals + sent.arrived + 1
        codes = codes * backends + sent.backends + 1
        moved = rows_where(moves >= 0)
        if len(moved):
            alive = self._path.alive_at.at(sent.epochs[moved], sent.backends[moved]) & sent.arrived[moved]
            elsewhere = self._path.routing.nodes_of(sent.ways[moved]) != homes[moved]
            moved = moved[alive & elsewhere]
            codes[moved] = self._first_move + 1 + moves[moved]  # a move is put down to nothing else
        return self._faults_of(codes, self._of_code)

    def of_moves(self, epochs: Ints) -> Ints:
        """The fault behind each move; -1 for those that did not move."""
        return self._faults_of(self._first_move + 1 + epochs, self._of_code)

    def _of_code(self, code: int) -> int:
        if code >= self._first_move:
            return self._move(code - self._first_move - 1) if code > self._first_move else -1
        return self._fault(*(int(n) - 1 for n in np.unravel_index(code, self._sizes)))

    def _fault(self, epoch: int, way: int, arrived: int, backend: int) -> int:
        path, ways = self._path, self._path.ways
        if way < 0:
            everybody = [(router, tuple(ways.of_router(router))) for router in ways.routers]
            return self._latest(_since(path.routing.has_none(None), epoch), everybody)
        if way >= len(ways.pairs):
            router = ways.routers[way - len(ways.pairs)]
            return self._latest(_since(path.routing.has_none(router), epoch), [(router, tuple(ways.of_router(router)))])
        router, node = ways.pairs[way]
        if not arrived and backend >= 0 and path.answers:
            unheard = path.answers.lost_of_backend(way, backend)
            home = self._homes[backend]
            routers = dict.fromkeys((router, *path.answers.routers[home]))
            return self._latest(_since(unheard, epoch), [(each, (home,)) for each in routers])
        if not arrived:
            troubled = ~path.reached[:, way] | (path.lost_shares[:, way] > 0)
            if path.answers:
                troubled |= path.answers.lost_of_way(way) > 0
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


@dataclass(frozen=True, slots=True, eq=False)
class Blame:
    """The fault behind the trouble that a packet of each of some connections met.

    ``moves`` and ``homes`` are arrays with one row per connection, which others write: the last epoch that moved it
    (-1: none), and the node that opened it. Something of its own, for a method of the connections would have them
    point to themselves.
    """

    causes: Causes
    moves: Ints
    homes: Ints

    def __call__(self, who: Ints, sent: Sent) -> Ints:
        """The fault, one for each of ``who``."""
        return self.causes.of(sent, self.moves[who], self.homes[who])


class _EachOnce:
    """What a function says of whole numbers from 0 to below ``count``, which is asked once for each that there is.

    It is handed in with each question: kept here it would close a circle, and the arrays of a run would outlive it.
    """

    def __init__(self, count: int) -> None:
        self._known = np.full(count if count <= _MOST_CODES else 0, _UNASKED)
        self._known_of_many: dict[int, int] = {}

    def __call__(self, codes: Ints, answer: Callable[[int], int]) -> Ints:
        if not len(self._known):  # too many for a place each
            different, places = np.unique(codes, return_inverse=True)
            return np.array([self._once(code, answer) for code in different.tolist()], dtype=np.int64)[places]
        found: Ints = self._known.take(codes)
        unasked = rows_where(found == _UNASKED)
        if len(unasked):
            for code in np.flatnonzero(np.bincount(codes[unasked])).tolist():
                self._known[code] = answer(code)
            found = self._known.take(codes)
        return found

    def _once(self, code: int, answer: Callable[[int], int]) -> int:
        if code not in self._known_of_many:
            self._known_of_many[code] = answer(code)
        return self._known_of_many[code]


def _since(holds: Bools, epoch: int) -> int:
    """The first epoch of the unbroken stretch up to ``epoch`` in which something holds."""
    while epoch > 0 and holds[epoch - 1]:
        epoch -= 1
    return epoch
