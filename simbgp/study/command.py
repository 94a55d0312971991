"""The command line that plays a scenario again."""

import shlex

from simbgp.scenario import Scenario


def run_command(scenario: Scenario, runs: int | None, seed: int) -> str:
    """The line for a shell; without ``--runs`` if ``runs`` is None."""
    counted = [] if runs is None else ["--runs", str(runs)]
    changes = [part for override in scenario.overrides for part in ("--set", override)]
    return shlex.join(["simbgp", "run", scenario.file, *counted, "--seed", str(seed), *changes])
