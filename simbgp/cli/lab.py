"""``simbgp lab``: the same scenario on real daemons."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from simbgp.cli.exit_codes import ExitCode
from simbgp.cli.options import load_all, text_or_json, warn
from simbgp.cli.stop import stoppable

if TYPE_CHECKING:
    from simbgp.scenario import Scenario

_overrides = click.option("--set", "overrides", metavar="PATH=VALUE", multiple=True, help="Change a value.")
_seed = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the faults' luck.")
_quiet = click.option("--quiet", is_flag=True, help="No progress, no warnings.")
_repeat = click.option(
    "--repeat", type=click.IntRange(min=1), default=1, show_default=True, help="How often to measure."
)


_connections = click.option(
    "--connections",
    type=click.IntRange(0, 5000),
    default=1000,
    show_default=True,
    help="TCP connections open at time 0, at most; a scenario with more is scaled down, 0 plays none.",
)


def _picture(_: click.Context, __: click.Parameter, path: str | None) -> str | None:
    """Refuse a figure that cannot be written before anything is measured."""
    from simbgp.report.figures import writable

    try:
        if path is not None:
            writable(path)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return path


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def lab() -> None:
    """Play a scenario on real BGP daemons in network namespaces (Linux, root), and compare."""


@lab.command()
@click.argument("file", metavar="FILE")
@_repeat
@_connections
@_seed
@_overrides
@text_or_json
@_quiet
def run(
    file: str, repeat: int, connections: int, seed: int, overrides: tuple[str, ...], form: str, quiet: bool
) -> ExitCode:
    """Measure: sessions, routes, windows, connections and probes."""
    scenario = _ready(file, overrides, repeat, connections, quiet)
    if scenario is None:
        return ExitCode.BAD_INPUT
    from simbgp.lab import play
    from simbgp.report.lab import measurement

    with stoppable():
        result = play(scenario, repeat, seed, _say(quiet), connections)
    click.echo(json.dumps(result.to_dict(), allow_nan=False) if form == "json" else measurement(result))
    return ExitCode.OK


@lab.command()
@click.argument("file", metavar="FILE")
@_repeat
@_connections
@click.option("--runs", type=click.IntRange(min=1), default=400, show_default=True, help="Runs of the model.")
@_seed
@_overrides
@text_or_json
@click.option(
    "--figure",
    "picture",
    callback=_picture,
    metavar="FILE",
    help="Draw predictions and measurements into a .png, .svg or .pdf.",
)
@_quiet
def compare(
    file: str,
    repeat: int,
    connections: int,
    runs: int,
    seed: int,
    overrides: tuple[str, ...],
    form: str,
    picture: str | None,
    quiet: bool,
) -> ExitCode:
    """Measure, predict, and say whether they agree.

    Exit code 0 if they agree, 1 if they differ.
    """
    scenario = _ready(file, overrides, repeat, connections, quiet)
    if scenario is None:
        return ExitCode.BAD_INPUT
    if not scenario.plan().faults:
        raise click.UsageError(f"{file}: a scenario without faults has nothing to compare")
    from simbgp.lab import compare as judged
    from simbgp.lab import play
    from simbgp.report.figures import lab_calibration, save
    from simbgp.report.lab import comparison, comparison_dict

    with stoppable():
        result = play(scenario, repeat, seed, _say(quiet), connections)
        found = judged(result.plan, result.repetitions, runs, seed)
    if picture is not None:
        save(lab_calibration(found), picture)
    about = result.to_dict()
    if form == "json":
        click.echo(json.dumps(comparison_dict(found) | {"measurement": about}, allow_nan=False))
    else:
        played = ", ".join(f"{name} {release}" for name, release in result.versions.items())
        click.echo(f"{scenario.name}: predicted, and measured {result.date} with {played}\n\n{comparison(found)}")
    return ExitCode.OK if found.agrees else ExitCode.BREACHED


@lab.command()
@click.argument("file", metavar="FILE")
@click.option("--containerlab", "folder", metavar="DIR", required=True, help="Where to write the topology.")
@click.option(
    "--image", "images", metavar="MAKE=IMAGE", multiple=True, help="Another image: frr=frr:10.2, host=alpine."
)
@_seed
@_overrides
@_quiet
def export(
    file: str, folder: str, images: tuple[str, ...], seed: int, overrides: tuple[str, ...], quiet: bool
) -> ExitCode:
    """Write a containerlab topology of the scenario, with its configurations and a script of its faults."""
    scenarios = load_all((file,), overrides)
    if scenarios is None:
        return ExitCode.BAD_INPUT
    from pathlib import Path

    from simbgp.lab.export import IMAGES
    from simbgp.lab.export import export as write
    from simbgp.scenario import draw

    chosen = {make: image for make, _, image in (text.partition("=") for text in images)}
    if unknown := sorted(make for make, image in chosen.items() if make not in IMAGES or not image):
        raise click.UsageError(f"--image: {', '.join(unknown)}; allowed: {', '.join(IMAGES)}, each with =IMAGE")
    for path in write(draw(scenarios[0].plan(), seed, 0), Path(folder), chosen):
        _say(quiet)(f"wrote {path}")
    return ExitCode.OK


def _ready(file: str, overrides: tuple[str, ...], repeat: int, most: int, quiet: bool) -> "Scenario | None":
    """The scenario, if this machine can play it; says what it leaves out, and how long it takes."""
    from simbgp.lab import scaled
    from simbgp.lab.driver import lasts_s
    from simbgp.lab.needs import check, left_out, mismatches
    from simbgp.report.numbers import seconds

    scenarios = load_all((file,), overrides)
    if scenarios is None:
        return None
    scenario = scenarios[0]
    whole, plan = scenario.plan(), scaled(scenario.plan(), most)
    check(plan)
    if not quiet:
        warn(scenario)
        for line in [*mismatches(plan), *left_out(whole, plan)]:
            click.echo(f"simbgp: warning: {line}", err=True)
        _say(quiet)(f"takes about {seconds(lasts_s(plan, repeat))} in real time")
    return scenario


def _say(quiet: bool) -> Callable[[str], None]:
    """Says lines on standard error, unless nobody wants them."""

    def say(text: str) -> None:
        if not quiet:
            click.echo(f"simbgp: {text}", err=True)

    return say
