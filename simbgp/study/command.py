"""The command lines that play the same again."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from simbgp.scenario import Scenario


def run_command(scenario: Scenario, runs: int | None, seed: int) -> str:
    """The line for a shell; without ``--runs`` if ``runs`` is None."""
    counted = [] if runs is None else ["--runs", str(runs)]
    changes = [part for override in scenario.overrides for part in ("--set", override)]
    return shlex.join(["simbgp", "run", scenario.file, *counted, "--seed", str(seed), *changes])


def sweep_command(scenario: Scenario, lists: Mapping[str, Sequence[Any]], runs: int | None, seed: int) -> str:
    """The line for a sweep over the values in ``lists``."""
    words = shlex.split(run_command(scenario, runs, seed))
    vary = [f"{path}={','.join(map(_text, values))}" for path, values in lists.items()]
    return shlex.join([words[0], "sweep", words[2], *(part for each in vary for part in ("--vary", each)), *words[3:]])


def compare_command(one: Scenario, other: Scenario, runs: int | None, seed: int) -> str:
    """The line that compares ``other`` with ``one``."""
    words = shlex.split(run_command(one, runs, seed))
    return shlex.join([words[0], "compare", words[2], other.file, *words[3:]])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
