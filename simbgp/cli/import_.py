"""``simbgp import``."""

import sys
from pathlib import Path

import click

from simbgp.cli.exit_codes import ExitCode


@click.command("import")
@click.argument("manifests", nargs=-1, required=True, metavar="MANIFEST...")
@click.option("--to", metavar="FILE", help="Where to write; default standard output.")
def import_(manifests: tuple[str, ...], to: str | None) -> ExitCode:
    """Make a file for cluster.from out of real objects.

    MANIFEST is a file of what kubectl get -o yaml prints; - reads standard input.
    """
    from simbgp.scenario import ScenarioError
    from simbgp.scenario.importing import import_objects
    from simbgp.scenario.yaml_tree import read_file

    texts = {}
    try:
        for name in manifests:
            if name == "-":
                texts["<stdin>"] = sys.stdin.read()
            else:
                texts[name] = read_file(Path(name), name)
        made, warnings = import_objects(texts)
    except ScenarioError as error:
        click.echo(str(error), err=True)
        return ExitCode.BAD_INPUT
    for warning in warnings:
        click.echo(f"simbgp: warning: {warning}", err=True)
    if to is None:
        click.echo(made, nl=False)
        return ExitCode.OK
    try:
        Path(to).write_text(made, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"--to: {to} cannot be written: {error.strerror}") from None
    return ExitCode.OK
