"""A rollout from its first node to its last: what has broken so far, and what is left to forward to."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from simbgp.report.figures.style import BLUE, QUIET, RED, empty, house_style
from simbgp.report.numbers import count, plural
from simbgp.study.result import Result
from simbgp.study.rows import COLUMNS, Row
from simbgp.traffic import breaks_us

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_OF = {name: column for column, name in enumerate(COLUMNS["progress"])}
_RUNS = 20
_BAND: tuple[tuple[int, Literal["lower", "higher"]], ...] = (5, "lower"), (95, "higher")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fan:
    """A rollout at every number of upgraded nodes, from 0.

    ``broken``, ``next_hops`` and ``missing`` have shape (runs, nodes + 1): connections broken by the end of that step,
    None without traffic; the least next hops of any service prefix at any router during it; and by how many, at most,
    a prefix has fewer than when the run began. A step that a run skips has the figures of the one before.
    """

    nodes: int
    broken: Floats | None
    next_hops: Floats
    missing: Floats


def upgrade_fan(result: Result, fault: str | int | None = None, runs: int = _RUNS) -> "Figure":
    """Broken connections so far and next hops missing, against the nodes upgraded: the median run and the middle 90 %.

    Args:
        result: A scenario with a rollout.
        fault: Which, if there are several; by default the first.
        runs: From so many of the result's runs, the first ones; each is played again.

    Raises:
        ValueError: The scenario has no rollout (by that name).
    """
    from matplotlib.ticker import MaxNLocator

    found = fan(result, fault, runs)
    with house_style():
        figure = empty(3.9 if found.broken is not None else 2.4, _finding(result, found))
        if found.broken is None:
            axes = figure.add_subplot()
        else:
            upper, axes = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
            _band(upper, found.broken, RED)
            upper.set_ylabel("connections\nbroken so far")
            upper.yaxis.set_major_formatter(lambda value, _: count(value))
            upper.set_ylim(0, max(1.0, upper.get_ylim()[1]))
            upper.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        _band(axes, found.missing, BLUE)
        axes.set_ylabel("next hops\nmissing")
        axes.set_ylim(0, max(1.0, float(found.missing.max())) * 1.25)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.set_xlim(0, found.nodes)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel(f"nodes upgraded, of {count(found.nodes)}")
        _say_runs(axes, len(found.next_hops))
    return figure


def fan(result: Result, fault: str | int | None = None, runs: int = _RUNS) -> Fan:
    """The data of the figure; see `upgrade_fan`."""
    rows: dict[int, list[Row]] = defaultdict(list)
    for row in result.rows("progress"):
        if fault is None:
            fault = row[_OF["fault"]]
        if row[_OF["fault"]] == fault and row[_OF["run"]] < runs:
            rows[row[_OF["run"]]].append(row)
    if not rows:
        raise ValueError(f"{result.plan.name}: there is no rollout{'' if fault is None else f' {fault!r}'} to show")
    nodes = next(iter(rows.values()))[0][_OF["nodes"]]
    start = result.timeline(next(iter(rows))).start.next_hops
    hops = np.array([-_most(of_run, nodes, lambda row: -row[_OF["min_next_hops"]]) for of_run in rows.values()])
    missing = np.array([_most(of_run, nodes, lambda row: _missing(row, start)) for of_run in rows.values()])
    if not result.plan.traffic:
        return Fan(nodes, None, hops, missing)
    broken = np.array([_broken(result, run, of_run, nodes) for run, of_run in rows.items()])
    return Fan(nodes, broken, hops, missing)


def _most(rows: list[Row], nodes: int, of: Callable[[Row], int]) -> Floats:
    """The most that ``of`` gives of any prefix at any router, at each step."""
    most: dict[int, float] = {}
    for row in rows:
        step = row[_OF["upgraded"]]
        most[step] = max(most.get(step, -np.inf), of(row))
    return _carried(most, nodes)


def _missing(row: Row, start: Mapping[str, Mapping[str, Sequence[str]]]) -> int:
    before = len(start.get(row[_OF["router"]], {}).get(row[_OF["prefix"]], ()))
    fewer: int = before - row[_OF["min_next_hops"]]
    return max(0, fewer)


def _broken(result: Result, run: int, rows: list[Row], nodes: int) -> Floats:
    ends = {row[_OF["upgraded"]]: row[_OF["end_s"]] for row in rows}
    broken_s = breaks_us(result.plan, result.timeline(run), result.seed, run) / 1e6
    return _carried({step: float(np.searchsorted(broken_s, end)) for step, end in ends.items()}, nodes)


def _carried(by_step: Mapping[int, float], nodes: int) -> Floats:
    """The value at each step; a step that did not occur has that of the one before."""
    values, last = [], by_step[min(by_step)]
    for step in range(nodes + 1):
        last = by_step.get(step, last)
        values.append(last)
    return np.array(values)


def _finding(result: Result, found: Fan) -> str:
    least = count(float(found.next_hops.min()))
    kept = f"never fewer than {least} of {plural(found.nodes, 'next hop')}"
    if found.broken is None:
        return f"{result.plan.name}: {kept} while {count(found.nodes)} nodes are upgraded"
    at_end = round(float(np.median(found.broken[:, -1])))
    total = sum(traffic.connections for traffic in result.plan.traffic)
    return (
        f"{result.plan.name}: upgrading {count(found.nodes)} nodes breaks {_connections(at_end)} "
        f"({count(total)} are open at a time), {kept}"
    )


def _connections(number: int) -> str:
    return plural(number, "connection") if number else "no connection"


def _band(axes: "Axes", values: Floats, colour: str) -> None:
    steps = np.arange(values.shape[1])
    if len(values) > 1:
        low, high = (np.percentile(values, end, axis=0, method=way) for end, way in _BAND)
        axes.fill_between(steps, low, high, step="post", color=colour, alpha=0.22, linewidth=0)
    axes.step(steps, np.median(values, axis=0), where="post", color=colour, linewidth=1.6)


def _say_runs(axes: "Axes", runs: int) -> None:
    said = "one run" if runs == 1 else f"median of {runs} runs, shaded the middle 90 %"
    axes.annotate(said, (1, 0.97), xycoords="axes fraction", ha="right", va="top", fontsize=8, color=QUIET)
