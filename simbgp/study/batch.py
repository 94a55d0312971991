"""Jobs that are played run by run together: the ways of one scenario, the settings of a sweep, a pair to compare."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simbgp.study.replay import Job, Record, record
from simbgp.study.shared import Shared, worlds

_LARGEST_PART = 50
_PARTS = 16
_ALMOST_32_MIB = 2**25 - 2**14
_FIRST_LOOK = 10_000
"""Objects; Python itself looks after 700 or 2 000."""


@dataclass(frozen=True)
class Batch:
    """Jobs of one seed, and how many runs each has."""

    jobs: tuple[Job, ...]
    runs: tuple[int, ...]

    @cached_property
    def worlds(self) -> tuple[int, ...]:
        """The world of each job, see `worlds`."""
        return worlds([job.plan for job in self.jobs])

    def play(self, part: range, tick: Callable[[int], None] | None = None) -> "Part":
        """Play the runs of ``part``, each for all jobs at once; ``tick`` hears of each record."""
        return play(self, part, tick)

    def parts(self, runs: range) -> list[range]:
        """``runs`` cut into the parts that are played, kept and lost as one: the same for any number of workers."""
        size = max(1, min(_LARGEST_PART // len(self.jobs), len(runs) // _PARTS))
        return [runs[first : first + size] for first in range(0, len(runs), size)]


Part = Sequence[Sequence[Record]]
"""The records of a part of the runs: for each job, in the order of the runs."""


def play(batch: Batch, part: range, tick: Callable[[int], None] | None = None) -> Part:
    """Play the runs of ``part``, each for all jobs at once; ``tick`` hears of each record."""
    found: list[list[Record]] = [[] for _ in batch.jobs]
    _hold_on_to_memory()
    with _collecting_rarely():
        for run in part:
            shared = Shared(batch.jobs[0].seed, run) if len(batch.jobs) > 1 else None
            for place, job in enumerate(batch.jobs):
                if run < batch.runs[place]:
                    found[place].append(record(job, run, shared, batch.worlds[place]))
                    if tick is not None:
                        tick(1)
    return found


@contextmanager
def _collecting_rarely() -> Iterator[None]:
    """Have Python look for garbage once in some runs, not several times in each.

    What a run's control plane is made of points to itself until the run is over, so among the few hundred newest
    objects there is nothing to find yet. Traffic, whose arrays are large, has no such circles and needs no looking.
    """
    newest, *older = gc.get_threshold()
    gc.set_threshold(max(newest, _FIRST_LOOK) if newest else 0, *older)  # 0: somebody does not want any
    try:
        yield
    finally:
        gc.set_threshold(newest, *older)


def _hold_on_to_memory() -> None:
    """Have glibc keep the memory of freed arrays for the next ones.

    It gives large blocks back at once until a larger one is freed (mallopt(3), ``M_MMAP_THRESHOLD``, up to 32 MiB); a
    run would then take each page of each array anew from the kernel, a fifth of its time. Elsewhere this does nothing.
    """
    np.empty(_ALMOST_32_MIB, dtype=np.uint8)  # never written to, so no memory is taken
