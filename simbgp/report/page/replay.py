"""What the page's replay looks up: one run's states by change, and the picture that shows them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from simbgp.report.page.network import network
from simbgp.report.page.picture import Picture, picture
from simbgp.report.page.tracks import Tracks
from simbgp.report.spans import Span, spans
from simbgp.report.story import Sentence
from simbgp.report.text import story
from simbgp.scenario import Plan
from simbgp.study.result import Result
from simbgp.study.rows import COLUMNS
from simbgp.timeline import FaultBegan, Timeline

_OPENINGS = {
    "nodes": "nodes",
    "sessions": "sessions at",
    "hops": "next hops of",
    "lost": "traffic at",
    "backends": "backends of",
}


@dataclass(frozen=True, slots=True)
class Replay:
    """A run to look at.

    ``data`` is what a script reads: ``horizon_us``, ``zero_us`` (the first fault), ``first_us`` (where to begin),
    ``stops_us`` (when anything changes), ``words``, ``tracks`` (times and places in ``words``), and ``lines``, which
    are the sentences of a moment: label and place of the track.
    """

    run: int
    data: dict[str, Any]
    picture: Picture
    moments: tuple[Sentence, ...]


def replay(result: Result, run: int) -> Replay:
    """One run of a result."""
    column = COLUMNS["windows"].index("run")
    holes = [hole for row in result.rows("windows") if row[column] == run for hole in spans([row])]
    return replayed(result.plan, result.timeline(run), holes, story(result, run), run)


def replayed(plan: Plan, timeline: Timeline, holes: Sequence[Span], told: Iterable[Sentence], run: int = 0) -> Replay:
    """The same from a timeline and its windows, ``told`` in sentences."""
    tracks = network(plan, timeline, holes)
    zero_us = next((fact.time_us for fact in timeline.of(FaultBegan)), 0)
    data = {
        "horizon_us": timeline.horizon_us,
        "zero_us": zero_us,
        "first_us": min((round(hole.start_s * 1e6) for hole in holes), default=zero_us),
        "stops_us": tracks.changes_us(),
        "lines": _lines(plan, tracks),
        **tracks.packed(),
    }
    return Replay(run, data, picture(plan, tracks), tuple(told))


def _lines(plan: Plan, tracks: Tracks) -> list[tuple[str, int]]:
    """What a moment says, losses first: label and place."""
    owners = {prefix: service.name for service in plan.services for prefix in service.prefixes}
    order = list(_OPENINGS)
    order.insert(0, order.pop(order.index("lost")))
    found = []
    for name, place in tracks.places().items():
        kind, *of = name.split(" ")[1:] if name.startswith("says ") else ("",)
        if kind == "hops":
            label = f"next hops of {owners.get(of[1], of[1])} at {of[0]}"
        else:
            label = " ".join([_OPENINGS.get(kind, ""), *of])
        if kind:
            found.append((order.index(kind), label, place))
    return [(label, place) for _, label, place in sorted(found, key=lambda line: line[0])]
