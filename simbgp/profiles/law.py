"""Laws of durations: what turns a uniform number of the tape into seconds.

One syntax serves profiles and scenarios: a number, a duration string, or one of
``{uniform: [low, high]}``, ``{choice: [a, b, ...]}``, ``{normal: {mean, sd}}``, ``{lognormal: {median, p99}}``,
``{exponential: {mean}}``, ``{empirical: [a, b, ...]}``.
"""

import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

_UNITS_S = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(us|µs|ms|s|m|h)")
_STANDARD = NormalDist()
_LONGEST = 100
_BISECTIONS = 48
"""Until the probability is known to more digits than anybody measures."""
KINDS = "uniform, choice, normal, lognormal, exponential, empirical"


def parse_duration(value: object) -> float:
    """Seconds of a number of seconds or of a Kubernetes-style string (``500ms``, ``90s``, ``1h30m``).

    Raises ValueError, saying what is allowed, for anything else: negative, infinite, not a number, a bare ``90``
    in quotes.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(
            f"{value!r} is not a duration; allowed: seconds (90, 0.5) or a string like 500ms, 90s, 2m, 1h30m"
        )
    if isinstance(value, str):
        parts = _PART.findall(value)
        if not parts or "".join(number + unit for number, unit in parts) != value:
            raise ValueError(
                f"{value!r} is not a duration; allowed: seconds (90, 0.5) or a string like 500ms, 90s, 2m, 1h30m"
            )
        return math.fsum(float(number) * _UNITS_S[unit] for number, unit in parts)
    if not 0 <= value <= sys.float_info.max:
        shown = f"{value:g}" if isinstance(value, float) else str(value)
        raise ValueError(f"{_brief(shown)} is not a duration; allowed: a finite number of seconds, 0 or more")
    return float(value)


def _brief(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def format_duration(seconds: float) -> str:
    """The shortest duration string that `parse_duration` reads back to ``seconds``: ``1m30s``, ``500ms``, ``0s``."""
    whole_us = round(seconds * 1e6)
    text = ""
    for unit, size_us in (("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1000), ("us", 1)):
        count, whole_us = divmod(whole_us, size_us)
        if count:
            text += f"{count}{unit}"
    return text or "0s"


@dataclass(frozen=True, slots=True)
class Law:
    """The law of one duration in seconds; ``quantile(u)`` is its inverse distribution function, cut off at 0.

    ``within`` are the probabilities between which its draws lie: (0, 1) of the law itself, else a part of it.
    """

    kind: str
    parameters: tuple[float, ...]
    within: tuple[float, float] = (0.0, 1.0)

    @classmethod
    def constant(cls, seconds: float) -> "Law":
        """The law that is always ``seconds``."""
        return cls("constant", (seconds,))

    @classmethod
    def parse(cls, value: object) -> "Law":
        """Read the syntax above. Raises ValueError with what is allowed."""
        if not isinstance(value, Mapping):
            return cls.constant(parse_duration(value))
        if len(value) != 1 or next(iter(value)) not in _READERS:
            raise ValueError(f"{dict(value)!r} is not a distribution; allowed: one of {KINDS}, or a plain duration")
        kind, body = next(iter(value.items()))
        return cls(kind, _READERS[kind](kind, body))

    @property
    def is_constant(self) -> bool:
        """Whether every draw gives the same."""
        if self.kind == "constant":
            return True
        alike = self.parameters.count(self.parameters[0]) == len(self.parameters)
        return alike and self.kind in ("uniform", "choice", "empirical")

    @property
    def support(self) -> tuple[float, float]:
        """The least and the greatest value in seconds; the greatest may be infinite."""
        return self.quantile(0.0), self.quantile(1.0)

    def quantile(self, u: float) -> float:
        """Seconds at probability ``u`` in [0, 1]."""
        low, high = self.within
        return max(0.0, _QUANTILES[self.kind](self.parameters, low + u * (high - low) if u < 1.0 else high))

    def part(self, low: float, high: float) -> "Law":
        """The law of those draws that lie between two of its probabilities: ``part(0.9, 1)`` is the longest tenth."""
        first, last = self.within
        return replace(self, within=(first + low * (last - first), first + high * (last - first)))

    def below(self, seconds: float) -> float:
        """The probability of a draw of at most ``seconds``, by bisection of the quantiles."""
        if self.is_constant:
            return float(self.quantile(0.5) <= seconds)
        low, high = 0.0, 1.0
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.quantile(middle) <= seconds else (low, middle)
        return 1.0 if self.quantile(1.0) <= seconds else low

    def __str__(self) -> str:
        """As a reader of a report would want it."""
        if self.kind == "constant":
            return format_duration(self.parameters[0])
        if self.kind == "uniform":
            return f"{self.parameters[0]:g}-{self.parameters[1]:g} s"
        if self.kind in ("choice", "empirical"):
            return f"one of {len(self.parameters)} values, {min(self.parameters):g}-{max(self.parameters):g} s"
        names = {"normal": ("mean", "sd"), "lognormal": ("median", "p99"), "exponential": ("mean",)}[self.kind]
        return f"{self.kind} " + " ".join(f"{n} {p:g} s" for n, p in zip(names, self.parameters, strict=True))


def _listed(kind: str, body: object) -> tuple[float, ...]:
    if not isinstance(body, Sequence) or isinstance(body, str) or not body:
        raise ValueError(f"{kind} takes a list of durations, e.g. {{{kind}: [10s, 40s]}}")
    return tuple(parse_duration(item) for item in body)


def _uniform(kind: str, body: object) -> tuple[float, ...]:
    bounds = _listed(kind, body)
    if len(bounds) != 2 or bounds[0] > bounds[1]:
        raise ValueError(f"{kind} takes [low, high] with low <= high, e.g. {{{kind}: [10s, 40s]}}")
    return bounds


def _named(*names: str) -> Callable[[str, object], tuple[float, ...]]:
    def read(kind: str, body: object) -> tuple[float, ...]:
        if not isinstance(body, Mapping) or set(body) != set(names):
            raise ValueError(f"{kind} takes exactly {{{', '.join(names)}}}")
        values = tuple(parse_duration(body[name]) for name in names)
        if kind in ("exponential", "lognormal") and values[0] <= 0:
            raise ValueError(f"{kind}: {names[0]} must be above 0")
        if kind == "lognormal" and values[1] < values[0]:
            raise ValueError("lognormal: p99 must not be below the median")
        return values

    return read


_READERS: dict[Any, Callable[[str, object], tuple[float, ...]]] = {
    "uniform": _uniform,
    "choice": _listed,
    "empirical": _listed,
    "normal": _named("mean", "sd"),
    "lognormal": _named("median", "p99"),
    "exponential": _named("mean"),
}
_P99_Z = _STANDARD.inv_cdf(0.99)


def _z(u: float) -> float:
    return _STANDARD.inv_cdf(u) if 0.0 < u < 1.0 else math.copysign(math.inf, u - 0.5)


def _normal(p: Sequence[float], u: float) -> float:
    return p[0] + p[1] * _z(u) if p[1] else p[0]


def _lognormal(p: Sequence[float], u: float) -> float:
    sigma = math.log(p[1] / p[0]) / _P99_Z
    return p[0] * math.exp(sigma * _z(u)) if sigma else p[0]


def _empirical(p: Sequence[float], u: float) -> float:
    """Linear between the ordered observations, as ``numpy.quantile`` does by default."""
    ordered = sorted(p)
    place = u * (len(ordered) - 1)
    below = min(int(place), len(ordered) - 1)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


_QUANTILES: dict[str, Callable[[Sequence[float], float], float]] = {
    "constant": lambda p, u: p[0],
    "uniform": lambda p, u: p[0] + u * (p[1] - p[0]),
    "choice": lambda p, u: p[min(int(u * len(p)), len(p) - 1)],
    "empirical": _empirical,
    "normal": _normal,
    "lognormal": _lognormal,
    "exponential": lambda p, u: -p[0] * math.log1p(-u) if u < 1.0 else math.inf,
}
