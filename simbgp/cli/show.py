"""``simbgp show``."""

import json
from typing import TYPE_CHECKING, Any, TextIO

import click

from simbgp.cli.exit_codes import ExitCode
from simbgp.cli.options import load_all, moment

if TYPE_CHECKING:
    from simbgp.report.cilium.ask import Tool
    from simbgp.scenario import Plan

_SHOWN = ("peers", "routes", "route-policies", "conditions")
_LATER = ("status", "logs", "metrics")


@click.command()
@click.argument("what", type=click.Choice([*_SHOWN, *_LATER]))
@click.argument("arguments", nargs=-1, metavar="[ARGS]...")
@click.option("-f", "--file", metavar="FILE", help="A scenario; its run 0 with seed 0 is shown.")
@click.option("--at", metavar="T", help="Moment of the simulated time: 75, 75s, 1m15s.")
@click.option(
    "--from",
    "dump",
    type=click.File(),
    metavar="JSON",
    help="A dump of the tool's objects instead; - reads standard input.",
)
@click.option("--node", metavar="NODE", help="Only this node.")
@click.option("--as", "tool", type=click.Choice(["cilium", "cilium-dbg", "shell"]), help="Whose layout.")
@click.option("-o", "--output", type=click.Choice(["json"]), help="The objects instead of a table.")
@click.option("--match-families", is_flag=True, help="cilium-dbg's route-policies with that column, as since 1.20.")
@click.option("--set", "overrides", metavar="PATH=VALUE", multiple=True, help="Change a value of the scenario.")
def show(
    what: str,
    arguments: tuple[str, ...],
    file: str | None,
    at: str | None,
    dump: TextIO | None,
    node: str | None,
    tool: "Tool | None",
    output: str | None,
    match_families: bool,
    overrides: tuple[str, ...],
) -> ExitCode:
    """Print what Cilium's own tools would print at a moment, or of a dump.

    ARGS are those of the tool: routes available|advertised AFI SAFI [vrouter ASN] [peer ADDRESS], in the agent's shell
    routes loc|out AFI SAFI. The conditions are those that the operator writes about the manifests, at any time.
    """
    if what in _LATER:
        raise click.UsageError(f"'{what}' is not supported yet; supported: {', '.join(_SHOWN)}")
    if what == "conditions" and file is not None and dump is None:
        return _conditions(file, output)
    if (file is None) == (dump is None):
        raise click.UsageError("one of -f FILE and --from JSON is needed")
    try:
        if dump is not None:
            return _of_dump(what, arguments, dump, node, tool, match_families)
        if at is None:
            raise click.UsageError("--at T is missing")
        loaded = load_all([file or ""], overrides)
        if loaded is None:
            return ExitCode.BAD_INPUT
        return _of_run(what, arguments, loaded[0].plan(), moment(at), node, tool, output, match_families)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _conditions(file: str, output: str | None) -> ExitCode:
    from dataclasses import asdict

    from simbgp.report.numbers import columns
    from simbgp.scenario import ScenarioError
    from simbgp.scenario.conditions import conditions_in

    try:
        found = conditions_in(file)
    except ScenarioError as error:
        click.echo(str(error), err=True)
        return ExitCode.BAD_INPUT
    if output == "json":
        click.echo(json.dumps([asdict(condition) for condition in found], indent=1))
        return ExitCode.OK
    head = ("KIND", "NAME", "TYPE", "STATUS", "REASON", "MESSAGE")
    rows = [(c.kind, c.name, c.type, c.status, c.reason, c.message) for c in found]
    click.echo("\n".join(columns([head, *rows], indent="")))
    return ExitCode.OK


def _of_dump(
    what: str, arguments: tuple[str, ...], dump: TextIO, node: str | None, tool: "Tool | None", match_families: bool
) -> ExitCode:
    from simbgp.report.cilium.from_dump import table_of_dump

    click.echo(table_of_dump(what, arguments, _parsed(dump), tool, node, match_families), nl=False)
    return ExitCode.OK


def _parsed(file: TextIO) -> Any:
    try:
        return json.load(file)
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"{file.name}: not JSON: {error}") from None


def _of_run(
    what: str,
    arguments: tuple[str, ...],
    plan: "Plan",
    at_s: float,
    node: str | None,
    tool: "Tool | None",
    output: str | None,
    match_families: bool,
) -> ExitCode:
    from simbgp.report.cilium.of_run import table_of_run
    from simbgp.report.cilium.replay import Replay
    from simbgp.report.cilium.snapshot import Snapshot
    from simbgp.study.replay import timeline

    if not 0 <= at_s * 1e6 <= plan.horizon_us:
        raise click.UsageError(f"--at: {at_s:g} s is not within the horizon of {plan.horizon_us / 1e6:g} s")
    if node is not None and node not in {known.name for known in plan.nodes}:
        raise click.UsageError(f"unknown node {node!r}; allowed: {', '.join(known.name for known in plan.nodes)}")
    now = Snapshot(Replay(plan, timeline(plan, 0, 0), round(at_s * 1e6)))
    text = table_of_run(what, arguments, now, tool, node, json=output == "json", match_families=match_families)
    for silent in now.silent:
        if node in (None, silent):
            click.echo(f"simbgp: no answer from {silent}: its agent is down", err=True)
    click.echo(text, nl=False)
    return ExitCode.OK
