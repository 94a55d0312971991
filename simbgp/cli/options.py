"""What several commands share."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from simbgp.scenario import Scenario

text_or_json = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the output.",
)


def colour(quiet: bool = False) -> bool | None:
    """What `click.echo` takes as ``color``: never with ``--quiet`` or NO_COLOR, else on a terminal."""
    return False if quiet or os.environ.get("NO_COLOR") else None


def load_all(files: Sequence[str], overrides: Sequence[str] = ()) -> "list[Scenario] | None":
    """Every scenario, or None after all that is wrong with any of them went to standard error."""
    from simbgp.scenario import ScenarioError, load

    loaded, sound = [], True
    for file in files:
        try:
            loaded.append(load(file, overrides))
        except ScenarioError as error:
            click.echo(str(error), err=True)
            sound = False
    return loaded if sound else None


def warn(scenario: "Scenario") -> None:
    """The scenario's warnings, on standard error."""
    for warning in scenario.warnings:
        click.echo(f"simbgp: warning: {warning}", err=True)
