"""A result as Markdown, for a pull request or the summary of a workflow."""

import re
from collections.abc import Iterable
from html import escape

import click

from simbgp.measure import Verdict
from simbgp.report.bounds import slo_rows
from simbgp.report.text import story_lines
from simbgp.study.result import Result

_MARKUP = re.compile(r"[\\|`*_\[\]]")
_MARKS = {Verdict.MET: "✅", Verdict.BREACHED: "❌", Verdict.INCONCLUSIVE: "❔"}


def summary(results: Iterable[Result]) -> str:
    """A heading, a line for each SLO, the worst run folded away, and the command that finds it again, for each."""
    return "".join("\n".join([*_lines(result), "", ""]) for result in results)


def _lines(result: Result) -> list[str]:
    runs = "every run is the same" if result.exact else f"{result.runs} runs"
    lines = [f"### {_text(result.scenario.name)}: {result.verdict}", ""]
    if result.scenario.description:
        lines += [_text(" ".join(result.scenario.description.split())), ""]
    if result.slo:
        lines += ["| | bound | found | |", "| --- | --- | --- | --- |"]
        for found, cells in zip(result.slo, slo_rows(result.slo, result.disputes), strict=True):
            lines.append(f"| {_MARKS.get(found.verdict, '➖')} | {' | '.join(map(_text, cells))} |")
        lines.append("")
    story = click.unstyle("\n".join(story_lines(result)))
    if story:
        lines += ["<details><summary>the worst run</summary>", "", f"<pre>{escape(story)}</pre>", "", "</details>", ""]
    return [*lines, f"{runs}, seed {result.seed}:", "", "```console", f"$ {result.reproduce}", "```"]


def _text(text: str) -> str:
    """Nothing in a name is markup or ends a cell."""
    return _MARKUP.sub(r"\\\g<0>", escape(text, quote=False))
