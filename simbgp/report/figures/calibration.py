"""Predicted against measured: a dot per setting on real daemons, on the line where the two agree."""

from typing import TYPE_CHECKING

import numpy as np

from simbgp.report.figures.style import LINES, QUIET, WIDTH_IN, house_style, logarithmic, new
from simbgp.report.numbers import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame, Series

COLUMNS = ("group", "measured", "low", "predicted", "high")
"""A name, and in seconds what was measured, and the 0.5 %, 50 % and 99.5 % quantiles of the prediction."""
_NOISE_S = 0.15
_LEAST_S = 0.02
_HARDLY_S = 0.005
_MARKS = "os^DvPX*<>hp"


def calibration(frame: "DataFrame", noise_s: float = _NOISE_S, of_what: str = "") -> "Figure":
    """Each measurement against the median of its prediction, with the prediction's central 99 % where that is wide.

    Args:
        frame: A row per measured value, with the columns `COLUMNS`.
        noise_s: By how much a measurement may be off; inside is within the central 99 % and this.
        of_what: What was measured and when, to stand below the picture.

    Raises:
        ValueError: A column is missing, or there is no row, or more groups than can be told apart.
    """
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise ValueError(f"the frame lacks {', '.join(missing)}; needed: {', '.join(COLUMNS)}")
    groups = list(dict.fromkeys(frame["group"]))
    if not 0 < len(groups) <= len(LINES):
        raise ValueError(f"{len(groups)} groups; allowed: 1 to {len(LINES)}")
    inside = int(is_inside(frame, noise_s).sum())
    with house_style():
        part = f"{inside / len(frame):.1%}".replace("%", " %")
        title = (
            f"{part} of {count(len(frame))} measurements of real daemons lie in the central 99 % of what is predicted"
        )
        figure, axes = new(5.2, title, WIDTH_IN)
        _draw(axes, frame, groups, noise_s)
        axes.set_xlabel("measured, seconds (logarithmic)" + (f"\n{of_what}" if of_what else ""))
        axes.set_ylabel("predicted, seconds (logarithmic)")
    return figure


def is_inside(frame: "DataFrame", noise_s: float = _NOISE_S) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """For each row whether it was measured within the central 99 % of its prediction, give or take the noise."""
    measured = frame["measured"].to_numpy(float)
    low, high = frame["low"].to_numpy(float), frame["high"].to_numpy(float)
    return np.asarray((low - noise_s <= measured) & (measured <= high + noise_s))


def residuals(frame: "DataFrame") -> "Series":
    """By how much each measurement is away from the median of its prediction, in seconds."""
    return frame["measured"] - frame["predicted"]


def _label(group: str, rows: "DataFrame", noise_s: float) -> str:
    """A group's name with how many there are, how many lie inside, and how far they are off."""
    inside = is_inside(rows, noise_s).mean() * 100
    middle = float(residuals(rows).median())
    off = "0 s" if abs(middle) < _HARDLY_S else f"{middle:+.2g} s"
    return f"{group}\n{count(len(rows))}, {inside:.3g} % inside,\nmedian residual {off}"


def _draw(axes: "Axes", frame: "DataFrame", groups: list[str], noise_s: float) -> None:
    most = float(frame[["measured", "high"]].to_numpy(float).max()) * 1.5
    ends = _LEAST_S, max(most, 1.0)
    axes.plot(ends, ends, color=QUIET, linewidth=0.8, zorder=0)
    for group, (colour, _), mark in zip(groups, LINES, _MARKS, strict=False):
        rows = frame[frame["group"] == group]
        x, y = (np.maximum(rows[name].to_numpy(float), _LEAST_S) for name in ("measured", "predicted"))
        low, high = (np.maximum(rows[name].to_numpy(float), _LEAST_S) for name in ("low", "high"))
        axes.vlines(x, low, high, color=colour, linewidth=0.7, alpha=0.25, zorder=1)
        label = _label(group, rows, noise_s)
        axes.plot(x, y, mark, color=colour, markersize=3.5, alpha=0.7, markeredgewidth=0, label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(*ends)
    axes.set_ylim(*ends)
    axes.set_aspect("equal")
    logarithmic(axes.xaxis)
    logarithmic(axes.yaxis)
    axes.annotate("measured = predicted", (8 * _LEAST_S, 8 * _LEAST_S), xytext=(6, -6), textcoords="offset points",
                  rotation=45, rotation_mode="anchor", fontsize=8, color=QUIET)  # fmt: skip
    axes.annotate(f"less than {_LEAST_S:g} s is drawn at {_LEAST_S:g} s", (0.99, 0.015), xycoords="axes fraction",
                  ha="right", fontsize=8, color=QUIET)  # fmt: skip
    axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1), borderaxespad=0, fontsize=8, labelspacing=1.0,
                markerscale=1.6)  # fmt: skip
