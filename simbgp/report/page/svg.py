"""A figure as part of a page: its text stays text, its colours follow the page's, its title stands above it."""

import io
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from simbgp.report.figures import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ROLES = {
    style.INK: "ink",
    style.QUIET: "quiet",
    "#ffffff": "paper",
    style.BLUE: "blue",
    style.ORANGE: "orange",
    style.GREEN: "green",
    style.RED: "red",
    style.HOLE: "red",
    style.PURPLE: "purple",
    style.SKY: "sky",
    style.YELLOW: "yellow",
    style.WELL: "well",
    style.WAITING: "waiting",
    style.BROKEN: "broken",
    style.AWAY: "away",
    style.NAMED: "named",
}
"""The CSS variable of each colour of the house style; what is not in it stays as it is."""


@dataclass(frozen=True, slots=True)
class Inline:
    """A figure's finding and its drawing, an SVG element."""

    title: str
    svg: Markup


def inline(figure: "Figure", name: str) -> Inline:
    """The figure for a page on which its ids begin with ``name``."""
    title = " ".join(figure.get_suptitle().split())
    figure.suptitle("")
    out = io.StringIO()
    with style.house_style(), warnings.catch_warnings():
        from matplotlib import rc_context
        from matplotlib.backends.backend_svg import FigureCanvasSVG

        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the page has the reader's fonts
        with rc_context({"svg.fonttype": "none"}):
            # matplotlib has no types for it; savefig would draw the figure twice
            FigureCanvasSVG(figure).print_svg(out, metadata={"Date": None})  # type: ignore[no-untyped-call]
    return Inline(title, Markup(_for_page(out.getvalue(), name, title)))  # matplotlib has escaped every text


def _for_page(text: str, name: str, title: str) -> str:
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style .*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
    opening = re.compile(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>')
    text = opening.sub(lambda hit: f'<svg {hit[1]} role="img" aria-label="{escape(title)}">', text, count=1)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'xlink:href="#', f'href="#{name}-', text).replace("url(#", f"url(#{name}-")
    text = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", text)
    return re.sub(r"#[0-9a-f]{6}\b", lambda hit: _role(hit.group()), text)


def _role(colour: str) -> str:
    return f"var(--{_ROLES[colour]})" if colour in _ROLES else colour
