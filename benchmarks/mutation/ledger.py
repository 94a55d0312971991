"""What became of each mutant: one JSON line as soon as it is known, so a campaign that is stopped goes on where it was.

A line holds as long as the function that it speaks of is unchanged. Of several about one mutant the last counts.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from benchmarks.mutation.mutants import Mutant


class Fate(StrEnum):
    """What became of a mutant. Killed and timed out count as noticed."""

    KILLED = "killed"
    TIMEOUT = "timeout"
    SURVIVED = "survived"
    UNREACHED = "unreached"

    @property
    def noticed(self) -> bool:
        """Whether the tests would have told."""
        return self in (Fate.KILLED, Fate.TIMEOUT)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The fate of one mutant, the test that told (or ""), how many were asked, and whether all that reach it were."""

    fate: Fate
    by: str
    asked: int
    all_asked: bool


class Ledger:
    """The verdicts, by mutant."""

    def __init__(self, path: Path):
        self._path = path
        self._rows: dict[tuple[str, str], Verdict] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                key, digest, fate, *rest = json.loads(line)
                self._rows[json.dumps(key), digest] = Verdict(Fate(fate), *rest)

    def of(self, mutant: Mutant) -> Verdict | None:
        """Its verdict, if there is one of its function as it stands."""
        return self._rows.get((json.dumps(mutant.key), mutant.digest))

    def write(self, mutant: Mutant, verdict: Verdict) -> None:
        """Note it, on the disk too."""
        self._rows[json.dumps(mutant.key), mutant.digest] = verdict
        row = [mutant.key, mutant.digest, verdict.fate, verdict.by, verdict.asked, verdict.all_asked]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as kept:
            kept.write(json.dumps(row) + "\n")

    def kills(self) -> Iterable[tuple[str, str, str]]:
        """File and function of each mutant that a test killed, of earlier versions too, and that test."""
        for (key, _), verdict in self._rows.items():
            if verdict.fate is Fate.KILLED:
                file, function, *_ = json.loads(key)
                yield file, function, verdict.by

    def verdicts(self, mutants: Iterable[Mutant]) -> list[tuple[Mutant, Verdict]]:
        """Those of ``mutants`` that have one."""
        return [(mutant, verdict) for mutant in mutants if (verdict := self.of(mutant)) is not None]
