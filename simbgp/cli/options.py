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


engine = click.option(
    "--engine",
    default="local",
    show_default=True,
    metavar="local|tcp://HOST:PORT",
    help="Where to play: processes here, or the workers of a Dask scheduler.",
)
to = click.option("--to", metavar="DIR", help="Keep what is played as it comes, and the result, in this folder.")
resume = click.option("--resume", is_flag=True, help="Go on with the study in the folder of --to.")


def share(_: click.Context, __: click.Parameter, text: str | None) -> float | None:
    """Read ``2%`` or ``0.02``."""
    if text is None:
        return None
    try:
        found = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < 1:
        raise click.BadParameter(f"{text!r}; allowed: a share such as 2% or 0.02")
    return found


precision = click.option(
    "--precision",
    callback=share,
    metavar="SHARE",
    help="Play until half the interval of each SLO's figure is within this share of it, e.g. 2%.",
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
    from simbgp.scenario.printable import printable

    for warning in scenario.warnings:
        click.echo(f"simbgp: warning: {printable(warning)}", err=True)


def moment(text: str, option: str = "--at") -> float:
    """Seconds from ``75``, ``75s`` or ``1m15s``, the value of ``option``."""
    from simbgp.profiles import parse_duration

    try:
        return float(text) if text.replace(".", "", 1).isdigit() else parse_duration(text)
    except ValueError as error:
        raise click.UsageError(f"{option}: {error}") from None
