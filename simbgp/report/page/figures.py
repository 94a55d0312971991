"""The figures of a page: those that its result has something to show in."""

from simbgp.report.figures import timeline_strip
from simbgp.report.page.svg import Inline, inline
from simbgp.study.result import Result
from simbgp.timeline import FaultBegan


def figures(result: Result, run: int) -> list[Inline]:
    """The timeline strip of ``run`` first; none at all where no node announces anything."""
    node = _node(result, run)
    found = [] if node is None else [timeline_strip(result, run, node=node)]
    return [inline(figure, f"f{place}") for place, figure in enumerate(found)]


def _node(result: Result, run: int) -> str | None:
    """The first that a fault names, else the first at all, of those that announce something."""
    announce = [peering.node for peering in result.plan.peerings if peering.prefixes]
    named = [node for fact in result.timeline(run).of(FaultBegan) for node in fact.nodes if node in announce]
    return next(iter([*named, *announce]), None)
