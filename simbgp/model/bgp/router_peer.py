"""The router's end of a session: whom it lets in, what ends it, and which end is graceful for the peer's routes.

The rules are the profile's (profiles.router.RouterProfile); what becomes of the routes is `AdjRibIn`'s.
"""

from typing import TYPE_CHECKING

from simbgp.model.bgp.adj_rib import AdjRibIn
from simbgp.model.bgp.messages import BFD_DOWN, COLLISION, FIN, HOLD_EXPIRED, LINK_DOWN, REPLACED, Closing, LossKind
from simbgp.model.clock import Timer
from simbgp.profiles.law import Law
from simbgp.profiles.router import Keep
from simbgp.timeline.facts import State
from simbgp.timeline.reasons import Reason

if TYPE_CHECKING:
    from simbgp.model.bgp.connection import Connection
    from simbgp.model.bgp.session import Session


class RouterPeer:
    """One neighbour of a router: the state of its session, and the paths learnt from it."""

    def __init__(self, session: "Session", established: bool) -> None:
        self._session = session
        self._profile = session.profile
        self._clock = session.world.clock
        self.state: State = "established" if established else "active"
        self.connection: Connection | None = None
        self.rib = AdjRibIn(session, established, self._restart_expired)
        self._restart = established and session.restart_negotiated
        self._notification = established and session.notification_negotiated
        self._long_lived_s = session.long_lived_s if established else 0
        self._idle = Timer(self._clock, lambda: self._become("active", Reason.IDLE_HOLD_OVER))
        self._events = 0
        self._kept_over_restart = False
        """Whether the stale paths are what a new daemon found in the kernel."""
        self.carrier = True
        """Whether the router sees carrier on the peer's own link."""

    # the session

    def carrier_lost(self) -> None:
        """The link to the peer is down at the router's own port."""
        self.carrier = False
        if not self._profile.fast_fallover:
            return
        self._idle.cancel()
        if self.state == "established":
            connection, self.connection = self.connection, None
            self._end(LINK_DOWN.reason, "link_down")
            if connection is not None:
                connection.router_leaves(FIN)
        else:
            self._leave(LINK_DOWN.reason)

    def carrier_back(self) -> None:
        """The link is up again: a router that watched it waits as it does after an error, if its daemon runs."""
        self.carrier = True
        if self._profile.fast_fallover and self.state == "idle" and self._session.listens:
            self._rest(self._profile.idle_after.link_down)

    def vanish(self) -> None:
        """The router's host is gone, and all it knew."""
        connection, self.connection = self.connection, None
        self._forget(Reason.ROUTER_LOST_POWER)
        self.rib.forget()
        if connection is not None:
            connection.router_vanishes()

    def daemon_ended(self, closing: Closing) -> None:
        """The router's daemon died (``closing`` is TCP's) or stopped with a NOTIFICATION; its FIB is the profile's."""
        connection, self.connection = self.connection, None
        self._forget(closing.reason)
        if closing is not FIN or self._profile.fib_after_crash == "dropped":
            self.rib.flush(self._profile.fib_daemon)
        else:
            self.rib.daemon_is_gone()
        if connection is not None:
            connection.router_leaves(closing)

    def daemon_started(self) -> None:
        """A new daemon: it sweeps what it finds in the kernel, or keeps it until its peers have announced again."""
        self._become("active", Reason.ROUTER_STARTED)
        if self._profile.fib_after_crash == "swept":
            self.rib.flush(self._profile.fib_daemon)
        elif self.rib.paths:
            self._kept_over_restart = True
            self.rib.keep_over_own_restart()

    def _forget(self, reason: Reason) -> None:
        self.rib.stop_timers()
        self._idle.cancel()
        self._leave(reason)

    def _leave(self, reason: Reason) -> None:
        """Idle without a word of what was learnt; a peer in the OPEN exchange is left alone there."""
        was_opening = self.state == "open_sent"
        if self.state != "idle":
            self._become("idle", reason)
        if was_opening:
            self._session.opening.router_leaves()

    def bfd_down(self) -> None:
        """BFD heard nothing for its detection time: the peer is taken for dead (RFC 5882 §4.3)."""
        ends = self._profile.bfd_ends_restart
        if self.state == "established":
            connection, self.connection = self.connection, None
            self._end(BFD_DOWN.reason, "bfd_down")
            if connection is not None:
                connection.router_leaves(BFD_DOWN)
        elif ends == "always" or (ends == "if_independent" and self._session.bfd.independent):
            self.rib.purge(self._profile.fib_withdraw)

    def accept(self) -> Reason | None:
        """A connection comes in: None lets it go on to the OPEN exchange, else why it is closed."""
        if self.state == "idle":
            if self.rib.is_asleep:  # this connection is what the daemon wakes to
                waits_for_that = self._idle.deadline_us == self.rib.wakes_us
                self.rib.wake()
                if waits_for_that:
                    self._idle.set(self._clock.now_us)
            return Reason.ROUTER_IDLE
        if self.state == "open_sent":  # of a host that is gone without a word, and back
            self.half_open_closed()
        if self.state != "established":
            self._become("open_sent", Reason.TCP_ACCEPTED)
            return None
        rule = self._profile.new_connection
        if rule == "closed":
            return Reason.OLD_SESSION_LIVES
        if not self._restart:
            return COLLISION.reason
        if self.connection is not None:
            self.connection.drop()
            self.connection = None
        self._end(REPLACED.reason, "tcp_closed")
        if rule == "ends_both_if_restart":
            return Reason.CLOSED_WITH_OLD_SESSION
        self._idle.cancel()
        self._become("open_sent", Reason.TCP_ACCEPTED)
        return None

    def half_open_closed(self) -> None:
        """A connection died before Established."""
        self._become("active", Reason.HALF_OPEN_LOST)
        if self._profile.half_open_loss == "purge":
            self.rib.restart_failed(self._profile.fib_withdraw)

    def established(self, connection: "Connection") -> None:
        """The OPEN exchange is over; what the peer's capability says decides over stale routes."""
        self.connection = connection
        self._become("open_confirm", Reason.OPEN_ACCEPTED)
        self._become("established", Reason.KEEPALIVE_RECEIVED)
        self.rib.session_is_back()
        remembered = self._profile.remembers_restart
        self._restart = self._session.restart_negotiated or (remembered and self._restart)
        self._notification = self._session.notification_negotiated or (remembered and self._notification)
        forwarding_kept = self._session.node.restarting  # F follows R in every GoBGP seen
        if self._kept_over_restart:
            self._kept_over_restart = False  # its own restart: the End-of-RIB of the peer decides
        elif not self._restart or (self._profile.forwarding_bit == "honoured" and not forwarding_kept):
            self.rib.purge(self._profile.fib_withdraw)
        elif self.rib.is_long_lived and not self._session.long_lived_s:
            self.rib.purge(self._profile.fib_withdraw)  # the capability is gone: RFC 9494 §4.2
        self._long_lived_s = self._session.long_lived_s

    def closed(self, closing: Closing) -> None:
        """The peer ended the session, or its host answered with a reset."""
        self.connection = None
        self._end(closing.reason, closing.kind)

    def hold_expired(self) -> None:
        """Nothing was heard for the hold time (RFC 4271 §8.2.2, event 10)."""
        connection, self.connection = self.connection, None
        quiet = self._is_quiet("hold_expired")
        self._end(Reason.HOLD_EXPIRED, "hold_expired")
        if connection is not None:
            connection.router_leaves(FIN if quiet else HOLD_EXPIRED)

    def _end(self, reason: Reason, kind: LossKind) -> None:
        self._become("idle", reason)
        if self.carrier or not self._profile.fast_fallover:
            like = "tcp_closed" if self._is_quiet(kind) else "hold_expired" if kind == "bfd_down" else kind
            self._rest(getattr(self._profile.idle_after, like))
        if self._keeps(kind):
            restart_us = self._grained_us(self._session.peering.restart.restart_time_s * 1_000_000)
            self.rib.keep(restart_us, self._long_lived_s * 1_000_000)
        else:
            self.rib.flush(self._fib_law(kind), by_timer=kind == "hold_expired")

    def _fib_law(self, kind: LossKind) -> Law:
        if kind == "hold_expired":
            return self._profile.fib_hold
        return self._profile.fib_link if kind == "link_down" else self._profile.fib_withdraw

    def _rest(self, law: Law) -> None:
        idle_us = self.draw_us(law, "idle")
        if idle_us:
            self._idle.set(self._clock.now_us + idle_us)
        else:
            self._become("active", Reason.READY)

    # graceful restart

    def _keeps(self, kind: LossKind) -> bool:
        rule = self._rule(kind)
        held = (rule == "notification" and self._notification) or (rule == "long_lived" and self._long_lived_s > 0)
        return self._restart and (rule == "gr" or held)

    def _rule(self, kind: LossKind) -> Keep:
        rule: Keep = getattr(self._profile.keeps_stale, kind) if kind != "bfd_down" else self._profile.bfd_keeps_stale
        return rule

    def _is_quiet(self, kind: LossKind) -> bool:
        """Whether long-lived graceful restart makes of this loss no more than a closed connection."""
        return self._rule(kind) == "long_lived" and self._keeps(kind)

    def _restart_expired(self) -> None:
        """The peer did not come back in time: it is taken down and up again, and some are idle in between."""
        law = self._profile.idle_after.restart_expired
        if self.state != "active":
            return
        if law.quantile(1.0) > 0:
            self._become("idle", Reason.RESTART_TIME_OVER)
            self._rest(law)
        elif self.rib.is_asleep and not self.rib.is_long_lived:
            self._become("idle", Reason.RESTART_TIME_OVER)
            self._idle.set(self.rib.wakes_us)

    # helpers

    def hold_us(self) -> int:
        """One setting of its hold timer."""
        low, high = self._profile.hold_jitter
        hold_us = self._session.hold_s() * 1_000_000
        if low < high:
            self._events += 1
            factor = low + (high - low) * self._session.world.tape.u(self._session.entity, "hold", self._events)
            hold_us = round(hold_us * factor)
        return self._grained_us(hold_us)

    def _grained_us(self, timer_us: int) -> int:
        """A timer that counts whole steps of the clock is up to one step short."""
        grain_s = self._profile.timer_grain_s
        if not grain_s:
            return timer_us
        self._events += 1
        u = self._session.world.tape.u(self._session.entity, "grain", self._events)
        return timer_us - round(grain_s * 1e6 * u)

    def draw_us(self, law: Law, purpose: str) -> int:
        """A duration of this peer's own, microseconds."""
        self._events += 1
        return self._session.world.tape.draw_us(law, self._session.entity, purpose, self._events)

    def _become(self, state: State, reason: Reason) -> None:
        self._session.note("router", self.state, state, reason)
        self.state = state
