"""From the router's answer to a SYN until both ends are Established, or one of them is gone."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from simbgp.model.clock import Order, Timer
from simbgp.model.network.tcp import retransmission_at_or_after
from simbgp.timeline.reasons import Reason

if TYPE_CHECKING:
    from simbgp.model.bgp.session import Session

_OPEN_HOLD_US = 240_000_000
"""Hold time in OpenSent, RFC 4271 §8.2.2."""


class Opening:
    """One session's OPEN exchange. What is sent into the dark is repeated by TCP until packets pass or nobody waits."""

    def __init__(self, session: "Session", establish: Callable[[], None]) -> None:
        self._session = session
        self._clock = session.world.clock
        self._establish = establish
        self._exchange = Timer(self._clock, self._over, Order.PACKET)
        self._accepting = Timer(self._clock, self._accept, Order.OBSERVE)
        self._began_us = 0
        self._count = 0

    def begin(self) -> None:
        """The node's SYN was answered: the router lets it in, or closes it; a stalled one looks at it when it wakes."""
        self._exchange.cancel()
        wake_us = self._session.world.router(self._session.peering.router).stalled_until_us
        if wake_us > self._clock.now_us:
            self._accepting.set(wake_us)
        else:
            self._accept()

    def _accept(self) -> None:
        session = self._session
        refusal = session.router.accept()
        if refusal is not None:
            session.node.refused(refusal)
            return
        self._began_us = self._clock.now_us
        law = session.world.node(session.peering.node).profile.open_exchange
        self._exchange.set(self._began_us + session.world.tape.draw_us(law, session.entity, "open", self._count))
        self._count += 1

    def node_leaves(self) -> None:
        """The node's process ended, or its host, in OpenSent: heard at once if packets pass."""
        if self._accepting.deadline_us is not None:
            self._accepting.cancel()
        elif self._session.passes:
            self._end(Reason.TCP_CLOSED)

    def router_leaves(self) -> None:
        """The router's end is closed in OpenSent: heard at once if packets pass."""
        if self._session.passes:
            self._end(Reason.TCP_CLOSED)

    def _end(self, reason: Reason) -> None:
        """Whoever is still in OpenSent finds the other gone."""
        self._exchange.cancel()
        if self._session.router.state == "open_sent":
            self._session.router.half_open_closed()
        if self._session.node.state == "open_sent":
            self._session.node.refused(reason)

    def _over(self) -> None:
        """All messages would be through by now, if packets passed."""
        now_us, give_up_us = self._clock.now_us, self._began_us + _OPEN_HOLD_US
        if now_us >= give_up_us:
            self._end(Reason.NO_OPEN)
        elif not self._session.passes:
            self._exchange.set(min(give_up_us, retransmission_at_or_after(self._began_us, now_us + 1)))
        elif self._session.node.state != "open_sent" or self._session.router.state != "open_sent":
            self._end(Reason.TCP_RESET)  # by the host of the end that is gone
        else:
            self._establish()
