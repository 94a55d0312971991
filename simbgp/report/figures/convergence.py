"""Whether there were enough runs: the interval of a figure against the number of runs that it is taken from."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from simbgp.measure import Estimate, Question
from simbgp.measure.verdict import bound_of
from simbgp.report.figures.style import BLUE, HOLE, QUIET, RED, house_style, logarithmic, new
from simbgp.report.numbers import count, of_metric
from simbgp.study.result import Result
from simbgp.study.stats import Stats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FEWEST = 10
_LOOKS = 40

Floats = npt.NDArray[np.float64]


def convergence(
    result: Result, stat: str = "p99", metric: str | None = None, bound: float | None = None, **narrowing: Any
) -> "Figure":
    """A figure of a result with its 95 % interval, as it stood after so many runs.

    Args:
        result: What was played.
        stat: Over the runs.
        metric: By default that of the first SLO with its own ``stat``, or the longest outage where there is none.
        bound: A line to draw; by default that of the SLO if the metric is left to it.
        **narrowing: ``service``, ``router``, ``fault``, ``prefix``, ``min_share``.

    Raises:
        ValueError: Every run is the same, or what the metric speaks of never happened.
    """
    slo = result.plan.slo[0] if metric is None and result.plan.slo else None
    question = Question(metric or "blackhole_s", **narrowing) if slo is None else Question.of(slo)
    stat = stat if slo is None else slo.stat
    found = looks(result, question, stat)
    with house_style():
        figure, axes = new(3.2, _finding(result, question.metric, stat, found[-1]))
        _draw(axes, found)
        limit = bound_of(slo) if bound is None and slo is not None else bound
        if limit is not None:
            _draw_bound(axes, limit)
        _fill_open_ends(axes, found)
        axes.set_xlabel("runs (logarithmic)")
        axes.set_ylabel(f"{question.metric} {stat}")
        axes.yaxis.set_major_formatter(lambda value, _: of_metric(question.metric, value))
    return figure


def looks(result: Result, question: Question, stat: str) -> list[Estimate]:
    """The estimate from the first 10, ..., all runs, in equal steps of the logarithm; of fewer runs one of all."""
    if result.exact:
        raise ValueError(f"{result.plan.name}: every run is the same; there is no interval to narrow")
    values = result.stats(question).values
    sizes = np.unique(np.round(np.geomspace(min(_FEWEST, len(values)), len(values), _LOOKS)).astype(int))
    found = [Stats(question, values[:size], result.seed, False).estimate(stat) for size in sizes.tolist()]
    happened = [each for each in found if each is not None]
    if not happened:
        raise ValueError(f"{question.metric} never happened in these runs")
    return happened


def _finding(result: Result, metric: str, stat: str, last: Estimate) -> str:
    value = of_metric(metric, last.value)
    name = f"{result.plan.name}: {metric} {stat} is {value}"
    runs = f"after {count(last.runs)} runs"
    if last.low is None or last.high is None:
        return f"{name} {runs}, too few for an interval with both ends"
    half = (last.high - last.low) / 2
    part = f" ({100 * half / last.value:.2g} %)" if last.value else ""
    return f"{name} ± {of_metric(metric, half)}{part} {runs}"


def _ends(found: list[Estimate]) -> tuple[Floats, Floats]:
    """Of each interval the lower and the upper end, NaN for one that is missing."""
    low = np.array([np.nan if each.low is None else each.low for each in found])
    return low, np.array([np.nan if each.high is None else each.high for each in found])


def _draw(axes: "Axes", found: list[Estimate]) -> None:
    runs = [each.runs for each in found]
    low, high = _ends(found)
    axes.plot(runs, [each.value for each in found], color=BLUE, linewidth=1.6)
    for ends in (low, high):
        axes.plot(runs, ends, color=BLUE, linewidth=0.8, alpha=0.6)
    axes.fill_between(runs, low, high, color=BLUE, alpha=0.18, linewidth=0)
    axes.set_xscale("log")
    axes.set_xlim(runs[0], max(runs[-1], runs[0] + 1))
    logarithmic(axes.xaxis)


def _fill_open_ends(axes: "Axes", found: list[Estimate]) -> None:
    """Pale up or down to the frame, where an end is missing."""
    low, high = _ends(found)
    missing = np.isnan(low) | np.isnan(high)
    if not missing.any():
        return
    bottom, top = axes.get_ylim()
    axes.fill_between([each.runs for each in found], np.where(np.isnan(low), bottom, low),
                      np.where(np.isnan(high), top, high), where=missing.tolist(), color=BLUE, alpha=0.07,
                      linewidth=0)  # fmt: skip
    axes.set_ylim(bottom, top)
    axes.annotate("pale: so few runs cannot bound that end", (0.99, 0.03), xycoords="axes fraction", ha="right",
                  fontsize=8, color=QUIET)  # fmt: skip


def _draw_bound(axes: "Axes", bound: float) -> None:
    """The SLO's line, unless it is so far away that the interval would shrink to a line beside it."""
    low, high = axes.get_ylim()
    if not low - (high - low) <= bound <= high + (high - low):
        return
    axes.axhline(bound, color=RED, linewidth=1.2)
    axes.annotate("SLO", (1, bound), xycoords=("axes fraction", "data"), xytext=(3, 0), textcoords="offset points",
                  va="center", fontsize=8, color=HOLE)  # fmt: skip
