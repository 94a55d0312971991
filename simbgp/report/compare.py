"""A comparison as Markdown, for a terminal and for a pull request."""

from simbgp.measure import Question
from simbgp.measure.paired import Difference
from simbgp.report.numbers import of_metric, plural
from simbgp.study.comparison import Compared, Comparison, Gate
from simbgp.study.result import Result

_MARKS = {Gate.PASSED: "✓ passed", Gate.FAILED: "✗ failed", Gate.INCONCLUSIVE: "? inconclusive"}


def comparison_lines(found: Comparison) -> list[str]:
    """A heading, a table with a line for each figure, and what follows from it."""
    one, other = _names(found.one, found.other)
    heads = ["figure", one, other, "difference", "95 % interval", "as wide as unpaired"]
    heads += ["within the gate"] if found.gate else []
    lines = [f"| {' | '.join(_escaped(cell) for cell in row)} |" for row in (heads, *(_row(row) for row in found.rows))]
    lines.insert(1, "|" + " --- |" * len(heads))
    runs = f"{plural(found.one.runs, 'pair')} of runs with the same luck, seed {found.one.seed}."
    return [f"### {other} against {one}", "", *lines, "", runs, *_conclusion(found), "", f"`{found.reproduce}`"]


def _names(one: Result, other: Result) -> tuple[str, str]:
    """The scenarios' names, or their files where those are the same."""
    names = one.scenario.name, other.scenario.name
    return names if names[0] != names[1] else (one.scenario.file, other.scenario.file)


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")


def _row(row: Compared) -> list[str]:
    metric, found = row.question.metric, row.found
    title = " ".join([_title(row.question), row.stat])
    if found is None:
        return [title, *["never in both"] * 2, "", "", "", *_gate(row)]
    cut = "≥ " if found.censored else ""
    sides = [cut + of_metric(metric, value) for value in (found.one, found.other)]
    paired = [_signed(metric, found.value), _interval(metric, found), _width(found)]
    return [title, *sides, *paired, *_gate(row)]


def _title(question: Question) -> str:
    named = (question.service, question.prefix, question.router, question.fault)
    return " ".join([question.metric, *(str(name) for name in named if name is not None)])


def _signed(metric: str, value: float) -> str:
    return "0" if value == 0 else ("+" if value > 0 else "-") + of_metric(metric, abs(value))


def _interval(metric: str, found: Difference) -> str:
    if found.low is None or found.high is None:
        return "none"
    return f"{_signed(metric, found.low)} to {_signed(metric, found.high)}"


def _width(found: Difference) -> str:
    """What is left of the width that the interval would have with luck of its own on each side."""
    if found.low is None or found.high is None or not found.unpaired_width:
        return ""
    return f"{(found.high - found.low) / found.unpaired_width:.0%}".replace("%", " %")


def _gate(row: Compared) -> list[str]:
    return [] if row.gate is None else [_MARKS[row.gate]]


def _conclusion(found: Comparison) -> list[str]:
    if found.gate is None or found.max_regression is None:
        return []
    allowed = f"nothing may be more than {found.max_regression * 100:g} % worse"
    return ["", f"**{_MARKS[found.gate]}**: {allowed}."]
