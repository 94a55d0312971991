"""Piecewise constant functions of time: how every fact of a timeline is looked up."""

from bisect import bisect_right
from typing import Generic, TypeVar

T = TypeVar("T")

START_US = -1
"""The steady state before any fact, those of time 0 included."""
NEVER_US = 2**62
"""After everything."""


class Steps(Generic[T]):
    """A value that changes at instants: ``values[i]`` holds from ``times[i]`` until before ``times[i + 1]``.

    The state at an instant is that after all facts of that instant, so steps of no length do not exist.
    """

    __slots__ = ("times", "values")

    def __init__(self, initial: T) -> None:
        self.times = [START_US]
        self.values = [initial]

    def set(self, time_us: int, value: T) -> None:
        """Let ``value`` hold from ``time_us``, which is not before the last change."""
        if self.times[-1] == time_us:
            self.times.pop()
            self.values.pop()
        if not self.values or self.values[-1] != value:
            self.times.append(time_us)
            self.values.append(value)

    def at(self, time_us: int) -> T:
        """The value that holds at ``time_us``."""
        return self.values[bisect_right(self.times, time_us) - 1]

    @property
    def last(self) -> T:
        """The value that holds in the end."""
        return self.values[-1]
