"""What was tried against a breach, and what helped."""

from dataclasses import dataclass

from simbgp.scenario.plan import SloPlan


@dataclass(frozen=True, slots=True)
class Remedy:
    """A setting that passes, the value it gave in how many runs, and the command that shows it."""

    label: str
    value: float
    runs: int
    reproduce: str


@dataclass(frozen=True, slots=True)
class Advice:
    """The remedy found against a breach of ``slo``, None if none of the settings ``tried`` passes."""

    slo: SloPlan
    tried: tuple[str, ...]
    found: Remedy | None
