"""5 s of CPU and 1 GB for each input, and what went wrong in a line."""

import resource
import signal
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from benchmarks.fuzz.targets import TARGETS

LONGEST_S = 5
MOST_BYTES = 2**30


@dataclass(frozen=True, slots=True)
class Finding:
    """The number of an input, and what it did."""

    number: int
    what: str


class _TooLongError(BaseException):
    """The alarm rang."""


def _ring(*_: object) -> NoReturn:
    raise _TooLongError


def _address_space() -> int:
    """Bytes of this process's address space now."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


@contextmanager
def _limited() -> Iterator[None]:
    """An alarm of CPU time can be set, for a busy machine is no finding, and 1 GB more than now may be had."""
    before, handler = resource.getrlimit(resource.RLIMIT_AS), signal.signal(signal.SIGPROF, _ring)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + MOST_BYTES, before[1]))
    try:
        yield
    finally:
        signal.signal(signal.SIGPROF, handler)
        resource.setrlimit(resource.RLIMIT_AS, before)


def fed(asked: tuple[str, Sequence[int]]) -> list[Finding]:
    """What one target makes of some inputs, for a pool of processes."""
    return feed(*asked)


def feed(target: str, numbers: Sequence[int]) -> list[Finding]:
    """What a target makes of the inputs, in this process."""
    play = TARGETS[target]
    found = []
    with _limited():
        for number in numbers:
            signal.setitimer(signal.ITIMER_PROF, LONGEST_S)
            try:
                play(number)
            except _TooLongError as error:
                found.append(Finding(number, f"longer than {LONGEST_S} s in {_where(error)}"))
            except Exception as error:
                found.append(Finding(number, f"{type(error).__name__} in {_where(error)}: {str(error)[:80]!r}"))
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
    return found


def _where(error: BaseException) -> str:
    """The innermost line of simbgp's own."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/simbgp/" in frame.filename] or frames[-1:]
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}"
