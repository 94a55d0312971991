"""``simbgp compare``."""

import click

from simbgp.cli.exit_codes import ExitCode
from simbgp.cli.options import engine, load_all, share, warn
from simbgp.cli.progress import Bar
from simbgp.cli.stop import stoppable


@click.command()
@click.argument("files", metavar="A B", nargs=2)
@click.option("--runs", type=click.IntRange(min=1), help="How often each; default 400, or once if nothing is random.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of all luck.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes to use.")
@click.option("--set", "overrides", metavar="PATH=VALUE", multiple=True, help="Change a value in both.")
@click.option(
    "--max-regression",
    callback=share,
    metavar="SHARE",
    help="A gate: how much worse B may be in any figure, as a share of A's, e.g. 5%.",
)
@engine
@click.option("--quiet", is_flag=True, help="No progress, no warnings.")
def compare(
    files: tuple[str, str],
    runs: int | None,
    seed: int,
    jobs: int,
    overrides: tuple[str, ...],
    max_regression: float | None,
    engine: str,
    quiet: bool,
) -> ExitCode:
    """Say what differs between two scenarios, in Markdown.

    Both are played with the same luck, and differences are taken run by run. Exit code 0 without a gate or within it,
    1 if a figure is a greater regression than allowed, 4 if the runs cannot tell.
    """
    loaded = load_all(files, overrides)
    if loaded is None:
        return ExitCode.BAD_INPUT
    from simbgp.report.compare import comparison_lines
    from simbgp.study.compare import compare as play
    from simbgp.study.comparison import Gate

    one, other = loaded
    if not quiet:
        warn(one)
        warn(other)
    with stoppable(), Bar(f"{one.name}, {other.name}", wanted=not quiet) as bar:
        found = play(one, other, runs, seed, jobs, max_regression=max_regression, engine=engine, progress=bar)
    click.echo("\n".join(comparison_lines(found)))
    if found.gate is Gate.FAILED:
        return ExitCode.BREACHED
    return ExitCode.INCONCLUSIVE if found.gate is Gate.INCONCLUSIVE else ExitCode.OK
