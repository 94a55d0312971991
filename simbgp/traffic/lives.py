"""How each connection of a population stands, and what became of it."""

from typing import Final

import numpy as np

from simbgp.traffic.datapath import Bools, Ints
from simbgp.traffic.steps import NEVER_US, START_US


class Fate:
    """How a connection ended, or the worst that it met: each is in exactly one. Plain numbers, as `Reply` is."""

    UNAFFECTED: Final = 0
    DELAYED: Final = 1
    RESET: Final = 2
    TIMED_OUT: Final = 3
    NOT_OPENED: Final = 4
    COUNT: Final = 5


class Lives:
    """Arrays with one row per connection; times in microseconds.

    ``faults`` are places in ``FaultLog.names()`` (-1: none), ``moves`` and ``first_moves`` epochs that sent the flow
    to another node (-1: none). It was opened at ``opened_us``, sends for the last time at ``last_us``, may send again
    from ``free_us`` on, and is no more from ``over_us`` on. ``owners`` are the ways on which its packets go now.
    """

    def __init__(self, count: int) -> None:
        self.fates, self.delays_us, self.connect_delays_us, self.owners = np.zeros((4, count), dtype=np.int64)
        self.refused = np.zeros(count, dtype=np.bool_)
        self.faults, self.first_moves, self.moves, self.last_us = np.full((4, count), -1)
        self.opened_us, self.over_us = np.full((2, count), NEVER_US)
        self.free_us = np.full(count, START_US)

    def __len__(self) -> int:
        return len(self.fates)

    def within(self, begins_us: int, ends_us: int) -> Bools:
        """Who is open and has something to send at some time from ``begins_us`` until before ``ends_us``."""
        live: Bools = (self.opened_us < ends_us) & (self.last_us >= begins_us) & (self.over_us > begins_us)
        return live

    def delay(self, who: Ints, waited_us: Ints, faults: Ints) -> None:
        """A connection is put down as delayed by its longest wait."""
        self.fates[who] = Fate.DELAYED
        longer = waited_us > np.maximum(self.delays_us[who], self.connect_delays_us[who])
        self.faults[who[longer]] = faults[longer]
        self.delays_us[who] = np.maximum(self.delays_us[who], waited_us)

    def end(self, who: Ints, fate: int, at_us: Ints, faults: Ints) -> None:
        """These are over."""
        self.fates[who] = fate
        self.over_us[who] = at_us
        self.faults[who] = faults

    def move(self, moved: Bools, epoch: int) -> None:
        """These are sent to another node from this epoch on."""
        self.moves[moved] = epoch
        self.first_moves[moved & (self.first_moves < 0)] = epoch

    @property
    def is_broken(self) -> Bools:
        """Whose connection was reset or timed out."""
        broken: Bools = (self.fates == Fate.RESET) | (self.fates == Fate.TIMED_OUT)
        return broken
