"""The lab's comparison in one look: each predicted interval with what was measured in it, or beside it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simbgp.report.figures.style import BLUE, RED, house_style, new

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

    from simbgp.lab.comparison import Comparison, Figure

_SKY = "#bfdcf0"


def lab_calibration(found: "Comparison") -> "Picture":
    """A row for each figure of each session: the predicted 99 % as a bar, its median, the measured values as points.

    Values outside are red. What never happened stands at the end of the observation.
    """
    word = "agrees" if found.agrees else "differs"
    title = f"{found.plan.name}: the lab {word}, {found.inside} of {found.values} measured values are as predicted"
    rows = found.figures[::-1]
    with house_style():
        picture, axes = new(1.3 + 0.3 * len(rows), title)
        for height, figure in enumerate(rows):
            _row(axes, height, figure)
        axes.set_yticks(range(len(rows)), [_name(figure, found.figures) for figure in rows])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlim(left=0)
        axes.set_xlabel("seconds after the fault; lengths in seconds")
        axes.tick_params(axis="y", length=0)
    return picture


def _row(axes: "Axes", height: int, figure: "Figure") -> None:
    low, high = (figure.seen_s if end is None else end for end in figure.interval)
    middle = sorted(figure.seen_s if value is None else value for value in figure.predicted)[len(figure.predicted) // 2]
    axes.barh(height, max(high - low, 0.01), left=low, height=0.6, color=_SKY, edgecolor=BLUE, linewidth=0.6)
    axes.plot([middle, middle], [height - 0.3, height + 0.3], color=BLUE, linewidth=1.4)
    for value, away in zip(figure.measured, figure.beside, strict=True):
        at = figure.seen_s if value is None else value
        axes.plot(
            [at], [height], marker="o", markersize=4.5, color=RED if away else "black", linestyle="none", zorder=5
        )


def _name(figure: "Figure", every: "Sequence[Figure]") -> str:
    from simbgp.lab.readings import FIGURES

    several = len({each.place for each in every}) > 1
    return f"{FIGURES[figure.name]}" + (f"\n{figure.place.node} at {figure.place.router}" if several else "")
