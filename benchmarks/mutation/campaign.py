"""One mutant after another against the tests that reach it, inside of one pytest that has collected them all.

Each mutant has a process forked from this one, so nothing is imported, collected or compiled twice.
"""

import contextlib
import gc
import importlib
import pkgutil
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.mutation.forked import Ending, allow, forked
from benchmarks.mutation.ledger import Fate, Ledger, Verdict
from benchmarks.mutation.mutants import Mutant
from benchmarks.mutation.reach import Reach, Reached
from benchmarks.mutation.transplant import Functions

SLOWER = 4.0
"""A test under a mutant may take so many times its own CPU seconds, and `GRACE_S`."""
GRACE_S = 1.0
_LAZY = ("scipy.special", "scipy.stats", "pandas", "matplotlib.pyplot", "numpy.testing", "coverage", "rich.console")
"""What tests would import in every fork."""


class Campaign:
    """The pytest plugin: in the place of running the tests it tries ``mutants``."""

    def __init__(self, mutants: list[Mutant], ledger: Ledger, reach: Path, files: list[str], budget_s: float):
        self.todo, self.ledger, self.files, self.budget_s = mutants, ledger, files, budget_s
        self._reach = Reach(reach, files)
        self._passed = True
        self._kills: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for file, function, by in ledger.kills():
            self._remember(file, function, by)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Map the tests, then try every mutant."""
        _warm()
        functions = Functions(self.files)
        gc.collect()
        gc.freeze()  # a collection in a child would write to every page, and so copy it
        items = {item.nodeid: item for item in session.items}
        for n, reached in enumerate(self._reach.map(list(items.values()), self.runs), 1):
            print(f"\rmapped {n} tests, {reached.test[:90]:<90}", end="", flush=True)
        began_s = time.monotonic()
        for n, mutant in enumerate(self.todo, 1):
            verdict = self.tried(mutant, items, functions)
            self.ledger.write(mutant, verdict)
            left_s = (time.monotonic() - began_s) / n * (len(self.todo) - n)
            at = f"{mutant.file.removeprefix('simbgp/')}:{mutant.line}"
            print(f"\r{n}/{len(self.todo)} {at:<40} {verdict.fate:<10} {left_s / 60:6.1f} min left", end="", flush=True)
        print()
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note whether a test's set-up, the test itself and what clears away after it passed."""
        self._passed &= report.passed

    def runs(self, item: Any, following: Any) -> bool:
        """Whether the test passes; what it shares with the test ``following`` stays."""
        self._passed = True
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
        return self._passed

    def tried(self, mutant: Mutant, items: dict[str, Any], functions: Functions) -> Verdict:
        """What becomes of ``mutant``."""
        reaching = self._reach.of(mutant)
        if not reaching:
            return Verdict(Fate.UNREACHED, "", 0, True)
        chosen = self.chosen(mutant, reaching)
        total_s = sum(_allowed_s(test) for test in chosen)

        def attack() -> str:
            if not functions.put(mutant):
                return "nowhere"
            for test, following in zip(chosen, [*chosen[1:], None], strict=True):
                allow(_allowed_s(test))
                after = None if following is None else items[following.test]
                if not self.runs(items[test.test], after):
                    return test.test
            return ""

        ending, by = forked(attack, total_s, total_s)
        whole = len(chosen) == len(reaching)
        if ending is Ending.TIMEOUT:
            return Verdict(Fate.TIMEOUT, "", len(chosen), whole)
        if ending is Ending.DIED:
            return Verdict(Fate.KILLED, "(the process died)", len(chosen), whole)
        if by == "nowhere":
            raise RuntimeError(f"no function {mutant.function} of {mutant.file} to exchange")
        if not by:
            return Verdict(Fate.SURVIVED, "", len(chosen), whole)
        self._remember(mutant.file, mutant.function, by)
        return Verdict(Fate.KILLED, by, len(chosen), whole)

    def _remember(self, file: str, function: str, by: str) -> None:
        self._kills[file, function][by] += 1
        self._kills[file, ""][by] += 1

    def chosen(self, mutant: Mutant, reaching: list[Reached]) -> list[Reached]:
        """The tests to ask, as many as ``budget_s`` allows: those that killed in its function, in its file, then the
        sharpest: of little CPU and few lines, and not the umpteenth of its test file, for those resemble each other."""
        here, file = self._kills[mutant.file, mutant.function], self._kills[mutant.file, ""]
        nth: Counter[str] = Counter()
        bluntness: dict[str, float] = {}
        for test in sorted(reaching, key=lambda test: (test.cpu_s * test.size, test.test)):
            nth[test.test.partition("::")[0]] += 1
            bluntness[test.test] = test.cpu_s * test.size * nth[test.test.partition("::")[0]]
        order = sorted(reaching, key=lambda t: (-here[t.test], -file[t.test], bluntness[t.test]))
        spent_s = 0.0
        found: list[Reached] = []
        for test in order:
            spent_s += test.cpu_s
            if found and spent_s > self.budget_s:
                break
            found.append(test)
        return found


def _allowed_s(test: Reached) -> float:
    return SLOWER * test.cpu_s + GRACE_S


def _warm() -> None:
    import simbgp

    names: Iterable[str] = (module.name for module in pkgutil.walk_packages(simbgp.__path__, "simbgp."))
    for name in [*_LAZY, *(name for name in names if not name.endswith("__main__"))]:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def sample(mutants: list[Mutant], size: int | None, seed: int) -> list[Mutant]:
    """``size`` of ``mutants`` by chance, in their order, or all of them."""
    if size is None or size >= len(mutants):
        return mutants
    return [mutants[place] for place in sorted(random.Random(seed).sample(range(len(mutants)), size))]
