"""``simbgp schema``."""

import json

import click


@click.command()
def schema() -> None:
    """Print the JSON Schema of a scenario."""
    from simbgp.scenario import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
