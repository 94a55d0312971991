"""The router's end of a session, and what it does with the peer's routes when the session ends and returns.

Which loss is graceful, how long stale routes stay and what a return does to them are the profile's
(profiles.router.RouterProfile); the order of events is RFC 4724 §4.2 and RFC 8538 §4.
"""

from typing import TYPE_CHECKING, Literal

from simbgp.model.bgp.messages import COLLISION, FIN, HOLD_EXPIRED, LINK_DOWN, REPLACED, Closing, LossKind
from simbgp.model.clock import Timer
from simbgp.profiles.law import Law
from simbgp.timeline.facts import RouteChanged, RouteEvent, State
from simbgp.timeline.invariants import require

if TYPE_CHECKING:
    from simbgp.model.bgp.connection import Connection
    from simbgp.model.bgp.session import Session


class RouterPeer:
    """One neighbour of a router: the state of its session and the paths learnt from it, fresh or stale."""

    def __init__(self, session: "Session", established: bool) -> None:
        self._session = session
        self._profile = session.profile
        self._clock = session.world.clock
        self.state: State = "established" if established else "active"
        self.connection: Connection | None = None
        self.paths: dict[str, Literal["fresh", "stale"]] = (
            dict.fromkeys(session.peering.prefixes, "fresh") if established else {}
        )
        self._restart = established and session.restart_negotiated
        self._notification = established and session.notification_negotiated
        self._restart_timer = Timer(self._clock, self._restart_due)
        self._stale_timer = Timer(self._clock, self._stale_due)
        self._idle = Timer(self._clock, lambda: self._become("active", "idle hold over"))
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
            self._end(LINK_DOWN.text, "link_down")
            if connection is not None:
                connection.router_leaves(FIN)
        elif self.state != "idle":
            self._become("idle", LINK_DOWN.text)

    def carrier_back(self) -> None:
        """The link is up again: a router that watched it waits as it does after an error."""
        self.carrier = True
        if self._profile.fast_fallover and self.state == "idle":
            self._rest(self._profile.idle_after.link_down)

    def vanish(self) -> None:
        """The router's host is gone, and all it knew."""
        connection, self.connection = self.connection, None
        self._forget("router lost power")
        self.paths.clear()
        if connection is not None:
            connection.router_vanishes()

    def daemon_ended(self, closing: Closing) -> None:
        """The router's daemon died (``closing`` is TCP's) or stopped with a NOTIFICATION; its FIB is the profile's."""
        connection, self.connection = self.connection, None
        self._forget(closing.text)
        if closing is not FIN or self._profile.fib_after_crash == "dropped":
            self._drop(list(self.paths), self._profile.fib_daemon)
        if connection is not None:
            connection.router_leaves(closing)

    def daemon_started(self) -> None:
        """A new daemon: it sweeps what it finds in the kernel, or keeps it until its peers have announced again."""
        self._become("active", "router's daemon started")
        if self._profile.fib_after_crash == "swept":
            self._drop(list(self.paths), self._profile.fib_daemon)
        elif self.paths:
            for prefix in self.paths:
                self.paths[prefix] = "stale"
                self._note(prefix, "stale")
            self._kept_over_restart = True
            self._stale_timer.set(self._clock.now_us + round(self._profile.fib_kept_s * 1e6))

    def _forget(self, reason: str) -> None:
        for timer in (self._restart_timer, self._stale_timer, self._idle):
            timer.cancel()
        if self.state != "idle":
            self._become("idle", reason)

    def accept(self) -> str | None:
        """A connection comes in: None lets it go on to the OPEN exchange, else why it is closed."""
        if self.state == "idle":
            return "connection closed: the router's end is idle"
        if self.state != "established":
            self._become("open_sent", "TCP connection accepted")
            return None
        rule = self._profile.new_connection
        if rule == "closed":
            return "connection closed: the router's old session still lives"
        if not self._restart:
            return COLLISION.text
        if self.connection is not None:
            self.connection.drop()
            self.connection = None
        self._end(REPLACED.text, "tcp_closed")
        if rule == "ends_both_if_restart":
            return "connection closed with the old session"
        self._become("open_sent", "TCP connection accepted")
        return None

    def half_open_closed(self) -> None:
        """A connection died before Established."""
        self._become("active", "connection lost before Established")
        if self._profile.half_open_loss == "purge":
            self._purge_stale(self._profile.fib_withdraw)

    def established(self, connection: "Connection") -> None:
        """The OPEN exchange is over; what the peer's capability says decides over stale routes."""
        self.connection = connection
        self._become("open_confirm", "OPEN accepted")
        self._become("established", "KEEPALIVE received")
        self._restart_timer.cancel()
        remembered = self._profile.remembers_restart
        self._restart = self._session.restart_negotiated or (remembered and self._restart)
        self._notification = self._session.notification_negotiated or (remembered and self._notification)
        forwarding_kept = self._session.node.restarting  # F follows R in every GoBGP seen
        if self._kept_over_restart:
            self._kept_over_restart = False  # its own restart: the End-of-RIB of the peer decides
        elif not self._restart or (self._profile.forwarding_bit == "honoured" and not forwarding_kept):
            self._purge_stale(self._profile.fib_withdraw)

    def closed(self, closing: Closing) -> None:
        """The peer ended the session, or its host answered with a reset."""
        self.connection = None
        self._end(closing.text, closing.kind)

    def hold_expired(self) -> None:
        """Nothing was heard for the hold time (RFC 4271 §8.2.2, event 10)."""
        connection, self.connection = self.connection, None
        self._end("hold timer expired", "hold_expired")
        if connection is not None:
            connection.router_leaves(HOLD_EXPIRED)

    def _end(self, reason: str, kind: LossKind) -> None:
        self._become("idle", reason)
        if self.carrier:
            self._rest(getattr(self._profile.idle_after, kind))
        if self._keeps(kind):
            self._keep_stale()
        else:
            self._restart_timer.cancel()
            self._stale_timer.cancel()
            self._drop(list(self.paths), self._fib_law(kind), by_timer=kind == "hold_expired")

    def _fib_law(self, kind: LossKind) -> Law:
        if kind == "hold_expired":
            return self._profile.fib_hold
        return self._profile.fib_link if kind == "link_down" else self._profile.fib_withdraw

    def _rest(self, law: Law) -> None:
        idle_us = self._draw_us(law, "idle")
        if idle_us:
            self._idle.set(self._clock.now_us + idle_us)
        else:
            self._become("active", "ready for a connection")

    # graceful restart

    def _keeps(self, kind: LossKind) -> bool:
        rule = getattr(self._profile.keeps_stale, kind)
        return self._restart and (rule == "gr" or (rule == "notification" and self._notification))

    def _keep_stale(self) -> None:
        """Mark all paths stale; those that were stale already go if a second loss purges them (RFC 4724 §4.2)."""
        if self._profile.second_loss == "purge":
            self._purge_stale(self._profile.fib_withdraw)
        now_us = self._clock.now_us
        for prefix in self.paths:
            self.paths[prefix] = "stale"
            self._note(prefix, "stale")
        if self.paths:
            self._restart_timer.set(now_us + self._grained_us(self._session.peering.restart.restart_time_s * 1_000_000))
            if self._profile.stale_path_s is not None:
                self._stale_timer.set(now_us + self._profile.stale_path_s * 1_000_000)

    def _asleep_until_us(self) -> int | None:
        wake_us = self._session.world.router(self._session.peering.router).stalled_until_us
        return wake_us if wake_us > self._clock.now_us else None

    def _restart_due(self) -> None:
        if (wake_us := self._asleep_until_us()) is not None:
            self._restart_timer.set(wake_us)
            return
        self._purge_stale(self._profile.fib_expire, by_timer=True)
        if self._profile.idle_after.restart_expired.quantile(1.0) > 0 and self.state == "active":
            self._become("idle", "restart time over")
            self._rest(self._profile.idle_after.restart_expired)

    def _stale_due(self) -> None:
        if (wake_us := self._asleep_until_us()) is not None:
            self._stale_timer.set(wake_us)
            return
        self._purge_stale(self._profile.fib_expire, by_timer=True)

    def _purge_stale(self, law: Law, by_timer: bool = False) -> None:
        self._restart_timer.cancel()
        self._stale_timer.cancel()
        self._drop([prefix for prefix, state in self.paths.items() if state == "stale"], law, by_timer)

    def check(self) -> None:
        """Assert that every stale route has a reason to go."""
        waits = self._restart_timer.deadline_us or self._stale_timer.deadline_us or self.state == "established"
        require(
            bool(waits) or "stale" not in self.paths.values(),
            f"{self._session.entity}: stale routes without a timer or a session to end them",
        )

    # routes

    def announced(self, prefixes: tuple[str, ...]) -> None:
        """UPDATEs for ``prefixes``, then End-of-RIB: what is still stale goes (RFC 4724 §4.2)."""
        for prefix in prefixes:
            if self.paths.get(prefix) == "stale":
                self._note(prefix, "refreshed")
            self.paths[prefix] = "fresh"
        self._program(prefixes, self._profile.fib_install, "fib-install")
        self._purge_stale(self._profile.fib_end_of_rib)

    def _next_wake_us(self) -> int:
        """When the process next looks at what a timer left to do."""
        limit_us = self._clock.now_us + round(self._profile.late_wake_s * 1e6)
        return self._session.world.next_activity_us(self._session.peering.router, self._session.peering.node, limit_us)

    def _drop(self, prefixes: list[str], law: Law, by_timer: bool = False) -> None:
        for prefix in prefixes:
            del self.paths[prefix]
        self._program(tuple(prefixes), law, "fib-withdraw", by_timer)

    def _program(self, prefixes: tuple[str, ...], law: Law, purpose: str, by_timer: bool = False) -> None:
        """Have the FIB follow the RIB for ``prefixes``, one after the other; ``by_timer`` if no packet woke us."""
        if not prefixes:
            return
        due_us = self._clock.now_us + self._draw_us(law, purpose)
        if by_timer and self._profile.late_wake_s:
            due_us = max(due_us, self._next_wake_us())
        fib = self._session.world.router(self._session.peering.router).fib
        for place, prefix in enumerate(prefixes):
            fib.follow(prefix, self._session, due_us + round(place * self._profile.fib_per_prefix_s * 1e6))

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

    def _draw_us(self, law: Law, purpose: str) -> int:
        self._events += 1
        return self._session.world.tape.draw_us(law, self._session.entity, purpose, self._events)

    def _note(self, prefix: str, event: RouteEvent) -> None:
        peering = self._session.peering
        self._session.world.timeline.write(
            RouteChanged(self._clock.now_us, peering.router, prefix, peering.node, event)
        )

    def _become(self, state: State, reason: str) -> None:
        self._session.note("router", self.state, state, reason)
        self.state = state
