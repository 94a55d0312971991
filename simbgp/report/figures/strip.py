"""The timeline strip: one failure in one look, lane above lane, the hole shaded and named."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simbgp.report.figures.lanes import NEXT_HOPS, Lane, Mood, lanes
from simbgp.report.figures.style import (
    AWAY,
    BROKEN,
    HOLE,
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
_MEANINGS: dict[Mood, str] = {
    "well": "as it should be",
    "waiting": "on the way, or fewer",
    "broken": "harmful",
    "away": "not there",
}
_BEFORE = 0.06
"""Part of the time shown that lies before the first fault."""
_SIGN_SHARE = 0.0115
"""Width of one letter as a part of the axes; what does not fit its span is left out."""
_LEAST_SHARE = 0.004
"""A hole is drawn at least so wide, as a part of the axes, so that a short one is seen."""


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
        prefix: By default the service's with the longest outage, else the first service's that the node announces;
            without services the PodCIDR. What becomes of the node's own pods stands below it.
        until_s: Where the picture ends, seconds from time 0; by default some time after the last change.

    Raises:
        ValueError: The node has no session with the router, or does not announce the prefix.
    """
    number = worst_run(result) if run is None else run
    timeline = result.timeline(number)
    holes = list(spans(row for row in result.rows("windows") if row[0] == number))
    node = node or _first_node(result, timeline)
    router, prefix = _place(result, node, router, prefix, holes)
    targets = [_target(result, router, prefix, holes)]
    own = _own_pods(result, router, node)
    if own is not None and own != prefix:
        targets.append(_target(result, router, own, holes))
    shown = lanes(timeline, router, node, prefix)
    zero_us = next((fact.time_us for fact in timeline.of(FaultBegan)), 0)
    end_us = timeline.horizon_us if until_s is None else round(until_s * 1e6)
    last_us = timeline.horizon_us if until_s is not None else _last_us(shown, targets[0].holes, timeline, zero_us)
    end_us = min(end_us, last_us)
    with house_style():
        figure, axes = new(4.3, _finding(result, node, router, targets))
        frame = _Frame(round(zero_us - _BEFORE * (end_us - zero_us)), end_us, zero_us)
        _draw(axes, shown, targets, frame)
        axes.set_xlabel(f"seconds since the first fault (run {number})")
        _say_meanings(figure, shown)
    return figure


@dataclass(frozen=True, slots=True)
class _Target:
    """A prefix that is sent traffic: how it is called in a sentence and before its lane, and its holes."""

    name: str
    lane: str
    holes: tuple[Hole, ...]


@dataclass(frozen=True, slots=True)
class _Frame:
    """What of the run is shown."""

    begin_us: int
    end_us: int
    zero_us: int

    def place(self, time_us: float) -> float:
        """Seconds since the first fault of a moment, or of the edge beyond which it lies."""
        return (min(self.end_us, max(self.begin_us, time_us)) - self.zero_us) / 1e6

    @property
    def length_s(self) -> float:
        """How long it is."""
        return (self.end_us - self.begin_us) / 1e6


def _target(result: Result, router: str, prefix: str, holes: Sequence[Hole]) -> _Target:
    service = next((s.name for s in result.plan.services if prefix in s.prefixes), None)
    here = tuple(hole for hole in holes if (hole.router, hole.prefix) == (router, prefix))
    return _Target(service or prefix, f"{service} at {router}" if service else f"pods {prefix}", here)


def _own_pods(result: Result, router: str, node: str) -> str | None:
    """The first prefix of the node's own pods that it announces to the router."""
    cidrs = [cidr for each in result.plan.nodes if each.name == node for cidr in each.pod_cidrs]
    peerings = [each for each in result.plan.peerings if (each.node, each.router) == (node, router)]
    return next((prefix for each in peerings for prefix in each.prefixes if prefix in cidrs), None)


def _first_node(result: Result, timeline: Timeline) -> str:
    named = [node for fact in timeline.of(FaultBegan) for node in fact.nodes]
    return named[0] if named else result.plan.nodes[0].name


def _place(result: Result, node: str, router: str | None, prefix: str | None, holes: Sequence[Hole]) -> tuple[str, str]:
    """The router and the prefix: those asked for, else a service's with the longest outage that the node has part in,
    else any service's, else that of the longest outage of pods."""
    peerings = [
        peering for peering in result.plan.peerings if peering.node == node and router in (None, peering.router)
    ]
    if not peerings:
        raise ValueError(f"{node} has no session with {router or 'any router'}")
    announced = [(peering.router, each) for peering in peerings for each in peering.prefixes if prefix in (None, each)]
    if not announced:
        raise ValueError(f"{node} does not announce {prefix}")
    of_services = {each for service in result.plan.services for each in service.prefixes}
    longest: dict[tuple[str, str], float] = {}
    for hole in holes:
        longest[hole.router, hole.prefix] = max(hole.duration_s, longest.get((hole.router, hole.prefix), 0.0))
    return min(announced, key=lambda place: (place[1] not in of_services, -longest.get(place, 0.0)))


