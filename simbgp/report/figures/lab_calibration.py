"""The lab's comparison in one look: each predicted interval with what was measured in it, or beside it."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from simbgp.report.figures.style import BLUE, RED, empty, house_style, in_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

    from simbgp.lab.comparison import Comparison, Figure
    from simbgp.lab.shares import Share

_SKY = "#bfdcf0"


def lab_calibration(found: "Comparison") -> "Picture":
    """A row for each figure of each session: the predicted 99 % as a bar, its median, the measured values as points.

    Values outside are red. What never happened stands at the end of the observation. Outcomes of connections, where
    there were clients, have a panel of their own below, in percent.
    """
    word = "agrees" if found.agrees else "differs"
    title = f"{found.plan.name}: the lab {word}, {found.inside} of {found.values} measured values are as predicted"
    many, shares = len(found.figures), len(found.shares)
    with house_style():
        picture = empty(1.3 + 0.3 * many + (0.7 + 0.3 * shares if shares else 0), title)
        heights = [many + 1, shares + 1] if shares else [many + 1]
        panels = picture.subplots(len(heights), squeeze=False, height_ratios=heights)[:, 0]
        _moments(panels[0], found)
        if shares:
            _shares(panels[1], found.shares)
    return picture


def _moments(axes: "Axes", found: "Comparison") -> None:
    rows = found.figures[::-1]
    for height, figure in enumerate(rows):
        _row(axes, height, figure)
    _named(axes, [_name(figure, found.figures) for figure in rows])
    axes.set_xlabel("seconds after the fault; lengths in seconds")


def _shares(axes: "Axes", shares: "Sequence[Share]") -> None:
    from simbgp.lab.shares import OUTCOMES

    rows = shares[::-1]
    for height, share in enumerate(rows):
        low, high = share.interval
        middle = sorted(share.predicted)[len(share.predicted) // 2]
        _bar(axes, height, (low, middle, high), zip(share.measured, share.beside, strict=True))
    several = len({share.service for share in shares}) > 1
    _named(axes, [f"{share.service}: {OUTCOMES[share.name]}" if several else OUTCOMES[share.name] for share in rows])
    axes.set_xlim(right=1.02)
    in_percent(axes.xaxis)
    axes.set_xlabel("of all connections")


def _named(axes: "Axes", names: list[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xlim(left=0)
    axes.tick_params(axis="y", length=0)


def _row(axes: "Axes", height: int, figure: "Figure") -> None:
    low, high = (figure.seen_s if end is None else end for end in figure.interval)
    middle = sorted(figure.seen_s if value is None else value for value in figure.predicted)[len(figure.predicted) // 2]
    measured = [figure.seen_s if value is None else value for value in figure.measured]
    _bar(axes, height, (low, middle, high), zip(measured, figure.beside, strict=True))


def _bar(
    axes: "Axes", height: int, predicted: tuple[float, float, float], measured: "Iterable[tuple[float, float]]"
) -> None:
    """Low end, median and high end of what was predicted; each measured value with how far it lies outside."""
    low, middle, high = predicted
    axes.barh(height, max(high - low, 0.01), left=low, height=0.6, color=_SKY, edgecolor=BLUE, linewidth=0.6)
    axes.plot([middle, middle], [height - 0.3, height + 0.3], color=BLUE, linewidth=1.4)
    for at, away in measured:
        colour = RED if away else "black"
        axes.plot([at], [height], marker="o", markersize=4.5, color=colour, linestyle="none", zorder=5)


def _name(figure: "Figure", every: "Sequence[Figure]") -> str:
    from simbgp.lab.readings import FIGURES

    several = len({each.place for each in every}) > 1
    return f"{FIGURES[figure.name]}" + (f"\n{figure.place.node} at {figure.place.router}" if several else "")
