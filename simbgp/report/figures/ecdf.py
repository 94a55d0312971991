"""How the runs lie to a bound: the share of them in which a metric is at most so much."""

from typing import TYPE_CHECKING, Any

from simbgp.measure import Question, wilson
from simbgp.measure.verdict import bound_of, within
from simbgp.report.figures.style import BLUE, QUIET, RED, house_style, new
from simbgp.report.numbers import of_metric, percent, plural
from simbgp.study.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def ecdf(result: Result, metric: str = "blackhole_s", **narrowing: Any) -> "Figure":
    """The empirical distribution of a metric over the runs, with the bounds that the scenario sets it.

    A run in which the value was cut off at the horizon counts as none that ended: the curve then stays below 100 %.

    Args:
        result: What was played.
        metric: A name of the SLOs.
        **narrowing: ``service``, ``router``, ``fault``, ``prefix``, ``min_share``.

    Raises:
        ValueError: What the metric speaks of happened in no run.
    """
    question = Question(metric, **narrowing)
    values = [value for value in result.stats(question).values if value is not None]
    if not values:
        raise ValueError(f"{metric} has no value in any run")
    ended = sorted(value.value for value in values if not value.censored)
    bounds = [slo for slo in result.plan.slo if Question.of(slo) == question]
    seen = [value.value for value in values]
    first, last = min(seen), max(seen)
    with house_style():
        figure, axes = new(2.8, _finding(result, question))
        steps = [place / len(values) for place in range(len(ended) + 1)]
        axes.step([first, *ended, last], [*steps, steps[-1]], where="post", color=BLUE, linewidth=1.8)
        for slo in bounds:
            axes.axvline(bound_of(slo), color=RED, linewidth=1.2, linestyle=(0, (4, 2)))
            side, away = ("right", -4) if bound_of(slo) >= last else ("left", 4)
            said = f"{slo.stat} {'≤' if slo.max_value is not None else '≥'} {of_metric(metric, bound_of(slo))}"
            axes.annotate(
                said, (bound_of(slo), 0), (away, 4), textcoords="offset points", ha=side,
                color=RED, fontsize=8, fontweight="bold",
            )  # fmt: skip
        axes.axhline(0.99, color=QUIET, linewidth=0.6, linestyle=(0, (1, 3)))
        axes.set_ylim(0, 1.02)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 0.99], ["0 %", "25 %", "50 %", "75 %", "99 %"])
        axes.set_ylabel("runs with at most so much")
        axes.set_xlabel(f"{metric}, seconds" if metric.endswith("_s") else metric)
    return figure


def _finding(result: Result, question: Question) -> str:
    stats = result.stats(question)
    values = [value for value in stats.values if value is not None]
    bound = next((slo for slo in result.plan.slo if Question.of(slo) == question), None)
    of, runs = f"{result.plan.name}: {question.metric}", plural(len(values), "run")
    if bound is None:
        most = stats.estimate("p99")
        assert most is not None
        at_least = "at least " if most.censored else ""
        return f"{of} is {at_least}{of_metric(question.metric, most.value)} at the 99th percentile of {runs}"
    share = wilson(sum(within(bound, value) for value in values), len(values))
    return f"{of} keeps to {of_metric(question.metric, bound_of(bound))} in {percent(share.value)} of {runs}"
