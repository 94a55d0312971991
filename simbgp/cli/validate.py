"""``simbgp validate``."""

import click

from simbgp.cli.exit_codes import ExitCode
from simbgp.cli.options import load_all, warn


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--strict", is_flag=True, help="A warning fails, too.")
def validate(files: tuple[str, ...], strict: bool) -> ExitCode:
    """Check scenarios and say all that is wrong, and what is seldom meant."""
    from simbgp.scenario.printable import printable

    code = ExitCode.OK
    for file in files:
        loaded = load_all([file])
        if loaded is None:
            code = ExitCode.BAD_INPUT
            continue
        scenario, plan = loaded[0], loaded[0].plan()
        warn(scenario)
        if strict and scenario.warnings:
            code = ExitCode.BAD_INPUT
            told = len(scenario.warnings)
            click.echo(f"{file}: {told} warning{'' if told == 1 else 's'}, which --strict refuses", err=True)
            continue
        parts = {
            "node": plan.nodes,
            "router": plan.routers,
            "service": plan.services,
            "fault": plan.faults,
            **({"background process": plan.background} if plan.background else {}),
            "SLO": plan.slo,
        }
        held = ", ".join(
            f"{len(items)} {name}{'' if len(items) == 1 else 'es' if name.endswith('s') else 's'}"
            for name, items in parts.items()
        )
        click.echo(f"{printable(file)}: ok: {scenario.name}: {held}")
    return code
