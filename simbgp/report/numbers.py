"""Numbers and names as a reader of a terminal wants them."""

from collections.abc import Iterable, Sequence

from simbgp.measure.units import count, interval, of_metric, percent, seconds, with_interval

__all__ = [
    "columns",
    "count",
    "interval",
    "listed",
    "of_metric",
    "percent",
    "plural",
    "seconds",
    "span",
    "with_interval",
]


def span(values: Iterable[float]) -> str:
    """``90`` if all are, else ``3-90``."""
    ordered = sorted(set(values))
    return f"{ordered[0]:g}" if len(ordered) == 1 else f"{ordered[0]:g}-{ordered[-1]:g}"


def plural(number: int, noun: str) -> str:
    """``1 router``, ``2 routers``."""
    return f"{count(number)} {noun}" + ("" if number == 1 else "s")


def listed(names: Sequence[str], most: int = 3) -> str:
    """``a, b, c`` or, of more than ``most``, ``a, b and 12 more``."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"


def columns(rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset(), indent: str = "  ") -> list[str]:
    """Lines of aligned columns; the columns in ``right`` are flush right."""
    if not rows:
        return []
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        (
            indent
            + "  ".join(
                _padded(cell, width, place in right)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
        ).rstrip()
        for row in rows
    ]


def _padded(cell: str, width: int, right: bool) -> str:
    return cell.rjust(width) if right else cell.ljust(width)
