"""``simbgp show``."""

import json
from typing import TYPE_CHECKING, Any, TextIO

import click

from simbgp.cli.exit_codes import ExitCode
from simbgp.cli.options import load_all, moment

if TYPE_CHECKING:
    from simbgp.report.cilium.ask import Tool
    from simbgp.report.cilium.asked import Asked, Output
    from simbgp.scenario import Plan
    from simbgp.timeline import Timeline

_SHOWN = ("peers", "routes", "route-policies", "status", "conditions", "logs", "metrics")


@click.command()
@click.argument("what", type=click.Choice(_SHOWN))
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
@click.option(
    "-o",
    "--output",
    type=click.Choice(["json", "yaml", "describe"]),
    help="The objects instead of a table; a status also as kubectl describe or get -o yaml print it.",
)
@click.option("--match-families", is_flag=True, help="cilium-dbg's route-policies with that column, as since 1.17.")
@click.option("--watch", is_flag=True, help="From --at (0 if it is not given) on: again whenever the table changes.")
@click.option("--every", metavar="T", help="With --watch: at this interval instead.")
@click.option(
    "--time-zero",
    metavar="TIME",
    default="2026-01-01T00:00:00Z",
    show_default=True,
    help="Time of day of the simulated time 0, for status and logs.",
)
@click.option("--set", "overrides", metavar="PATH=VALUE", multiple=True, help="Change a value of the scenario.")
def show(
    what: str,
    arguments: tuple[str, ...],
    file: str | None,
    at: str | None,
    dump: TextIO | None,
    node: str | None,
    tool: "Tool | None",
    output: "Output | None",
    match_families: bool,
    watch: bool,
    every: str | None,
    time_zero: str,
    overrides: tuple[str, ...],
) -> ExitCode:
    """Print what Cilium's own tools would print at a moment, or of a dump.

    ARGS are those of the tool: routes available|advertised AFI SAFI [vrouter ASN] [peer ADDRESS], in the agent's shell
    routes loc|out AFI SAFI; logs agent|operator. The status is that of the CiliumBGPNodeConfigs; the logs are all lines
    up to --at; the conditions are those that the operator writes about the manifests, at any time.
    """
    from simbgp.report.cilium.asked import Asked, read_time

    if watch and (what == "conditions" or dump is not None):
        raise click.UsageError("--watch steps through a run; conditions and dumps are at no moment of one")
    if what == "conditions" and file is not None and dump is None:
        if tool is not None or node is not None or match_families:
            raise click.UsageError(
                "conditions are of all objects, in one layout: not with --node, --as, --match-families"
            )
        return _conditions(file, output, overrides)
    if (file is None) == (dump is None):
        raise click.UsageError("one of -f FILE and --from JSON is needed")
    if every is not None and (not watch or what == "logs"):
        raise click.UsageError("--every is for --watch of a table")
    try:
        asked = Asked(what, arguments, tool, node, output, match_families, read_time(time_zero))
        if dump is not None:
            return _of_dump(asked, dump)
        if at is None and not watch:
            raise click.UsageError("--at T is missing")
        loaded = load_all([file or ""], overrides)
        if loaded is None:
            return ExitCode.BAD_INPUT
        return _of_run(asked, loaded[0].plan(), moment(at or "0"), watch, every)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _conditions(file: str, output: str | None, overrides: tuple[str, ...]) -> ExitCode:
    from dataclasses import asdict

    from simbgp.report.numbers import columns
    from simbgp.scenario import ScenarioError
    from simbgp.scenario.conditions import conditions_in

    if output not in (None, "json"):
        raise click.UsageError(f"-o {output} is for status; allowed for conditions: json")
    try:
        found = conditions_in(file, overrides)
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


def _of_dump(asked: "Asked", dump: TextIO) -> ExitCode:
    from simbgp.report.cilium.from_dump import table_of_dump
    from simbgp.scenario.printable import printable

    # a dump may come from anybody; the tools themselves print what is in it as it is
    click.echo(printable(table_of_dump(asked, _parsed(dump)), keep="\n\t"), nl=False)
    return ExitCode.OK


def _parsed(file: TextIO) -> Any:
    try:
        return json.load(file)
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"{file.name}: not JSON: {error}") from None


def _of_run(asked: "Asked", plan: "Plan", at_s: float, watch: bool, every: str | None) -> ExitCode:
    from simbgp.study.replay import timeline

    at_us = round(at_s * 1e6)
    if not 0 <= at_us <= plan.horizon_us:
        raise click.UsageError(f"--at: {at_s:g} s is not within the horizon of {plan.horizon_us / 1e6:g} s")
    if asked.node is not None and asked.node not in {known.name for known in plan.nodes}:
        known = ", ".join(known.name for known in plan.nodes)
        raise click.UsageError(f"unknown node {asked.node!r}; allowed: {known}")
    facts = timeline(plan, 0, 0)
    if asked.what == "logs":
        return _logs(asked, plan, facts, (at_us, plan.horizon_us) if watch else (0, at_us))
    return _watched(asked, plan, facts, at_us, every) if watch else _at(asked, plan, facts, at_us)


def _at(asked: "Asked", plan: "Plan", facts: "Timeline", at_us: int) -> ExitCode:
    from simbgp.report.cilium.of_run import notes, table_of_run
    from simbgp.report.cilium.replay import Replay
    from simbgp.report.cilium.snapshot import Snapshot

    now = Snapshot(Replay(plan, facts, at_us))
    text = table_of_run(asked, now)
    for note in notes(asked, now):
        click.echo(f"simbgp: {note}", err=True)
    click.echo(text, nl=False)
    return ExitCode.OK


def _watched(asked: "Asked", plan: "Plan", facts: "Timeline", at_us: int, every: str | None) -> ExitCode:
    from simbgp.report.cilium.replay import Replay
    from simbgp.report.cilium.watch import watch

    every_us = None if every is None else round(moment(every, "--every") * 1e6)
    if every_us is not None and every_us <= 0:
        raise click.UsageError(f"--every: {every} is no interval; allowed: more than 0 s")
    for step_us, text in watch(asked, Replay(plan, facts, at_us), every_us):
        if asked.json:
            click.echo(json.dumps({"time_s": step_us / 1e6, "shown": json.loads(text) if text else None}))
        else:
            click.echo(f"# {step_us / 1e6:.6f} s\n{text}", nl=False)
    return ExitCode.OK


def _logs(asked: "Asked", plan: "Plan", facts: "Timeline", between_us: tuple[int, int]) -> ExitCode:
    from simbgp.report.cilium.logs import printed_logs

    for line in printed_logs(asked, plan, facts, between_us):
        click.echo(line)
    return ExitCode.OK
