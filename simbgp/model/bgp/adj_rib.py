"""The paths that a router has from one peer, fresh or stale, and the timers that end the stale ones.

What a loss, a return and an End-of-RIB do to them is RFC 4724 §4.2, RFC 8538 §4 and RFC 9494 §4.2, with the profile's
deviations (profiles.router.RouterProfile). The FIB follows with the profile's delay.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from simbgp.model.clock import Timer
from simbgp.profiles.law import Law
from simbgp.timeline.facts import RouteChanged, RouteEvent
from simbgp.timeline.invariants import require

if TYPE_CHECKING:
    from simbgp.model.bgp.session import Session


PathState = Literal["fresh", "stale", "long_lived"]
"""``long_lived``: stale for longer than the restart time, and least preferred (RFC 9494 §4.3)."""


class AdjRibIn:
    """Adj-RIB-In of one peer (RFC 4271 §3.2), with the memory of a graceful-restart helper."""

    def __init__(self, session: "Session", established: bool, on_restart_expired: Callable[[], None]) -> None:
        self._session = session
        self._profile = session.profile
        self._clock = session.world.clock
        self._on_restart_expired = on_restart_expired
        self.paths: dict[str, PathState] = dict.fromkeys(session.peering.prefixes, "fresh") if established else {}
        self._noted_stale: set[str] = set()
        """Prefixes of which the timeline says that they are stale, unless the FIB has dropped them since."""
        self._restart_timer = Timer(self._clock, self._restart_due)
        self._stale_timer = Timer(self._clock, self._stale_due)
        self._long_lived_timer = Timer(self._clock, self._long_lived_due)
        self._long_lived_us = 0
        self._late: tuple[str, ...] = ()
        self.wakes_us = -1
        """When the daemon gets to what a timer left to do; in the past if nothing is left."""

    # what the peer says

    def announced(self, prefixes: tuple[str, ...]) -> None:
        """UPDATEs for ``prefixes``, then End-of-RIB: what is still stale goes (RFC 4724 §4.2)."""
        for prefix in prefixes:
            self._heard(prefix)
        self._program(prefixes, self._profile.fib_install, "fib-install")
        self.purge(self._profile.fib_end_of_rib)

    def updated(self, reached: tuple[str, ...], withdrawn: tuple[str, ...]) -> None:
        """UPDATEs in a running session: prefixes announced, prefixes withdrawn."""
        for prefix in reached:
            self._heard(prefix)
        self._program(reached, self._profile.fib_install, "fib-install")
        self._drop([prefix for prefix in withdrawn if prefix in self.paths], self._profile.fib_withdraw)

    def _heard(self, prefix: str) -> None:
        """Announced, so fresh; it may have been deleted as stale so lately that the FIB still holds it."""
        fib = self._session.world.router(self._session.peering.router).fib
        late = prefix in self._noted_stale and fib.holds(prefix, self._session)
        if late or self.paths.get(prefix, "fresh") != "fresh":
            self._note(prefix, "refreshed")
        self._noted_stale.discard(prefix)
        self.paths[prefix] = "fresh"

    # what a loss does

    def keep(self, restart_us: int, long_lived_us: int = 0) -> None:
        """Mark all stale for ``restart_us``, then long-lived for ``long_lived_us``.

        What was stale already goes if a second loss purges it. A long-lived timer that runs is not touched by a loss
        before End-of-RIB (RFC 9494 §4.2): all paths join those that it holds (BIRD bgp_handle_graceful_restart).
        """
        if self._long_lived_timer.deadline_us is not None:
            self._mark_stale()
            self._mark_long_lived(self._profile.fib_withdraw)
            return
        if self._profile.second_loss == "purge":
            self.purge(self._profile.fib_withdraw)
        self._mark_stale()
        self._long_lived_us = long_lived_us
        if self.paths:
            now_us = self._clock.now_us
            self._restart_timer.set(now_us + restart_us)
            if self._profile.stale_path_s is not None:
                self._stale_timer.set(now_us + self._profile.stale_path_s * 1_000_000)

    def keep_over_own_restart(self) -> None:
        """A new daemon found them in the kernel and keeps them for a while."""
        self._mark_stale()
        if self.paths:
            self._stale_timer.set(self._clock.now_us + round(self._profile.fib_kept_s * 1e6))

    def flush(self, law: Law, by_timer: bool = False) -> None:
        """Delete all of them."""
        self.stop_timers()
        self._drop(list(self.paths), law, by_timer)

    def purge(self, law: Law, by_timer: bool = False) -> None:
        """Delete those that are stale, long-lived or not."""
        self.stop_timers()
        self._drop([prefix for prefix, state in self.paths.items() if state != "fresh"], law, by_timer)

    def restart_failed(self, law: Law, by_timer: bool = False) -> None:
        """The peer's restart is given up: what is stale becomes long-lived where that was negotiated, else it goes."""
        if not self._long_lived_us:
            self.purge(law, by_timer)
        elif self._long_lived_timer.deadline_us is None:
            self._restart_timer.cancel()
            self._stale_timer.cancel()
            if any(state != "fresh" for state in self.paths.values()):
                self._long_lived_timer.set(self._clock.now_us + self._long_lived_us)
                self._mark_long_lived(law, by_timer)

    @property
    def is_long_lived(self) -> bool:
        """Whether any path is stale for longer than the restart time."""
        return "long_lived" in self.paths.values()

    def daemon_is_gone(self) -> None:
        """Timers and stale marks died with the daemon; what it had put into the kernel is still there."""
        self.stop_timers()
        session = self._session
        fib = session.world.router(session.peering.router).fib
        self.paths = {
            prefix: "fresh"
            for prefix, state in self.paths.items()
            if state != "long_lived" or fib.holds(prefix, session)
        }

    def forget(self) -> None:
        """The memory they were in is gone; the FIB is another matter."""
        self.stop_timers()
        self.paths.clear()

    def session_is_back(self) -> None:
        """The peer is Established again: the restart timer has done its duty, except where only End-of-RIB stops it."""
        if self._profile.restart_timer_until == "established":
            self._restart_timer.cancel()
        if self._profile.long_lived_until == "established":
            self._long_lived_timer.cancel()

    def stop_timers(self) -> None:
        """Nothing ends stale paths by time any more."""
        for timer in (self._restart_timer, self._stale_timer, self._long_lived_timer):
            timer.cancel()
        self._long_lived_us = 0

    def check(self, established: bool) -> None:
        """Assert that every stale path has a reason to go."""
        timers = (self._restart_timer, self._stale_timer, self._long_lived_timer)
        waits = established or any(timer.deadline_us for timer in timers)
        require(
            waits or all(state == "fresh" for state in self.paths.values()),
            f"{self._session.entity}: stale routes without a timer or a session to end them",
        )

    def _mark_stale(self) -> None:
        for prefix, state in self.paths.items():
            if state != "long_lived":  # the mark outlives another loss
                self.paths[prefix] = "stale"
                self._noted_stale.add(prefix)
                self._note(prefix, "stale")

    def _mark_long_lived(self, law: Law, by_timer: bool = False) -> None:
        """From now on they are the last choice; where there is a better one the FIB drops them."""
        marked = tuple(prefix for prefix, state in self.paths.items() if state == "stale")
        self.paths.update(dict.fromkeys(marked, "long_lived"))
        self._program(marked, law, "fib-withdraw", by_timer)

    def _restart_due(self) -> None:
        if self._asleep(self._restart_timer):
            return
        self.restart_failed(self._profile.fib_expire, by_timer=True)
        self._on_restart_expired()

    def _long_lived_due(self) -> None:
        if not self._asleep(self._long_lived_timer):
            self.purge(self._profile.fib_expire, by_timer=True)

    def _stale_due(self) -> None:
        if not self._asleep(self._stale_timer):
            self.purge(self._profile.fib_expire, by_timer=True)

    def _asleep(self, timer: Timer) -> bool:
        """A stalled daemon gets to its timers when it wakes."""
        wake_us = self._session.world.router(self._session.peering.router).stalled_until_us
        if wake_us > self._clock.now_us:
            timer.set(wake_us)
            return True
        return False

    # the FIB

    def _drop(self, prefixes: list[str], law: Law, by_timer: bool = False) -> None:
        for prefix in prefixes:
            del self.paths[prefix]
        self._program(tuple(prefixes), law, "fib-withdraw", by_timer)

    def _program(self, prefixes: tuple[str, ...], law: Law, purpose: str, by_timer: bool = False) -> None:
        """Have the FIB follow for ``prefixes``, one after the other; ``by_timer`` if no packet woke the daemon."""
        if not prefixes:
            return
        due_us = self._clock.now_us + self._session.router.draw_us(law, purpose)
        if by_timer and self._profile.late_wake_s:
            self.wakes_us, self._late = self._next_wake_us(), prefixes
            due_us = max(due_us, self.wakes_us)
        fib = self._session.world.router(self._session.peering.router).fib
        for place, prefix in enumerate(prefixes):
            fib.follow(prefix, self._session, due_us + round(place * self._profile.fib_per_prefix_s * 1e6))

    @property
    def is_asleep(self) -> bool:
        """Whether the daemon has not yet got to what a timer left to do."""
        return self.wakes_us > self._clock.now_us

    def wake(self) -> None:
        """A packet of this peer wakes the daemon before any other does."""
        self.wakes_us = self._clock.now_us
        fib = self._session.world.router(self._session.peering.router).fib
        for prefix in self._late:
            fib.follow(prefix, self._session, self.wakes_us)

    def _next_wake_us(self) -> int:
        """When the daemon next looks at what a timer left to do."""
        limit_us = self._clock.now_us + round(self._profile.late_wake_s * 1e6)
        return self._session.world.next_activity_us(self._session.peering.router, self._session.peering.node, limit_us)

    def _note(self, prefix: str, event: RouteEvent) -> None:
        peering = self._session.peering
        fact = RouteChanged(self._clock.now_us, peering.router, prefix, peering.node, event)
        self._session.world.timeline.write(fact)
