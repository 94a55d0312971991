"""Go's ``text/tabwriter``, filling with blanks; as Cilium's tools set it up: NewWriter(w, 5, 0, 3, ' ', 0)."""

from collections.abc import Sequence

MIN_WIDTH, PADDING = 5, 3


def tabulate(text: str, min_width: int = MIN_WIDTH, padding: int = PADDING) -> str:
    """``text`` with its tab-terminated cells aligned.

    A column is a block of adjacent lines that have a tab-terminated cell in that place; its width is that of the widest
    cell of the block. What stands behind a line's last tab is no cell: it is neither measured nor padded.
    """
    lines = [line.split("\t") for line in text.split("\n")]
    shown = [""] * len(lines)
    _lay_out(lines, shown, (0, len(lines)), 0, (min_width, padding))
    return "\n".join(shown)


def _lay_out(
    lines: Sequence[Sequence[str]], shown: list[str], part: tuple[int, int], column: int, widths: tuple[int, int]
) -> None:
    """Appends the cells from ``column`` on of the lines in ``part``, block by block."""
    line, end = part
    min_width, padding = widths
    while line < end:
        if column >= len(lines[line]) - 1:
            shown[line] += lines[line][-1]
            line += 1
            continue
        block = line
        while line < end and column < len(lines[line]) - 1:
            line += 1
        width = max(min_width, *(len(lines[place][column]) + padding for place in range(block, line)))
        for place in range(block, line):
            shown[place] += lines[place][column].ljust(width)
        _lay_out(lines, shown, (block, line), column + 1, widths)
