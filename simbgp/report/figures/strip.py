"""The timeline strip: one failure in one look, lane above lane, the hole shaded and named."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simbgp.report.figures.lanes import Lane, Mood, lanes
from simbgp.report.figures.style import (
    AWAY,
    BROKEN,
    INK,
    NAMED,
    QUIET,
    RED,
    WAITING,
    WELL,
    house_style,
    new,
)
from simbgp.report.numbers import percent, seconds
from simbgp.report.spans import Span as Hole
from simbgp.report.spans import spans
from simbgp.report.text import worst_run
from simbgp.study.result import Result
from simbgp.timeline import FaultBegan, Timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FILLS: dict[Mood, str] = {
    "well": WELL,
    "waiting": WAITING,
    "broken": BROKEN,
    "away": AWAY,
    "named": NAMED,
}
_BEFORE = 0.06
"""Part of the time shown that lies before the first fault."""
_SIGN_SHARE = 0.0105
"""Width of one letter as a part of the axes; what does not fit its span is left out."""


def timeline_strip(
    result: Result,
    run: int | None = None,
    *,
    router: str | None = None,
    node: str | None = None,
    prefix: str | None = None,
    until_s: float | None = None,
) -> "Figure":
    """One run of one node at one router, and what a prefix lost there.

    Args:
        result: What was played.
        run: Which run; by default the worst.
        router: By default where the longest outage was, else the first.
        node: By default the first that a fault names.
        prefix: By default that of the longest outage, else the first that the node announces.
        until_s: Where the picture ends, seconds from time 0; by default some time after the last change.

    Raises:
        ValueError: The node has no session with the router, or does not announce the prefix.
    """
    number = worst_run(result) if run is None else run
    timeline = result.timeline(number)
    holes = list(spans(row for row in result.rows("windows") if row[0] == number))
    node = node or _first_node(result, timeline)
    router, prefix = _place(result, node, router, prefix, holes)
    here = [hole for hole in holes if (hole.router, hole.prefix) == (router, prefix)]
    shown = lanes(timeline, router, node, prefix)
    zero_us = next((fact.time_us for fact in timeline.of(FaultBegan)), 0)
    end_us = timeline.horizon_us if until_s is None else round(until_s * 1e6)
    end_us = min(end_us, timeline.horizon_us if until_s is not None else _last_us(shown, here, timeline, zero_us))
    with house_style():
        figure, axes = new(3.6, _finding(result, node, router, prefix, here))
        begin_us = round(zero_us - _BEFORE * (end_us - zero_us))
        _draw(axes, shown, here, (begin_us, end_us), zero_us)
        axes.set_xlabel(f"seconds since the first fault (run {number})")
    return figure


def _first_node(result: Result, timeline: Timeline) -> str:
    named = [node for fact in timeline.of(FaultBegan) for node in fact.nodes]
    return named[0] if named else result.plan.nodes[0].name


def _place(result: Result, node: str, router: str | None, prefix: str | None, holes: Sequence[Hole]) -> tuple[str, str]:
    """The router and the prefix: those asked for, else those of the longest outage that the node has a part in."""
    peerings = [
        peering for peering in result.plan.peerings if peering.node == node and router in (None, peering.router)
    ]
    if not peerings:
        raise ValueError(f"{node} has no session with {router or 'any router'}")
    announced = [(peering.router, each) for peering in peerings for each in peering.prefixes if prefix in (None, each)]
    if not announced:
        raise ValueError(f"{node} does not announce {prefix}")
    ranked = sorted(
        (h for h in holes if (h.router, h.prefix) in announced), key=lambda h: (h.service is None, -h.duration_s)
    )
    return (ranked[0].router, ranked[0].prefix) if ranked else announced[0]


def _last_us(shown: Sequence[Lane], holes: Sequence[Hole], timeline: Timeline, zero_us: int) -> int:
    """A little after the last change."""
    changes = [span.start_us for lane in shown for span in lane.spans]
    changes += [round(hole.end_s * 1e6) for hole in holes if hole.end_s is not None]
    last_us = max([*changes, zero_us + 1_000_000])
    if any(hole.end_s is None for hole in holes):
        return timeline.horizon_us
    return min(timeline.horizon_us, round(last_us + 0.08 * (last_us - zero_us) + 1_000_000))


def _finding(result: Result, node: str, router: str, prefix: str, holes: Sequence[Hole]) -> str:
    service = next((s.name for s in result.plan.services if prefix in s.prefixes), prefix)
    if not holes:
        return f"{result.plan.name}: {service} loses nothing at {router}"
    worst = max(holes, key=lambda hole: hole.duration_s * hole.share)
    at_least = "at least " if worst.end_s is None else ""
    share = "all" if worst.share == 1 else f"up to {percent(worst.share)}"
    return (
        f"{result.plan.name}: {service} loses {share} of its traffic at {router} for {at_least}"
        f"{seconds(worst.duration_s)} ({worst.cause})"
    )


def _draw(axes: "Axes", shown: Sequence[Lane], holes: Sequence[Hole], frame: tuple[int, int], zero_us: int) -> None:
    names = [*(lane.name for lane in shown), "lost traffic"]
    height = len(names)
    begin_us, end_us = frame
    for row, lane in enumerate(shown):
        for span in lane.spans:
            left, right = max(span.start_us, begin_us), min(span.end_us, end_us)
            if left < right:
                _bar(
                    axes,
                    height - 1 - row,
                    (left - zero_us) / 1e6,
                    (right - zero_us) / 1e6,
                    span.text,
                    _FILLS[span.mood],
                    frame,
                )
    for hole in holes:
        _hole(axes, hole, frame, zero_us, height)
    axes.set_yticks(range(height), names[::-1])
    axes.set_ylim(-0.6, height - 0.4)
    axes.set_xlim((begin_us - zero_us) / 1e6, (end_us - zero_us) / 1e6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.axvline(0, color=QUIET, linewidth=0.8, linestyle=(0, (2, 2)), zorder=3)


def _bar(axes: "Axes", row: int, left: float, right: float, text: str, fill: str, frame: tuple[int, int]) -> None:
    axes.barh(row, right - left, left=left, height=0.72, color=fill, edgecolor="white", linewidth=0.8, zorder=2)
    if len(text) * _SIGN_SHARE <= (right - left) * 1e6 / (frame[1] - frame[0]):
        axes.text((left + right) / 2, row, text, ha="center", va="center", fontsize=7.5, color=INK, zorder=4)


def _hole(axes: "Axes", hole: Hole, frame: tuple[int, int], zero_us: int, height: int) -> None:
    end_us = frame[1] if hole.end_s is None else min(frame[1], round(hole.end_s * 1e6))
    left, right = (max(frame[0], round(hole.start_s * 1e6)) - zero_us) / 1e6, (end_us - zero_us) / 1e6
    if left >= right:
        return
    axes.axvspan(left, right, color=RED, alpha=0.10, linewidth=0, zorder=0)
    axes.barh(0, right - left, left=left, height=0.72, color=RED, edgecolor="white", linewidth=0.8, zorder=2)
    said = f"{hole.cause} {seconds(hole.duration_s)}"
    fits = len(said) * _SIGN_SHARE <= (right - left) * 1e6 / (frame[1] - frame[0])
    if fits:
        axes.text((left + right) / 2, 0, said, ha="center", va="center", fontsize=7.5, color="white", fontweight="bold")
