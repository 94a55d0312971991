"""SLOs as lines: what was asked, what was found, and by how much."""

from collections.abc import Sequence

import click

from simbgp.measure import SloResult, Verdict
from simbgp.measure.verdict import bound_of
from simbgp.report.numbers import columns, of_metric, plural, with_interval
from simbgp.scenario.plan import SloPlan

COLOURS = {Verdict.MET: "green", Verdict.BREACHED: "red", Verdict.INCONCLUSIVE: "yellow"}
MARKS = {Verdict.MET: "✓", Verdict.BREACHED: "✗", Verdict.INCONCLUSIVE: "?", Verdict.NOT_APPLICABLE: "-"}


def slo_lines(slos: Sequence[SloResult], disputes: Sequence[str | None]) -> list[str]:
    """A line for each SLO, with ANSI colours; ``disputes`` says of each what unknown it hangs on, if any."""
    rows = slo_rows(slos, disputes)
    marks = [click.style(MARKS[found.verdict], fg=COLOURS.get(found.verdict)) for found in slos]
    return [f"  {mark} {line}" for mark, line in zip(marks, columns(rows, indent=""), strict=True)]


def slo_rows(slos: Sequence[SloResult], disputes: Sequence[str | None]) -> list[tuple[str, str, str]]:
    """Of each SLO what was asked, what was found, and by how much."""
    return [_slo_row(*found) for found in zip(slos, disputes, strict=True)]


def asked_of(slo: SloPlan) -> str:
    """``blackhole_s (service web) p99 ≤ 1 s``."""
    narrowed = [
        f"{name} {value}"
        for name in ("service", "prefix", "router", "fault")
        if (value := getattr(slo, name)) is not None
    ]
    relation = "≤" if slo.max_value is not None else "≥"
    bound = of_metric(slo.metric, bound_of(slo))
    return " ".join([slo.metric, *(f"({', '.join(narrowed)})" for _ in narrowed[:1]), slo.stat, relation, bound])


def _slo_row(found: SloResult, disputed: str | None) -> tuple[str, str, str]:
    asked = asked_of(found.slo)
    if found.estimate is None:
        return asked, "", "never happened in these runs"
    said = _by_how_much(found) if disputed is None else f"hangs on an unknown: {disputed}"
    return asked, with_interval(found.slo.metric, found.estimate), said


def _by_how_much(found: SloResult) -> str:
    assert found.estimate is not None
    distance = of_metric(found.slo.metric, abs(found.estimate.value - bound_of(found.slo)))
    if found.verdict is Verdict.BREACHED:
        return f"breached by {distance}"
    if found.verdict is Verdict.MET:
        return "met" if found.estimate.value == bound_of(found.slo) else f"met with {distance} to spare"
    if found.runs_needed is not None:
        return f"inconclusive: about {plural(found.runs_needed, 'more run')} would tell"
    if found.estimate.censored:
        return "inconclusive: still open at the horizon; a longer horizon would tell"
    return "inconclusive: the value lies on the bound"
