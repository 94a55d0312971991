"""Two scenarios with the same luck: what differs, and whether that is a regression."""

from collections.abc import Sequence

from simbgp.measure import Question
from simbgp.measure.paired import Difference, difference
from simbgp.scenario import Plan, Scenario
from simbgp.study.comparison import Compared, Comparison, Gate
from simbgp.study.engines import engine_at
from simbgp.study.replicate import check_effort
from simbgp.study.result import Result
from simbgp.study.studies import Effort, Progress, results_of, study_of

_MORE_IS_BETTER = frozenset({"min_next_hops"})


def compare(
    one: Scenario,
    other: Scenario,
    runs: int | None = None,
    seed: int = 0,
    jobs: int = 1,
    *,
    max_regression: float | None = None,
    engine: str = "local",
    progress: Progress | None = None,
) -> Comparison:
    """Play both scenarios run by run with the same luck and take differences in pairs, ``other`` minus ``one``.

    The figures are the statistics of all SLOs of either (of an extreme the mean too), the mean outage of each service
    that both have and, where both have traffic, the mean share of broken connections. ``max_regression`` is how much
    worse a figure may be, as a share of what it is in ``one``.

    Raises what `simbgp.run` raises.
    """
    check_effort(runs, jobs)
    figures = _figures(one.plan(), other.plan())
    asked = list(dict.fromkeys(question for question, _ in figures))
    studies = [study_of(scenario, seed, [*_own(scenario.plan()), *asked]) for scenario in (one, other)]
    with engine_at(engine, jobs) as ready:
        first, second = results_of(studies, Effort(runs, alike=True), ready, progress=progress)
    rows = tuple(_compared(first, second, question, stat, max_regression) for question, stat in figures)
    return Comparison(first, second, rows, max_regression)


def _own(plan: Plan) -> list[Question]:
    return [Question.of(slo) for slo in plan.slo]


def _figures(one: Plan, other: Plan) -> list[tuple[Question, str]]:
    """What both can be asked, each once, the SLOs first."""
    named = [{service.name for service in plan.services} for plan in (one, other)]
    figures = [(Question.of(slo), slo.stat) for plan in (one, other) for slo in plan.slo]
    figures = [figure for figure in figures if _is_known(figure[0], one) and _is_known(figure[0], other)]
    figures += [(question, "mean") for question, stat in figures if stat in ("max", "min")]
    figures += [(Question("blackhole_s", name), "mean") for name in sorted(named[0] & named[1])]
    if one.traffic and other.traffic:
        figures.append((Question("broken_share"), "mean"))
    return list(dict.fromkeys(figures))


def _is_known(question: Question, plan: Plan) -> bool:
    """Whether ``plan`` has what the question is narrowed to."""
    return (
        question.service in (None, *(service.name for service in plan.services))
        and question.router in (None, *(router.name for router in plan.routers))
        and question.fault in (None, *plan.fault_names)
    )


def _compared(one: Result, other: Result, question: Question, stat: str, max_regression: float | None) -> Compared:
    sides = one.stats(question).values, other.stats(question).values
    found = difference(stat, *sides, seed=one.seed, purpose=f"{question.metric}/{stat}")
    if max_regression is None:
        return Compared(question, stat, found, None)
    known = found is not None and (found.low is not None or stat in ("max", "min") or (one.exact and other.exact))
    gate = _gate(found, question, max_regression) if found is not None and known else Gate.INCONCLUSIVE
    return Compared(question, stat, found, gate)


def _gate(found: Difference, question: Question, max_regression: float) -> Gate:
    """FAILED if even the better end of the interval is worse than allowed, PASSED if not even the worse end is."""
    allowed = max_regression * abs(found.one)
    ends: Sequence[float] = [found.value if end is None else end for end in (found.low, found.high)]
    worse = sorted(-end if question.metric in _MORE_IS_BETTER else end for end in ends)
    if worse[0] > allowed:
        return Gate.FAILED
    return Gate.PASSED if worse[1] <= allowed and not found.censored else Gate.INCONCLUSIVE
