"""Which packets vanish on a path that loses some of them: luck by name, as everywhere."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from simbgp.traffic.datapath import Ints
from simbgp.traffic.mixing import uniform

Floats = NDArray[np.float64]
VANISHES, PASSES = 0.0, 1.0
"""Luck that is known: a packet vanishes where its luck is below the share that its path loses."""


class Purpose(IntEnum):
    """What a number in [0, 1) is drawn for; one flow draws each at most once at a moment."""

    SYN = 1
    RETRANSMISSION = 2
    PASSES = 3
    GAP = 4
    LOSS_GAP = 5
    AGE = 6


class Luck:
    """A number in [0, 1) for every flow, moment and purpose: a hash of the flow's key, itself of a Philox stream.

    So the luck of one packet depends on no other packet, nor on the order in which packets are looked at.
    """

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        self._keys = keys

    def draw(self, who: Ints, at_us: Ints, purpose: Purpose) -> Floats:
        """One number for each of the flows ``who``; a packet vanishes where it is below the path's lost share."""
        return uniform(self._keys[who], at_us + (purpose << 50))

    def exponential(self, who: Ints, at_us: Ints, purpose: Purpose) -> Floats:
        """An exponential of mean 1 for each."""
        return -np.log1p(-self.draw(who, at_us, purpose))

    def passes(self, who: Ints, since_us: Ints, lost_shares: Floats) -> Floats:
        """How many requests from a moment on pass before one vanishes: geometric; infinitely many if none is lost."""
        passes, some = np.full(len(who), np.inf), lost_shares > 0
        drawn = self.exponential(who[some], since_us[some], Purpose.PASSES)
        passes[some] = np.floor(drawn / -np.log1p(-lost_shares[some]))
        return passes
