"""``simbgp advise``."""

import json
from typing import Literal

import click

from simbgp.cli.exit_codes import ExitCode, of_verdict
from simbgp.cli.options import colour, engine, load_all, share, text_or_json, warn
from simbgp.cli.progress import Bar
from simbgp.cli.stop import stoppable
from simbgp.cli.sweep import lists_of


def _weight(_: click.Context, __: click.Parameter, text: str | None) -> float | None:
    from simbgp.cli.options import moment

    found = None if text is None else moment(text, "--broken")
    if found is not None and found <= 0:
        raise click.BadParameter(f"{text!r}; allowed: a duration above 0, like 30s")
    return found


@click.command()
@click.argument("file", metavar="FILE")
@click.option(
    "--vary",
    metavar="AXIS=V1,V2,...",
    multiple=True,
    help="Values to try of hold, keepalive, restart (off), bfd (off, 300ms), hash, balancer (maglev/dsr), algorithm, "
    "mode, drain (drain-first, unlabel-first), or of a dotted path; axes not named have values of their own, BFD none.",
)
@click.option("--runs", type=click.IntRange(min=2), help="Failures of each kind, for each setting; default 20.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of all luck.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes to use.")
@click.option("--slo", "availability", callback=share, metavar="SHARE", help="Availability of a year, e.g. 99.95%.")
@click.option(
    "--broken",
    "price_s",
    callback=_weight,
    metavar="DURATION",
    help="What a broken connection weighs, in silence of one connection; default 30s, or the scenario's.",
)
@engine
@click.option("--set", "overrides", metavar="PATH=VALUE", multiple=True, help="Change a value of the scenario.")
@text_or_json
@click.option("--patch", is_flag=True, help="Print the CiliumBGPPeerConfig to apply, and nothing else.")
@click.option("--figure", metavar="FILE", help="Draw front and tornado: .png, .svg, .pdf.")
@click.option("--quiet", is_flag=True, help="No progress, no warnings, no colour.")
def advise(
    file: str,
    vary: tuple[str, ...],
    runs: int | None,
    seed: int,
    jobs: int,
    availability: float | None,
    price_s: float | None,
    engine: str,
    overrides: tuple[str, ...],
    form: Literal["text", "json"],
    patch: bool,
    figure: str | None,
    quiet: bool,
) -> ExitCode:
    """Say which timers, hash, load balancing and order of drains to have, for the failures of a year.

    The year is that of failures and background in FILE, and of planning assumptions for what they do not say. Exit
    code 0 if the advised setting keeps to the SLO or there is none, 1 if it does not, 4 if the runs cannot tell.
    """
    if figure is not None and not figure.lower().endswith((".png", ".svg", ".pdf")):
        raise click.UsageError(f"--figure: {figure!r}; allowed: .png, .svg, .pdf")
    lists = lists_of(vary)
    loaded = load_all([file], overrides)
    if loaded is None:
        return ExitCode.BAD_INPUT
    from simbgp.study.advise import advise as play

    if not quiet:
        warn(loaded[0])
    try:
        with stoppable(), Bar(loaded[0].name, wanted=not quiet) as bar:
            found = play(
                loaded[0],
                lists,
                runs,
                seed,
                jobs,
                availability=availability,
                broken_connection_s=price_s,
                engine=engine,
                progress=bar,
            )
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if patch:
        from simbgp.report.peer_config import patch_text

        click.echo(patch_text(found), nl=False)
    elif form == "json":
        click.echo(json.dumps(found.to_dict(), allow_nan=False))
    else:
        from simbgp.report.advise import advise_lines

        click.echo("\n".join(advise_lines(found, file)), color=colour(quiet))
    if figure is not None:
        from simbgp.report.figures import advice, save

        save(advice(found), figure)
    return of_verdict(found.verdict)
