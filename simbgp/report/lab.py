"""What the lab measured, and how it differs from the prediction, as text."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from simbgp.lab.comparison import Comparison, hint
from simbgp.lab.readings import FIGURES
from simbgp.lab.result import PROBES, LabResult
from simbgp.lab.shares import OUTCOMES, Share
from simbgp.report.numbers import columns, seconds
from simbgp.study.rows import COLUMNS, Row


def measurement(result: LabResult) -> str:
    """Sessions, routes, windows and probes, every row."""
    played = ", ".join(f"{name} {release}" for name, release in result.versions.items())
    blocks = [[f"{result.scenario.name} on real daemons, measured {result.date} with {played}"]]
    for table, title in _TITLES.items():
        rows = [_line(table, row) for row in result.rows(table)]
        blocks.append([f"  {title}", *columns(rows, indent="    ")] if rows else [f"  {title}: none"])
    return "\n\n".join("\n".join(block) for block in blocks)


_TITLES = {
    "sessions": "sessions (times from time 0)",
    "routes": "routes in the FIB",
    "windows": "windows, from these facts",
    "connections": "connections, clients with real TCP",
    "probes": "probes that nobody answered",
}


def _line(table: str, row: Row) -> tuple[str, ...]:
    of = dict(zip(PROBES if table == "probes" else COLUMNS[table], row, strict=True))
    run = f"run {of['run']}"
    if table == "sessions":
        change = f"{of['from_state']} -> {of['to_state']}"
        return run, _at(of["time_s"]), of["router"], of["node"], f"{of['side']}'s end", change, of["reason"]
    if table == "routes":
        return run, _at(of["time_s"]), of["router"], of["prefix"], of["node"], of["event"]
    if table == "windows":
        length = ("≥ " if of["censored"] else "") + seconds(of["duration_s"])
        share = f"{of['share']:.0%} of the traffic"
        return run, _at(of["start_s"]), of["router"], of["prefix"], of["cause"], length, share
    if table == "connections":
        return f"run {of['run']}", *_connection(of)
    lost = f"{of['unanswered']} of {of['sent']}"
    when = "" if of["first_lost_s"] is None else f"from {of['first_lost_s']:.2f} s to {of['last_lost_s']:.2f} s"
    return run, of["router"], of["prefix"], lost, seconds(of["lost_s"]), when


def _connection(of: dict[str, Any]) -> tuple[str, ...]:
    """A row over the run with every share, one of a fault with what that did."""
    parts = [f"{OUTCOMES[name]} {of[name]} ({of[name] / max(1, of['total']):.1%})" for name in OUTCOMES if of[name]]
    if of["delay_s"] is not None:
        parts.append(f"longest wait {seconds(of['delay_s']['max'])}")
    if of["reconnected"]:
        parts.append(f"reconnected {of['reconnected']}, {of['elsewhere']} of them elsewhere")
    where = "all" if of["fault"] is None else f"by fault {of['fault']}"
    return of["service"], where, f"{of['total']} in all", ", ".join(parts) or "nothing"


def _at(time_s: float) -> str:
    return f"{time_s:.3f} s"


def comparison(found: Comparison) -> str:
    """Each figure with its prediction, its measurements and whether they fit, then the verdict."""
    title = ("session", "figure", "predicted 99 %", "measured", "inside", "CRPS", "floor")
    lines = columns([title, *(_figure(found, place) for place in range(len(found.figures)))])
    share = f"{found.inside} of {found.values} measured values inside of the predicted 99 %"
    verdict = "AGREES" if found.agrees else "DIFFERS"
    verdict = f"{verdict}  {share} ({found.runs} runs of the model)"
    blocks = [lines, _shares(found.shares), _largest(found), [verdict]]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _figure(found: Comparison, place: int) -> tuple[str, ...]:
    figure = found.figures[place]
    low, high = figure.interval
    where = f"{figure.place.node} at {figure.place.router}"
    said = f"{_value(low)} .. {_value(high)} s" if low is not None else "never"
    values = _values(figure.measured)
    least = figure.floor
    scores = f"{figure.crps:.3f}", "-" if least is None else f"{least:.3f}"
    return where, FIGURES[figure.name], said, values, f"{figure.inside}/{len(figure.measured)}", *scores


def _shares(shares: Sequence[Share]) -> list[str]:
    title = ("service", "connections", "predicted 99 %", "measured", "inside", "difference", "CRPS", "floor")
    return columns([title, *map(_share, shares)]) if shares else []


def _share(share: Share) -> tuple[str, ...]:
    low, high = share.interval
    values = [f"{100 * value:.1f}" for value in share.measured]
    shown = ", ".join([*values[:6], "..."] if len(values) > 6 else values)
    least = share.floor
    scores = f"{share.crps:.4f}", "-" if least is None else f"{least:.4f}"
    inside = f"{share.inside}/{len(share.measured)}"
    said = f"{100 * low:.1f} .. {100 * high:.1f} %"
    return share.service, OUTCOMES[share.name], said, shown, inside, f"{100 * share.apart:+.1f} points", *scores


def _values(measured: Sequence[float | None]) -> str:
    shown = ", ".join(_value(value) for value in measured[:6])
    return f"{shown}, ..." if len(measured) > 6 else shown


def _value(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f}"


def _largest(found: Comparison) -> list[str]:
    largest, share = found.largest, found.largest_share
    if largest is None:
        return [] if share is None else _largest_share(found, share)
    away = max(largest.beside)
    where = f"{largest.place.node} at {largest.place.router}"
    lines = [f"  largest difference: {FIGURES[largest.name]} ({where}), {away:.2f} s outside"]
    return [*lines, f"  it hints at {hint(found)}"]


def _largest_share(found: Comparison, share: Share) -> list[str]:
    away = f"{100 * max(share.beside):.1f} percentage points outside"
    lines = [f"  largest difference: connections of {share.service} {OUTCOMES[share.name]}, {away}"]
    return [*lines, f"  it hints at {hint(found)}"]


def comparison_dict(found: Comparison) -> dict[str, object]:
    """The comparison as the JSON object."""
    return {
        "verdict": "AGREES" if found.agrees else "DIFFERS",
        "runs": found.runs,
        "inside": found.inside,
        "values": found.values,
        "figures": [
            {
                "router": figure.place.router,
                "node": figure.place.node,
                "prefix": figure.place.prefix,
                "figure": figure.name,
                "low": figure.interval[0],
                "high": figure.interval[1],
                "measured": [None if value is None else round(value, 6) for value in figure.measured],
                "inside": figure.inside,
                "crps": round(figure.crps, 6),
                "floor": None if figure.floor is None else round(figure.floor, 6),
            }
            for figure in found.figures
        ],
        "connections": [
            {
                "service": share.service,
                "outcome": share.name,
                "low": round(share.interval[0], 6),
                "high": round(share.interval[1], 6),
                "predicted": round(fmean(share.predicted), 6),
                "measured": [round(value, 6) for value in share.measured],
                "inside": share.inside,
                "difference": round(share.apart, 6),
                "crps": round(share.crps, 6),
                "floor": None if share.floor is None else round(share.floor, 6),
            }
            for share in found.shares
        ],
        "hint": hint(found),
    }
