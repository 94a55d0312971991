"""The group of all commands, and what becomes of errors: a line and an exit code, never a traceback."""

import errno
import gc
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

import click

from simbgp._version import __version__
from simbgp.cli.advise import advise
from simbgp.cli.compare import compare
from simbgp.cli.exit_codes import ExitCode
from simbgp.cli.explain import explain
from simbgp.cli.import_ import import_
from simbgp.cli.init import init
from simbgp.cli.lab import lab
from simbgp.cli.profiles import profiles
from simbgp.cli.run import run
from simbgp.cli.schema import schema
from simbgp.cli.show import show
from simbgp.cli.sweep import sweep
from simbgp.cli.table import table
from simbgp.cli.validate import validate
from simbgp.cli.wait import wait

_FAULTS_OF_THE_PLACE = frozenset(
    {
        errno.EACCES, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EISDIR, errno.ENAMETOOLONG, errno.ENOENT,
        errno.ENOSPC, errno.ENOTDIR, errno.EPERM, errno.EROFS,
    }
)  # fmt: skip
"""What a disk, or who may write to it, is to blame for."""
_SELDOM = 10_000, 20, 20
"""When Python looks for cycles, in place of (700, 10, 10): what is loaded stays, and looking at it takes a tenth of a
second of a short command."""


class _App(click.Group):
    """A group that survives a closed pipe (``simbgp ... | head``)."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
            return code
        except BrokenPipeError:
            _forget_output()
            raise click.exceptions.Exit(ExitCode.PIPE_CLOSED) from None


@click.group(
    cls=_App,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 met, 1 breached, 2 bad usage or scenario, 3 internal error, 4 inconclusive, 5 nothing ran.",
)
@click.version_option(__version__, prog_name="simbgp")
@click.option(
    "--root",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    help="Files that a scenario names may lie anywhere beneath DIR, not only beneath the scenario's folder.",
)
@click.pass_context
def app(ctx: click.Context, root: str | None) -> None:
    """What failures of a BGP-announced Kubernetes cluster cost its traffic."""
    if root is not None:
        from simbgp.scenario.beneath import allowing

        ctx.with_resource(allowing(Path(root)))


for _command in (
    run,
    sweep,
    compare,
    validate,
    schema,
    init,
    profiles,
    explain,
    show,
    import_,
    wait,
    advise,
    table,
    lab,
):
    app.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with one of `ExitCode`."""
    gc.set_threshold(*_SELDOM)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal without a sign such as ✓ gets a ? in its place
            stream.reconfigure(errors="replace")
    sys.exit(_code(arguments))


def _code(arguments: Sequence[str] | None) -> int:
    try:
        return app.main(arguments, prog_name="simbgp", standalone_mode=False) or ExitCode.OK
    except click.Abort:
        click.echo("simbgp: interrupted", err=True)
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return ExitCode.BAD_INPUT
    except Exception as error:
        return _failed(error)


def _forget_output() -> None:
    """What is still buffered goes nowhere, so that the interpreter's last flush succeeds."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(error: Exception) -> ExitCode:
    """Say in a line what went wrong."""
    from simbgp.lab.errors import LabError
    from simbgp.scenario import ScenarioError
    from simbgp.study.engines import EngineError
    from simbgp.study.folder import FolderError

    if isinstance(error, ScenarioError):
        click.echo(str(error), err=True)
        return ExitCode.BAD_INPUT
    if isinstance(error, LabError):
        for line in str(error).splitlines():
            click.echo(f"simbgp: {line}", err=True)
        return ExitCode.BAD_INPUT
    if isinstance(error, EngineError | FolderError):
        click.echo(f"simbgp: {error}", err=True)
        return ExitCode.BAD_INPUT
    if isinstance(error, OSError) and error.errno in _FAULTS_OF_THE_PLACE:
        _forget_output()
        click.echo(f"simbgp: {error.filename or 'the output'}: {error.strerror}", err=True)
        return ExitCode.BAD_INPUT
    if os.environ.get("SIMBGP_DEBUG"):
        traceback.print_exception(error)
    what = " ".join(str(error).split()) or "no further word"
    click.echo(f"simbgp: internal error: {type(error).__name__}: {what}", err=True)
    click.echo(
        "simbgp: this is a bug; please report this line, the command and the scenario at the project's issue tracker "
        "(SIMBGP_DEBUG=1 adds where it happened)",
        err=True,
    )
    return ExitCode.INTERNAL_ERROR
