"""An advice in two pictures: the front with its knee, and what moves the answer most."""

from typing import TYPE_CHECKING

from simbgp.report.figures.style import BLUE, GREEN, INK, ORANGE, QUIET, RED, empty, house_style
from simbgp.report.numbers import count, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from simbgp.study.advise.advised import Advised
    from simbgp.study.advise.sensitivity import Swing
    from simbgp.study.advise.settings import Setting

_MOST_SWINGS = 8
_VISIBLE = 0.005
"""Bars shorter than this part of the longest are left out."""
Point = tuple[float, float]


def advice(found: "Advised") -> "Figure":
    """Lost traffic against broken connections, a dot per setting, the front as a line, and the advice; below it
    a bar for each input: from where to where the yearly weight of the advised setting goes with it."""
    with house_style():
        figure = empty(7.4, _finding(found))
        above, below = figure.subplots(2, 1, height_ratios=[1.25, 1])
        _draw_front(above, found)
        _draw_tornado(below, found)
    return figure


def _finding(found: "Advised") -> str:
    from simbgp.study.advise.settings import Setting  # a run's page has other figures and does without the search
    from simbgp.study.advise.words import phrases

    now, then = found.costs(Setting()), found.costs(found.chosen)
    what = ", ".join(phrases(found.chosen, found.now)) or "leave it as it is"
    if found.chosen == Setting():
        return f"{found.plan.name}: {what}; nothing that was tried costs less"
    less = 1 - then.weighs_s.value / now.weighs_s.value if now.weighs_s.value else 0.0
    return f"{found.plan.name}: {what}; a year costs {percent(less)} less"


def _point(found: "Advised", setting: "Setting") -> Point:
    ledger, weighing = found.ledger, found.weighing
    return ledger.value(setting, weighing.broken()), ledger.value(setting, weighing.lost_connection_s()) / 60


def _draw_front(axes: "Axes", found: "Advised") -> None:
    from simbgp.study.advise.choice import front
    from simbgp.study.advise.settings import Setting

    others = [_point(found, setting) for setting in found.settings]
    right, up = zip(*others, strict=True)
    axes.scatter(right, up, s=14, color=QUIET, alpha=0.55, linewidths=0, label="played in full", zorder=2)
    line = [_point(found, setting) for setting in front(found.ledger, found.weighing, found.settings)]
    axes.plot(*zip(*line, strict=True), color=BLUE, marker="o", markersize=4, linewidth=1.2, label="front", zorder=3)
    _draw_price(axes, found)
    chosen, now = _point(found, found.chosen), _point(found, Setting())
    axes.plot(*chosen, "D", color=GREEN, markersize=9, label="advised", zorder=5)
    if found.chosen != Setting():
        axes.plot(*now, "s", color=RED, markersize=7, label="now", zorder=4)
    _name_restarts(axes, found)
    axes.set_xlabel("broken connections a year")
    axes.set_ylabel("lost traffic a year,\nconnection-minutes")
    axes.margins(0.08, 0.12)
    axes.set_xlim(left=max(0.0, axes.get_xlim()[0]))
    axes.set_ylim(bottom=max(0.0, axes.get_ylim()[0]))
    axes.legend(loc="best", fontsize=8)
    _grouped(axes)


def _draw_price(axes: "Axes", found: "Advised") -> None:
    """Settings on this line weigh as much as the advised one."""
    broken, lost = _point(found, found.chosen)
    price_minutes = found.weighing.broken_connection_s / 60
    axes.axline(
        (broken, lost), slope=-price_minutes, color=ORANGE, linewidth=1, linestyle=(0, (4, 2)), zorder=1,
        label=f"same weight at\n{found.weighing.broken_connection_s:g} s each",
    )  # fmt: skip


def _name_restarts(axes: "Axes", found: "Advised") -> None:
    """Restart times along the advised setting, where there is room for their names."""
    from simbgp.study.advise.words import restart_phrase

    rows = found.neighbours().get("restart", [])
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    named: list[Point] = []
    for setting in sorted(rows, key=lambda each: each != found.chosen):
        restart_s = found.now.restart if setting.restart is None else setting.restart
        x, y = _point(found, setting)
        near = any(abs(x - a) < 0.09 * (right - left) and abs(y - b) < 0.09 * (top - bottom) for a, b in named)
        if restart_s is None or near:
            continue
        named.append((x, y))
        text = restart_phrase(restart_s).removeprefix("restart time ")
        axes.annotate(text, (x, y), xytext=(6, 6), textcoords="offset points", fontsize=7.5, color=INK, zorder=6)


def _draw_tornado(axes: "Axes", found: "Advised") -> None:
    least = found.swings[0].size * _VISIBLE
    shown = [swing for swing in found.swings if swing.size > least][:_MOST_SWINGS][::-1]
    middle = found.costs(found.chosen).weighs_s.value / 60
    for place, swing in enumerate(shown):
        turns = swing.turns(found.chosen)
        colour = ORANGE if turns else BLUE
        low, high = swing.at_low / 60, swing.at_high / 60
        axes.barh(place, high - low, left=low, height=0.62, color=colour, alpha=0.85)
        for value, text in ((low, swing.low), (high, swing.high)):
            right = value == max(low, high)
            axes.annotate(
                text, (value, place), xytext=(3 if right else -3, 0), textcoords="offset points", va="center",
                ha="left" if right else "right", fontsize=7.5, color=QUIET,
            )  # fmt: skip
    axes.axvline(middle, color=INK, linewidth=0.8)
    axes.set_yticks(range(len(shown)), [_name(swing) for swing in shown])
    axes.tick_params(axis="y", length=0)
    ends = [value for swing in shown for value in (swing.at_low / 60, swing.at_high / 60)] or [middle]
    room = 0.16 * ((max(ends) - min(ends)) or middle or 1.0)
    axes.set_xlim(min(ends) - room, max(ends) + room)
    axes.set_xlabel(
        "weight of a year with the advised setting, connection-minutes\n(orange: another setting would be advised)"
    )
    _grouped(axes)


def _grouped(axes: "Axes") -> None:
    """Thousands apart on both axes, as in the text; names stay names."""
    axes.xaxis.set_major_formatter(lambda value, _: count(value))
    if axes.get_ylabel():
        axes.yaxis.set_major_formatter(lambda value, _: count(value))


def _name(swing: "Swing") -> str:
    return "weight of a broken connection" if swing.kind == "price" else f"{swing.of}: {swing.kind}"
