"""``simbgp explain``."""

import click

from simbgp.cli.exit_codes import ExitCode
from simbgp.cli.options import colour, load_all, moment


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--at", required=True, metavar="T", help="Moment of the simulated time: 75, 75s, 1m15s.")
@click.option("--service", metavar="S", help="Only this service; default all, and the PodCIDRs that a fault touches.")
def explain(file: str, at: str, service: str | None) -> ExitCode | None:
    """Say what is forwarded where at a moment, and why.

    The moment is one of run 0 with seed 0.
    """
    at_s = moment(at)
    loaded = load_all([file])
    if loaded is None:
        return ExitCode.BAD_INPUT
    from simbgp.report.explain import explanation
    from simbgp.study.replay import timeline

    plan = loaded[0].plan()
    known = [item.name for item in plan.services]
    if service is not None and service not in known:
        raise click.UsageError(f"unknown service {service!r}; allowed: {', '.join(known) or 'none'}")
    if at_s * 1e6 > plan.horizon_us:
        raise click.UsageError(f"--at: {at} is after the horizon of {plan.horizon_us / 1e6:g} s")
    lines = explanation(plan, timeline(plan, 0, 0), round(at_s * 1e6), service)
    click.echo("\n".join(lines), color=colour())
    return ExitCode.OK
