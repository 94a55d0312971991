"""One direction of the TCP connection under a session, with the hold timer that listens to it.

While packets pass, nothing is scheduled: keepalives arrive as sent and the hold timer never runs out. When they begin
to vanish, the age of the last keepalive is computed and the hold timer set. When they pass again, what was sent
meanwhile arrives with the sender's next TCP retransmission, not at once.
"""

from collections.abc import Callable

from simbgp.model.bgp.messages import RST, Closing
from simbgp.model.clock import Clock, Order, Timer
from simbgp.model.network.keepalives import Keepalives
from simbgp.model.network.tcp import retransmission_at_or_after


class Stream:
    """From ``sender`` to ``receiver``; either end may have forgotten the connection.

    ``on_hold_expired``, ``on_closed`` belong to the receiver, ``on_reset`` to the sender: the answer of a host that
    does not know the connection (RFC 9293 §3.10.7.1).
    """

    def __init__(
        self,
        clock: Clock,
        keepalives: Keepalives,
        hold_us: int,
        on_hold_expired: Callable[[], None],
        on_closed: Callable[[Closing], None],
        on_reset: Callable[[Closing], None],
    ) -> None:
        self._clock = clock
        self._keepalives = keepalives
        self._hold_us = hold_us
        self._on_closed = on_closed
        self._on_reset = on_reset
        self._hold = Timer(clock, on_hold_expired)
        self._arrival = Timer(clock, self._arrive, Order.PACKET)
        self._passes = True
        self._receiver_knows = True
        self._outstanding_us: int | None = None
        self._blocked_us = 0
        self._sending = True
        self._closing: Closing | None = None
        self._heard_us: int | None = None

    def block(self) -> None:
        """Packets of this direction begin to vanish."""
        if not self._passes:
            return
        self._passes = False
        self._blocked_us = self._clock.now_us
        self._arrival.cancel()
        self._start_hold()

    def unblock(self) -> None:
        """Packets pass again."""
        if self._passes:
            return
        self._passes = True
        now_us = self._clock.now_us
        sent_us = self._first_unanswered()
        if sent_us is None:
            return
        if sent_us < now_us or self._closing is not None or not self._receiver_knows:
            self._outstanding_us = sent_us
            self._arrival.set(retransmission_at_or_after(sent_us, now_us))
        else:
            self._hold.cancel()  # nothing was lost: the next keepalive is on time

    def silence(self) -> None:
        """The sender's host is gone: nothing more comes, not even a retransmission."""
        self._start_hold()
        self._sending = False
        self._outstanding_us = None
        self._closing = None
        self._arrival.cancel()

    def close(self, closing: Closing) -> None:
        """The sender ends the connection with ``closing``; it is heard now, or with the next retransmission."""
        self._sending = False
        self._closing = closing
        if self._passes and self._outstanding_us is None:
            self._arrive()
        elif self._outstanding_us is None:
            self._outstanding_us = self._first_keepalive_lost() or self._clock.now_us

    def forget(self) -> None:
        """The receiver's end is gone without a word; what still arrives is answered with a reset."""
        self._receiver_knows = False
        self._hold.cancel()

    def drop(self) -> None:
        """Both ends are gone: nothing is sent, heard or waited for any more."""
        self.forget()
        self._sending = False
        self._closing = None
        self._arrival.cancel()

    def _start_hold(self) -> None:
        if not self._receiver_knows or self._hold.deadline_us is not None or not self._sending:
            return
        last_us = self._keepalives.last_before(self._clock.now_us)
        if self._heard_us is not None:
            last_us = max(last_us, self._heard_us)
        self._hold.set(last_us + self._hold_us)

    def _first_keepalive_lost(self) -> int | None:
        if self._passes:
            return None
        first_us = self._keepalives.first_at_or_after(self._blocked_us)
        return first_us if first_us < self._clock.now_us else None

    def _first_unanswered(self) -> int | None:
        if self._outstanding_us is not None:
            return self._outstanding_us
        return self._keepalives.first_at_or_after(self._blocked_us) if self._sending else None

    def _arrive(self) -> None:
        self._outstanding_us = None
        if not self._receiver_knows:
            if self._sending:
                self._sending = False
                self._on_reset(RST)
            return
        self._heard_us = self._clock.now_us
        if self._sending:
            self._hold.cancel()
        if self._closing is not None:
            closing, self._closing = self._closing, None
            self._on_closed(closing)
