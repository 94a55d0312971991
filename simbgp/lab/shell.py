"""Commands of iproute2 and nftables, run to their end."""

import subprocess
from collections.abc import Iterable, Sequence

from simbgp.lab.errors import LabError

_PATIENCE_S = 60.0


def run(argv: Sequence[str], text: str | None = None) -> str:
    """What a command that takes ``text`` writes: its standard output, its standard error if that is empty.

    Raises LabError with its own words if it fails.
    """
    try:
        done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"{' '.join(argv)}: {error}") from None
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        raise LabError(f"{' '.join(argv)}: exit code {done.returncode}: {said}")
    return done.stdout or done.stderr


def tried(argv: Sequence[str]) -> str | None:
    """The same; None if it fails."""
    try:
        return run(argv)
    except LabError:
        return None


def ip(namespace: str, lines: Iterable[str]) -> None:
    """Several ``ip`` commands in one namespace, at once."""
    run(["ip", "-n", namespace, "-batch", "-"], "\n".join(lines) + "\n")


def within(namespace: str, *argv: str) -> list[str]:
    """The command line that runs ``argv`` in ``namespace``; it becomes that process."""
    return ["ip", "netns", "exec", namespace, *argv]
