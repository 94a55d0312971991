"""SIGINT and SIGTERM: an end in order, with what was done kept."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import NoReturn

import click

from simbgp.cli.exit_codes import ExitCode


class _Terminated(BaseException):
    """SIGTERM came."""


@contextmanager
def stoppable(folder: str | None = None) -> Iterator[None]:
    """Turn either signal into its exit code, after engines and files are closed; say that ``folder`` keeps the rest."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    except KeyboardInterrupt:
        _say(folder, "interrupted")
        raise click.exceptions.Exit(ExitCode.INTERRUPTED) from None
    except _Terminated:
        _say(folder, "terminated")
        raise click.exceptions.Exit(ExitCode.TERMINATED) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(*_: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
    raise _Terminated


def _say(folder: str | None, what: str) -> None:
    kept = "" if folder is None else f"; what was done is kept in {folder}, --resume goes on with it"
    click.echo(f"\nsimbgp: {what}{kept}", err=True)
