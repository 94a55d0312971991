"""One direction of the TCP connection under a session, with the hold timer that listens to it.

While packets pass, nothing is scheduled: keepalives arrive as sent and the hold timer never runs out. When they begin
to vanish, the age of the last keepalive is computed and the hold timer set. When they pass again, what was sent
meanwhile arrives with the sender's next TCP retransmission, not at once.

Where only the acknowledgements vanish, one more keepalive gets through: without an answer the sender's TCP goes on
repeating that segment, and all later ones, a NOTIFICATION too, wait behind it (measured with four daemons).
"""

from collections.abc import Callable

from simbgp.model.bgp.messages import RST, Closing
from simbgp.model.clock import Clock, Order, Timer
from simbgp.model.network.keepalives import Keepalives
from simbgp.model.network.tcp import retransmission_at_or_after


class Stream:
    """From ``sender`` to ``receiver``; either end may have forgotten the connection.

    ``on_hold_expired``, ``on_closed`` belong to the receiver, ``on_reset`` to the sender: the answer of a host that
    does not know the connection (RFC 9293 §3.10.7.1). ``hold_us`` gives one setting of the receiver's hold timer.
    """

    def __init__(
        self,
        clock: Clock,
        keepalives: Keepalives,
        hold_us: Callable[[], int],
        on_hold_expired: Callable[[], None],
        on_closed: Callable[[Closing], None],
        on_reset: Callable[[Closing], None],
    ) -> None:
        self._clock = clock
        self._keepalives = keepalives
        self._hold_us = hold_us
        self._on_closed = on_closed
        self._on_reset = on_reset
        self._on_hold_expired = on_hold_expired
        self._hold = Timer(clock, self._expire)
        self._arrival = Timer(clock, self._arrive, Order.PACKET)
        self._data_passes = True
        self._answers_pass = True
        self._receiver_knows = True
        self._sending = True
        self._closing: Closing | None = None
        self._unanswered_us: int | None = None
        """When the first segment that is not acknowledged was or will be sent; None while the way is clear."""
        self._heard_us: int | None = None
        """When a retransmission was last heard; it may be later than the keepalive in it was sent."""
        self._stalled_us: int | None = None
        """Since when the receiver's process has not run."""
        self._overdue_us: int = 0
        """When its hold timer was due, as it knew before the stall."""
        self._unread: Closing | None = None
        """What its kernel took for it meanwhile."""

    def next_sent_us(self, after_us: int) -> int:
        """When the sender's next keepalive is due at or after ``after_us``."""
        return self._keepalives.first_at_or_after(after_us)

    # the way

    def set_way(self, data: bool, answers: bool, resend_us: int | None = None) -> None:
        """Packets of this direction (``data``) and its acknowledgements pass from now on, or vanish.

        Where the sender's own port had lost carrier it resends ``resend_us`` from now: what it could not even put on
        the wire does not back off its retransmission timer.
        """
        was_clear, had_data = self._clear, self._data_passes
        self._data_passes, self._answers_pass = data, answers
        if self._clear and not was_clear:
            self._cleared(resend_us)
        elif was_clear and not self._clear:
            self._obscured()
        elif had_data and not data:
            self._data_lost()
        elif data and not had_data:
            self._resume()

    @property
    def _clear(self) -> bool:
        return self._data_passes and self._answers_pass

    def _obscured(self) -> None:
        if self._unanswered_us is not None:  # the last retransmission did not come through in time
            if not self._data_passes:
                self._arrival.cancel()
        elif self._sending:
            self._unanswered_us = self._keepalives.first_at_or_after(self._clock.now_us)
            self._set_hold(self._unanswered_us if self._data_passes else self._last_heard_us())

    def _data_lost(self) -> None:
        """The acknowledgements were lost before; now the segments are too."""
        self._arrival.cancel()
        if self._unanswered_us is not None and self._unanswered_us >= self._clock.now_us:
            self._set_hold(self._last_heard_us())

    def _cleared(self, resend_us: int | None) -> None:
        sent_us, now_us = self._unanswered_us, self._clock.now_us
        if sent_us is None:
            return
        if sent_us < now_us or self._closing is not None or not self._receiver_knows:
            at_us = retransmission_at_or_after(sent_us, now_us) if resend_us is None else now_us + resend_us
            self._arrival.set(at_us)
        else:
            self._unanswered_us = None
            self._hold.cancel()  # nothing was lost: the next keepalive is on time

    def _resume(self) -> None:
        """Segments pass again, acknowledgements not yet: the one that is repeated arrives."""
        if self._unanswered_us is not None:
            self._arrival.set(retransmission_at_or_after(self._unanswered_us, self._clock.now_us))

    # a process that does not run, over a kernel that does

    def sender_stalls(self) -> None:
        """The sending process is starved: it sends no keepalives."""
        if self._sending and self._clear:
            self._set_hold(self._last_heard_us())

    def sender_wakes(self) -> None:
        """It sends the keepalive that is overdue."""
        if self._sending and self._clear and self._unanswered_us is None:
            self._heard_us = self._clock.now_us
            self._hold.cancel()

    def receiver_stalls(self) -> None:
        """The receiving process is starved: its kernel acknowledges, and nobody reads."""
        if not self._receiver_knows:
            return
        due_us = self._hold.deadline_us
        self._overdue_us = due_us if due_us is not None else self._last_heard_us() + self._hold_us()
        self._stalled_us = self._clock.now_us

    def receiver_wakes(self, reads_first: bool) -> None:
        """It finds its hold timer over, or not, and what came in; ``reads_first`` if unread input saves the session."""
        since_us, self._stalled_us = self._stalled_us, None
        if since_us is None or not self._receiver_knows:
            return
        closing, self._unread = self._unread, None
        overdue = self._overdue_us < self._clock.now_us
        keepalive_waits = self._clear and self._keepalives.first_at_or_after(since_us) < self._clock.now_us
        if overdue and not (reads_first and (closing is not None or keepalive_waits)):
            self._on_hold_expired()
        elif closing is not None:
            self._on_closed(closing)

    def _expire(self) -> None:
        if self._stalled_us is None:
            self._on_hold_expired()

    # the ends

    def silence(self) -> None:
        """The sender's host is gone: nothing more comes, not even a retransmission."""
        if self._sending and self._clear:
            self._set_hold(self._last_heard_us())
        self._sending = False
        self._unanswered_us = None
        self._closing = None
        self._arrival.cancel()

    def close(self, closing: Closing) -> None:
        """The sender ends the connection with ``closing``; it is heard now, or with the next retransmission."""
        now_us = self._clock.now_us
        self._sending = False
        self._closing = closing
        if self._unanswered_us is None or (self._unanswered_us >= now_us and self._data_passes):
            self._arrive()
        else:
            self._unanswered_us = min(self._unanswered_us, now_us)

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

    def _last_heard_us(self) -> int:
        last_us = self._keepalives.last_before(self._clock.now_us)
        return last_us if self._heard_us is None else max(last_us, self._heard_us)

    def _set_hold(self, heard_us: int) -> None:
        if self._receiver_knows:
            self._hold.set(heard_us + self._hold_us())

    def _arrive(self) -> None:
        if self._clear:
            self._unanswered_us = None
        if not self._receiver_knows:
            if self._sending:
                self._sending = False
                self._on_reset(RST)
            return
        self._heard_us = self._clock.now_us
        if self._sending and self._clear:
            self._hold.cancel()
        else:
            self._set_hold(self._clock.now_us)
        if self._closing is not None:
            closing, self._closing = self._closing, None
            if self._stalled_us is None:
                self._on_closed(closing)
            else:
                self._unread = closing
