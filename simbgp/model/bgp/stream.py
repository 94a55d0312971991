"""One direction of the TCP connection under a session, with the hold timer that listens to it.

While packets pass, nothing is scheduled: keepalives arrive as sent and the hold timer never runs out. When they begin
to vanish, the age of the last keepalive is computed and the hold timer set. When they pass again, what was sent
meanwhile arrives with the sender's next TCP retransmission, not at once.

Where only the acknowledgements vanish, one more keepalive gets through: without an answer the sender's TCP goes on
repeating that segment, and all later ones, a NOTIFICATION too, wait behind it (measured with four daemons). Where a
share of the packets vanishes, each copy of a segment is lost by its own luck; the next segment waits for the answer.
"""

from collections.abc import Callable
from typing import Literal

from simbgp.model.bgp.messages import RST, Closing
from simbgp.model.clock import Clock, Order, Timer
from simbgp.model.network.keepalives import Keepalives
from simbgp.model.network.tcp import nth_copy_us, retransmission_at_or_after

Way = Literal["clear", "lossy", "unanswered", "dark"]
_COPIES = 100
"""More copies than any hold timer waits for: by then two hours have gone."""


class Stream:
    """From ``sender`` to ``receiver``; either end may have forgotten the connection.

    ``on_hold_expired``, ``on_closed`` belong to the receiver, ``on_reset`` to the sender: the answer of a host that
    does not know the connection (RFC 9293 §3.10.7.1). ``hold_us`` gives one setting of the receiver's hold timer,
    ``luck`` a fresh uniform.
    """

    def __init__(
        self,
        clock: Clock,
        keepalives: Keepalives,
        hold_us: Callable[[], int],
        luck: Callable[[], float],
        on_hold_expired: Callable[[], None],
        on_closed: Callable[[Closing], None],
        on_reset: Callable[[Closing], None],
    ) -> None:
        self._clock = clock
        self._keepalives = keepalives
        self._hold_us = hold_us
        self._luck = luck
        self._on_hold_expired = on_hold_expired
        self._on_closed = on_closed
        self._on_reset = on_reset
        self._hold = Timer(clock, self._expire)
        self._arrival = Timer(clock, self._arrive, Order.PACKET)
        self._data_lost = 0.0
        self._answers_lost = 0.0
        self._receiver_knows = True
        self._sending = True
        self._mute = False
        """Whether the sender's process does not run: it writes nothing, and its kernel repeats what was written."""
        self._closing: Closing | None = None
        self._unanswered_us: int | None = None
        """When the first segment that is not acknowledged was or will be sent; None while the way is clear."""
        self._heard_us: int | None = None
        """When a retransmission was last heard, or unread input read; later than the keepalive in it was sent."""
        self._came_in_us: int | None = None
        """When the last keepalive came in before the way, or the sender, changed: its kernel had it, read or not."""
        self._stalled_us: int | None = None
        """Since when the receiver's process has not run."""
        self._overdue_us: int = 0
        """When its hold timer was due, as it knew before the stall."""
        self._unread: Closing | None = None
        """What its kernel took for it meanwhile."""

    def next_sent_us(self, after_us: int) -> int:
        """When the sender's next keepalive is due at or after ``after_us``."""
        return self._keepalives.first_at_or_after(after_us)

    def sent_around(self, time_us: int) -> tuple[int, int]:
        """The sender's last keepalive before ``time_us`` and its first at or after it."""
        return self._keepalives.last_before(time_us), self._keepalives.first_at_or_after(time_us)

    # the way

    @property
    def _way(self) -> Way:
        if self._data_lost == 1.0:
            return "dark"
        if self._answers_lost == 1.0:
            return "unanswered"
        return "lossy" if self._data_lost or self._answers_lost else "clear"

    def set_way(self, data_lost: float, answers_lost: float, resend_us: int | None = None) -> None:
        """From now on these shares of this direction's packets and of its acknowledgements vanish.

        Where the sender's own port had lost carrier it resends ``resend_us`` from now: what it could not even put on
        the wire does not back off its retransmission timer.
        """
        before = self._way
        self._data_lost, self._answers_lost = data_lost, answers_lost
        after = self._way
        if after == before:
            return
        if after == "clear":
            self._cleared(resend_us)
        elif before == "clear":
            self._obscured()
        elif after == "dark":
            self._darkened(before)
        else:
            self._resume()

    def _obscured(self) -> None:
        if self._unanswered_us is not None:  # the last retransmission has not come through yet
            if self._way == "dark":
                self._arrival.cancel()
        elif self._sending and not self._mute:
            self._unanswered_us = self._keepalives.first_at_or_after(self._clock.now_us)
            self._came_in_us = self._last_heard_us()
            self._set_hold(self._unanswered_us if self._way == "unanswered" else self._came_in_us)
            if self._way == "lossy":
                self._send(self._unanswered_us)

    def _darkened(self, before: Way) -> None:
        """Some segments passed before; now none does."""
        self._arrival.cancel()
        if self._unanswered_us is None:
            return
        if self._unanswered_us >= self._clock.now_us:
            self._set_hold(self._last_heard_us())
        elif before == "unanswered":
            self._came_in_us = self._unanswered_us

    def _cleared(self, resend_us: int | None) -> None:
        sent_us, now_us = self._unanswered_us, self._clock.now_us
        if sent_us is None:
            return
        if sent_us < now_us or self._closing is not None or not self._receiver_knows:
            at_us = retransmission_at_or_after(sent_us, now_us) if resend_us is None else now_us + resend_us
            self._arrival.set(at_us)
        else:
            self._arrival.cancel()
            self._unanswered_us = None
            self._hold.cancel()  # nothing was lost: the next keepalive is on time

    def _resume(self) -> None:
        """Segments pass again, not all of them or not their acknowledgements: the one that is repeated arrives."""
        if self._unanswered_us is not None:
            self._arrival.set(retransmission_at_or_after(self._unanswered_us, self._clock.now_us))

    def _send(self, sent_us: int) -> None:
        """A segment goes out on a lossy way: its first copy that is not lost arrives."""
        self._unanswered_us = sent_us
        copies = 0
        while copies < _COPIES and self._luck() < self._data_lost:
            copies += 1
        self._arrival.set(sent_us + nth_copy_us(copies))

    def _send_next(self) -> None:
        """The acknowledgement of the last segment comes, maybe of a later copy; then the next keepalive may go."""
        if self._mute:
            self._unanswered_us = None
            return
        first_us, copies = self._unanswered_us or self._clock.now_us, 0
        answered_us = self._clock.now_us
        while copies < _COPIES and self._luck() < self._answers_lost:
            copies += 1
            answered_us = retransmission_at_or_after(first_us, answered_us + 1)
        self._send(max(answered_us, self._keepalives.first_at_or_after(first_us + 1)))

    # a process that does not run, over a kernel that does

    def sender_stalls(self) -> None:
        """The sending process is starved: it sends no keepalives."""
        self._stop_writing()
        self._mute = True

    def sender_wakes(self) -> None:
        """It sends the keepalive that is overdue."""
        self._mute = False
        if not self._sending or self._unanswered_us is not None:
            return
        now_us, way = self._clock.now_us, self._way
        if way == "clear":
            self._heard_us = now_us
            self._hold.cancel()
        elif way == "lossy":
            self._send(now_us)
        else:
            self._unanswered_us = now_us
            if way == "unanswered":
                self._arrival.set(now_us)

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
        came_in_us = self._last_in_us()
        keepalive_waits = came_in_us is not None and came_in_us >= since_us
        if self._overdue_us < self._clock.now_us and not (reads_first and (closing is not None or keepalive_waits)):
            self._on_hold_expired()
        elif closing is not None:
            self._on_closed(closing)
        elif keepalive_waits:
            self._read()

    def _last_in_us(self) -> int | None:
        """When the last keepalive came in; None if none did since the way changed first."""
        if self._way == "clear" and self._unanswered_us is None and self._sending and not self._mute:
            return self._last_heard_us()
        if self._way == "unanswered" and self._unanswered_us is not None and self._unanswered_us < self._clock.now_us:
            return self._unanswered_us
        return self._came_in_us

    def _read(self) -> None:
        """A process that wakes reads what waits: its hold timer starts anew then, not when it came in."""
        self._heard_us = now_us = self._clock.now_us
        if self._way != "clear" or self._unanswered_us is not None or not self._sending or self._mute:
            before_us = self._hold.deadline_us
            self._hold.set(max(now_us + self._hold_us(), before_us or 0))

    def _expire(self) -> None:
        if self._stalled_us is None:
            self._on_hold_expired()

    def _stop_writing(self) -> None:
        """The next keepalive is not written, so the receiver waits for nothing but what already is."""
        if not self._sending or self._mute:
            return
        if self._unanswered_us is None or self._unanswered_us >= self._clock.now_us:
            self._unanswered_us = None
            self._arrival.cancel()
            self._came_in_us = self._last_heard_us()
            self._set_hold(self._came_in_us)

    # the ends

    def silence(self) -> None:
        """The sender's host is gone: nothing more comes, not even a retransmission."""
        self._stop_writing()
        self._sending = False
        self._unanswered_us = None
        self._closing = None
        self._arrival.cancel()

    def close(self, closing: Closing) -> None:
        """The sender ends the connection with ``closing``; it is heard now, or with the next retransmission."""
        now_us = self._clock.now_us
        self._sending = False
        self._closing = closing
        if self._unanswered_us is not None and self._unanswered_us < now_us:
            return  # behind what waits
        if self._way == "lossy":
            self._send(now_us)
        elif self._way == "dark":
            self._unanswered_us = now_us
        else:
            self._arrive()

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
        way = self._way
        if way == "clear":
            self._unanswered_us = None
        if not self._receiver_knows:
            if self._sending and way != "unanswered":  # the reset takes the way of the acknowledgements
                self._on_reset(RST)
            return
        self._heard_us = self._came_in_us = self._clock.now_us
        if self._closing is not None:
            self._hear_closing()
        elif way == "clear" and not self._mute:
            self._hold.cancel()
        else:
            self._set_hold(self._clock.now_us)
            if way == "lossy":
                self._send_next()

    def _hear_closing(self) -> None:
        closing, self._closing = self._closing, None
        if closing is None:
            return
        if self._stalled_us is None:
            self._on_closed(closing)
        else:
            self._unread = closing
