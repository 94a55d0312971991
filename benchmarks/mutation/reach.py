"""Which test reaches which lines, and how long it takes: each test alone, in a process forked for it.

Alone, since a world that a module's tests share would else be put down to the first of them. Kept from one campaign to
the next, test file by test file, until a file changes.
"""

import json
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from time import process_time
from typing import Any, Self

import coverage

from benchmarks.mutation.forked import Ending, forked
from benchmarks.mutation.mutants import ROOT, Mutant

Runs = Callable[[Any, Any], bool]
"""Runs a test, the next one being known, and says whether it passed."""
SLOWEST_S = 4.0
"""A test that takes longer of the CPU, alone, is no help: the others are many."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A test: its seconds of CPU, and its lines of each file as the bits of a number; none if it failed or was slow."""

    test: str
    cpu_s: float
    lines: dict[str, int]

    @property
    def size(self) -> int:
        """Lines in all: a test that reaches few of them says more of each."""
        return sum(lines.bit_count() for lines in self.lines.values())


class Reach:
    """The tests by the lines that they reach, kept in ``path``."""

    def __init__(self, path: Path, files: list[str]):
        self._path, self._files = path, files
        self._sources = _digest(files)
        self.tests: dict[str, Reached] = {}

    def map(self, items: list[Any], runs: Runs) -> Iterator[Reached]:
        """Map every test of ``items`` that is not mapped already, and yield it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        known = self._known()
        by_file: dict[Path, list[Any]] = defaultdict(list)
        for item in items:
            by_file[item.path].append(item)
        with self._path.open("a") as kept, _Tracer(self._files) as tracer:
            for path, tests in by_file.items():
                digest = self._sources + _digest([str(path.relative_to(ROOT))])
                for item in tests:
                    reached = known.get((item.nodeid, digest))
                    if reached is None:
                        reached = tracer.reached(item, runs)
                        kept.write(json.dumps([digest, reached.test, reached.cpu_s, _packed(reached)]) + "\n")
                        kept.flush()
                        yield reached
                    self.tests[item.nodeid] = reached

    def of(self, mutant: Mutant) -> list[Reached]:
        """The tests that reach the statement of ``mutant``."""
        first, last = mutant.statement
        bits = (1 << (last + 1)) - (1 << first)
        return [test for test in self.tests.values() if test.lines.get(mutant.file, 0) & bits]

    def _known(self) -> dict[tuple[str, str], Reached]:
        if not self._path.exists():
            return {}
        rows = (json.loads(line) for line in self._path.read_text().splitlines())
        return {(row[1], row[0]): Reached(row[1], row[2], {f: int(n, 16) for f, n in row[3].items()}) for row in rows}


def _packed(reached: Reached) -> dict[str, str]:
    return {file: f"{lines:x}" for file, lines in reached.lines.items()}


def _digest(files: list[str]) -> str:
    return blake2b(b"\0".join((ROOT / file).read_bytes() for file in files), digest_size=8).hexdigest()


class _Tracer:
    """Coverage of the files, begun once here: to begin it anew in every fork would take longer than most tests."""

    def __init__(self, files: list[str]):
        self._cover = coverage.Coverage(include=[str(ROOT / file) for file in files], data_file=None, config_file=False)

    def __enter__(self) -> Self:
        self._cover.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._cover.stop()

    def reached(self, item: Any, runs: Runs) -> Reached:
        """Run the test in a fork and see."""
        ending, value = forked(lambda: self._run(item, runs), SLOWEST_S, SLOWEST_S)
        took_s, lines = value if ending is Ending.DONE and value is not None else (SLOWEST_S, {})
        return Reached(item.nodeid, round(took_s, 4), {file: bits for file, bits in lines.items() if bits})

    def _run(self, item: Any, runs: Runs) -> tuple[float, dict[str, int]]:
        began_s = process_time()
        passed = runs(item, None)
        took_s = process_time() - began_s
        self._cover.stop()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it saw nothing of these files
            data = self._cover.get_data()
        seen = {str(Path(file).relative_to(ROOT)): data.lines(file) or [] for file in data.measured_files()}
        return took_s, {file: sum(1 << line for line in lines) for file, lines in seen.items()} if passed else {}
