"""A result as one HTML file that needs nothing but itself."""

import base64
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import click
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from simbgp._version import __version__
from simbgp.measure import Verdict
from simbgp.report.bounds import MARKS, slo_rows
from simbgp.report.headline import headline
from simbgp.report.numbers import plural
from simbgp.report.page.figures import figures, strip
from simbgp.report.page.not_modelled import not_modelled
from simbgp.report.page.replay import Replay, replay
from simbgp.report.profiles import sheet_rows
from simbgp.report.progress import progress_tables
from simbgp.report.remedy import remedy_lines
from simbgp.report.tables import connection_rows, reconnected_rows, window_rows
from simbgp.report.text import figure_rows, worst_run
from simbgp.study.advice import Advice
from simbgp.study.result import Result

_PACES = (1, 5, 20, 60, 300, 1200)
_LASTS_S = 40
"""A replay takes about so long at the pace that is taken at first."""
_MOST_TICKS = 400
_LEGEND = (
    ("link fresh", "next hop"),
    ("link stale", "next hop, stale"),
    ("link fresh lost", "next hop that loses packets"),
    ("link none", "no next hop"),
    ("entry holed", "clients of a service lose traffic"),
    ("end up", "session established, at that end"),
    ("end trying", "on the way"),
    ("end down", "idle"),
    ("box up", "node forwards"),
    ("box agentless", "agent down"),
    ("box silent", "forwards nothing"),
)
_LEGEND_OF_MANY = (
    ("entry holed", "clients of a service lose traffic"),
    ("box up", "node with all its sessions"),
    ("box stale", "some routes stale"),
    ("box parted", "a session is not established"),
    ("box agentless", "agent down"),
    ("box silent", "forwards nothing"),
)


def page(result: Result, advice: Advice | None = None) -> str:
    """The report of a result: verdict, tables, figures, the worst run to replay, and what it all rests on.

    ``advice`` is what was found to help against a breach. The result has its tables ``windows``, ``connections`` and
    ``progress`` with all their rows.
    """
    shown = replay(result, worst_run(result))
    script = _asset("page.js")
    return _environment().get_template("page.html.j2").render(
        version=__version__,
        style=Markup(_asset("page.css")),
        script=Markup(script),
        script_hash=f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}",
        **_head(result),
        **_tables(result, advice),
        **_replay(result, shown),
        strip=strip(result, shown.run),
            figures=figures(result),
        not_modelled=not_modelled(),
    )  # fmt: skip


@cache
def _environment() -> Environment:
    loader = PackageLoader("simbgp.report.page")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@cache
def _asset(name: str) -> str:
    return (files("simbgp.report.page") / "templates" / name).read_text(encoding="utf-8")


def _head(result: Result) -> dict[str, Any]:
    first, *_ = headline(result)
    failed = sum(found.verdict is result.verdict for found in result.slo)
    tells = result.verdict not in (Verdict.MET, Verdict.NO_SLO)
    return {
        "name": result.plan.name,
        "description": result.scenario.description.strip(),
        "setting": " · ".join(part.strip() for part in click.unstyle(first).split("  ") if part.strip()),
        "verdict": str(result.verdict),
        "of_all": f"{failed} of {plural(len(result.slo), 'bound')}" if tells else "",
        "runs": "exact, one run" if result.exact else f"{plural(result.runs, 'run')}, seed {result.seed}",
        "exact": result.exact,
        "reproduce": result.reproduce,
        "scenario_hash": result.scenario.hash,
    }


def _tables(result: Result, advice: Advice | None) -> dict[str, Any]:
    bounds = [
        (f"{MARKS[found.verdict]} {found.verdict}", *row)
        for found, row in zip(result.slo, slo_rows(result.slo, result.disputes), strict=True)
    ]
    figures_of_runs = [tuple(map(click.unstyle, row)) for row in figure_rows(result)]
    return {
        "slo": [("verdict", "bound", "found", "by how much"), *bounds],
        "remedy": [click.unstyle(line).strip() for line in remedy_lines(advice)],
        "figures_table": [("of", "median or exact", "99 %", "most", "on paper"), *figures_of_runs]
        if figures_of_runs
        else [],
        "disagreeing": [
            form.label for form in result.closed_forms if not form.agrees(result.stats(form.question).values)
        ],
        "forms": [(f"{form.label}:", form.text) for form in result.closed_forms if form.high_s],
        "windows": window_rows(result),
        "connections": _with_intervals(connection_rows(result)),
        "reconnected": reconnected_rows(result),
        "rollouts": progress_tables(result),
        "assumptions": [("what", "where it comes from"), *_assumptions(result)],
        "warnings": result.warnings,
        "profiles": [
            {"name": p.name, "title": p.title, "calibrated": p.calibrated, "rows": sheet_rows(p)}
            for p in result.profiles
        ],
    }


def _with_intervals(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Rows whose intervals stand in their cells and not in a row below without a name."""
    found: list[tuple[str, ...]] = []
    for row in rows:
        if row[0]:
            found.append(row)
        else:
            found.append(tuple(f"{cell} {under}".strip() for cell, under in zip(found.pop(), row, strict=True)))
    return found


def _assumptions(result: Result) -> Iterator[tuple[str, str]]:
    """Each assumption, and what it rests on."""
    of_profiles = {text: f"profile {profile.name}" for profile in result.profiles for text in profile.unknowns}
    choices = [choice for other in result.otherwise for choice in other.choices]
    for text in result.assumptions:
        if text in result.plan.assumptions:
            yield text, "the scenario leaves it open"
        elif text in of_profiles:
            yield text, of_profiles[text]
        else:
            sources = dict.fromkeys(choice.switch.source for choice in choices if choice.owner in text)
            yield text, f"played every way; {'; '.join(sources)}"


def _replay(result: Result, shown: Replay) -> dict[str, Any]:
    stops = shown.data["stops_us"]
    wanted = shown.data["horizon_us"] / 1e6 / _LASTS_S
    return {
        "replay": shown,
        "picture": shown.picture,
        "ticks": stops[:: -(-len(stops) // _MOST_TICKS) or 1],
        "legend": _LEGEND_OF_MANY if shown.picture.many else _LEGEND,
        "paces": _PACES,
        "pace_taken": min(_PACES, key=lambda pace: abs(pace - wanted)),
    }
