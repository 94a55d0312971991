"""``simbgp import``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simbgp.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from simbgp.scenario.limits import Most


@click.command("import")
@click.argument("manifests", nargs=-1, required=True, metavar="MANIFEST...")
@click.option("--to", metavar="FILE", help="Where to write, as JSON if its name ends so; default standard output.")
def import_(manifests: tuple[str, ...], to: str | None) -> ExitCode:
    """Make a file for cluster.from out of real objects.

    MANIFEST is a file of what kubectl get -o yaml or -o json prints (JSON is read several times as fast); - reads
    standard input:

    \b
      kubectl get -A -o json KIND,KIND,... | simbgp import - --to cluster.yaml

    Kinds that are read: ciliumbgpclusterconfigs, ciliumbgppeerconfigs, ciliumbgpadvertisements, ciliumbgpnodeconfigs,
    ciliumbgpnodeconfigoverrides, ciliumloadbalancerippools, ciliumpodippools, ciliumnodes, nodes, services,
    endpointslices, pods, deployments, statefulsets, daemonsets, poddisruptionbudgets, secrets,
    ciliumbgppeeringpolicies. Others are counted. Of a Secret no value is kept. What it takes besides the file to run
    it, standard error tells.
    """
    from simbgp.scenario import ScenarioError
    from simbgp.scenario.importing import import_objects
    from simbgp.scenario.limits import IMPORTED
    from simbgp.scenario.manifests import texts_of
    from simbgp.study.whole import write_whole

    try:
        texts, problems = texts_of({name: name for name in manifests if name != "-"}, IMPORTED)
        if "-" in manifests:
            texts["<stdin>"] = _standard_input(IMPORTED)
        if problems:
            raise ScenarioError(problems)
        made = import_objects(texts, as_json=to is not None and to.endswith(".json"))
    except ScenarioError as error:
        click.echo(str(error), err=True)
        return ExitCode.BAD_INPUT
    for warning in made.warnings:
        click.echo(f"simbgp: warning: {warning}", err=True)
    if made.routers:
        click.echo("simbgp: a scenario next to it, for you to set each router's profile (simbgp profiles):", err=True)
        click.echo(f"cluster: {{from: {Path(to or 'cluster.yaml').name}}}\nrouters:", err=True)
        click.echo("\n".join(f"  - {router}" for router in made.routers), err=True)
    if to is None:
        click.echo(made.text, nl=False)
        return ExitCode.OK
    try:
        write_whole(to, made.text)
    except OSError as error:
        raise click.UsageError(f"--to: {to} cannot be written: {error.strerror}") from None
    return ExitCode.OK


def _standard_input(most: "Most") -> str:
    from simbgp.scenario import ScenarioError
    from simbgp.scenario.errors import Problem

    try:
        text = sys.stdin.read(most.bytes + 1)
    except UnicodeDecodeError:
        raise ScenarioError([Problem("<stdin>", 1, 1, "", "not UTF-8 text")]) from None
    if len(text) > most.bytes:
        raise ScenarioError([Problem("<stdin>", 1, 1, "", f"it is too big; allowed: {most.bytes} bytes{most.advice}")])
    return text.removeprefix("\ufeff")
