"""The append-only record of a run."""

from collections.abc import Iterator
from typing import TypeVar

from simbgp.timeline.facts import Fact, Start
from simbgp.timeline.invariants import require

F = TypeVar("F", bound=Fact)


class Timeline:
    """The facts of one run in the order in which they happened, from `start` at time 0 to `horizon_us`.

    Facts of one instant keep the order in which they were written. Writing backwards in time breaks an invariant.
    """

    def __init__(self, start: Start, horizon_us: int) -> None:
        self.start = start
        self.horizon_us = horizon_us
        self._facts: list[Fact] = []

    def write(self, fact: Fact) -> None:
        """Append ``fact``; its time is at or after the last one's and within the horizon."""
        last_us = self._facts[-1].time_us if self._facts else 0
        require(last_us <= fact.time_us <= self.horizon_us, "{} does not follow {} us", fact, last_us)
        self._facts.append(fact)

    def of(self, kind: type[F]) -> list[F]:
        """The facts of one kind, in order."""
        return [fact for fact in self._facts if isinstance(fact, kind)]

    def __iter__(self) -> Iterator[Fact]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)
