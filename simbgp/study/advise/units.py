"""What is played and what it gives: a unit is one failure, a cost what it did under one setting."""

from dataclasses import dataclass

Cost = tuple[float, ...]
"""Seconds of each service's whole traffic, then broken connections, sessions that a router lost, and seconds that pod
routes were dark."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One failure to play: of which class and stratum, and which run's luck it has."""

    place: int
    stratum: int
    run: int
    part: int = 0
    """Which of the equal parts of its stratum its failure's duration is from."""
    parts: int = 1
