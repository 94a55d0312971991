"""What is read off a run, measured or predicted, in the same way: seconds after the first fault."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from simbgp.lab.driver import Measured
from simbgp.lab.probes import unanswered
from simbgp.lab.score import Seen
from simbgp.scenario import Plan
from simbgp.scenario.plan import Occurrence
from simbgp.timeline import RouteChanged, SessionChanged, Timeline
from simbgp.traffic import windows

FIGURES = {
    "session_loss_s": "the router loses the session",
    "withdrawn_s": "the route leaves the FIB",
    "reestablished_s": "the session is Established again",
    "route_back_s": "the route is in the FIB again",
    "blackhole_s": "traffic falls into a hole",
    "no_route_s": "the router has no route",
}
"""What is compared; the last two are lengths, the others moments."""
_HOLES = ("link", "dead-next-hop")


@dataclass(frozen=True, slots=True)
class Place:
    """One session that the first fault touches, and the prefix that its node alone announces there, if there is one."""

    router: str
    node: str
    prefix: str | None


def places(plan: Plan, fault: Occurrence) -> Iterator[Place]:
    """The sessions that the fault touches, in the order of the plan."""
    for peering in plan.peerings:
        if peering.node in fault.nodes and (not fault.routers or peering.router in fault.routers):
            others = {
                prefix
                for other in plan.peerings
                if other.router == peering.router and other.node != peering.node
                for prefix in other.prefixes
            }
            own = [prefix for prefix in peering.prefixes if prefix not in others]
            yield Place(peering.router, peering.node, own[0] if own else None)


def predicted(plan: Plan, timeline: Timeline, fault: Occurrence, place: Place) -> Mapping[str, Seen]:
    """The figures of one run of the model."""
    return _moments(timeline, fault, place) | _lengths(_lost_of_model(plan, timeline, fault, place))


def measured(of: Measured, fault: Occurrence, place: Place) -> Mapping[str, Seen]:
    """The figures of one repetition; holes are what the probes say, split by whether the FIB had a route."""
    return _moments(of.timeline, fault, place) | _lengths(_lost_of_probes(of, fault, place))


def _moments(timeline: Timeline, fault: Occurrence, place: Place) -> dict[str, Seen]:
    sessions = [
        fact
        for fact in timeline.of(SessionChanged)
        if (fact.router, fact.node, fact.side) == (place.router, place.node, "router") and fact.time_us >= fault.at_us
    ]
    routes = [
        fact
        for fact in timeline.of(RouteChanged)
        if (fact.router, fact.node) == (place.router, place.node)
        and fact.prefix == (place.prefix or fact.prefix)
        and fact.time_us >= fault.at_us
    ]
    lost = _first([fact.time_us for fact in sessions if fact.from_state == "established"])
    gone = _first([fact.time_us for fact in routes if fact.event == "withdrawn"])
    up = _first([fact.time_us for fact in sessions if fact.to_state == "established"], lost)
    back = _first([fact.time_us for fact in routes if fact.event == "added"], gone)
    named = {"session_loss_s": lost, "withdrawn_s": gone, "reestablished_s": up, "route_back_s": back}
    return {name: None if at is None else (at - fault.at_us) / 1e6 for name, at in named.items()}


_NEVER = -1


def _first(times_us: Sequence[int], after_us: int | None = _NEVER) -> int | None:
    """The first at or after a moment; nothing follows what never happened."""
    return None if after_us is None else next((at for at in times_us if at >= after_us), None)


def _lengths(lost: tuple[float, float] | None) -> dict[str, Seen]:
    return {} if lost is None else {"blackhole_s": lost[0], "no_route_s": lost[1]}


def _lost_of_model(plan: Plan, timeline: Timeline, fault: Occurrence, place: Place) -> tuple[float, float] | None:
    if place.prefix is None:
        return None
    hole_us = none_us = 0.0
    for window in windows(plan, timeline):
        if (window.router, window.prefix) == (place.router, place.prefix):
            end_us = timeline.horizon_us if window.end_us is None else window.end_us
            length = max(0.0, end_us - max(window.start_us, fault.at_us)) * window.share
            if window.cause == "no-route":
                none_us += length
            elif window.cause in _HOLES:
                hole_us += length
    return hole_us / 1e6, none_us / 1e6


def _lost_of_probes(of: Measured, fault: Occurrence, place: Place) -> tuple[float, float] | None:
    flows = [flow for flow in of.flows if (flow.router, flow.prefix) == (place.router, place.prefix)]
    if place.prefix is None or not flows:
        return None
    changes = [
        (fact.time_us / 1e6, fact.event)
        for fact in of.timeline.of(RouteChanged)
        if (fact.router, fact.prefix) == (place.router, place.prefix)
    ]
    lost = [0.0, 0.0]
    for at, length_s in unanswered(flows):
        if at >= fault.at_us / 1e6:
            past = [event for time_s, event in changes if time_s <= at]
            lost[bool(past) and past[-1] == "withdrawn"] += length_s
    return lost[0], lost[1]
