"""Many runs on the cores of this machine. The records come in the order of the runs, whatever the number of jobs."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from simbgp.study.replay import Job, Record, record

_CHUNKS_PER_JOB = 8
_LONGEST_CHUNK = 50

_job: Job
"""The job of this worker process."""


def records(job: Job, runs: range, jobs: int = 1) -> Iterator[Record]:
    """Play ``runs``, in this process if ``jobs`` is 1, else in as many fresh ones.

    Raises whatever a run raises; runs that have not begun are then dropped.
    """
    if jobs == 1 or len(runs) < 2:
        yield from (record(job, run) for run in runs)
        return
    size = max(1, min(_LONGEST_CHUNK, len(runs) // (jobs * _CHUNKS_PER_JOB)))
    chunks = [runs[first : first + size] for first in range(0, len(runs), size)]
    # a fresh interpreter, not a fork: the same on every platform, and no inherited threads or locks
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_take, initargs=(job,))
    try:
        for chunk in pool.map(_play, chunks):
            yield from chunk
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _take(job: Job) -> None:
    global _job
    _job = job


def _play(runs: range) -> list[Record]:
    return [record(_job, run) for run in runs]
