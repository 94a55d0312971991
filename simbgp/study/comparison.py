"""What a comparison of two scenarios found."""

from dataclasses import dataclass
from enum import StrEnum

from simbgp.measure import Question
from simbgp.measure.paired import Difference
from simbgp.study.command import compare_command
from simbgp.study.result import Result


class Gate(StrEnum):
    """Whether a regression is within what is allowed."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of both scenarios. ``gate`` is None without a bound, ``found`` None where no pair of runs has both."""

    question: Question
    stat: str
    found: Difference | None
    gate: Gate | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two results and every figure that both have; ``max_regression`` is the share of the first that is allowed."""

    one: Result
    other: Result
    rows: tuple[Compared, ...]
    max_regression: float | None

    @property
    def gate(self) -> Gate | None:
        """The worst gate of all figures; None without a bound."""
        gates = [row.gate for row in self.rows]
        return next((gate for gate in (Gate.FAILED, Gate.INCONCLUSIVE, Gate.PASSED) if gate in gates), None)

    @property
    def reproduce(self) -> str:
        """The command line that finds the same."""
        line = compare_command(self.one.scenario, self.other.scenario, self.one.runs, self.one.seed)
        return line if self.max_regression is None else f"{line} --max-regression {self.max_regression * 100:g}%"
