"""Simulated time: integer microseconds, a fixed order at one instant, and the one kind of timer."""

from collections.abc import Callable
from enum import IntEnum

import simpy


class Order(IntEnum):
    """What goes first at one instant, so that ties never depend on who was scheduled first.

    A packet that arrives exactly when a timer expires is in time: a session established at the very end of the
    restart time keeps its routes.
    """

    FAULT = 1  # 0 is SimPy's own, for the end of the run: what is due then does not happen
    PACKET = 2
    TIMER = 3
    RECONCILE = 4
    OBSERVE = 5


class Clock:
    """The run's clock over a SimPy environment."""

    def __init__(self) -> None:
        self._env = simpy.Environment(initial_time=0)

    @property
    def now_us(self) -> int:
        """Microseconds since time 0."""
        return int(self._env.now)

    def at(self, time_us: int, action: Callable[[], None], order: Order) -> None:
        """Call ``action`` once at ``time_us``, which is now or later."""
        _call_at(self._env, time_us, action, order)

    def run(self, until_us: int) -> None:
        """Let everything happen that is due strictly before ``until_us``."""
        self._env.run(until=until_us)


def _call_at(env: simpy.Environment, time_us: int, action: Callable[[], None], order: Order) -> None:
    """The least that SimPy needs for a call: an event that has happened already, to be heard of at its time."""
    event = simpy.Event(env)
    event.callbacks = [lambda _: action()]
    event._ok, event._value = True, None
    env.schedule(event, priority=order, delay=time_us - env.now)  # type: ignore[arg-type]


class Timer:
    """Calls ``on_expiry`` at its deadline. Setting it again moves the deadline; cancelling forgets it.

    SimPy cannot take an event back, so a moved or cancelled deadline leaves its wake-up where it is and is looked at
    again on waking: at most one wake-up is pending unless the deadline moves closer.
    """

    def __init__(self, clock: Clock, on_expiry: Callable[[], None], order: Order = Order.TIMER) -> None:
        self._clock = clock
        self._on_expiry = on_expiry
        self._order = order
        self._deadline_us: int | None = None
        self._wake_us: int | None = None

    @property
    def deadline_us(self) -> int | None:
        """When it will expire; None while it is not running."""
        return self._deadline_us

    def set(self, deadline_us: int) -> None:
        """Run until ``deadline_us``, whatever was set before."""
        self._deadline_us = deadline_us
        if self._wake_us is None or deadline_us < self._wake_us:
            self._wake_at(deadline_us)

    def cancel(self) -> None:
        """Stop it without a call."""
        self._deadline_us = None

    def _wake_at(self, time_us: int) -> None:
        self._wake_us = time_us
        _call_at(self._clock._env, time_us, lambda: self._wake(time_us), self._order)

    def _wake(self, time_us: int) -> None:
        if time_us != self._wake_us:
            return  # a closer wake-up took this one's place
        self._wake_us = None
        if self._deadline_us is None:
            return
        if self._deadline_us > time_us:
            self._wake_at(self._deadline_us)
            return
        self._deadline_us = None
        self._on_expiry()
