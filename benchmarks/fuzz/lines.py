"""Inputs of lines: incident logs as CSV, and backends of a Maglev table. Each is a function of its number."""

import random
from collections.abc import Sequence

from benchmarks.fuzz.inputs import RAW, scratched
from simbgp.scenario.schema.processes import MIX

_HEADS = ("at", "kind", "node", "router", "duration", "note")
_MOMENTS = (
    "2025-01-31", "2025-01-31T08:30:00Z", "2025-06-01 12:00", "0001-01-01", "9999-12-31", "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59", "2025-02-30", "20250131", "2025-W05-5", "1", "٢٠٢٥-٠١-٣١",
)  # fmt: skip
_KEYS = ("[10.0.0.1:8080/TCP,State:active]", "a", "b", "é", "\x00", "\x1b[2J", "\u2028", "x" * 3000, "#", "1")
_WEIGHTS = ("1", "2", "65535", "65536", "0", "-1", "1.5", "01", "²", "٣", "9" * 30, "9" * 5000, "x", "1 1", "1e3", "")


def incidents(number: int) -> str:
    """An incident log."""
    luck = random.Random(f"incidents-{number}")
    heads = list(_HEADS[: luck.choice((2, 5, 6, 6, 6))])
    if luck.random() < 0.15:
        heads[luck.randrange(len(heads))] = luck.choice((*_HEADS, "", "AT", " at ", "x", "\x1b[31m"))
    rows = [heads, *([_cell(head, luck) for head in heads] for _ in range(luck.choice((0, 1, 3, 3, 20, 400))))]
    if luck.random() < 0.1:
        rows.append([_cell("at", luck)])
    text = luck.choice(("\n", "\n", "\r\n", "\r")).join(",".join(row) for row in rows)
    return scratched(text, luck) if luck.random() < 0.3 else text


def _cell(head: str, luck: random.Random) -> str:
    if luck.random() < 0.05:
        return luck.choice(RAW)
    sound: dict[str, Sequence[str]] = {
        "at": _MOMENTS[:3] if luck.random() < 0.9 else _MOMENTS,
        "kind": tuple(MIX),
        "node": ("worker-1", "worker-2", "", "worker-99"),
        "router": ("tor-1", "", "tor-2"),
        "duration": ("", "90s", "1h", "30", "0", "1e9h", "-1s", "²", ".5", "876600h"),
        "note": ("", "a note", '"quoted, note"', '"', "'"),
    }
    return luck.choice(sound.get(head.strip().lower(), RAW))


def bound(number: int) -> str:
    """A moment for ``since`` or ``until``."""
    return random.Random(f"bound-{number}").choice(_MOMENTS)


def backends(number: int) -> bytes:
    """A file for ``table --backends``."""
    luck = random.Random(f"backends-{number}")
    lines = []
    for _ in range(luck.choice((0, 1, 2, 5, 60))):
        key = luck.choice(_KEYS) if luck.random() < 0.8 else luck.choice(RAW)
        lines.append(key + luck.choice((" ", "  ", "\t", "")) + (luck.choice(_WEIGHTS) if luck.random() < 0.4 else ""))
    text = luck.choice(("\n", "\r\n", "\n\n")).join(lines)
    text = scratched(text, luck) if luck.random() < 0.2 else text
    whole = text.encode("utf-8", "surrogatepass")
    return whole[: luck.randrange(len(whole) + 1)] + b"\xff" if luck.random() < 0.03 else whole
