"""The terminal's report of a result: what it costs, whether that is allowed, why, and what to do next."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

import click

from simbgp.measure import ClosedForm, Question, Verdict
from simbgp.report.api_load import api_lines
from simbgp.report.bounds import COLOURS, slo_lines
from simbgp.report.headline import headline
from simbgp.report.numbers import columns, of_metric, percent, seconds, with_interval
from simbgp.report.progress import progress_lines
from simbgp.report.remedy import remedy_lines
from simbgp.report.spans import Span, spans
from simbgp.report.story import Sentence, tell
from simbgp.report.tables import connection_lines, window_lines
from simbgp.study.advice import Advice
from simbgp.study.result import Result
from simbgp.study.stats import Stats


def report(result: Result, advice: Advice | None = None) -> str:
    """The whole report, with ANSI colours. ``advice`` is what was found to help against a breach."""
    blocks = [
        headline(result),
        _key_figures(result),
        connection_lines(result),
        window_lines(result),
        progress_lines(result),
        api_lines(result),
        story_lines(result),
        _notes(result),
        [*slo_lines(result.slo, result.disputes), *remedy_lines(advice)],
        _verdict(result),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _key_figures(result: Result) -> list[str]:
    """`figure_rows`, and what the closed forms are made of."""
    forms = [(f"{form.label}:", form.text) for form in result.closed_forms if form.high_s]
    return columns(figure_rows(result)) + columns(forms, indent="    ")


def figure_rows(result: Result) -> list[tuple[str, ...]]:
    """Each closed form beside what the runs say, and the outage of each service that has none of its own."""
    rows = [_figure(form.label, result.stats(form.question), form) for form in result.closed_forms]
    said = Question("blackhole_s") in {form.question for form in result.closed_forms}
    if not (said and len(result.plan.services) == 1):
        names = [service.name for service in result.plan.services]
        rows += [_figure(f"{name} outage", result.blackhole_s(name), None) for name in names]
    return [row for row in rows if row is not None]


def _figure(label: str, stats: Stats, form: ClosedForm | None) -> tuple[str, ...] | None:
    median, most, top = (stats.estimate(stat) for stat in ("p50", "p99", "max"))
    if median is None or most is None or top is None:
        return None
    metric = stats.question.metric
    found = [with_interval(metric, top), "", ""]
    if len(set(stats.values)) > 1:
        found = [f"p50 {of_metric(metric, median.value)}", f"p99 {with_interval(metric, most)}"]
        found.append(f"max {with_interval(metric, top)}")
    return label, *found, "" if form is None else _beside(form, stats)


def _beside(form: ClosedForm, stats: Stats) -> str:
    low, high = seconds(form.low_s).removesuffix(" s"), seconds(form.high_s)
    theory = f"closed form {high}" if form.low_s == form.high_s else f"closed form {low}-{high}"
    if form.agrees(stats.values):
        return f"{theory}  ok"
    return click.style(f"{theory}  DISAGREES: do not trust this result before you know why", fg="red", bold=True)


def worst_run(result: Result) -> int:
    """The run to look at: where the first breached SLO, else the longest outage, is at its worst."""
    breached = [found.slo for found in result.slo if found.verdict is Verdict.BREACHED]
    stats = result.stats(Question.of(breached[0])) if breached else result.blackhole_s()
    sign = -1 if breached and breached[0].max_value is None else 1
    worth = [float("-inf") if value is None else sign * value.value for value in stats.values]
    return worth.index(max(worth))


def story(result: Result, run: int) -> list[Sentence]:
    """One run in sentences, its outages woven in."""
    return tell(result.timeline(run), _outages(result, run))


def story_lines(result: Result) -> list[str]:
    """The worst run, moment by moment."""
    run = worst_run(result)
    sentences = story(result, run)
    if not sentences:
        return ["  nothing happened"]
    from_us = next((said.time_us for said in sentences if said.rank == 0), 0)
    title = "what happens" if result.exact else f"run {run}, the worst"
    zero = f"times from {seconds(from_us / 1e6)}, the first fault" if from_us else "times from the start"
    rows = [(f"{(said.time_us - from_us) / 1e6:+.3f} s", said.text) for said in sentences]
    return [f"  {title} ({zero})", *columns(rows, right=frozenset({0}), indent="    ")]


def _outages(result: Result, run: int) -> Iterator[Sentence]:
    """Beginnings and ends of outages as sentences."""
    found = list(spans(row for row in result.rows("windows") if row[0] == run))
    for span, after in zip_longest(found, found[1:]):
        what, rank = (span.prefix, 3) if span.service is None else (span.service, 1)
        yield Sentence(_us(span.start_s), rank, f"{what} loses {_up_to(span)} at {span.router} ({span.cause})")
        goes_on = after is not None and _place(after) == _place(span)
        if span.end_s is not None and not goes_on:
            yield Sentence(_us(span.end_s), rank, f"{what} is whole again at {span.router}")


def _up_to(span: Span) -> str:
    return "all its traffic" if span.share == 1 else f"up to {percent(span.share)} of its traffic"


def _place(span: Span) -> tuple[str, str, int]:
    return span.router, span.prefix, span.outage


def _us(time_s: float) -> int:
    return round(time_s * 1e6)


def _notes(result: Result) -> Sequence[str]:
    """What the numbers rest on; what the scenario itself warns of is not repeated."""
    stamps = [text for text in result.warnings if text not in result.scenario.warnings]
    return [f"  assumed: {text}" for text in result.assumptions] + [
        click.style(f"  note: {text}", fg="yellow") for text in stamps
    ]


def _verdict(result: Result) -> list[str]:
    verdict = result.verdict
    failed = sum(found.verdict is verdict for found in result.slo)
    of_all = f" ({failed} of {len(result.slo)})" if verdict not in (Verdict.MET, Verdict.NO_SLO) else ""
    word = click.style(f"VERDICT  {verdict}{of_all}", fg=COLOURS.get(verdict), bold=True)
    return [f"{word}      reproduce: {result.reproduce}"]
