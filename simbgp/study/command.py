"""The command lines that play the same again."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from simbgp.scenario import Scenario
from simbgp.scenario.printable import printable


def run_command(scenario: Scenario, runs: int | None, seed: int) -> str:
    """The line for a shell; without ``--runs`` if ``runs`` is None."""
    return _joined(_words(scenario, runs, seed))


def _words(scenario: Scenario, runs: int | None, seed: int) -> list[str]:
    counted = [] if runs is None else ["--runs", str(runs)]
    changes = [part for override in scenario.overrides for part in ("--set", override)]
    return ["simbgp", "run", scenario.file, *counted, "--seed", str(seed), *changes]


def _joined(words: Sequence[str]) -> str:
    """The words as a shell reads them; what cannot be printed as bash writes it (ANSI-C quoting)."""
    return " ".join(shlex.quote(word) if word.isprintable() else _ansi_c(word) for word in words)


def _ansi_c(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{printable(escaped)}'"


def sweep_command(scenario: Scenario, lists: Mapping[str, Sequence[Any]], runs: int | None, seed: int) -> str:
    """The line for a sweep over the values in ``lists``."""
    words = _words(scenario, runs, seed)
    vary = [f"{path}={','.join(map(_text, values))}" for path, values in lists.items()]
    return _joined([words[0], "sweep", words[2], *(part for each in vary for part in ("--vary", each)), *words[3:]])


def advise_command(
    scenario: Scenario,
    lists: Mapping[str, Sequence[Any]],
    runs: int | None,
    seed: int,
    availability: float | None,
    price_s: float | None,
) -> str:
    """The line that gives the same advice."""
    words = _words(scenario, runs, seed)
    own = [part for path, values in lists.items() for part in ("--vary", f"{path}={','.join(map(_text, values))}")]
    own += [] if availability is None else ["--slo", f"{availability * 100:.10g}%"]
    own += [] if price_s is None else ["--broken", f"{price_s:g}s"]
    return _joined([words[0], "advise", words[2], *own, *words[3:]])


def compare_command(one: Scenario, other: Scenario, runs: int | None, seed: int) -> str:
    """The line that compares ``other`` with ``one``."""
    words = _words(one, runs, seed)
    return _joined([words[0], "compare", words[2], other.file, *words[3:]])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
