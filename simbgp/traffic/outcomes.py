"""Outcomes: how many connections of a service were hurt by a run, and how."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from simbgp.scenario.plan import Plan, ServicePlan, TrafficPlan
from simbgp.timeline import FaultLog, Timeline, require
from simbgp.traffic.datapath import Bools, Ints
from simbgp.traffic.history import History
from simbgp.traffic.lifetimes import Seconds
from simbgp.traffic.lives import Fate
from simbgp.traffic.lookup import rows_where
from simbgp.traffic.populations import Draws, Population, entries_of, populations, settled, sizes

_NOBODY = np.empty(0, dtype=np.int64)
_UNMOVED = -2
N = TypeVar("N", np.int64, np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class ServiceOutcome:
    """Connections of a service over a run (``fault`` None), or those whose worst outcome one fault caused.

    ``total`` is all that were open at time 0 or arrived. Over a run ``unaffected``, ``delayed``, ``reset``,
    ``timed_out`` and ``not_opened`` sum to it; ``refused`` is of ``not_opened``, ``moved`` is no outcome.
    ``reconnected`` is how many clients of connections that were reset or timed out had another one by the horizon:
    ``elsewhere`` those of them whose new connection went to another backend, ``broken_again`` those whose new
    connection broke as well. The new connections are no part of ``total``; without clients that reconnect all three
    are None. ``delay_s`` are the longest waits of delayed connections that were open, ``connect_delay_s`` those of
    delayed ones that opened late.
    """

    service: str
    fault: str | int | None
    total: int
    moved: int
    unaffected: int
    delayed: int
    reset: int
    timed_out: int
    not_opened: int
    refused: int
    delay_s: Seconds = field(repr=False)
    connect_delay_s: Seconds = field(repr=False)
    reconnected: int | None = None
    elsewhere: int | None = None
    broken_again: int | None = None


def summarise(delays_s: Seconds) -> dict[str, float] | None:
    """``p50``, ``p90``, ``p99`` and ``max`` of delays in seconds, linear between order statistics; None without any."""
    if not len(delays_s):
        return None
    p50, p90, p99, most = np.quantile(delays_s, [0.5, 0.9, 0.99, 1.0]).tolist()
    return {"p50": p50, "p90": p90, "p99": p99, "max": most}


def outcomes(plan: Plan, timeline: Timeline, seed: int, run: int) -> list[ServiceOutcome]:
    """For each service with traffic a row over the whole run, then one per fault that occurred.

    The rules, each measured on a Linux data plane. A packet goes from the router to the owner of its flow's hash, and
    there to the backend that the node's conntrack remembers, or to one that it picks. Nothing answers if there is no
    next hop, the path is cut, the node does not forward or the backend is dead. On a path that loses a share of its
    packets each transmission, a retransmission too, is lost with that probability. A connection goes on where its own
    backend gets the packet under the tuple that it knows: at the node that opened it if that hides the client (SNAT),
    at any node if not (DSR). Any other living backend answers RST, which a client of DSR may never see.

    A lost packet is retransmitted on the client's grid; the first instant that is answered decides: `delayed` or
    `reset`. Without one the connection times out. One outstanding request waits for no other; a connection that sends
    nothing meets nothing. Lifetimes run from the opening to the last request, which is still retransmitted. New
    connections dial until a living backend answers (`delayed` if late), the node has no backend (`refused`), or the
    client gives up. Connections that have no way to exist at time 0 dial then.

    A connection that still waits at the horizon is put down by what is certain if the world stays as it is: `reset`
    or `delayed` if the next retransmission were so answered, `timed_out` if its backend is gone or a packet that
    arrives is not answered, and `delayed` by the time waited so far if only a hole, which may yet end, is in its way.
    One that still dials is `not_opened` unless the next attempt would open it. Luck ends with the horizon: what is
    sent after it on a path that loses some packets is taken to pass.
    """
    history, faults = settled(plan, timeline, seed, run), FaultLog(timeline)
    services = {service.name: service for service in history.services}
    rows: list[ServiceOutcome] = []
    for traffic in plan.traffic:
        rows.extend(_of_service(plan, history, faults, traffic, services[traffic.service], Draws(seed, run)))
    return rows


def _of_service(
    plan: Plan, history: History, faults: FaultLog, traffic: TrafficPlan, service: ServicePlan, draws: Draws
) -> Iterator[ServiceOutcome]:
    entries = entries_of(history, service)
    many = sizes(traffic, history, entries, draws)
    tally = _Tally(sum(many.open) + sum(many.arriving), traffic.reconnects)
    if not entries:
        tally.add_unreachable()
    for population in populations(plan, history, faults, traffic, service, draws, many):
        tally.add(population)
    yield tally.row(service.name, None)
    for place, fault in enumerate(faults.names()):
        yield tally.row(service.name, fault, place)


class _Tally:
    """Adds up the populations of a service; connections in none of them met nothing."""

    def __init__(self, total: int, reconnects: bool) -> None:
        self._total, self._reconnects = total, reconnects
        self._back: list[Bools] = [np.zeros((3, 0), dtype=np.bool_)]
        self._fates, self._faults, self._moves = [_NOBODY], [_NOBODY], [_NOBODY]
        self._delays_us, self._connect_delays_us = [_NOBODY], [_NOBODY]
        self._refused: list[Bools] = [np.zeros(0, dtype=np.bool_)]

    def add(self, population: Population) -> None:
        """Take a population that has run."""
        _, hurt, causes, again = population
        if again is not None:
            self._back.append(np.stack([again.back, again.elsewhere, again.broken_again]))
        lives = hurt.lives
        self._fates.append(lives.fates)
        self._faults.append(lives.faults)
        self._moves.append(np.where(lives.first_moves < 0, _UNMOVED, causes.of_moves(lives.first_moves)))
        self._refused.append(lives.refused)
        self._delays_us.append(lives.delays_us)
        self._connect_delays_us.append(lives.connect_delays_us)

    def add_unreachable(self) -> None:
        """No router ever heard of the service: nobody can open a connection."""
        count = self._total
        self._fates.append(np.full(count, Fate.NOT_OPENED))
        self._faults.append(np.full(count, -1))
        self._moves.append(np.full(count, _UNMOVED))
        self._back.append(np.zeros((3, count), dtype=np.bool_))
        self._refused.append(np.zeros(count, dtype=np.bool_))
        for nothing in (self._delays_us, self._connect_delays_us):
            nothing.append(np.zeros(count, dtype=np.int64))

    def row(self, service: str, fault: str | int | None, place: int | None = None) -> ServiceOutcome:
        """The row of a whole run, or of the fault in that place."""
        fates, moves, refused = _joined(self._fates), _joined(self._moves), _joined(self._refused)
        caused = np.ones(len(fates), dtype=np.bool_) if place is None else _joined(self._faults) == place
        tallied = np.bincount(fates if place is None else fates[caused], minlength=Fate.COUNT).tolist()
        if place is None:
            tallied[Fate.UNAFFECTED] += self._total - len(fates)
            require(sum(tallied) == self._total, f"the outcomes of {service} sum to its connections")
        else:
            tallied[Fate.UNAFFECTED] = 0  # nothing caused that
        waited = rows_where(caused & (fates == Fate.DELAYED))
        again: list[int | None] = [None] * 3
        if self._reconnects:
            again = [_count(each & caused) for each in _joined(self._back)]
        return ServiceOutcome(
            service=service,
            fault=fault,
            total=self._total,
            moved=_count(moves != _UNMOVED if place is None else moves == place),
            unaffected=tallied[Fate.UNAFFECTED],
            delayed=tallied[Fate.DELAYED],
            reset=tallied[Fate.RESET],
            timed_out=tallied[Fate.TIMED_OUT],
            not_opened=tallied[Fate.NOT_OPENED],
            refused=_count(refused & caused),
            reconnected=again[0],
            elsewhere=again[1],
            broken_again=again[2],
            delay_s=_seconds(_joined(self._delays_us)[waited]),
            connect_delay_s=_seconds(_joined(self._connect_delays_us)[waited]),
        )


def _joined(parts: list[NDArray[N]]) -> NDArray[N]:
    """All of the parts, connection by connection, which from now on are one."""
    if len(parts) > 1:
        parts[:] = [np.concatenate(parts, axis=-1)]
    return parts[0]


def _count(mask: Bools) -> int:
    """How many there are; a sum would first make a number of each."""
    return int(np.count_nonzero(mask))


def _seconds(delays_us: Ints) -> Seconds:
    """Those that are delays, in seconds."""
    return delays_us[delays_us > 0] / 1e6
