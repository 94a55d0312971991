"""What the runs say about all runs: a statistic with a 95 % interval.

Quantiles have the distribution-free interval of two order statistics, its level from the exact binomial law (David and
Nagaraja, *Order Statistics*, §7.1). Means have the percentile bootstrap (Efron and Tibshirani 1993, §13), shares of
runs have Wilson's score interval (Wilson 1927). ``max`` and ``min`` are the extremes of the runs themselves and say
nothing about other runs.

A censored value is a lower bound: below, it counts as it stands; above, as infinite.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from simbgp.measure.observed import Value

CONFIDENCE = 0.95
RESAMPLES = 2000
FEWEST_FOR_BOOTSTRAP = 10
"""Below this many runs the resamples of a mean hardly differ: no interval."""
_DRAWS_AT_ONCE = 1_000_000

Floats = npt.NDArray[np.float64]
Side = Literal["low", "high"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic over runs. ``low`` or ``high`` is None where no bound exists, from so few or so censored runs.

    ``confidence`` is None where the value is that of the runs themselves and not an estimate.
    """

    value: float
    low: float | None
    high: float | None
    confidence: float | None
    runs: int
    censored: bool


def quantile_of(stat: str) -> float | None:
    """0.99 of ``p99``, 0.999 of ``p99.9``; None of ``mean``, ``max`` and ``min``."""
    return round(float(stat[1:]) / 100, 12) if stat.startswith("p") else None


def upper_rank(runs: int, p: float, level: float) -> int | None:
    """The least rank (from 1) whose order statistic is at or above the ``p`` quantile with probability ``level``.

    None if even the greatest of ``runs`` values is not: 1 - p^runs < level.
    """
    from scipy.special import bdtr  # a quarter of what starting a worker costs, and workers take no intervals

    reached = np.asarray(bdtr(np.arange(runs), runs, p)) >= level
    return int(np.argmax(reached)) + 1 if reached.any() else None


def lower_rank(runs: int, p: float, level: float) -> int | None:
    """The greatest rank whose order statistic is at or below the ``p`` quantile with probability ``level``."""
    mirrored = upper_rank(runs, 1 - p, level)
    return None if mirrored is None else runs + 1 - mirrored


def ranks(runs: int, p: float, side: Side = "high") -> tuple[int | None, int | None]:
    """Ranks of the interval's two ends for the ``p`` quantile: equal tails of 2.5 %.

    Where one of them does not exist, the interval is one-sided: the end on ``side`` has all 5 % and the other is None.
    If that does not exist either, ``side`` is None and the other end keeps its 2.5 %.
    """
    two_sided = (1 + CONFIDENCE) / 2
    low, high = lower_rank(runs, p, two_sided), upper_rank(runs, p, two_sided)
    if low is not None and high is not None:
        return low, high
    if side == "high":
        only = upper_rank(runs, p, CONFIDENCE)
        return (low, None) if only is None else (None, only)
    only = lower_rank(runs, p, CONFIDENCE)
    return (None, high) if only is None else (only, None)


def runs_for_quantile(p: float) -> int:
    """The least number of runs from which the scarcer end of the interval exists: 2 995 for p99.9."""
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(max(p, 1 - p)))


def estimate(
    stat: str, values: Sequence[Value], *, seed: int, purpose: str, exact: bool = False, bound: float = math.inf
) -> Estimate:
    """``stat`` (``mean``, ``max``, ``min``, ``p50`` ...) over the runs' ``values``, of which there is at least one.

    ``seed`` and ``purpose`` key the bootstrap's own stream. ``exact`` says that every run is the same. Where only a
    one-sided interval exists, it is the side that faces ``bound``.
    """
    lows = np.array([value.value for value in values])
    highs = np.array([math.inf if value.censored else value.value for value in values])
    at = _statistic(stat)
    value, censored = at(lows), not math.isfinite(at(highs))
    if exact or stat in ("max", "min"):
        return Estimate(value, value, None if censored else value, None, len(values), censored)
    p = quantile_of(stat)
    if p is None:
        low, high = _mean_interval(lows, highs, seed, purpose)
    else:
        low, high = _quantile_interval(lows, highs, p, "high" if value <= bound else "low")
    return Estimate(value, low, high, CONFIDENCE, len(values), censored)


def wilson(yes: int, runs: int) -> Estimate:
    """The share of ``runs`` (at least one) in which something is so, with its score interval."""
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    share = yes / runs
    centre = (share + z**2 / (2 * runs)) / (1 + z**2 / runs)
    half = z / (1 + z**2 / runs) * math.sqrt(share * (1 - share) / runs + (z / (2 * runs)) ** 2)
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    # at the ends the two terms cancel but for rounding
    return Estimate(share, low if yes else 0.0, high if yes < runs else 1.0, CONFIDENCE, runs, censored=False)


def _statistic(stat: str) -> Callable[[Floats], float]:
    p = quantile_of(stat)
    if p is not None:
        return lambda values: _quantile(values, p)
    of: dict[str, Callable[[Floats], Any]] = {"mean": np.mean, "max": np.max, "min": np.min}
    return lambda values: float(of[stat](values))


def _quantile(values: Floats, p: float) -> float:
    """Linear between the order statistics, as `numpy.quantile`; infinite as soon as an infinite one has weight."""
    ordered = np.sort(values)
    place = p * (len(ordered) - 1)
    below = math.floor(place)
    weight = place - below
    above = ordered[below + 1] if weight else ordered[below]
    return math.inf if math.isinf(above) else float(ordered[below] + weight * (above - ordered[below]))


def _quantile_interval(lows: Floats, highs: Floats, p: float, side: Side) -> tuple[float | None, float | None]:
    low_rank, high_rank = ranks(len(lows), p, side)
    low = None if low_rank is None else float(np.sort(lows)[low_rank - 1])
    high = None if high_rank is None else float(np.sort(highs)[high_rank - 1])
    return low, high if high is not None and math.isfinite(high) else None


def _mean_interval(lows: Floats, highs: Floats, seed: int, purpose: str) -> tuple[float | None, float | None]:
    if len(lows) < FEWEST_FOR_BOOTSTRAP:
        return None, None
    low, high = np.quantile(_resampled_means(lows, seed, purpose), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high) if np.isfinite(highs).all() else None


def stream(seed: int, purpose: str) -> np.random.Generator:
    """The bootstrap's own stream of that name."""
    key = int.from_bytes(blake2b(f"{seed}/{purpose}".encode(), digest_size=16).digest(), "big")
    return np.random.Generator(np.random.Philox(key=key))


def _resampled_means(values: Floats, seed: int, purpose: str) -> Floats:
    """Means of `RESAMPLES` samples drawn with replacement, a block at a time to bound the memory."""
    random = stream(seed, purpose)
    rows = max(1, _DRAWS_AT_ONCE // len(values))
    blocks = [min(rows, RESAMPLES - done) for done in range(0, RESAMPLES, rows)]
    return np.concatenate([values[random.integers(len(values), size=(n, len(values)))].mean(axis=1) for n in blocks])
