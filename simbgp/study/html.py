"""A result as a notebook shows it: verdict, bounds, and the line that finds it again."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from simbgp.measure.units import of_metric, with_interval
from simbgp.measure.verdict import bound_of

if TYPE_CHECKING:
    from simbgp.measure import SloResult
    from simbgp.study.result import Result


def html_of(result: "Result") -> str:
    """A fragment of HTML; names out of the scenario are text in it, whatever they contain."""
    runs = "every run is the same" if result.exact else f"{result.runs} runs"
    parts = [f"<p><b>{escape(result.plan.name)}</b>: {result.verdict} ({runs}, seed {result.seed})</p>"]
    if result.slo:
        parts.append(_table(("SLO", "bound", "found", "verdict"), [_cells(found) for found in result.slo]))
    parts.append(f"<p><code>{escape(result.reproduce)}</code></p>")
    return "".join(parts)


def _cells(found: "SloResult") -> tuple[str, ...]:
    slo = found.slo
    narrowed = "".join(f" {name}" for name in (slo.service, slo.prefix, slo.router, slo.fault) if name is not None)
    relation = "≤" if slo.max_value is not None else "≥"
    value = "never happened" if found.estimate is None else with_interval(slo.metric, found.estimate)
    bound = f"{relation} {of_metric(slo.metric, bound_of(slo))}"
    return f"{slo.metric}{narrowed} {slo.stat}", bound, value, str(found.verdict)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [("th", head), *(("td", row) for row in rows)]
    cells = ("".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) for tag, row in lines)
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in cells)}</table>"
