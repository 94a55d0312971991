"""What ``simbgp run`` leaves for a build server: ``--junit`` and ``--summary``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from simbgp.study import Result

_FILE = click.Path(dir_okay=False, writable=True)


def for_ci(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command."""
    junit = click.option("--junit", metavar="FILE.xml", type=_FILE, help="Write a JUnit test case for each SLO too.")
    summary = click.option(
        "--summary", metavar="FILE.md", type=_FILE, help='Append Markdown too, e.g. to "$GITHUB_STEP_SUMMARY".'
    )
    return junit(summary(command))


@dataclass(frozen=True, slots=True)
class ForCi:
    """The files asked for."""

    junit: str | None
    summary: str | None

    def check(self) -> None:
        """Say before anything is played what would fail after it. Raises click.UsageError."""
        for option, name in (("--junit", self.junit), ("--summary", self.summary)):
            if name is not None and not Path(name).parent.is_dir():
                raise click.UsageError(f"{option} {name!r}: there is no folder {str(Path(name).parent)!r}")

    def write(self, results: "Sequence[Result]") -> None:
        """Write what was asked for. Raises click.FileError where that cannot be."""
        if self.junit is not None:
            from simbgp.report.junit import junit

            _write(self.junit, junit(results), "w")
        if self.summary is not None:
            from simbgp.report.summary import summary

            _write(self.summary, summary(results), "a")


def _write(name: str, text: str, mode: str) -> None:
    from simbgp.study.whole import write_whole

    try:
        if mode == "w":
            write_whole(name, text)
            return
        with Path(name).open(mode, encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise click.FileError(name, error.strerror or str(error)) from None
