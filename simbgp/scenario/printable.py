"""A stranger's text on a terminal: what would move the cursor, hide or reorder what stands there is shown as a code."""

from typing import Annotated

from pydantic import AfterValidator


def printable(text: str, keep: str = "", most: int | None = None) -> str:
    r"""``text`` with every sign that prints nothing as ``\x1b``, ``\u202e``; those in ``keep`` stay.

    Beyond ``most`` signs the rest is left out, and it says how many.
    """
    if most is not None and len(text) > most:
        text = f"{text[:most]}... ({len(text) - most} more)"
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign in keep else _code(sign) for sign in text)


def _code(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")


def _only_printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"{printable(text, most=40)!r} has signs that cannot be printed; allowed: printable text")
    return text


def _only_lines(text: str) -> str:
    if not text.replace("\n", "").replace("\t", "").isprintable():
        raise ValueError("there are signs that cannot be printed; allowed: printable text, line ends, tabs")
    return text


OnlyPrintable = AfterValidator(_only_printable)
"""Of a field whose text stands in reports: refuses control characters and the like."""
Lines = Annotated[str, AfterValidator(_only_lines)]
"""Text of several lines."""
