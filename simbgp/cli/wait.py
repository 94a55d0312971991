"""``simbgp wait``."""

import click

from simbgp.cli.exit_codes import ExitCode
from simbgp.cli.options import colour, load_all, warn
from simbgp.cli.progress import Bar


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--p", type=click.FloatRange(50, 99.99), default=99.9, show_default=True, help="Quantile, in percent.")
@click.option("--runs", type=click.IntRange(min=1), help="How often; default as the quantile needs, 2 995 for 99.9.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of all luck.")
@click.option("--set", "overrides", metavar="PATH=VALUE", multiple=True, help="Change a value of the scenario.")
@click.option("--quiet", is_flag=True, help="Whole seconds alone, rounded up, for `sleep $(...)`.")
def wait(file: str, p: float, runs: int | None, seed: int, overrides: tuple[str, ...], quiet: bool) -> ExitCode:
    """Say how long to wait between unlabelling a node and switching it off.

    The node is the first that the faults of FILE name, else the one that takes longest.
    """
    loaded = load_all([file], overrides)
    if loaded is None:
        return ExitCode.BAD_INPUT
    from simbgp.report.wait import wait_lines
    from simbgp.study.wait import wait as waiting

    if not quiet:
        warn(loaded[0])
    with Bar(loaded[0].name, wanted=not quiet) as bar:
        found = waiting(loaded[0], p, runs, seed, bar)
    if quiet and found.whole_seconds is not None:
        click.echo(found.whole_seconds)
    else:
        click.echo("\n".join(wait_lines(found, file)), color=colour(quiet), err=quiet)
    return ExitCode.INCONCLUSIVE if found.whole_seconds is None else ExitCode.OK
