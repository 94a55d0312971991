"""The difference that a change makes, run by run: both sides of a pair have the same luck.

What both sides share cancels in each pair, so the interval of a difference is as wide as what the change itself varies,
and not as wide as the runs are (common random numbers: Law, *Simulation Modeling and Analysis*, §11.2).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simbgp.measure.intervals import CONFIDENCE, FEWEST_FOR_BOOTSTRAP, RESAMPLES, Floats, quantile_of, stream
from simbgp.measure.observed import Value

_DRAWS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Difference:
    """A statistic of both sides over the ``pairs`` of runs in which both have a value, and other minus one.

    ``low`` and ``high`` are the paired interval, ``unpaired_width`` the width that independent runs would have; None
    from too few pairs. With a ``censored`` value among them the difference is known of what the horizon shows only.
    """

    one: float
    other: float
    low: float | None
    high: float | None
    unpaired_width: float | None
    pairs: int
    censored: bool

    @property
    def value(self) -> float:
        """Other minus one."""
        return self.other - self.one


def difference(
    stat: str, one: Sequence[Value | None], other: Sequence[Value | None], *, seed: int, purpose: str
) -> Difference | None:
    """``stat`` of ``other`` minus that of ``one`` with a paired percentile bootstrap; None without a pair.

    ``max`` and ``min`` are of the runs themselves and have no interval.
    """
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
    if not pairs:
        return None
    sides = np.array([(a.value, b.value) for a, b in pairs])
    censored = any(value.censored for pair in pairs for value in pair)
    first, second = (float(each) for each in _of(stat, sides))
    if len(pairs) < FEWEST_FOR_BOOTSTRAP or stat in ("max", "min"):
        return Difference(first, second, None, None, None, len(pairs), censored)
    low, high = _ends(_resampled(stat, sides, seed, purpose, paired=True))
    apart = _ends(_resampled(stat, sides, seed, purpose, paired=False))
    return Difference(first, second, low, high, apart[1] - apart[0], len(pairs), censored)


def _ends(differences: Floats) -> tuple[float, float]:
    low, high = np.quantile(differences, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]).tolist()
    return low, high


def _of(stat: str, samples: Floats) -> Floats:
    """The statistic along the last axis but one: of many runs with two sides each."""
    p = quantile_of(stat)
    if p is not None:
        return np.asarray(np.quantile(samples, p, axis=-2))
    if stat == "mean":
        return np.asarray(samples.mean(axis=-2))
    return np.asarray(samples.max(axis=-2) if stat == "max" else samples.min(axis=-2))


def _resampled(stat: str, sides: Floats, seed: int, purpose: str, *, paired: bool) -> Floats:
    """Differences in `RESAMPLES` samples with replacement: of pairs, or of each side for itself."""
    random = stream(seed, f"{purpose}/{'paired' if paired else 'apart'}")
    runs = len(sides)
    rows = max(1, math.floor(_DRAWS_AT_ONCE / runs))
    blocks = []
    for done in range(0, RESAMPLES, rows):
        shape = (min(rows, RESAMPLES - done), runs)
        one = random.integers(runs, size=shape)
        other = one if paired else random.integers(runs, size=shape)
        found = _of(stat, np.stack([sides[one, 0], sides[other, 1]], axis=-1))
        blocks.append(found[:, 1] - found[:, 0])
    return np.concatenate(blocks)
