"""``simbgp profiles``."""

import json

import click

from simbgp.cli.options import text_or_json


@click.command()
@click.argument("name", required=False)
@text_or_json
def profiles(name: str | None, form: str) -> None:
    """List profiles, or show one with its sources; a name that a router and a speaker have shows both."""
    from simbgp.report.profiles import catalogue, catalogue_lines, find, sheet, sheet_lines

    if name is None:
        click.echo(json.dumps(catalogue()) if form == "json" else "\n".join(catalogue_lines()))
        return
    found = find(name)
    if not found:
        allowed = ", ".join(entry["name"] for entry in catalogue())
        raise click.UsageError(f"unknown profile {name!r}; allowed: {allowed}")
    if form == "json":
        sheets = [sheet(profile) for profile in found]
        click.echo(json.dumps(sheets if len(sheets) > 1 else sheets[0]))
        return
    click.echo("\n\n".join("\n".join(sheet_lines(profile)) for profile in found))
