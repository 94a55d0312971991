"""Expected costs of a year from failures that were played one at a time, with honest intervals.

The mean cost of one failure is a stratified mean: M = sum w_s m_s over strata of weight w_s, and
Var M = sum w_s^2 s_s^2 / n_s (Cochran, *Sampling Techniques*, §5.3). A year costs sum r_c M_c over the classes, r_c
failures a year. Where a rate was counted it is itself a Poisson estimate with Var r = r^2 / count, and as counts and
costs are independent Var (r M) = r^2 Var M + M^2 Var r + Var r Var M. What classes cost is independent, so variances
add.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simbgp.measure.intervals import CONFIDENCE, stream

Floats = npt.NDArray[np.float64]
_YEARS = 4000


@dataclass(frozen=True, slots=True)
class Yearly:
    """An expected amount a year with its 95 % interval; the ends are None where too few runs were played to tell."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Sample:
    """What failures of one class cost: ``costs`` per run, ``strata`` (run -> stratum) and how likely each stratum is.

    ``rate`` is how many failures a year, ``counted`` of how many that rate is the estimate; None: it is given.
    """

    rate: float
    costs: Floats
    strata: npt.NDArray[np.int64]
    weights: Floats
    counted: int | None = None

    def mean(self) -> float:
        """The mean cost of one failure."""
        return float(self.costs @ self.shares())

    def shares(self) -> Floats:
        """How much each run counts."""
        numbers = np.bincount(self.strata, minlength=len(self.weights))
        shares: Floats = (self.weights / np.maximum(numbers, 1))[self.strata]
        return shares

    def variance(self) -> float | None:
        """Of the mean; None if a stratum has a single run."""
        total = 0.0
        for stratum, weight in enumerate(self.weights.tolist()):
            of_it = self.costs[self.strata == stratum]
            if len(of_it) < 2:
                return None
            total += weight**2 * float(of_it.var(ddof=1)) / len(of_it)
        return total


def yearly(samples: Sequence[Sample]) -> Yearly:
    """The expected cost of a year, with the interval of a sum of independent estimates."""
    value, variance, known = 0.0, 0.0, True
    for sample in samples:
        mean, of_mean = sample.mean(), sample.variance()
        value += sample.rate * mean
        if of_mean is None:
            known = False
            continue
        of_rate = sample.rate**2 / sample.counted if sample.counted else 0.0
        variance += sample.rate**2 * of_mean + mean**2 * of_rate + of_rate * of_mean
    if not known:
        return Yearly(value, None, None)
    half = _z() * math.sqrt(variance)
    return Yearly(value, value - half, value + half)


def poisson_interval(count: int) -> tuple[float, float]:
    """The exact 95 % interval of the mean of a Poisson count (Garwood 1936)."""
    from scipy.special import gammaincinv

    tail = (1 - CONFIDENCE) / 2
    low = float(gammaincinv(count, tail)) if count else 0.0
    return low, float(gammaincinv(count + 1, 1 - tail))


def one_year_in(samples: Sequence[Sample], share: float, *, seed: int, purpose: str) -> float:
    """What one year in ``1 / share`` costs or more: failures come by Poisson, each costs what one of the runs did."""
    random = stream(seed, purpose)
    years = np.zeros(_YEARS)
    for sample in samples:
        chances = np.cumsum(sample.shares())
        numbers = random.poisson(sample.rate, size=_YEARS)
        drawn = np.searchsorted(chances, random.random(int(numbers.sum())) * chances[-1], side="right")
        costs = sample.costs[np.minimum(drawn, len(chances) - 1)]
        years += np.bincount(np.repeat(np.arange(_YEARS), numbers), weights=costs, minlength=_YEARS)
    return float(np.quantile(years, 1 - share))


def _z() -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + CONFIDENCE) / 2))
