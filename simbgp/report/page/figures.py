"""The figures of a page: those that its result has something to show in."""

from simbgp.report.figures import timeline_strip
from simbgp.report.page.svg import Inline, inline
from simbgp.study.result import Result


def figures(result: Result) -> list[Inline]:
    """The timeline strip first; none at all without a session."""
    found = [timeline_strip(result)] if result.plan.peerings else []
    return [inline(figure, f"f{place}") for place, figure in enumerate(found)]
