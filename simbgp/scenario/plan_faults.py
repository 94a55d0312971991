"""The part of a plan that says what goes wrong: faults as written, and processes that strike by chance."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simbgp.profiles.law import Law


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """One fault as written: ``name`` is its name or its place from 0; ``down_for`` None means for good.

    ``nodes`` and ``routers`` are the targets by name; ``random_nodes`` of them are picked per run if it is set, and
    ``random_routers`` of those that have a session with what was picked.
    """

    name: str | int
    kind: str
    at: Law
    nodes: tuple[str, ...]
    routers: tuple[str, ...]
    down_for: Law | None
    random_nodes: int | None = None
    random_routers: int | None = None
    times: int = 1
    every: Law = field(default_factory=lambda: Law.constant(0.0))
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Incidents:
    """What a log holds of one kind of failure: how many, in how many target-years."""

    count: int
    years: float


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """A fault that strikes one of its ``targets`` at a time, at random moments, ``per_year`` times a year each.

    When is no part of it: ``fault.at`` means nothing. ``source`` says where rate and durations are from, ``seen`` what
    of it was counted; ``assumed`` that nobody said or counted the rate.
    """

    fault: FaultPlan
    per_year: float
    targets: int
    source: str = ""
    seen: Incidents | None = None
    assumed: bool = False

    @property
    def in_all(self) -> float:
        """How often a year it strikes any target."""
        return self.per_year * self.targets


@dataclass(frozen=True, slots=True)
class MixPlan:
    """The failures of a year, what they are judged by, and what was left out of them and why."""

    processes: tuple[ProcessPlan, ...] = ()
    availability: float | None = None
    broken_connection_s: float = 30.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occurrence of a fault, all durations drawn. ``down_for_us`` has one entry per target, None for good."""

    fault: str | int
    kind: str
    at_us: int
    nodes: tuple[str, ...]
    routers: tuple[str, ...]
    down_for_us: tuple[int | None, ...]
    options: Mapping[str, Any]
