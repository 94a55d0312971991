"""What a heat map shows, as data: a figure for each combination of two settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from simbgp.measure import Question, Verdict
from simbgp.measure.units import is_time
from simbgp.measure.verdict import bound_of
from simbgp.report.numbers import of_metric, plural
from simbgp.study.grid import Grid

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, slots=True)
class Lattice:
    """``table``, ``met`` and ``unclear`` have shape (values of the first path, of the second); NaN: never happened."""

    paths: tuple[str, str]
    heights: list[Any]
    widths: list[Any]
    metric: str
    stat: str
    table: npt.NDArray[np.float64]
    met: npt.NDArray[np.bool_]
    unclear: npt.NDArray[np.bool_]
    name: str = ""
    bound: float | None = None

    def place(self, setting: Mapping[str, Any]) -> tuple[int, int] | None:
        """Row and column of a setting; None for one that is not on the map."""
        first, second = (setting.get(path) for path in self.paths)
        if first not in self.heights or second not in self.widths:
            return None
        return self.heights.index(first), self.widths.index(second)

    @property
    def label(self) -> str:
        """What the colours mean."""
        unit = ", seconds" if is_time(self.metric) else ""
        return f"{self.metric} {self.stat}".strip() + unit

    def finding(self) -> str:
        """The map in a sentence."""
        named = f"{self.name}: " if self.name else ""
        if np.isnan(self.table).all():
            return f"{named}{self.metric} never happened in any setting"
        lowest = np.unravel_index(np.nanargmin(self.table), self.table.shape)
        best = of_metric(self.metric, float(self.table[lowest]))
        at = f"{short(self.paths[0])} {self.heights[lowest[0]]}, {short(self.paths[1])} {self.widths[lowest[1]]}"
        least = f"least {self.metric} {self.stat}".strip() + f" is {best} at {at}"
        if self.bound is None:
            return f"{named}{least}"
        count, bound = int(self.met.sum()), of_metric(self.metric, self.bound)
        within = f"{count} of {plural(self.met.size, 'setting')} {'keeps' if count == 1 else 'keep'} to {bound}"
        more = f" ({int(self.unclear.sum())} too close for so few runs)" if self.unclear.any() else ""
        return f"{named}{within}{more}; {least}"

    def numbers(self) -> list[list[str]]:
        """The figure of each cell, without its unit; one that the runs cannot hold against the bound has a ``?``."""
        return [
            [
                ("-" if np.isnan(value) else of_metric(self.metric, float(value)).removesuffix(" s"))
                + (" ?" if unclear else "")
                for value, unclear in zip(row, doubts, strict=True)
            ]
            for row, doubts in zip(self.table, self.unclear, strict=True)
        ]


def short(path: str) -> str:
    """The last word of a dotted path."""
    return path.rsplit(".", 1)[-1]


def of_grid(grid: Grid, metric: str | None, stat: str) -> Lattice:
    """The lattice of a sweep over two paths. Raises ValueError for one over fewer or more."""
    if len(grid.paths) != 2:
        raise ValueError(f"a heat map needs two varied paths; this sweep varied {len(grid.paths)}")
    _, first = next(iter(grid))
    slo = first.slo[0].slo if metric is None and first.slo else None
    question = Question(metric or "blackhole_s") if slo is None else Question.of(slo)
    stat = stat if slo is None else slo.stat
    found = _empty((grid.paths[0], grid.paths[1]), [setting for setting, _ in grid], question.metric, stat,
                   name=first.scenario.name, bound=None if slo is None else bound_of(slo))  # fmt: skip
    for setting, result in grid:
        place = found.place(setting)
        estimate = result.stats(question).estimate(stat)
        found.table[place] = np.nan if estimate is None else estimate.value
        found.met[place] = slo is not None and result.slo[0].verdict is Verdict.MET
        found.unclear[place] = slo is not None and result.slo[0].verdict is Verdict.INCONCLUSIVE
    return found


def of_frame(frame: "DataFrame", metric: str | None) -> Lattice:
    """The lattice of a frame whose first two columns are settings: the column ``metric``, by default the third.

    A column ``verdict``, if there is one, says which cells are ``MET`` and which ``INCONCLUSIVE``.
    """
    columns = [str(name) for name in frame.columns]
    shown = metric or (columns[2] if len(columns) > 2 else "")
    if shown not in columns[2:]:
        raise ValueError(f"the frame needs two columns of settings and then one of values; it has {', '.join(columns)}")
    rows = [dict(zip(columns, row, strict=True)) for row in frame.itertuples(index=False)]
    found = _empty((columns[0], columns[1]), rows, shown, "")
    for row in rows:
        place = found.place(row)
        found.table[place] = row[shown]
        found.met[place] = row.get("verdict") == "MET"
        found.unclear[place] = row.get("verdict") == "INCONCLUSIVE"
    return found


def _empty(
    paths: tuple[str, str], settings: list[Any], metric: str, stat: str, name: str = "", bound: float | None = None
) -> Lattice:
    heights, widths = (list(dict.fromkeys(setting[path] for setting in settings)) for path in paths)
    shape = len(heights), len(widths)
    none = np.zeros(shape, dtype=bool)
    return Lattice(paths, heights, widths, metric, stat, np.full(shape, np.nan), none, none.copy(), name, bound)


def as_it_is(grid: Grid, data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A mark for the setting that a scenario has, from its data; none if it leaves one to the defaults."""
    now = {path: _value(data, path.split(".")) for path in grid.paths}
    return {"now": now} if any(setting == now for setting, _ in grid) else {}


def _value(here: Any, parts: list[str]) -> Any:
    for part in parts:
        if isinstance(here, Mapping):
            here = here.get(part)
        elif isinstance(here, list | tuple) and part.isdigit() and int(part) < len(here):
            here = here[int(part)]
        else:
            return None
    return here
