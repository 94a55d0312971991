"""A study played once more in another way, and where the two differ: `simbgp run --check-determinism`.

The second time the runs are played backwards, in other processes, whose hash seed is another one.
"""

import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from types import TracebackType
from typing import Any, cast

from simbgp.scenario import Scenario
from simbgp.study.engines import Found, Playable
from simbgp.study.local import Local, begin
from simbgp.study.result import Result
from simbgp.study.rows import COLUMNS, Wanted
from simbgp.study.studies import Effort, questions_of, results_of, study_of

_SEED = "PYTHONHASHSEED"


def differs(
    result: Result,
    runs: int | None = None,
    jobs: int = 1,
    *,
    rows: Wanted = "all",
    precision: float | None = None,
) -> str | None:
    """Where ``result``, which was played with ``jobs`` processes, is another one when it is played anew; None: nowhere.

    ``windows.3.start_s: 60.1, then 60.2`` names the first place of the JSON that is not the same.
    """
    tables = tuple(table for table in COLUMNS if result.has(table))
    with _another_hash_seed(), ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=begin) as pool:
        workers = 2 if jobs == 1 else 1
        again = pool.submit(
            _again, result.scenario, result.seed, tables, rows, Effort(runs, precision), workers
        ).result()
    return None if again == result.to_json() else first_difference(json.loads(result.to_json()), json.loads(again))


def _again(scenario: Scenario, seed: int, tables: Collection[str], rows: Wanted, effort: Effort, workers: int) -> str:
    study = study_of(scenario, seed, questions_of(scenario.plan()), tables, rows)
    with _Backwards(workers) as engine:
        return results_of([study], effort, engine)[0].to_json()


def first_difference(one: Any, other: Any, path: str = "") -> str:
    """The first place at which two JSON values are not the same."""
    if isinstance(one, Mapping) and isinstance(other, Mapping) and list(one) == list(other):
        found = next((key for key in one if repr(one[key]) != repr(other[key])), None)
        if found is not None:
            return first_difference(one[found], other[found], f"{path}.{found}".lstrip("."))
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        pairs = enumerate(zip(one, other, strict=False))
        place = next((place for place, (a, b) in pairs if repr(a) != repr(b)), None)
        if place is not None:
            return first_difference(one[place], other[place], f"{path}.{place}".lstrip("."))
        return f"{path}: {len(one)} entries, then {len(other)}"
    return f"{path or 'the order of keys'}: {_brief(one)}, then {_brief(other)}"


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."


class _Backwards:
    """Processes that play the last run first; what they give comes in the usual order."""

    def __init__(self, jobs: int) -> None:
        self._local = Local(jobs)

    def __enter__(self) -> "_Backwards":
        self._local.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._local.__exit__(kind, error, at)

    def map(
        self, work: Playable[Found], parts: Sequence[range], tick: Callable[[int], None] | None = None
    ) -> Iterator[Found]:
        """As `Engine.map`, but for the order in which it is done."""
        backwards = [part[::-1] for part in reversed(parts)]
        played: list[Any] = list(self._local.map(work, backwards, tick))
        for part in reversed(played):
            yield cast(Found, [list(reversed(of_job)) for of_job in part])


@contextmanager
def _another_hash_seed() -> Iterator[None]:
    """For processes that are started within: the order of sets must not matter."""
    before = os.environ.get(_SEED)
    os.environ[_SEED] = "1" if before != "1" else "2"
    try:
        yield
    finally:
        del os.environ[_SEED]
        if before is not None:
            os.environ[_SEED] = before
