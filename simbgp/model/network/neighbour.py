"""The router's neighbour entry for a node (ARP, or neighbour discovery): how long a silent node keeps its place in a
next-hop group whose router checks it.

Measured on Linux 6.18 with FRR (November 2026): FAILED comes at ``c + r + 5 + 3`` and up to 2 s of timer slack, where c
is the last confirmation before or after the failure and r the reachable time, U[15, 45] s (net/ipv4/arp.c: base 30 s;
then 5 s DELAY and 3 unicast probes a second apart). The entry is confirmed when the router's BGP socket sends after an
acknowledgement came in: at its last keepalive, or, in a quarter of the runs seen, still at the next one, to a node
that is dead already. An entry older than r + 5 s was confirmed by a probe instead.
"""

from typing import TYPE_CHECKING

from simbgp.model.clock import Order, Timer
from simbgp.profiles.law import Law
from simbgp.timeline.facts import NeighbourChanged

if TYPE_CHECKING:
    from simbgp.model.bgp.session import Session

_REACHABLE = Law("uniform", (15.0, 45.0))
_DELAY_US = 5_000_000
_PROBES_US = 3_000_000
_SLACK = Law("uniform", (0.0, 2.0))
_CONFIRMED_AFTER = 0.25


class Neighbour:
    """Watches the way while it is silent; the router is taken to have packets for the node, or nothing would ask."""

    def __init__(self, session: "Session", checked: bool) -> None:
        self._session = session
        self._checked = checked
        self._answers = True
        self._reachable = True
        self._failures = 0
        self._timer = Timer(session.world.clock, self._failed, Order.OBSERVE)

    def look(self) -> None:
        """The way changed."""
        if not self._checked or self._session.passes == self._answers:
            return
        self._answers = self._session.passes
        if not self._answers:
            self._timer.set(self._session.world.clock.now_us + self._time_to_failed_us())
            return
        self._timer.cancel()
        if not self._reachable:
            self._note(reachable=True)

    def _failed(self) -> None:
        self._note(reachable=False)

    def _time_to_failed_us(self) -> int:
        self._failures += 1
        tape, entity, n = self._session.world.tape, self._session.entity, self._failures
        valid_us = tape.draw_us(_REACHABLE, entity, "neighbour-reachable", n) + _DELAY_US
        now_us = self._session.world.clock.now_us
        last_us, next_us = self._session.router_keepalives(now_us)
        if tape.u(entity, "neighbour-confirmed", n) < _CONFIRMED_AFTER:
            confirmed_us = next_us - now_us
        else:
            confirmed_us = -((now_us - last_us) % valid_us)
        return max(0, confirmed_us + valid_us + _PROBES_US + tape.draw_us(_SLACK, entity, "neighbour-slack", n))

    def _note(self, reachable: bool) -> None:
        self._reachable = reachable
        peering, world = self._session.peering, self._session.world
        world.timeline.write(NeighbourChanged(world.clock.now_us, peering.router, peering.node, reachable))
