"""The next attempt of a client that repeats itself on a grid: to connect, or to get a request through."""

from functools import lru_cache

import numpy as np

from simbgp.traffic.datapath import Bools, Ints


class Attempts:
    """Offsets in microseconds from the first attempt; none beyond ``limit_us``, when the client gives up, is made.

    An attempt after the horizon meets the world as it is then, so the first of these is the last that tells anything.
    """

    def __init__(self, offsets_us: tuple[int, ...], limit_us: int, horizon_us: int) -> None:
        self._offsets_us = _up_to(offsets_us, limit_us)
        self._horizon_us = horizon_us

    def at(self, turns: Ints, began_us: Ints) -> tuple[Ints, Bools]:
        """When each is at its turn, at the horizon if that is later, and whether it is."""
        due_us = began_us + self._offsets_us[turns]
        return np.minimum(due_us, self._horizon_us), due_us > self._horizon_us

    def after(self, turns: Ints, began_us: Ints, stuck_us: Ints) -> tuple[Ints, Ints]:
        """Who has another attempt that may meet something else, and which: the rows, and a place among the offsets.

        ``turns`` are the last ones (-1: none yet), ``began_us`` when each began, ``stuck_us`` until when each meets the
        same as before.
        """
        needed_us = np.minimum(stuck_us, self._horizon_us + 1) - began_us
        nexts = np.maximum(turns + 1, np.searchsorted(self._offsets_us, needed_us))
        goes_on = np.flatnonzero(nexts < len(self._offsets_us))
        return goes_on, nexts[goes_on]


@lru_cache(maxsize=256)  # a service's clients are the same in every run
def _up_to(offsets_us: tuple[int, ...], limit_us: int) -> Ints:
    return np.array([at_us for at_us in offsets_us if at_us <= limit_us], dtype=np.int64)
