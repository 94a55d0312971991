"""``simbgp sweep``."""

import json
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import getitem
from typing import TYPE_CHECKING, Any, Literal

import click

from simbgp.cli.exit_codes import ExitCode, of_verdict
from simbgp.cli.options import colour, engine, load_all, resume, to, warn
from simbgp.cli.progress import Bar
from simbgp.cli.stop import stoppable

if TYPE_CHECKING:
    from simbgp.scenario import Scenario
    from simbgp.study.tidy import Setting


@click.command()
@click.argument("file", metavar="FILE")
@click.option(
    "--vary",
    metavar="PATH=V1,V2,...",
    multiple=True,
    required=True,
    help="Values to try, e.g. cluster.timers.holdTimeSeconds=9,30,90; every combination is played.",
)
@click.option("--runs", type=click.IntRange(min=1), help="How often each; default 400, or once if nothing is random.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of all luck.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes to use.")
@engine
@to
@resume
@click.option("--set", "overrides", metavar="PATH=VALUE", multiple=True, help="Change a value in all settings.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "csv"]),
    default="text",
    show_default=True,
    help="A table for people, summaries as JSON, or every run as CSV.",
)
@click.option("--figure", metavar="FILE", help="Draw a heat map of two varied paths: .png, .svg or .pdf.")
@click.option("--quiet", is_flag=True, help="No progress, no warnings, no colour.")
def sweep(
    file: str,
    vary: tuple[str, ...],
    runs: int | None,
    seed: int,
    jobs: int,
    engine: str,
    to: str | None,
    resume: bool,
    overrides: tuple[str, ...],
    form: Literal["text", "json", "csv"],
    figure: str | None,
    quiet: bool,
) -> ExitCode:
    """Play a scenario with every combination of some values.

    Exit code 0 if a setting meets the SLOs or there are none, else that of the best setting.
    """
    lists = lists_of(vary)
    if resume and to is None:
        raise click.UsageError("--resume needs the folder: --to DIR")
    if figure is not None:
        _check_figure(figure, len(lists))
    base = load_all([file], overrides)
    if base is None:
        return ExitCode.BAD_INPUT
    from simbgp.study.command import sweep_command
    from simbgp.study.sweeping import combined, play_grid

    if not quiet:
        warn(base[0])
    settings = [_typed(of) for of in combined(lists, lambda setting: _set(file, overrides, setting))]
    command = sweep_command(base[0], lists, runs, seed)
    with stoppable(to), Bar(base[0].name, wanted=not quiet) as bar:
        grid = play_grid(settings, command, runs, seed, jobs, engine=engine, to=to, resume=resume, progress=bar)
    if form == "text":
        from simbgp.report.grid import grid_lines

        click.echo("\n".join(grid_lines(grid)), color=colour(quiet))
    elif form == "json":
        click.echo(json.dumps(grid.to_dict(), allow_nan=False))
    else:
        click.echo(grid.csv(), nl=False)
    if figure is not None:
        from simbgp.report.figures import heat_map, save
        from simbgp.report.figures.lattice import as_it_is

        save(heat_map(grid, marks=as_it_is(grid, base[0].data)), figure)
    return of_verdict(grid.verdict)


def _check_figure(path: str, varied: int) -> None:
    """Say before the sweep what would fail after it."""
    if not path.lower().endswith((".png", ".svg", ".pdf")):
        raise click.UsageError(f"--figure: {path!r}; allowed: .png, .svg, .pdf")
    if varied != 2:
        raise click.UsageError(
            f"--figure: a heat map needs two --vary; there {'is' if varied == 1 else 'are'} {varied}"
        )


def lists_of(vary: Sequence[str]) -> dict[str, list[str]]:
    """The values of each ``--vary``."""
    lists: dict[str, list[str]] = {}
    for each in vary:
        path, equals, text = each.partition("=")
        values = split_values(text)
        if not path or not equals or "" in values:
            raise click.UsageError(f"--vary: {each!r} is not PATH=V1,V2,...")
        if path in lists:
            raise click.UsageError(f"--vary: {path} is there twice")
        lists[path] = values
    return lists


def split_values(text: str) -> list[str]:
    """``text`` cut at commas that stand in no bracket and no quotation marks."""
    parts, depth, quote = [""], 0, ""
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
        if sign == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


def _set(file: str, overrides: Sequence[str], setting: "Setting") -> "Scenario":
    from simbgp.scenario import load

    return load(file, [*overrides, *(f"{path}={text}" for path, text in setting.items())])


def _typed(of: "tuple[Setting, Scenario]") -> "tuple[Setting, Scenario]":
    """The setting with the values that the scenario read from its texts."""
    setting, scenario = of
    return {path: _at(scenario.data, path) for path in setting}, scenario


def _at(data: Mapping[str, Any], path: str) -> Any:
    keys = path.split(".")
    value: Any = reduce(lambda here, key: getitem(here, int(key) if isinstance(here, list) else key), keys, data)
    return value if isinstance(value, int | float | str | bool | None) else json.dumps(value)
