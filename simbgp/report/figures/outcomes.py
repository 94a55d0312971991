"""How connections end: one bar for each setting and service, cut by outcome."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from simbgp.report.figures.style import AWAY, INK, ORANGE, PURPLE, RED, SKY, house_style, new
from simbgp.report.numbers import percent
from simbgp.study.result import Result
from simbgp.study.rows import COLUMNS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OUTCOMES = ("unaffected", "delayed", "reset", "timed_out", "not_opened")
_FILLS = dict(zip(OUTCOMES, (AWAY, SKY, RED, PURPLE, ORANGE), strict=True))
_OF = {name: column for column, name in enumerate(COLUMNS["connections"])}
_LETTERS = {"unaffected": INK, "reset": "#ffffff"}
"""On any other fill black, whatever the page's scheme."""
_LEAST_LABELLED = 0.035


def outcome_shares(result: Result) -> dict[str, dict[str, float]]:
    """Of each service with clients the share of its connections, over all runs, that ended in each outcome; they sum
    to 1."""
    shares = {}
    for service in dict.fromkeys(traffic.service for traffic in result.plan.traffic):
        rows = [
            row for row in result.rows("connections") if (row[_OF["service"]], row[_OF["fault"]]) == (service, None)
        ]
        total = sum(row[_OF["total"]] for row in rows)
        if total:
            shares[service] = {name: sum(row[_OF[name]] for row in rows) / total for name in OUTCOMES}
    return shares


def outcome_bars(results: Result | Mapping[str, Result]) -> "Figure":
    """One result, or several by what they are to be called. Raises ValueError if none has clients."""
    named = {"": results} if isinstance(results, Result) else results
    bars = {
        " ".join(part for part in (name, service) if part): shares
        for name, result in named.items()
        for service, shares in outcome_shares(result).items()
    }
    if not bars:
        raise ValueError("no connections: the scenario has no traffic")
    with house_style():
        figure, axes = new(1.1 + 0.42 * len(bars), _finding(bars))
        for row, shares in enumerate(bars.values()):
            left = 0.0
            for name, share in shares.items():
                label = name.replace("_", " ") if row == 0 else None
                axes.barh(-row, share, left=left, height=0.66, color=_FILLS[name], edgecolor="white", label=label)
                if share >= _LEAST_LABELLED:
                    axes.text(
                        left + share / 2,
                        -row,
                        percent(share),
                        ha="center",
                        va="center",
                        fontsize=7.5,
                        color=_LETTERS.get(name, "#000000"),
                    )
                left += share
        axes.set_yticks([-row for row in range(len(bars))], list(bars))
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        figure.legend(loc="outside lower center", ncols=len(OUTCOMES), fontsize=8, handlelength=1.2)
    return figure


def _finding(bars: Mapping[str, Mapping[str, float]]) -> str:
    broken = {name: sum(shares[part] for part in ("reset", "timed_out", "not_opened")) for name, shares in bars.items()}
    least, most = min(broken, key=lambda name: broken[name]), max(broken, key=lambda name: broken[name])
    if len(broken) == 1:
        return f"{percent(broken[most])} of the connections of {most} break, {percent(bars[most]['delayed'])} wait"
    few, many = percent(broken[least]), percent(broken[most])
    return f"The least connections break with {least} ({few}), the most with {most} ({many})"
