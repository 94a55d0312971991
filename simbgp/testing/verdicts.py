"""Why a result is not good enough, in a line for each bound."""

from collections.abc import Mapping
from typing import Any

import click

from simbgp.measure import METRICS, SloResult, Verdict, judge
from simbgp.report.bounds import slo_lines
from simbgp.scenario.plan import SloPlan
from simbgp.study.result import Result


def failures(result: Result) -> list[str]:
    """The lines of the SLOs that are not met."""
    lines = [click.unstyle(line).strip() for line in slo_lines(result.slo, result.disputes)]
    return [line for line, found in zip(lines, result.slo, strict=True) if found.verdict is not Verdict.MET]


def failure(
    result: Result,
    metric: str,
    stat: str,
    narrowing: Mapping[str, Any],
    least: float | None,
    most: float | None,
) -> str | None:
    """The line of a bound that is not met; None if it is. Raises ValueError for an unknown metric or narrowing."""
    if metric not in METRICS:
        raise ValueError(f"unknown metric {metric!r}; allowed: {', '.join(METRICS)}")
    values = getattr(result, metric)(**narrowing).values
    slo = SloPlan(metric, stat, max_value=most, min_value=least, **narrowing)
    found: SloResult = judge(slo, values, seed=result.seed, exact=result.exact)
    if found.verdict is Verdict.MET:
        return None
    return click.unstyle(slo_lines([found], [None])[0]).strip()
