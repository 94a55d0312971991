"""``simbgp profiles``."""

import json

import click

from simbgp.cli.options import text_or_json


@click.command()
@click.argument("name", required=False)
@text_or_json
def profiles(name: str | None, form: str) -> None:
    """List profiles, or show one with its sources."""
    from simbgp.report.profiles import catalogue, catalogue_lines, find, sheet, sheet_lines

    if name is None:
        click.echo(json.dumps(catalogue()) if form == "json" else "\n".join(catalogue_lines()))
        return
    found = find(name)
    if found is None:
        allowed = ", ".join(entry["name"] for entry in catalogue())
        raise click.UsageError(f"unknown profile {name!r}; allowed: {allowed}")
    click.echo(json.dumps(sheet(found)) if form == "json" else "\n".join(sheet_lines(found)))
