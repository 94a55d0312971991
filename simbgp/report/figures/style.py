"""The house style: what all figures have in common, so that none of them says it again.

Colours are those of Okabe and Ito (Color Universal Design, 2008), which readers with any colour vision tell apart, and
``cividis`` for amounts (Nuñez et al., PLoS ONE 2018).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from simbgp.study.whole import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

INK, QUIET = "#1a1a1a", "#595959"
BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#d55e00",
    "#cc79a7",
    "#56b4e9",
    "#f0e442",
)
HOLE = "#c04e00"
"""A fill that white text can stand on: lost traffic."""
WELL, WAITING, BROKEN, AWAY, NAMED = "#bfe3d5", "#fbe0ac", "#f4b9a0", "#e3e3e3", "#c9def0"
"""Pale fills that text can stand on."""
AMOUNTS = "cividis"
_SOLID, _DASHED = "-", (0, (4, 1.5))
LINES: tuple[tuple[str, Any], ...] = tuple(
    (colour, dashes) for dashes in (_SOLID, _DASHED) for colour in (BLUE, ORANGE, GREEN, PURPLE, SKY, INK)
)
"""Colour and dashes of the curves of one figure, in the order in which they are taken; red is the bound's."""
WIDTH_IN = 7.2
"""As wide as the text of an A4 page."""
_TITLE_SIGNS = 82
_BOUND = re.compile(r"(?<=\d) (?=\d{3}\b|s\b|%|ms\b)|(?<=[≤≥±]) | (?=·)")
"""Spaces at which no line ends: inside a number, before its unit, before a dot between names."""
_HAN = ("Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Zen Hei", "Microsoft YaHei", "PingFang SC", "SimHei")
"""For names that DejaVu has no signs for, where one of these is installed."""
_RC: dict[Any, Any] = {
    "font.size": 9,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "text.color": INK,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "savefig.dpi": 150,
    "svg.fonttype": "path",
    "text.parse_math": False,  # a name with two $ is a name
    "svg.hashsalt": "simbgp",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Matplotlib's settings for what is made inside; nothing outside changes."""
    from matplotlib import rc_context

    with rc_context({**_RC, "font.sans-serif": ["DejaVu Sans", *_han()]}):
        yield


@cache
def _han() -> tuple[str, ...]:
    """The first installed font with Chinese signs; matplotlib warns of those that are not there."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return tuple([name for name in _HAN if name in installed][:1])


def new(height_in: float, title: str, width_in: float = WIDTH_IN) -> "tuple[Figure, Axes]":
    """An empty figure with its finding above one pair of axes."""
    figure = empty(height_in, title, width_in)
    return figure, figure.add_subplot()


def empty(height_in: float, title: str, width_in: float = WIDTH_IN) -> "Figure":
    """A figure with its finding and nothing else."""
    from simbgp.report.figures.picture import Picture

    figure = Picture(figsize=(width_in, height_in), layout="constrained")
    entitle(figure, title)
    return figure


def entitle(figure: "Figure", title: str) -> None:
    """Put the finding above the figure, flush left, in lines of about the same length, as few as it takes."""
    signs = round(_TITLE_SIGNS * figure.get_figwidth() / WIDTH_IN)
    figure.suptitle("\n".join(_lines(title, signs)), x=0.01, ha="left", fontsize=10.5, fontweight="bold")


def _lines(text: str, signs: int) -> list[str]:
    bound = _BOUND.sub("\N{NO-BREAK SPACE}", text)
    fewest = len(wrap(bound, signs, break_on_hyphens=False))
    narrowest = next(
        (width for width in range(len(bound) // max(1, fewest), signs)
         if len(wrap(bound, width, break_on_hyphens=False, break_long_words=False)) == fewest
         and max(map(len, wrap(bound, width, break_on_hyphens=False, break_long_words=False))) <= width),
        signs,
    )  # fmt: skip
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in wrap(bound, narrowest, break_on_hyphens=False)]


def logarithmic(axis: "Axis") -> None:
    """Plain numbers on an axis that has been made logarithmic and has its limits: the fewer decades, the more."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    low, high = sorted(axis.get_view_interval())
    factor = high / low
    if factor < _FEW:
        axis.set_major_locator(MaxNLocator(6))
    else:
        steps = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0) if factor < _DECADE else (1.0, 2.0, 5.0)
        axis.set_major_locator(LogLocator(subs=steps, numticks=30))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())


_FEW, _DECADE = 2.5, 12.0
"""Highest over lowest value below which an axis is marked in equal steps, and in more than 1, 2, 5 of a decade."""


def in_percent(axis: "Axis") -> None:
    """Shares written as percentages, ``25 %``."""
    axis.set_major_formatter(lambda share, _: f"{share * 100:.4g} %")


_WITHOUT_DATE: dict[str, dict[str, Any]] = {
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
    "png": {"Software": None},
}


def writable(path: str | Path) -> str:
    """The form of a figure, as the suffix of its file says. Raises ValueError for one that is not written."""
    form = Path(path).suffix.lstrip(".").lower()
    if form not in _WITHOUT_DATE:
        raise ValueError(f"{path}: no figure of this kind; allowed: .png, .svg, .pdf")
    return form


def save(figure: "Figure", path: str | Path) -> None:
    """Write the figure as its suffix says: .png, .svg, .pdf; without the date. Raises ValueError for another one."""
    form = writable(path)
    drawn = BytesIO()
    with house_style():
        figure.savefig(drawn, format=form, metadata=_WITHOUT_DATE[form])
    write_whole(path, drawn.getvalue())
