"""How well a predicted distribution fits measured values.

* The continuous ranked probability score (Gneiting & Raftery 2007, eq. 20): E|X - x| - E|X - X'| / 2 for a predicted X
  and a measured x, in the unit of the value. The *floor* is what the true distribution would score on average: half the
  mean difference between measurements of the same thing.
* Inside: a measured value between the 0.5 % and the 99.5 % quantile of the prediction, ±`NOISE_S`.

What did not happen while somebody looked (None) counts as the end of the observation.
"""

from collections.abc import Sequence
from itertools import combinations
from statistics import fmean

import numpy as np

NOISE_S = 0.15
"""What a machine of two cores adds to a moment at worst, in seconds."""
Seen = float | None


def crps(measured: Seen, predicted: Sequence[Seen], seen_s: float) -> float:
    """Continuous ranked probability score of one value, in seconds."""
    x = seen_s if measured is None else measured
    v = np.sort([seen_s if p is None else p for p in predicted])
    n = len(v)
    return float(np.abs(v - x).mean() - ((2 * np.arange(n) - n + 1) * v).sum() / n**2)


def floor(measured: Sequence[Seen], seen_s: float) -> float | None:
    """What the true distribution would score on average; None from a single value."""
    values = [seen_s if value is None else value for value in measured]
    return fmean(abs(a - b) for a, b in combinations(values, 2)) / 2 if len(values) > 1 else None


def interval(predicted: Sequence[Seen]) -> tuple[Seen, Seen]:
    """The central 99 % of what was predicted; an end is None where it never happens."""
    values = sorted(float("inf") if p is None else p for p in predicted)
    low = values[int(0.005 * (len(values) - 1))]
    high = values[min(len(values) - 1, int(0.995 * (len(values) - 1)) + 1)]
    return (None if low == float("inf") else low), (None if high == float("inf") else high)


def beside(measured: Seen, predicted: Sequence[Seen], seen_s: float) -> float:
    """How far the value lies outside of that interval and its noise, in seconds; 0 inside."""
    low, high = (seen_s if end is None else end for end in interval(predicted))
    x = seen_s if measured is None else measured
    return max(0.0, low - NOISE_S - x, x - high - NOISE_S)
