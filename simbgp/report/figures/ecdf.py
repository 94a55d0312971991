"""How long outages are, setting by setting: in which share of the runs the figure is no more than so much."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from simbgp.measure import Question, Value
from simbgp.measure.verdict import bound_of
from simbgp.report.figures.cases import Cases, cases, heading, name_of
from simbgp.report.figures.style import HOLE, LINES, QUIET, RED, house_style, in_percent, logarithmic, new
from simbgp.report.numbers import count, of_metric
from simbgp.study.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patheffects import withStroke

_MOST = len(LINES)


def ecdf(of: Cases, metric: str = "blackhole_s", bound: float | None = None, **narrowing: Any) -> "Figure":
    """The distribution of a metric over the runs, a curve per setting, and the bound of its SLO.

    Args:
        of: A result, a sweep, or results by name; at most as many as can be told apart.
        metric: By default the longest outage of a run; one in seconds has a logarithmic axis.
        bound: Where to draw the line; by default that of the first SLO on this metric.
        **narrowing: ``service``, ``router``, ``fault``, ``prefix``, ``min_share``.

    Raises:
        ValueError: Too many curves, or a metric that never happened in any setting.
    """
    found = cases(of)
    if len(found) > _MOST:
        raise ValueError(f"{len(found)} curves cannot be told apart; allowed: at most {_MOST}")
    question = Question(metric, **narrowing)
    happened = [(label, [v for v in result.stats(question).values if v is not None]) for label, result in found]
    curves = [(label, values) for label, values in happened if values]
    if not curves:
        raise ValueError(f"{metric} never happened in any of these runs")
    limit = _bound(found[0][1], metric) if bound is None else bound
    with house_style():
        figure, axes = new(3.4, _finding(name_of(found), metric, curves, limit, heading(of)))
        _scale(axes, metric, [v.value for _, values in curves for v in values], limit)
        _draw(axes, curves, limit, metric, heading(of))
        axes.set_ylabel("share of runs with no more")
    return figure


def steps(values: list[Value]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Where the share of runs rises and to what it rises; a censored run never counts as ended."""
    ended = np.sort([value.value for value in values if not value.censored])
    return ended, np.arange(1, len(ended) + 1) / len(values)


def _bound(result: Result, metric: str) -> float | None:
    return next((bound_of(slo) for slo in result.plan.slo if slo.metric == metric), None)


def _within(values: list[Value], bound: float) -> float:
    return sum(v.value <= bound and not v.censored for v in values) / len(values)


def _finding(name: str, metric: str, curves: list[tuple[str, list[Value]]], bound: float | None, head: str) -> str:
    of = f"{head} " if head else ""
    if bound is None:
        middles = [(float(np.median([v.value for v in values])), label) for label, values in curves]
        (least, best), (most, worst) = min(middles), max(middles)
        if len(curves) == 1:
            return f"{name}: {metric} is {of_metric(metric, least)} in the median run"
        least_text, most_text = of_metric(metric, least), of_metric(metric, most)
        return f"{name}: the median {metric} runs from {least_text} ({of}{best}) to {most_text} ({of}{worst})"
    shares = [(_within(values, bound), label) for label, values in curves]
    limit = of_metric(metric, bound)
    if len(curves) == 1:
        return f"{name}: {_part(shares[0][0])} of the runs {_keep(shares[0][0])} {metric} to {limit}"
    kept = [label for share, label in shares if share == 1]
    if len(kept) == 1:
        return f"{name}: only {of}{kept[0]} keeps {metric} to {limit} in every run"
    if kept:
        return f"{name}: {count(len(kept))} of {len(curves)} settings keep {metric} to {limit} in every run"
    most_share, best = max(shares, key=lambda pair: pair[0])
    if most_share == 0:
        return f"{name}: no setting keeps {metric} to {limit} in any run"
    nearest = f"nearest is {of}{best}, with {_part(most_share)} of its runs"
    return f"{name}: no setting keeps {metric} to {limit} in every run; {nearest}"


def _keep(share: float) -> str:
    return "keeps" if share == 0 else "keep"


def _part(share: float) -> str:
    """Neither ``100 %`` nor ``0 %`` unless it is."""
    if share in (0, 1):
        return "all" if share else "none"
    return f"{min(99.9, max(0.1, share * 100)):.3g} %"


def _draw(axes: "Axes", curves: list[tuple[str, list[Value]]], bound: float | None, metric: str, head: str) -> None:
    left, right = axes.get_xlim()
    for (label, values), (colour, dashes) in zip(curves, LINES, strict=False):
        at, share = steps(values)
        x = np.concatenate([[left], at, [right]])
        y = np.concatenate([[0.0], share, share[-1:] if len(share) else [0.0]])
        axes.step(x, y, where="post", color=colour, linestyle=dashes, linewidth=1.6, label=label)
    axes.set_ylim(0, 1.02)
    in_percent(axes.yaxis)
    if len(curves) > 1:
        _name(axes, curves)
        axes.set_title(head, loc="left", fontsize=8)
    if bound is not None:
        axes.axvline(bound, color=RED, linewidth=1.2)
        axes.annotate(
            f"SLO {of_metric(metric, bound)}", (bound, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 2),
            textcoords="offset points", ha="center", va="bottom", fontsize=8, color=HOLE,
        )  # fmt: skip
    if any(v.censored for _, values in curves for v in values):
        axes.annotate(
            "a curve that ends below 100 %: still open at the horizon", (1, 0.02), xycoords="axes fraction", ha="right",
            fontsize=7.5, color=QUIET,
        )  # fmt: skip


def _name(axes: "Axes", curves: list[tuple[str, list[Value]]]) -> None:
    """Write each name beside its curve, from the top down in the order in which the curves rise."""
    order = sorted(range(len(curves)), key=lambda place: float(np.median([v.value for v in curves[place][1]])))
    for level, place in zip(np.linspace(0.92, 0.12, len(curves)), order, strict=True):
        label, values = curves[place]
        at, share = steps(values)
        above = np.flatnonzero(share >= level)
        x = float(at[above[0]]) if len(above) else axes.get_xlim()[1]
        y = level if len(above) else float(share[-1]) if len(share) else 0.0
        axes.plot([x], [y], "o", color=LINES[place][0], markersize=4.5, zorder=4)
        text = axes.annotate(
            label, (x, y), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8.5, zorder=5
        )
        text.set_path_effects([_halo()])


def _halo() -> "withStroke":
    from matplotlib.patheffects import withStroke

    return withStroke(linewidth=2.5, foreground="white")


def _scale(axes: "Axes", metric: str, seen: list[float], bound: float | None) -> None:
    """A logarithmic axis for seconds, which differ by factors; a plain one for counts and shares."""
    shown = [*seen, *([] if bound is None else [bound])]
    if metric.endswith("_s"):
        positive = [value for value in shown if value > 0] or [1.0]
        axes.set_xscale("log")
        axes.set_xlim(min(positive) / 1.2, max(positive) * 1.25)
        logarithmic(axes.xaxis)
        axes.set_xlabel(f"{metric}, seconds (logarithmic)")
        return
    room = 0.05 * (max(shown) - min(shown)) or 0.5 * abs(max(shown)) or 1.0
    axes.set_xlim(min(shown) - room, max(shown) + room)
    axes.xaxis.set_major_formatter(lambda value, _: of_metric(metric, value))
    axes.set_xlabel(metric)
