"""Where the binomial law reaches a level."""

from fractions import Fraction
from functools import lru_cache

_MOST_EXACT = 1000
"""Up to so many trials whole numbers take less time than SciPy takes to load, a sixth of a short study."""


@lru_cache(maxsize=1024)
def first_reaching(trials: int, p: float, level: float) -> int | None:
    """The least k below ``trials`` with P(X <= k) >= ``level`` for X of Binomial(``trials``, ``p``); None: none."""
    return _exactly(trials, p, level) if trials <= _MOST_EXACT else _with_scipy(trials, p, level)


def _exactly(trials: int, p: float, level: float) -> int | None:
    """In whole numbers: with p = a/w each term C(n, k) a^k (w - a)^(n - k) is one, and nothing is rounded.

    Both fractions are those that are meant: 99/100, not the nearest that a float can hold.
    """
    a, w = _meant(p).as_integer_ratio()
    parts, whole = _meant(level).as_integer_ratio()
    wanted = parts * w**trials
    term = (w - a) ** trials
    reached = 0
    for k in range(trials):
        reached += term * whole
        if reached >= wanted:
            return k
        term = term * ((trials - k) * a) // ((k + 1) * (w - a))
    return None


def _meant(share: float) -> Fraction:
    return Fraction(share).limit_denominator(10**9)


def _with_scipy(trials: int, p: float, level: float) -> int | None:
    import numpy as np
    from scipy.special import bdtr

    reached = np.asarray(bdtr(np.arange(trials), trials, p)) >= level
    return int(np.argmax(reached)) if reached.any() else None
