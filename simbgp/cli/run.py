"""``simbgp run``."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from simbgp.cli.exit_codes import ExitCode, of_verdict, worst
from simbgp.cli.for_ci import ForCi, for_ci
from simbgp.cli.options import colour, engine, load_all, precision, resume, text_or_json, to, warn
from simbgp.cli.progress import Bar
from simbgp.cli.stop import stoppable

if TYPE_CHECKING:
    from simbgp.scenario import Scenario
    from simbgp.study import Result

_TEXT_TABLES = ("windows", "connections", "progress", "patches")


@dataclass(frozen=True, slots=True)
class _Asked:
    """The options of the command."""

    runs: int | None
    seed: int
    jobs: int
    overrides: tuple[str, ...]
    form: Literal["text", "json"]
    rows: Literal["none", "faults", "all"]
    quiet: bool
    precision: float | None
    engine: str
    to: str | None
    resume: bool
    report: str | None
    check_determinism: bool


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--runs",
    type=click.IntRange(min=0),
    help="How often; default 400, or once if nothing is random. With --precision the most.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of all luck.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes to use.")
@click.option(
    "--set",
    "overrides",
    metavar="PATH=VALUE",
    multiple=True,
    help="Change a value, e.g. cluster.timers.holdTimeSeconds=9.",
)
@precision
@engine
@to
@resume
@text_or_json
@click.option(
    "--rows",
    type=click.Choice(["none", "faults", "all"]),
    default="all",
    show_default=True,
    help="Rows of the JSON: none, those that a fault touches, or all.",
)
@click.option(
    "--report",
    metavar="FILE.html",
    type=click.Path(dir_okay=False, writable=True),
    help="Write a page too: verdict, figures, the worst run to replay; one file, of one FILE.",
)
@for_ci
@click.option(
    "--check-determinism",
    is_flag=True,
    help="Play it again backwards, in other processes with another hash seed; exit code 3 if a byte differs.",
)
@click.option("--quiet", is_flag=True, help="No progress, no warnings, no colour.")
def run(files: tuple[str, ...], **options: Any) -> ExitCode:
    """Play scenarios: verdict, windows, outcomes."""
    ci = ForCi(options.pop("junit"), options.pop("summary"))
    ci.check()
    asked = _Asked(**options)
    if asked.resume and asked.to is None:
        raise click.UsageError("--resume needs the folder: --to DIR")
    if asked.to is not None and len(files) > 1:
        raise click.UsageError("--to takes one FILE: each study has a folder of its own")
    _check_report(asked, files)
    scenarios = load_all(files, asked.overrides)
    if scenarios is None:
        return ExitCode.BAD_INPUT
    if asked.runs == 0:
        click.echo("simbgp: nothing ran, as --runs 0 asks", err=True)
        return ExitCode.NOTHING_RAN
    results: list[Result] = []
    for scenario in scenarios:
        result = _play(scenario, asked)
        if result is None or (asked.check_determinism and not _is_the_same_again(result, asked)):
            return ExitCode.INTERNAL_ERROR
        _tell(result, asked, first=not results)
        results.append(result)
    ci.write(results)
    if asked.form == "json":
        objects = [result.to_dict() for result in results]
        click.echo(json.dumps(objects if len(objects) > 1 else objects[0], allow_nan=False))
    return worst(of_verdict(result.verdict) for result in results)


def _play(scenario: "Scenario", asked: _Asked) -> "Result | None":
    """The result; None after a broken invariant went to standard error."""
    from simbgp.study import run as play
    from simbgp.study.command import run_command
    from simbgp.study.rows import COLUMNS
    from simbgp.timeline import BrokenInvariantError

    as_json = asked.form == "json"
    if not asked.quiet:
        warn(scenario)
    try:
        with stoppable(asked.to), Bar(scenario.name, wanted=not asked.quiet) as bar:
            return play(
                scenario,
                asked.runs,
                asked.seed,
                asked.jobs,
                rows=asked.rows if as_json else "all",
                tables=COLUMNS if as_json or asked.to else _TEXT_TABLES,
                precision=asked.precision,
                engine=asked.engine,
                to=asked.to,
                resume=asked.resume,
                progress=bar,
            )
    except BrokenInvariantError as error:
        click.echo(f"simbgp: broken invariant: {error}", err=True)
        command = run_command(scenario, asked.runs, asked.seed)
        click.echo(f"simbgp: seed {asked.seed}, scenario {scenario.hash}, command: {command}", err=True)
        return None


def _is_the_same_again(result: "Result", asked: _Asked) -> bool:
    """Play it once more and say whether it gave the same bytes."""
    from simbgp.study.determinism import differs

    rows = asked.rows if asked.form == "json" else "all"
    with stoppable():
        where = differs(result, asked.runs, asked.jobs, rows=rows, precision=asked.precision)
    if where is not None:
        click.echo(f"simbgp: not the same bytes twice: {where}", err=True)
        click.echo("simbgp: this is a bug: no figure of this study can be trusted", err=True)
    elif not asked.quiet:
        click.echo("simbgp: the same bytes when played backwards, in other processes", err=True)
    return where is None


def _check_report(asked: _Asked, files: tuple[str, ...]) -> None:
    """Say before anything is played what would fail after it."""
    if asked.report is None:
        return
    if len(files) > 1:
        raise click.UsageError("--report takes one FILE: each scenario has a page of its own")
    if asked.rows != "all":
        raise click.UsageError("--report needs all rows: leave --rows away")
    path = Path(asked.report)
    if path.suffix.lower() not in (".html", ".htm"):
        raise click.UsageError(f"--report {asked.report!r}: a page is a file named .html")
    if not path.parent.is_dir():
        raise click.UsageError(f"--report {asked.report!r}: there is no folder {str(path.parent)!r}")


def _tell(result: "Result", asked: _Asked, *, first: bool) -> None:
    """Print the report and write the page, as asked."""
    from simbgp.study.remedy import advise

    if asked.form == "json" and asked.report is None:
        return
    advice = advise(result)
    if asked.form == "text":
        from simbgp.report.text import report

        if not first:
            click.echo()
        click.echo(report(result, advice), color=colour(asked.quiet))
    if asked.report is not None:
        from simbgp.report.page import page
        from simbgp.study.whole import write_whole

        write_whole(asked.report, page(result, advice))
        if not asked.quiet:
            click.echo(f"simbgp: the page is in {asked.report}", err=True)