def _last_us(shown: Sequence[Lane], holes: Sequence[Hole], timeline: Timeline, zero_us: int) -> int:
    """A little after the last change of the node's own; other nodes come and go among the next hops."""
    changes = [span.start_us for lane in shown if not lane.name.startswith(NEXT_HOPS) for span in lane.spans]
    changes += [round(hole.end_s * 1e6) for hole in holes if hole.end_s is not None]
    last_us = max([*changes, zero_us + 1_000_000])
    if any(hole.end_s is None for hole in holes):
        return timeline.horizon_us
    return min(timeline.horizon_us, round(last_us + 0.08 * (last_us - zero_us) + 1_000_000))


def _finding(result: Result, node: str, router: str, targets: Sequence[_Target]) -> str:
    shown, *pods = targets
    if shown.holes:
        return f"{result.plan.name}: {shown.name} loses {_loss(shown.holes, f'of its traffic at {router} ')}"
    text = f"{result.plan.name}: {shown.name} loses nothing at {router}"
    if pods and pods[0].holes:
        text += f"; the pods of {node} lose {_loss(pods[0].holes, 'of what is sent to them ')}"
    return text


def _loss(holes: Sequence[Hole], of_what: str) -> str:
    worst = max(holes, key=lambda hole: hole.duration_s * hole.share)
    at_least = "at least " if worst.end_s is None else ""
    share = "all" if worst.share == 1 else f"up to {percent(worst.share)}"
    return f"{share} {of_what}for {at_least}{seconds(worst.duration_s)} ({worst.cause})"


def _draw(axes: "Axes", shown: Sequence[Lane], targets: Sequence[_Target], frame: _Frame) -> None:
    names = [*(lane.name for lane in shown), *(target.lane for target in targets)]
    height = len(names)
    for row, lane in enumerate(shown):
        for span in lane.spans:
            left, right = frame.place(span.start_us), frame.place(span.end_us)
            if left < right:
                _bar(axes, height - 1 - row, left, right, span.text, _FILLS[span.mood], frame)
    shaded = next((target for target in targets if target.holes), targets[0])
    for row, target in enumerate(targets):
        level = len(targets) - 1 - row
        whole = "" if target.holes else "nothing lost"
        _bar(axes, level, frame.place(frame.begin_us), frame.place(frame.end_us), whole, WELL, frame)
        longest = max(target.holes, key=lambda hole: hole.duration_s, default=None)
        for hole in target.holes:
            _hole(axes, hole, frame, level, shade=target is shaded, beside=hole is longest)
    axes.set_yticks(range(height), names[::-1])
    axes.set_ylim(-0.6, height - 0.4)
    axes.set_xlim(frame.place(frame.begin_us), frame.place(frame.end_us))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.axvline(0, color=QUIET, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)


def _fits(text: str, width_s: float, frame: _Frame) -> bool:
    return len(text) * _SIGN_SHARE <= width_s / frame.length_s


def _bar(axes: "Axes", row: int, left: float, right: float, text: str, fill: str, frame: _Frame) -> None:
    axes.barh(row, right - left, left=left, height=0.74, color=fill, edgecolor="white", linewidth=0.8, zorder=2)
    if text and _fits(text, right - left, frame):
        axes.text((left + right) / 2, row, text, ha="center", va="center", fontsize=8, color=INK, zorder=4)


def _hole(axes: "Axes", hole: Hole, frame: _Frame, level: int, *, shade: bool, beside: bool) -> None:
    """A bar with its cause and length in it, or beside it where it is too short."""
    start_us = hole.start_s * 1e6
    end_us = frame.end_us if hole.end_s is None else hole.end_s * 1e6
    if end_us <= frame.begin_us or start_us >= frame.end_us:
        return
    left, right = frame.place(start_us), frame.place(end_us)
    if shade:
        axes.axvspan(left, right, color=RED, alpha=0.10, linewidth=0, zorder=0)
    least = _LEAST_SHARE * frame.length_s
    width = max(right - left, least)
    edge = min(0.8, width / least - 1)
    axes.barh(level, width, left=left, height=0.74, color=HOLE, edgecolor="white", linewidth=edge, zorder=3)
    share = "" if hole.share == 1 else f"{percent(hole.share)} "
    said = f"{share}{hole.cause} {'≥ ' if hole.end_s is None else ''}{seconds(hole.duration_s)}"
    if _fits(said, right - left, frame):
        axes.text((left + right) / 2, level, said, ha="center", va="center", fontsize=8, color="white",
                  fontweight="bold", zorder=4)  # fmt: skip
    elif beside and _fits(said, frame.place(frame.end_us) - right, frame):
        axes.text(left + width, level, f" {said}", ha="left", va="center", fontsize=8, color=INK, zorder=4)


def _say_meanings(figure: "Figure", shown: Sequence[Lane]) -> None:
    """What the fills mean, for spans that are too short for their words."""
    from matplotlib.patches import Patch

    seen = {span.mood for lane in shown for span in lane.spans}
    patches = [Patch(color=_FILLS[mood], label=meaning) for mood, meaning in _MEANINGS.items() if mood in seen]
    figure.legend(handles=patches, loc="outside lower right", ncols=len(patches), fontsize=8, handlelength=1.2)
