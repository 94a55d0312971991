"""Whether the runs were enough: a statistic and its interval as the runs come in."""

from typing import TYPE_CHECKING, Any

import numpy as np

from simbgp.measure import Estimate, Question, estimate
from simbgp.report.figures.style import BLUE, RED, house_style, new
from simbgp.report.numbers import of_metric, percent, plural
from simbgp.study.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FEWEST, _POINTS = 10, 24


def interval_by_runs(result: Result, stat: str, metric: str, **narrowing: Any) -> dict[int, Estimate]:
    """``stat`` with its interval from the first 10 runs, and so on in equal ratios, to all of them."""
    question = Question(metric, **narrowing)
    values = result.stats(question).values
    counts = np.unique(np.geomspace(min(_FEWEST, len(values)), len(values), _POINTS).round().astype(int)).tolist()
    found = {}
    for count in counts:
        happened = [value for value in values[:count] if value is not None]
        if happened:
            found[count] = estimate(stat, happened, seed=result.seed, purpose=f"{metric}/{stat}", exact=result.exact)
    return found


def convergence(
    result: Result, stat: str = "p99", metric: str = "blackhole_s", bound: float | None = None, **narrowing: Any
) -> "Figure":
    """How the interval of a statistic narrows with the runs.

    Args:
        result: What was played.
        stat: ``mean`` or a quantile like ``p99``.
        metric: A name of the SLOs.
        bound: A line to draw, in the metric's unit.
        **narrowing: ``service``, ``router``, ``fault``, ``prefix``, ``min_share``.

    Raises:
        ValueError: What the metric speaks of happened in no run.
    """
    found = interval_by_runs(result, stat, metric, **narrowing)
    if not found:
        raise ValueError(f"{metric} has no value in any run")
    runs = list(found)
    ends = {side: [getattr(each, side) for each in found.values()] for side in ("low", "high")}
    low, high = (np.array([np.nan if end is None else end for end in ends[side]]) for side in ("low", "high"))
    with house_style():
        figure, axes = new(2.8, _finding(result, stat, metric, found[runs[-1]]))
        middle = [each.value for each in found.values()]
        for edge in (low, high):  # each by itself: from few runs one of them does not exist
            axes.fill_between(runs, middle, edge, color=BLUE, alpha=0.25, linewidth=0)
        for edge in (low, high):
            axes.plot(runs, edge, color=BLUE, linewidth=0.8)
        axes.plot(runs, middle, color=BLUE, linewidth=1.8)
        if bound is not None:
            axes.axhline(bound, color=RED, linewidth=1.2, linestyle=(0, (4, 2)))
            axes.text(
                runs[0], bound, f" {of_metric(metric, bound)}", va="bottom", color=RED, fontsize=8, fontweight="bold"
            )
        axes.set_xscale("log")
        ticks = [count for count in (10, 20, 50, 100, 200, 500, 1000, 2000, 5000) if runs[0] <= count <= runs[-1]]
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
        axes.set_xlabel("runs")
        axes.set_ylabel(f"{metric} {stat}" + (", seconds" if metric.endswith("_s") else ""))
    return figure


def _finding(result: Result, stat: str, metric: str, last: Estimate) -> str:
    of = f"{result.plan.name}: after {plural(last.runs, 'run')} {metric} {stat} is"
    if last.low is None or last.high is None:
        return f"{of} {of_metric(metric, last.value)}, one end of its interval still open: more runs would tell"
    half = (last.high - last.low) / 2
    near = f" ({percent(half / last.value)})" if last.value else ""
    return f"{of} {of_metric(metric, last.value)} ± {of_metric(metric, half)}{near}"
