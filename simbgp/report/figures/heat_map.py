"""A sweep over two settings as a map: what each combination costs, and where the SLO is met."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from simbgp.measure import Question, Verdict
from simbgp.measure.verdict import bound_of
from simbgp.report.figures.style import AMOUNTS, INK, house_style, new
from simbgp.report.numbers import of_metric, plural
from simbgp.study.grid import Grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CELLS_WITH_NUMBERS = 250
"""More would not be legible."""
_DARK = 0.5
"""Colours below this part of the scale carry white figures."""


def heat_map(grid: Grid, metric: str | None = None, stat: str = "p99") -> "Figure":
    """The map of a sweep over exactly two paths: the first upwards, the second to the right.

    Args:
        grid: A sweep over two paths.
        metric: What to show; by default the first SLO's figure, or the longest outage where there is none.
        stat: Over the runs; that of the SLO where ``metric`` is left to it.

    Raises:
        ValueError: The sweep varied one path, or more than two; no such metric.
    """
    if len(grid.paths) != 2:
        raise ValueError(f"a heat map needs two varied paths; this sweep varied {len(grid.paths)}")
    shown = _Map(grid, metric, stat)
    with house_style():
        rows, columns = shown.table.shape
        figure, axes = new(1.6 + 0.36 * rows, shown.finding())
        image = axes.imshow(shown.table, cmap=AMOUNTS, aspect="auto", origin="lower")
        _ticks(axes, grid.paths, shown.heights, shown.widths)
        if rows * columns <= _CELLS_WITH_NUMBERS:
            _write_numbers(axes, shown)
        _outline(axes, shown.met)
        figure.colorbar(image, ax=axes, label=shown.label, pad=0.02)
    return figure


class _Map:
    """The figures of a sweep on a lattice; ``table`` and ``met`` have shape (first path's values, second's)."""

    def __init__(self, grid: Grid, metric: str | None, stat: str) -> None:
        _, first = next(iter(grid))
        slo = first.slo[0].slo if metric is None and first.slo else None
        self.question = Question(metric or "blackhole_s") if slo is None else Question.of(slo)
        self.stat = stat if slo is None else slo.stat
        self.bound = None if slo is None else bound_of(slo)
        self.name = first.scenario.name
        self.heights, self.widths = (list(dict.fromkeys(setting[path] for setting, _ in grid)) for path in grid.paths)
        shape = len(self.heights), len(self.widths)
        self.table: npt.NDArray[np.float64] = np.full(shape, np.nan)
        self.met: npt.NDArray[np.bool_] = np.zeros(shape, dtype=bool)
        self.open = 0 if slo is None else sum(result.slo[0].verdict is Verdict.INCONCLUSIVE for _, result in grid)
        for setting, result in grid:
            place = tuple(
                values.index(v) for values, v in zip((self.heights, self.widths), setting.values(), strict=True)
            )
            estimate = result.stats(self.question).estimate(self.stat)
            self.table[place] = np.nan if estimate is None else estimate.value
            self.met[place] = slo is not None and result.slo[0].verdict is Verdict.MET
        self.paths = grid.paths

    @property
    def label(self) -> str:
        """What the colours mean."""
        unit = ", seconds" if self.question.metric.endswith("_s") else ""
        return f"{self.question.metric} {self.stat}{unit}"

    def finding(self) -> str:
        """The map in a sentence."""
        if np.isnan(self.table).all():
            return f"{self.name}: {self.question.metric} never happened in any setting"
        lowest = np.unravel_index(np.nanargmin(self.table), self.table.shape)
        best = of_metric(self.question.metric, float(self.table[lowest]))
        at = f"{_short(self.paths[0])} {self.heights[lowest[0]]}, {_short(self.paths[1])} {self.widths[lowest[1]]}"
        least = f"least {self.question.metric} {self.stat} is {best} at {at}"
        if self.bound is None:
            return f"{self.name}: {least}"
        count, bound = int(self.met.sum()), of_metric(self.question.metric, self.bound)
        within = f"{count} of {plural(self.met.size, 'setting')} {'keeps' if count == 1 else 'keep'} to {bound}"
        more = f" ({self.open} too close for so few runs)" if self.open else ""
        return f"{self.name}: {within}{more}; {least}"

    def numbers(self) -> list[list[str]]:
        """The figure of each cell, without its unit."""
        metric = self.question.metric
        return [["-" if np.isnan(v) else of_metric(metric, float(v)).split(" ")[0] for v in row] for row in self.table]


def _short(path: str) -> str:
    return path.rsplit(".", 1)[-1]


def _ticks(axes: "Axes", paths: Sequence[str], heights: Sequence[Any], widths: Sequence[Any]) -> None:
    axes.set_yticks(range(len(heights)), [str(value) for value in heights])
    axes.set_xticks(range(len(widths)), [str(value) for value in widths])
    axes.set_ylabel(_short(paths[0]))
    axes.set_xlabel(_short(paths[1]))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _write_numbers(axes: "Axes", shown: _Map) -> None:
    low, high = float(np.nanmin(shown.table)), float(np.nanmax(shown.table))
    for i, row in enumerate(shown.numbers()):
        for j, text in enumerate(row):
            depth = (shown.table[i, j] - low) / (high - low) if high > low else 1.0
            colour = "white" if depth < _DARK else INK
            axes.text(j, i, text, ha="center", va="center", color=colour, fontsize=7.5)


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
