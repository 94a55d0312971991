"""The router's end of a session, and what it does with the peer's routes when the session ends and returns.

Which loss is graceful, how long stale routes stay and what a return does to them are the profile's
(profiles.router.RouterProfile); the order of events is RFC 4724 §4.2 and RFC 8538 §4.
"""

from typing import TYPE_CHECKING, Literal

from simbgp.model.bgp.messages import COLLISION, HOLD_EXPIRED, REPLACED, Closing, LossKind
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
        self._restart_timer = Timer(self._clock, self._restart_expired)
        self._stale_timer = Timer(self._clock, self._stale_expired)
        self._idle = Timer(self._clock, lambda: self._become("active", "idle hold over"))
        self._events = 0

    # the session

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
        if rule == "replaces_if_restart" and not self._restart:
            return COLLISION.text
        if self.connection is not None:
            self.connection.drop()
            self.connection = None
        self._end(REPLACED.text, "tcp_closed")
        self._become("open_sent", "TCP connection accepted")
        return None

    def half_open_closed(self) -> None:
        """A connection died before Established."""
        self._become("active", "connection lost before Established")
        if self._profile.half_open_loss == "purge":
            self._purge_stale(self._profile.fib_withdraw, "connection lost before Established")

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
        if not self._restart or (self._profile.forwarding_bit == "honoured" and not forwarding_kept):
            self._purge_stale(self._profile.fib_withdraw, "no forwarding state kept by the peer")

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
        self._rest(self._profile.idle_after_loss, "idle-after-loss")
        if self._keeps(kind):
            self._keep_stale()
        else:
            self._restart_timer.cancel()
            self._stale_timer.cancel()
            self._drop(list(self.paths), self._profile.fib_withdraw)

    def _rest(self, law: Law, purpose: str) -> None:
        idle_us = self._draw_us(law, purpose)
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
            self._purge_stale(self._profile.fib_withdraw, "second loss before End-of-RIB")
        now_us = self._clock.now_us
        for prefix in self.paths:
            self.paths[prefix] = "stale"
            self._note(prefix, "stale")
        if self.paths:
            self._restart_timer.set(now_us + self._session.peering.restart.restart_time_s * 1_000_000)
            if self._profile.stale_path_s is not None:
                self._stale_timer.set(now_us + self._profile.stale_path_s * 1_000_000)

    def _restart_expired(self) -> None:
        self._purge_stale(self._profile.fib_expire, "restart time over")
        if self._profile.idle_after_expiry.quantile(1.0) > 0 and self.state != "idle":
            if self.state == "open_sent":
                return
            self._become("idle", "restart time over")
            self._rest(self._profile.idle_after_expiry, "idle-after-expiry")

    def _stale_expired(self) -> None:
        self._purge_stale(self._profile.fib_expire, "stale-path time over")

    def _purge_stale(self, law: Law, reason: str) -> None:
        self._restart_timer.cancel()
        self._stale_timer.cancel()
        self._drop([prefix for prefix, state in self.paths.items() if state == "stale"], law)

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
        self._purge_stale(self._profile.fib_expire, "End-of-RIB")

    def _drop(self, prefixes: list[str], law: Law) -> None:
        for prefix in prefixes:
            del self.paths[prefix]
        self._program(tuple(prefixes), law, "fib-withdraw")

    def _program(self, prefixes: tuple[str, ...], law: Law, purpose: str) -> None:
        """Have the FIB follow the RIB for ``prefixes``, one after the other."""
        if not prefixes:
            return
        due_us = self._clock.now_us + self._draw_us(law, purpose)
        fib = self._session.world.fib(self._session.peering.router)
        for place, prefix in enumerate(prefixes):
            fib.follow(prefix, self._session, due_us + round(place * self._profile.fib_per_prefix_s * 1e6))

    # helpers

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
