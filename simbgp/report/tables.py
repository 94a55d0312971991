"""Windows and connections of all runs, as tables for a terminal."""

from collections import defaultdict

import numpy as np

from simbgp.measure import Estimate, Value, estimate
from simbgp.report.numbers import columns, count, interval, percent, seconds
from simbgp.report.spans import Span, spans
from simbgp.study.result import Result
from simbgp.study.rows import COLUMNS, Row

_OUTCOMES = ("unaffected", "delayed", "reset", "timed_out", "not_opened", "moved")
_AGAIN = ("reconnected", "elsewhere", "broken_again")
_OF = {name: column for column, name in enumerate(COLUMNS["connections"])}


def window_lines(result: Result) -> list[str]:
    """`window_rows` as lines, and a word where there is none."""
    rows = window_rows(result)
    return columns(rows, right=frozenset({3, 4, 5, 6, 7})) if rows else ["  no window: nothing is lost in any run"]


def window_rows(result: Result) -> list[tuple[str, ...]]:
    """A head, and a row for each fault, kind of prefix and cause: how often, how long, how much; or nothing."""
    groups: dict[tuple[str, str, str], list[Span]] = defaultdict(list)
    for span in spans(result.rows("windows")):
        groups[span.service or "PodCIDR", span.cause, _fault(result, span.fault)].append(span)
    if not groups:
        return []
    rows: list[tuple[str, ...]] = [("window of", "cause", "fault", "per run", "p50", "p95", "max", "share up to")]
    rows += [(*of, f"{len(found) / result.runs:.3g}", *_lengths(found), _share(found)) for of, found in groups.items()]
    return rows


def _fault(result: Result, name: str | int | None) -> str:
    """A fault by its own name, or by its kind and its place."""
    if name is None:
        return "none"
    return name if isinstance(name, str) else f"{result.plan.faults[name].kind} ({name})"


def _lengths(found: list[Span]) -> tuple[str, str, str]:
    durations = [span.duration_s for span in found]
    p50, p95 = np.quantile(durations, [0.5, 0.95]).tolist()
    cut = "≥ " if any(span.end_s is None for span in found) else ""
    return seconds(p50), seconds(p95), cut + seconds(max(durations))


def _share(found: list[Span]) -> str:
    return percent(max(span.share for span in found))


def connection_lines(result: Result) -> list[str]:
    """`connection_rows` and, where clients dial again, `reconnected_rows` as lines."""
    return [
        *columns(connection_rows(result), right=frozenset(range(1, len(_OUTCOMES) + 2))),
        *columns(reconnected_rows(result), right=frozenset({1, 2, 3})),
    ]


def connection_rows(result: Result) -> list[tuple[str, ...]]:
    """Outcomes of each service's connections in shares of them all, and the intervals of these means, under a head."""
    lines: list[tuple[str, ...]] = [("connections of", "a run", *(outcome.replace("_", " ") for outcome in _OUTCOMES))]
    for service in dict.fromkeys(traffic.service for traffic in result.plan.traffic):
        rows = [
            row for row in result.rows("connections") if row[_OF["service"]] == service and row[_OF["fault"]] is None
        ]
        total = sum(row[_OF["total"]] for row in rows)
        shares = [_ended_so(result, service, outcome, rows) for outcome in _OUTCOMES]
        lines.append((service, count(round(total / len(rows))), *(percent(share.value) for share in shares)))
        ends = [interval("_share", share) for share in shares]
        if any(ends):
            lines.append(("", "", *ends))
    return lines if len(lines) > 1 else []


def reconnected_rows(result: Result) -> list[tuple[str, ...]]:
    """What became of the clients whose connection broke, where there are any: means over the runs."""
    lines: list[tuple[str, ...]] = [("reconnected to", "a run", *(name.replace("_", " ") for name in _AGAIN[1:]))]
    for service in dict.fromkeys(traffic.service for traffic in result.plan.traffic if traffic.reconnects):
        rows = [
            row for row in result.rows("connections") if row[_OF["service"]] == service and row[_OF["fault"]] is None
        ]
        back, *parts = (sum(row[_OF[name]] for row in rows) for name in _AGAIN)
        if back:
            lines.append((service, count(round(back / len(rows))), *(percent(part / back) for part in parts)))
    return lines if len(lines) > 1 else []


def _ended_so(result: Result, service: str, outcome: str, rows: list[Row]) -> Estimate:
    """The mean share of the connections that ended so."""
    values = [Value(row[_OF[outcome]] / max(1, row[_OF["total"]])) for row in rows]
    return estimate("mean", values, seed=result.seed, purpose=f"{service}/{outcome}")
