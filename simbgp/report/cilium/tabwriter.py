"""Go's ``text/tabwriter`` as Cilium's tools set it up: NewWriter(w, 5, 0, 3, ' ', 0)."""

from collections.abc import Sequence

MIN_WIDTH, PADDING = 5, 3


def tabulate(text: str) -> str:
    """``text`` with its tab-terminated cells aligned.

    A column is a block of adjacent lines that have a tab-terminated cell in that place; its width is that of the widest
    cell of the block. What stands behind a line's last tab is no cell: it is neither measured nor padded.
    """
    lines = [line.split("\t") for line in text.split("\n")]
    shown = [""] * len(lines)
    _lay_out(lines, shown, 0, len(lines), 0)
    return "\n".join(shown)


def _lay_out(lines: Sequence[Sequence[str]], shown: list[str], first: int, end: int, column: int) -> None:
    """Appends the cells from ``column`` on of the lines from ``first`` to before ``end``, block by block."""
    line = first
    while line < end:
        if column >= len(lines[line]) - 1:
            shown[line] += lines[line][-1]
            line += 1
            continue
        block = line
        while line < end and column < len(lines[line]) - 1:
            line += 1
        width = max(MIN_WIDTH, *(len(lines[place][column]) + PADDING for place in range(block, line)))
        for place in range(block, line):
            shown[place] += lines[place][column].ljust(width)
        _lay_out(lines, shown, block, line, column + 1)
