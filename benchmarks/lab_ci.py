"""The lab's short part, two routers with two faults on real daemons: ``python -m benchmarks.lab_ci``; under 3 minutes.

It runs where root, namespaces and packages are at hand, and says what is missing where they are not. What a busy
machine can do to a moment decides nothing: a value outside of its predicted interval is measured once more, and then is
a warning. What no load explains fails: a driver that ends with an error twice, something that it leaves behind, an
event that the model knows to happen and that did not, or the other way round, or events in the wrong order.
"""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.calibrate import Cell, Row, cells, judged, measure
from simbgp.lab.comparison import Figure
from simbgp.lab.needs import lacking
from simbgp.lab.registry import PREFIX, namespaces, runs
from simbgp.lab.score import NOISE_S

RUNS = 200
_LATER = (("session_loss_s", "withdrawn_s"), ("session_loss_s", "reestablished_s"), ("withdrawn_s", "route_back_s"))
"""What comes after what."""


def broken(figures: Sequence[Figure]) -> Iterator[str]:
    """What no load of the machine explains in one repetition."""
    measured = {figure.name: figure.measured[0] for figure in figures}
    for figure in figures:
        happens = [value is not None for value in figure.predicted]
        if all(happens) and measured[figure.name] is None:
            yield f"{figure.name} happens in every run of the model, and did not"
        if not any(happens) and measured[figure.name] is not None:
            yield f"{figure.name} happens in no run of the model, and did after {measured[figure.name]} s"
    for first, second in _LATER:
        one, other = measured.get(first), measured.get(second)
        if other is not None and (one is None or other < one - NOISE_S):
            yield f"{second} at {other} s, before {first} at {one} s"


def misses(figures: Sequence[Figure]) -> list[str]:
    """Values outside of their interval, in words."""
    return [
        f"{figure.name} {figure.measured[0]} s, predicted {figure.interval[0]} .. {figure.interval[1]} s"
        for figure in figures
        if figure.inside < 1
    ]


def play(cell: Cell) -> tuple[list[str], list[str]]:
    """What is broken and what is late in a cell; if anything is, that of a fresh repetition counts."""
    rows: list[Row] = []
    for _ in range(2):
        rows = list(measure(cell, 1))
        figures = list(judged(cell, rows, RUNS)) if rows else []
        wrong = list(broken(figures)) if rows else ["the driver measured nothing"]
        late = misses(figures)
        if not wrong and not late:
            break
    name = f"{cell.router} {cell.fault}"
    if rows:
        print(f"{name}: {sum(f.inside for f in figures)} of {len(figures)} values inside, {rows[0]['real_s']} s")
    return [f"{name}: {text}" for text in wrong], [f"{name}: {text}" for text in late]


def _is_in_use(namespace: str) -> bool:
    """Whether its driver runs: others may measure at the same time."""
    return runs(int(namespace.removeprefix(PREFIX).partition("-")[0]))


def main() -> int:
    chosen = cells(short=True)
    missing = list(dict.fromkeys(line for cell in chosen for line in lacking(cell.scenario().plan())))
    if missing:
        print(f"skipped, nothing was measured: {'; '.join(missing)}")
        return 0
    before = set(namespaces())
    with ThreadPoolExecutor(len(chosen)) as pool:
        found = list(pool.map(play, chosen))
    wrong = [line for lines, _ in found for line in lines]
    wrong += [f"left behind: {name}" for name in namespaces() if name not in before and not _is_in_use(name)]
    for line in (line for _, lines in found for line in lines):
        print(f"WARNING: outside twice: {line}; a busy machine, or the model: python -m benchmarks.calibrate")
    for line in wrong:
        print(f"FAILED: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
