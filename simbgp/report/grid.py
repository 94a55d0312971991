"""A sweep as a table for a terminal: a line for each setting, a column for each figure."""

import json
from collections.abc import Sequence
from typing import Any

import click

from simbgp.measure import Question, SloResult, Verdict
from simbgp.measure.verdict import bound_of
from simbgp.report.numbers import columns, of_metric, plural, with_interval
from simbgp.study.grid import Grid
from simbgp.study.result import Result

_COLOURS = {Verdict.MET: "green", Verdict.BREACHED: "red", Verdict.INCONCLUSIVE: "yellow"}


def grid_lines(grid: Grid) -> list[str]:
    """The table, and what it says in a sentence."""
    _, first = next(iter(grid))
    asked = [Question.of(slo) for slo in first.plan.slo]
    further = [(question, stat) for question in first.questions if question not in asked for stat in ("p50", "p99")]
    heads = [*map(_short, grid.paths), *map(_title, first.slo), *(_name(*each) for each in further), "verdict"]
    rows = [
        (*map(_written, setting.values()), *_figures(result, further), _verdict(result)) for setting, result in grid
    ]
    return [_headline(grid, first), "", *columns([heads, *rows]), "", _conclusion(grid), f"reproduce: {grid.reproduce}"]


def _headline(grid: Grid, first: Result) -> str:
    runs = sorted({result.runs for _, result in grid})
    each = plural(runs[-1], "run") + (" each" if len(runs) == 1 else " each at most")
    name = click.style(first.scenario.name, bold=True)
    return f"{name}  {plural(len(grid), 'setting')} of {', '.join(grid.paths)}      {each}, seed {grid.seed}"


def _short(path: str) -> str:
    """The last part of a path that says something by itself."""
    parts = path.split(".")
    if parts[-1] == "enabled":
        return ".".join(parts[-2:])
    return parts[-1] if len(parts[-1]) > 4 and not parts[-1].isdigit() else ".".join(parts[-3:])


def _written(value: Any) -> str:
    """A value as YAML would have it, a list of names as the names alone."""
    found = json.loads(value) if isinstance(value, str) and value.startswith("[") else value
    if isinstance(found, list) and all(isinstance(item, str) for item in found):
        return ", ".join(found)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _title(found: SloResult) -> str:
    slo = found.slo
    sign = "≤" if slo.max_value is not None else "≥"
    return f"{_name(Question.of(slo), slo.stat)} {sign} {of_metric(slo.metric, bound_of(slo))}"


def _name(question: Question, stat: str) -> str:
    narrowed = [
        str(value)
        for value in (question.service, question.prefix, question.router, question.fault)
        if value is not None
    ]
    return " ".join([question.metric, *narrowed, stat])


def _figures(result: Result, further: Sequence[tuple[Question, str]]) -> list[str]:
    shown = [
        "never happened" if found.estimate is None else with_interval(found.slo.metric, found.estimate)
        for found in result.slo
    ]
    for question, stat in further:
        estimate = result.stats(question).estimate(stat)
        shown.append("never happened" if estimate is None else with_interval(question.metric, estimate))
    return shown


def _verdict(result: Result) -> str:
    return click.style(result.verdict, fg=_COLOURS.get(result.verdict))


def _conclusion(grid: Grid) -> str:
    if grid.verdict is Verdict.NO_SLO:
        return "no SLO to judge them by"
    met = [setting for setting, result in grid if result.verdict is Verdict.MET]
    if not met:
        return f"VERDICT  no setting of {len(grid)} meets the SLOs; the best is {grid.verdict}"
    return f"VERDICT  {len(met)} of {plural(len(grid), 'setting')} {'meets' if len(met) == 1 else 'meet'} the SLOs"
