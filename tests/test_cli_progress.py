"""The bar of a long study: how many runs are done, how fast, and how long the rest takes."""

import io
import re
from contextlib import redirect_stderr

import pytest

from simbgp.cli import progress
from simbgp.cli.progress import Bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """A terminal, and a clock that stands until it is told otherwise."""
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(progress, "monotonic", lambda: terminal.now_s)
    terminal.now_s = 0.0
    return terminal


def shown(terminal):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())


def test_runs_done_rate_and_time_left_are_shown(terminal):
    with redirect_stderr(terminal), Bar("node-down") as bar:
        for second in range(1, 5):
            terminal.now_s = float(second)
            bar(100 * second, 1000)
            bar._bar.refresh()
    # 100 runs a second: after 400 of 1000 the other 600 take 6 s
    assert re.search(r"node-down .* 400/1000 runs 100/s 0:00:06", shown(terminal))


def test_what_ends_within_a_second_draws_nothing(terminal):
    with redirect_stderr(terminal), Bar("node-down") as bar:
        terminal.now_s = 0.99
        bar(400, 400)
    assert terminal.getvalue() == ""


@pytest.mark.parametrize(("wanted", "drawn"), [(True, False), (False, True), (True, True)])
def test_without_a_terminal_or_with_quiet_nothing_is_drawn(terminal, monkeypatch, wanted, drawn):
    monkeypatch.setattr(Terminal, "isatty", lambda _: drawn)
    with redirect_stderr(terminal), Bar("node-down", wanted=wanted) as bar:
        terminal.now_s = 5.0
        bar(1, 2)
    assert bool(terminal.getvalue()) is (wanted and drawn)
