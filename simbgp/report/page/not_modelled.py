"""What the program does not model, as a page has it: ``docs/not-modelled.md`` itself, which the wheel carries."""

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup

_FILE = "not-modelled.md"
_NO_PART_OF_A_RUN = "Of what `show` prints"


@cache
def not_modelled() -> Markup:
    """All that may touch the numbers of a run, as HTML with headings of the third level."""
    parts = re.split(r"^\*\*(.+?)\*\*$", _text(), flags=re.MULTILINE)[1:]
    told = [(title, body) for title, body in zip(parts[::2], parts[1::2], strict=True) if title != _NO_PART_OF_A_RUN]
    markdown = "\n".join(f"### {title}\n{body}" for title, body in told)
    return Markup(MarkdownIt("commonmark", {"html": False}).render(markdown))


def _text() -> str:
    carried = files("simbgp.report.page") / _FILE
    if carried.is_file():
        return carried.read_text(encoding="utf-8")
    return (Path(__file__).parents[3] / "docs" / _FILE).read_text(encoding="utf-8")  # a checkout
