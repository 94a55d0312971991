"""A sweep over two settings as a map: what each combination costs, and where the SLO is met."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from simbgp.report.figures.lattice import Lattice, of_frame, of_grid, short
from simbgp.report.figures.style import AMOUNTS, INK, RED, house_style, new
from simbgp.study.grid import Grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage
    from pandas import DataFrame

_CELLS_WITH_NUMBERS = 250
"""More would not be legible."""
_DARK = 0.179
"""Relative luminance (WCAG 2.2) at which white and black stand out alike, 4.6 : 1; below it figures are white."""


def heat_map(
    of: "Grid | DataFrame",
    metric: str | None = None,
    stat: str = "p99",
    marks: Mapping[str, Mapping[str, Any]] | None = None,
) -> "Figure":
    """The map of exactly two settings: the first upwards, the second to the right.

    Args:
        of: A sweep over two paths, or a frame whose first two columns are settings, with a column of values and, if
            wanted, one named ``verdict``.
        metric: What to show; of a sweep by default the first SLO's figure, or the longest outage where there is none,
            of a frame by default the third column.
        stat: Over the runs; that of the SLO where ``metric`` is left to it. Of no meaning for a frame.
        marks: Settings to frame, by what to call them: ``{"now": {path: 90, other_path: 120}}``.

    Raises:
        ValueError: The sweep varied one path, or more than two; no such metric; a mark that is not on the map.
    """
    shown = of_grid(of, metric, stat) if isinstance(of, Grid) else of_frame(of, metric)
    places = {name: _placed(shown, name, setting) for name, setting in (marks or {}).items()}
    with house_style():
        rows, columns = shown.table.shape
        figure, axes = new(1.6 + 0.36 * rows, shown.finding())
        image = axes.imshow(shown.table, cmap=AMOUNTS, aspect="auto", origin="lower")
        _ticks(axes, shown.paths, shown.heights, shown.widths)
        if rows * columns <= _CELLS_WITH_NUMBERS:
            _write_numbers(axes, image, shown, places)
        _outline(axes, shown.met)
        for place in places.values():
            _frame(axes, place)
        figure.colorbar(image, ax=axes, label=shown.label, pad=0.02)
    return figure


def _placed(shown: Lattice, name: str, setting: Mapping[str, Any]) -> tuple[int, int]:
    place = shown.place(setting)
    if place is None:
        raise ValueError(f"mark {name!r}: {dict(setting)} is not on the map of {' and '.join(shown.paths)}")
    return place


def _ticks(axes: "Axes", paths: Sequence[str], heights: Sequence[Any], widths: Sequence[Any]) -> None:
    axes.set_yticks(range(len(heights)), [str(value) for value in heights])
    axes.set_xticks(range(len(widths)), [str(value) for value in widths])
    axes.set_ylabel(short(paths[0]))
    axes.set_xlabel(short(paths[1]))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _write_numbers(axes: "Axes", image: "AxesImage", shown: Lattice, places: Mapping[str, tuple[int, int]]) -> None:
    names = {place: name for name, place in places.items()}
    colours = image.to_rgba(shown.table)
    for i, row in enumerate(shown.numbers()):
        for j, text in enumerate(row):
            colour = "white" if luminance(colours[i, j]) < _DARK else "black"
            said = f"{text}\n{names[i, j]}" if (i, j) in names else text
            axes.text(j, i, said, ha="center", va="center", color=colour, fontsize=8, linespacing=1.0)


def luminance(rgba: Sequence[float]) -> float:
    """Relative luminance of an opaque colour (WCAG 2.2), from 0 to 1; of what is left blank that of the paper."""
    red, green, blue, opacity = rgba
    if opacity == 0:
        return 1.0
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def _frame(axes: "Axes", place: tuple[int, int]) -> None:
    from matplotlib.patches import Rectangle

    row, column = place
    corner = column - 0.47, row - 0.45
    axes.add_patch(Rectangle(corner, 0.94, 0.9, fill=False, edgecolor=RED, linewidth=2.2, zorder=3))


def _outline(axes: "Axes", met: npt.NDArray[np.bool_]) -> None:
    """The border between settings that meet the SLO and those that do not, as a white line edged with black."""
    segments = []
    rows, columns = met.shape
    for i in range(rows):
        for j in range(columns):
            if j + 1 < columns and met[i, j] != met[i, j + 1]:
                segments.append([(j + 0.5, i - 0.5), (j + 0.5, i + 0.5)])
            if i + 1 < rows and met[i, j] != met[i + 1, j]:
                segments.append([(j - 0.5, i + 0.5), (j + 0.5, i + 0.5)])
    if not segments:
        return
    from matplotlib.collections import LineCollection

    for colour, width in ((INK, 4.5), ("white", 2.2)):
        axes.add_collection(LineCollection(segments, colors=colour, linewidths=width, capstyle="projecting"))
    axes.annotate(
        "inside the line: SLO met",
        (1, 1),
        xycoords="axes fraction",
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=8,
    )
