"""The figures of a page: those that its result has something to show in."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from simbgp.measure import Question, SloResult
from simbgp.report.figures import convergence, ecdf, outcome_bars, timeline_strip, upgrade_fan
from simbgp.report.page.svg import Inline, inline
from simbgp.study.result import Result
from simbgp.timeline import FaultBegan

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FAN_RUNS, _MANY_NODES = 5, 50
"""A fan plays its runs once more; of more nodes one run has steps enough."""
_ENOUGH = 20
"""Fewer runs do not show an interval narrow."""


def strip(result: Result, run: int) -> Inline | None:
    """The timeline strip of a run; None where no node announces anything."""
    node = _node(result, run)
    return None if node is None else inline(timeline_strip(result, run, node=node), "strip")


def figures(result: Result) -> list[Inline]:
    """What else there is to see: outages over the runs, outcomes of connections, the rollout, whether the runs were
    enough."""
    return [inline(figure, f"f{place}") for place, figure in enumerate(_figures(result))]


def _figures(result: Result) -> Iterator["Figure"]:
    asked = _asked(result)
    question = Question("blackhole_s") if asked is None else Question.of(asked.slo)
    varies = len({value.value for value in result.stats(question).values if value is not None}) > 1
    if varies and question.metric.endswith("_s"):
        yield ecdf(result, question.metric, service=question.service)
    if result.plan.traffic:
        yield outcome_bars(result)
    if result.has("progress") and result.rows("progress"):
        yield upgrade_fan(result, runs=_FAN_RUNS if len(result.plan.nodes) <= _MANY_NODES else 1)
    if varies and result.runs >= _ENOUGH:
        yield convergence(result)


def _asked(result: Result) -> SloResult | None:
    """The first SLO of an outage, else the first at all."""
    outages = [found for found in result.slo if found.slo.metric == "blackhole_s"]
    return next(iter([*outages, *result.slo]), None)


def _node(result: Result, run: int) -> str | None:
    """The first that a fault names, else the first at all, of those that announce something."""
    announce = [peering.node for peering in result.plan.peerings if peering.prefixes]
    named = [node for fact in result.timeline(run).of(FaultBegan) for node in fact.nodes if node in announce]
    return next(iter([*named, *announce]), None)
