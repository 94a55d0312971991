"""Seconds from a least to a greatest, and how they come about: what closed forms are made of."""

import math
from dataclasses import dataclass

from simbgp.profiles import Law


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds from ``low`` to ``high``, and in words how they come about."""

    low: float
    high: float
    text: str

    def plus(self, other: "Span") -> "Span":
        """One after the other."""
        return Span(self.low + other.low, self.high + other.high, f"{self.text}, + {other.text}")

    def or_later(self, other: "Span") -> "Span":
        """Both at once, until the later one is over."""
        if other.high <= self.low:
            return self
        if self.high <= other.low:
            return other
        text = f"the later of {self.text}, and {other.text}"
        return Span(max(self.low, other.low), max(self.high, other.high), text)

    def or_earlier(self, other: "Span") -> "Span":
        """Both at once, until the earlier one is over."""
        if self.high <= other.low:
            return self
        if other.high <= self.low:
            return other
        text = f"the earlier of {self.text}, and {other.text}"
        return Span(min(self.low, other.low), min(self.high, other.high), text)

    def less(self, other: "Span") -> "Span":
        """What is left of it after ``other``."""
        low, high = max(0.0, self.low - other.high), max(0.0, self.high - other.low)
        return Span(low, high, f"{self.text}, - {other.text}")


def greatest(law: Law) -> float:
    """The greatest value of ``law``, or of one without a greatest what one draw in a million exceeds."""
    end = law.support[1]
    return end if math.isfinite(end) else law.quantile(1 - 1e-6)


def span_of(law: Law, what: str) -> Span:
    """The support of ``law`` under the name of what it is of."""
    low, high = law.support
    return Span(low, high, f"{what} {low:g}" if low == high else f"{what} {low:g}-{high:g}")
