"""Runs on the cores of this machine, in fresh processes or in this one."""

import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from threading import Thread
from types import TracebackType
from typing import Any

from simbgp.study.batch import Batch
from simbgp.study.engines import EngineError, Found, Playable
from simbgp.study.replay import Job, Record

_MOST_LOSSES = 3
"""So many workers may die one after the other without a part done between: then it is no accident."""
_DIED = (
    "{} worker processes died one after the other: out of memory, or a script that each of them began anew; there the "
    'calls of simbgp must stand below: if __name__ == "__main__":'
)


@dataclass(slots=True)
class _Flight:
    """A part that a worker has, or is to get."""

    part: range
    future: Future[Any] | None = None

    def result(self) -> Any:
        assert self.future is not None
        return self.future.result()

    def forget_unless_done(self) -> None:
        """What was done when a worker died stays done; the rest begins again."""
        future = self.future
        if future is None or future.cancelled() or isinstance(future.exception(), BrokenProcessPool):
            self.future = None


class Local:
    """``jobs`` worker processes, or none but this one if that is 1; they live as long as the ``with`` block."""

    def __init__(self, jobs: int = 1) -> None:
        self._jobs = jobs
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> "Local":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._drop_pool()

    def map(
        self, work: Playable[Found], parts: Sequence[range], tick: Callable[[int], None] | None = None
    ) -> Iterator[Found]:
        """Play ``parts``; what they give comes in their order. ``tick`` hears how many more records there are.

        Raises whatever a run raises, and `EngineError` if workers keep dying.
        """
        if self._jobs == 1 or len(parts) < 2:
            yield from (work.play(part, tick) for part in parts)
            return
        for found in self._in_processes(pickle.dumps(work), parts):
            if tick is not None:
                tick(sum(map(len, found)))
            yield found

    def _in_processes(self, work: bytes, parts: Sequence[range]) -> Iterator[Any]:
        waiting, flying, losses = deque(parts), deque[_Flight](), 0
        while waiting or flying:
            while waiting and len(flying) < 2 * self._jobs + 2:  # results that nobody fetches yet take memory
                flying.append(_Flight(waiting.popleft()))
            try:
                for flight in flying:
                    flight.future = flight.future or self._submit(work, flight.part)
                found = flying[0].result()
            except BrokenProcessPool:
                losses += 1
                if losses == _MOST_LOSSES:
                    raise EngineError(_DIED.format(losses)) from None
                self._drop_pool()
                for flight in flying:
                    flight.forget_unless_done()
                continue
            flying.popleft()
            losses = 0
            yield found

    def _submit(self, work: bytes, part: range) -> Future[Any]:
        if self._pool is None:
            # a fresh interpreter, not a fork: the same on every platform, and no inherited threads or locks
            self._pool = ProcessPoolExecutor(self._jobs, mp_context=get_context("spawn"), initializer=begin)
        return self._pool.submit(_play, work, part)

    def _drop_pool(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


def records(job: Job, runs: range, jobs: int = 1) -> Iterator[Record]:
    """Play ``runs`` of one job and yield them in their order, in this process if ``jobs`` is 1.

    Raises whatever a run raises; runs that have not begun are then dropped.
    """
    batch = Batch((job,), (runs.stop,))
    parts = [range(run, run + 1) for run in runs] if jobs == 1 else batch.parts(runs)
    with Local(jobs) as engine:
        for part in engine.map(batch, parts):
            yield from part[0]


def begin() -> None:
    """A worker leaves an interrupt to its parent, and does not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


_unpacked: tuple[bytes, Playable[Any]] | None = None
"""The work that this worker had last."""


def _play(work: bytes, part: range) -> Any:
    global _unpacked
    if _unpacked is None or _unpacked[0] != work:
        _unpacked = work, pickle.loads(work)
    return _unpacked[1].play(part)
