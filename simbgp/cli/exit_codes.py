"""What the exit code of ``simbgp`` says."""

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command."""

    OK = 0
    """All SLOs are met, or there are none."""
    BREACHED = 1
    """An SLO is breached."""
    BAD_INPUT = 2
    """Bad usage or a bad scenario."""
    INTERNAL_ERROR = 3
    """An error of simbgp itself, or a broken invariant: no result can be trusted."""
    INCONCLUSIVE = 4
    """More runs are needed, or what an SLO speaks of never happened."""
    NOTHING_RAN = 5
    """No run was asked for."""
    INTERRUPTED = 130
    """Stopped by SIGINT, as shells count it."""
    PIPE_CLOSED = 141
    """The reader of the output went away, as shells count SIGPIPE."""
    TERMINATED = 143
    """Stopped by SIGTERM, as shells count it."""


_WORST_FIRST = (
    ExitCode.INTERNAL_ERROR,
    ExitCode.BAD_INPUT,
    ExitCode.BREACHED,
    ExitCode.INCONCLUSIVE,
    ExitCode.NOTHING_RAN,
    ExitCode.OK,
)


def of_verdict(verdict: str) -> ExitCode:
    """The code of a scenario's verdict."""
    if verdict in ("MET", "NO_SLO"):
        return ExitCode.OK
    return ExitCode.BREACHED if verdict == "BREACHED" else ExitCode.INCONCLUSIVE


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """The code of several files together; `ExitCode.NOTHING_RAN` of none."""
    return min(codes, key=_WORST_FIRST.index, default=ExitCode.NOTHING_RAN)
