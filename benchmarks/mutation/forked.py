"""A piece of work in a forked process: all is imported there already, and whatever it breaks dies with it."""

import contextlib
import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
MEMORY = 3 * 2**30
"""Bytes of address space beyond those of the parent: a mutant may ask for a table without end."""
PATIENCE = 20.0
"""Times its CPU seconds that a process may take of real time, on a machine that others use too."""


class Ending(StrEnum):
    """How the work ended."""

    DONE = "done"
    TIMEOUT = "timeout"
    DIED = "died"


def forked(work: Callable[[], T], cpu_s: float, real_s: float) -> tuple[Ending, T | None]:
    """Do ``work`` in a child that may use ``cpu_s`` of the CPU, and `PATIENCE` times ``real_s``; its value
    comes by JSON."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(work, cpu_s, writing)
    os.close(writing)
    ending, text = _read(reading, child, PATIENCE * real_s)
    os.close(reading)
    _, status = os.waitpid(child, 0)
    if ending is Ending.TIMEOUT or (os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGPROF, signal.SIGKILL)):
        return Ending.TIMEOUT, None
    return (Ending.DONE, json.loads(text)) if text else (Ending.DIED, None)


def allow(cpu_s: float) -> None:
    """From now on this process has ``cpu_s`` left, then SIGPROF ends it."""
    signal.setitimer(signal.ITIMER_PROF, cpu_s)


def _work(work: Callable[[], Any], cpu_s: float, writing: int) -> None:
    try:
        os.setsid()
        quiet = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(quiet, stream)
        _limit()
        allow(cpu_s)
        os.write(writing, json.dumps(work()).encode())
    finally:
        os._exit(0)


def _limit() -> None:
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _read(reading: int, child: int, real_s: float) -> tuple[Ending, str]:
    """What the child writes, till it closes its end; no grandchild of it outlives it."""
    until, parts = time.monotonic() + real_s, []
    ending = Ending.DONE
    while True:
        ready, _, _ = select.select([reading], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            ending = Ending.TIMEOUT
            break
        part = os.read(reading, 1 << 16)
        if not part:
            break
        parts.append(part)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL) if ending is Ending.TIMEOUT else None
    return ending, b"".join(parts).decode()
