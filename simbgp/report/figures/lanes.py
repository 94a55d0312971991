"""What a timeline strip shows, as data: for one node at one router, lane by lane, from when to when in which state."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from simbgp.timeline import (
    AgentChanged,
    FaultBegan,
    FaultEnded,
    ForwardingChanged,
    PathChanged,
    RouteChanged,
    SessionChanged,
    Timeline,
)

Mood = Literal["well", "waiting", "broken", "away", "named"]
"""Whether a state is as it should be, on the way, harmful, or simply not there; ``named`` has no judgement."""

NEXT_HOPS = "next hops"
"""How the lane begins that other nodes change too."""


@dataclass(frozen=True, slots=True)
class Span:
    """A state from ``start_us`` to ``end_us``."""

    start_us: int
    end_us: int
    text: str
    mood: Mood


@dataclass(frozen=True, slots=True)
class Lane:
    """One line of the strip; its spans neither overlap nor leave gaps, except where there is nothing to say."""

    name: str
    spans: tuple[Span, ...]


def lanes(timeline: Timeline, router: str, node: str, prefix: str) -> list[Lane]:
    """Fault, agent, session at either end, the router's path and its next hops, and what the node's packets meet."""
    return [
        Lane("fault", _faults(timeline, router, node)),
        Lane(f"agent of {node}", _agent(timeline, node)),
        Lane(f"session at {node}", _session(timeline, router, node, "node")),
        Lane(f"session at {router}", _session(timeline, router, node, "router")),
        Lane(f"route at {router}", _route(timeline, router, node, prefix)),
        Lane(f"{NEXT_HOPS} at {router}", _next_hops(timeline, router, prefix)),
        Lane(f"datapath to {node}", _datapath(timeline, router, node)),
    ]


def _faults(timeline: Timeline, router: str, node: str) -> tuple[Span, ...]:
    open_since: dict[str | int, FaultBegan] = {}
    spans = []
    for fact in timeline:
        match fact:
            case FaultBegan() if node in fact.nodes or router in fact.routers or not (fact.nodes or fact.routers):
                open_since[fact.fault] = fact
            case FaultEnded() if fact.fault in open_since:
                began = open_since.pop(fact.fault)
                spans.append(Span(began.time_us, fact.time_us, began.kind, "named"))
    spans += [Span(began.time_us, timeline.horizon_us, began.kind, "named") for began in open_since.values()]
    return tuple(sorted((span for span in spans if span.end_us > span.start_us), key=lambda span: span.start_us))


def _agent(timeline: Timeline, node: str) -> tuple[Span, ...]:
    facts = [fact for fact in timeline.of(AgentChanged) if fact.node == node]
    at_first: tuple[str, Mood] = ("runs", "well")
    if facts:
        at_first = ("down", "away") if facts[0].up else (f"runs {facts[0].release}", "well")
    changes: list[tuple[int, str, Mood]] = [(0, *at_first)]
    changes += [
        (fact.time_us, f"runs {fact.release}" if fact.up else "down", "well" if fact.up else "away") for fact in facts
    ]
    return _spans(changes, timeline.horizon_us)


def _session(timeline: Timeline, router: str, node: str, side: str) -> tuple[Span, ...]:
    moods: dict[str, Mood] = {"established": "well", "idle": "away"}
    changes: list[tuple[int, str, Mood]] = []
    facts = [f for f in timeline.of(SessionChanged) if (f.router, f.node, f.side) == (router, node, side)]
    first = facts[0].from_state if facts else "established"
    changes.append((0, first, moods.get(first, "waiting")))
    changes += [(fact.time_us, fact.to_state, moods.get(fact.to_state, "waiting")) for fact in facts]
    return _spans(changes, timeline.horizon_us)


def _route(timeline: Timeline, router: str, node: str, prefix: str) -> tuple[Span, ...]:
    here = node in timeline.start.next_hops.get(router, {}).get(prefix, ())
    words: dict[str, tuple[str, Mood]] = {
        "added": ("fresh", "well"),
        "refreshed": ("fresh", "well"),
        "stale": ("stale", "waiting"),
        "withdrawn": ("none", "away"),
    }
    changes: list[tuple[int, str, Mood]] = [(0, "fresh", "well") if here else (0, "none", "away")]
    for fact in timeline.of(RouteChanged):
        if (fact.router, fact.node, fact.prefix) == (router, node, prefix):
            changes.append((fact.time_us, *words[fact.event]))
    return _spans(changes, timeline.horizon_us)


def _next_hops(timeline: Timeline, router: str, prefix: str) -> tuple[Span, ...]:
    hops = set(timeline.start.next_hops.get(router, {}).get(prefix, ()))
    all_of_them = len(hops)
    changes: list[tuple[int, str, Mood]] = [(0, str(len(hops)), "well" if hops else "broken")]
    for fact in timeline.of(RouteChanged):
        if (fact.router, fact.prefix) == (router, prefix) and fact.event in ("added", "withdrawn"):
            (hops.add if fact.event == "added" else hops.discard)(fact.node)
            all_of_them = max(all_of_them, len(hops))
            mood: Mood = "broken" if not hops else "well" if len(hops) == all_of_them else "waiting"
            changes.append((fact.time_us, str(len(hops)), mood))
    return _spans(changes, timeline.horizon_us)


def _datapath(timeline: Timeline, router: str, node: str) -> tuple[Span, ...]:
    forwards, lost = True, 0.0
    changes: list[tuple[int, str, Mood]] = [(0, "forwards", "well")]
    for fact in timeline:
        match fact:
            case ForwardingChanged() if fact.node == node:
                forwards = fact.up
            case PathChanged() if (fact.router, fact.node) == (router, node):
                lost = fact.lost_share
            case _:
                continue
        changes.append((fact.time_us, *_way(forwards, lost)))
    return _spans(changes, timeline.horizon_us)


def _way(forwards: bool, lost: float) -> tuple[str, Mood]:
    if not forwards:
        return "node silent", "broken"
    if lost == 0.0:
        return "forwards", "well"
    return ("link cut" if lost == 1.0 else f"link loses {lost:.0%}"), "broken"


def _spans(changes: Iterable[tuple[int, str, Mood]], horizon_us: int) -> tuple[Span, ...]:
    """States from their changes; what lasts no time is left out, and what does not differ is one."""
    spans: list[Span] = []
    ordered = list(changes)
    for place, (start_us, text, mood) in enumerate(ordered):
        end_us = ordered[place + 1][0] if place + 1 < len(ordered) else horizon_us
        if end_us <= start_us:
            continue
        if spans and (spans[-1].text, spans[-1].mood) == (text, mood):
            start_us = spans.pop().start_us
        spans.append(Span(start_us, end_us, text, mood))
    return tuple(spans)
