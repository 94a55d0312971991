"""The answer to how long to wait before power-off."""

import math
from dataclasses import dataclass

from simbgp.measure import Estimate, Value
from simbgp.measure.spans import Span
from simbgp.study.alternatives import Choice


@dataclass(frozen=True, slots=True)
class OfProfile:
    """The answer for the routers of one profile: the quantile, the closed form, what decides, and every run."""

    profile: str
    routers: tuple[str, ...]
    estimate: Estimate
    closed: Span | None
    decides: str
    values: tuple[Value, ...] = ()
    """The time of each run; one if every run is the same."""


@dataclass(frozen=True, slots=True)
class WayOut:
    """The answers where the open switches stand as in ``choices``; none: as they are taken to stand."""

    choices: tuple[Choice, ...]
    node: str
    profiles: tuple[OfProfile, ...]

    @property
    def worst(self) -> OfProfile:
        """The profile that keeps the node longest."""
        return max(self.profiles, key=lambda found: (found.estimate.censored, found.estimate.value))


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long to wait, every way."""

    p: float
    seed: int
    ways: tuple[WayOut, ...]

    @property
    def whole_seconds(self) -> int | None:
        """Enough whatever the open switches turn out to be; None if some router never forgets the node."""
        found = [way.worst.estimate for way in self.ways if way.profiles]
        if any(each.censored for each in found):
            return None
        return math.ceil(max((each.value for each in found), default=0.0))
