"""When an end of a session sends its keepalives: computed when a failure asks, never scheduled.

Both ends send their first keepalive when the session is established, so equal periods stay in phase (measured: both
hold timers of a silent session expire within milliseconds of each other).
"""

from collections.abc import Callable
from functools import cached_property

from simbgp.scenario.tape import Tape

_STATIONARY_AFTER = 64
"""Jittered periods since establishment after which the age of the last keepalive has its stationary law."""


def stationary_age(jitter: tuple[float, float], u_gap: float, u_age: float) -> tuple[float, float]:
    """The gap around a random moment of a renewal process with uniform gaps, and the age of the last event in it.

    Both in units of the period. A random moment falls into long gaps more often: their density there is proportional
    to their length, so the gap is the inverse of (x^2 - low^2) / (high^2 - low^2); its place in the gap is uniform.
    """
    low, high = jitter
    gap = (low**2 + u_gap * (high**2 - low**2)) ** 0.5
    return gap, gap * u_age


class Keepalives:
    """Keepalives of one sender, ``period_us`` apart from the session's establishment on.

    ``origin`` gives that instant; it is asked for only when a failure needs it, so that a run in which no phase
    matters draws none.
    """

    def __init__(self, origin: Callable[[], int], period_us: int) -> None:
        self._origin = origin
        self.period_us = period_us

    @cached_property
    def origin_us(self) -> int:
        """When the session was established."""
        return self._origin()

    def last_before(self, time_us: int) -> int:
        """The latest one sent strictly before ``time_us``."""
        return self.origin_us + (time_us - self.origin_us - 1) // self.period_us * self.period_us

    def first_at_or_after(self, time_us: int) -> int:
        """The first one due at or after ``time_us``."""
        return self.origin_us - (self.origin_us - time_us) // self.period_us * self.period_us


class JitteredKeepalives(Keepalives):
    """Each period multiplied by a fresh draw from ``jitter`` (RFC 4271 §10; BIRD's bgp_start_timer).

    Long after ``origin_us`` the age at the first question is drawn from the stationary law of the renewal process (a
    length-biased period, a uniform place in it); from there on the periods are drawn one by one.
    """

    def __init__(
        self, origin: Callable[[], int], period_us: int, jitter: tuple[float, float], tape: Tape, entity: str
    ) -> None:
        super().__init__(origin, period_us)
        self._low, self._high = jitter
        self._tape = tape
        self._entity = entity
        self._sent_us: list[int] = []

    def last_before(self, time_us: int) -> int:
        """The latest one sent strictly before ``time_us``."""
        self._reach(time_us)
        return max(sent_us for sent_us in self._sent_us if sent_us < time_us)

    def first_at_or_after(self, time_us: int) -> int:
        """The first one due at or after ``time_us``."""
        self._reach(time_us)
        return min(sent_us for sent_us in self._sent_us if sent_us >= time_us)

    def _reach(self, time_us: int) -> None:
        if not self._sent_us:
            self._begin(time_us)
        while self._sent_us[-1] < time_us:
            factor = self._low + (self._high - self._low) * self._u("interval", len(self._sent_us))
            self._sent_us.append(self._sent_us[-1] + round(self.period_us * factor))

    def _begin(self, time_us: int) -> None:
        if time_us - self.origin_us <= _STATIONARY_AFTER * self.period_us:
            self._sent_us = [self.origin_us - self.period_us, self.origin_us]
            return
        gap, age = stationary_age((self._low, self._high), self._u("length-biased", 0), self._u("age", 0))
        last_us = time_us - 1 - round(self.period_us * age)
        self._sent_us = [last_us, last_us + round(self.period_us * gap)]

    def _u(self, purpose: str, n: int) -> float:
        return self._tape.u(f"{self._entity}@{self.origin_us}", f"keepalive-{purpose}", n)
