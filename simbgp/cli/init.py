"""``simbgp init``."""

import click


@click.command()
@click.argument("kind")
def init(kind: str) -> None:
    """Print a commented example scenario.

    KIND is a kind of fault, such as agent-crash.
    """
    from simbgp.scenario import init as example

    try:
        text = example(kind)
    except (KeyError, ValueError) as error:
        raise click.UsageError(str(error.args[0])) from None
    click.echo(text, nl=False)
