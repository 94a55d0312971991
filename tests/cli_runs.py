"""The command line in this process."""

import io
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple

import pytest

from simbgp.cli import main


class Done(NamedTuple):
    code: int
    out: str
    err: str


def cli(*arguments: str) -> Done:
    """Run ``simbgp`` with ``arguments``."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main(arguments)
    return Done(int(ended.value.code), out.getvalue(), err.getvalue())
