"""``simbgp table``."""

import json
import math
from typing import TextIO

import click

from simbgp.cli.options import text_or_json

_LARGEST = 10_000_000
_HEAVIEST = 65_535


def _prime(_: click.Context, __: click.Parameter, size: int) -> int:
    """Each backend's walk meets every slot only if the number of slots is prime (Eisenbud et al., NSDI 2016 §3.4)."""
    if any(size % factor == 0 for factor in range(2, math.isqrt(size) + 1)):
        raise click.BadParameter(f"{size} is not a prime")
    return size


@click.command()
@click.option(
    "--backends",
    type=click.File(lazy=True),
    required=True,
    help="One key per line, a weight after it if not 1; - reads standard input.",
)
@click.option(
    "--size",
    type=click.IntRange(2, _LARGEST),
    required=True,
    callback=_prime,
    help="Number of slots, a prime; Cilium offers 251 to 131071.",
)
@click.option(
    "--seed-base64",
    "seed",
    default="JLfvgnHc2kaSUFaI",
    show_default=True,
    help="Cilium's hash seed, base64 of 12 bytes.",
)
@text_or_json
def table(backends: TextIO, size: int, seed: str, form: str) -> None:
    """Print a Maglev table as Cilium builds it.

    One line per slot; how many slots each backend has goes to standard error.
    """
    from simbgp.traffic.maglev import Tables

    keys, weights = _read(backends)
    try:
        slots = Tables().make(keys, size=size, weights=weights, seed=seed).tolist()
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if form == "json":
        of = {"size": size, "seed": seed, "backends": keys, "weights": weights, "table": slots}
        click.echo(json.dumps(of))
        return
    click.echo("\n".join(f"{slot} {keys[owner]}" for slot, owner in enumerate(slots)))
    for place, key in enumerate(keys):
        click.echo(f"{key}: {slots.count(place)} of {size} slots", err=True)


def _read(backends: TextIO) -> tuple[list[str], list[int]]:
    """Keys and weights; Cilium's keys have no blanks in them."""
    keys, weights = [], []
    try:
        lines = backends.read().splitlines()
    except UnicodeDecodeError:
        raise click.UsageError(f"{backends.name}: not UTF-8 text") from None
    for number, line in enumerate(lines, 1):
        parts = line.split()
        if not parts:
            continue
        weight = parts[1] if len(parts) > 1 else "1"
        if len(parts) > 2 or not (
            weight.isascii() and weight.isdigit() and len(weight) < 9 and 1 <= int(weight) <= _HEAVIEST
        ):
            raise click.UsageError(
                f"{backends.name}:{number}: allowed: a key, and after it a weight from 1 to {_HEAVIEST}"
            )
        keys.append(parts[0])
        weights.append(int(weight))
    if not keys:
        raise click.UsageError(f"{backends.name}: no backend in it")
    return keys, weights
