"""Lifetimes of connections: of new ones, and what is left of those that are open at a random moment."""

import math
from itertools import pairwise
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from simbgp.profiles.law import Law

Seconds = NDArray[np.float64]
_Z99 = NormalDist().inv_cdf(0.99)
_CELLS = 4096


def lifetimes(law: Law, rng: np.random.Generator, count: int) -> Seconds:
    """``count`` draws of ``law`` in seconds."""
    p = law.parameters
    if law.kind == "exponential":
        return rng.exponential(p[0], count)
    if law.kind == "lognormal":
        return rng.lognormal(math.log(p[0]), _sigma(law), count)
    if law.kind == "normal":
        return np.maximum(rng.normal(p[0], p[1], count), 0.0)
    if law.kind == "choice":
        return np.array(p)[rng.integers(len(p), size=count)]
    ordered = np.sort(p)  # constant, uniform, empirical: linear between observations
    drawn: Seconds = np.interp(rng.random(count) * (len(p) - 1), np.arange(len(p)), ordered)
    return drawn


def residual_lifetimes(law: Law, rng: np.random.Generator, count: int) -> Seconds:
    """``count`` draws of the time that a connection open at a random moment has left.

    A moment meets a connection in proportion to its length and at a uniform place within it (inspection paradox).
    """
    if law.kind == "exponential":  # has no memory
        return lifetimes(law, rng, count)
    return _length_biased(law, rng, count) * rng.random(count)


def _sigma(law: Law) -> float:
    median, p99 = law.parameters
    return math.log(p99 / median) / _Z99


def _length_biased(law: Law, rng: np.random.Generator, count: int) -> Seconds:
    p = law.parameters
    if law.kind == "lognormal":  # x times its density is another lognormal
        return rng.lognormal(math.log(p[0]) + _sigma(law) ** 2, _sigma(law), count)
    if law.kind == "choice":
        return np.array(p)[rng.choice(len(p), count, p=_weights(np.array(p)))]
    if law.kind == "normal":  # cut off at 0, so by cells of equal probability
        nodes = (np.arange(_CELLS) + 0.5) / _CELLS
        return _between(np.array([law.quantile(float(u)) for u in nodes]), rng, count)
    return _between(np.sort(p), rng, count)


def _between(ordered: Seconds, rng: np.random.Generator, count: int) -> Seconds:
    """Length-biased draws of a law that is uniform, with equal probability, between each two neighbours."""
    if len(ordered) == 1:
        return np.full(count, ordered[0])
    low, high = ordered[:-1], ordered[1:]
    cell = rng.choice(len(low), count, p=_weights(np.array([a + b for a, b in pairwise(ordered)])))
    return np.sqrt(low[cell] ** 2 + rng.random(count) * (high[cell] ** 2 - low[cell] ** 2))


def _weights(lengths: Seconds) -> Seconds:
    total = lengths.sum()
    return lengths / total if total else np.full(len(lengths), 1 / len(lengths))
