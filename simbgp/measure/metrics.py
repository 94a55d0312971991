"""One number of one run for each name that an SLO may use.

A metric reads an `Observed` run and the `Question` that narrows it, and gives a `Value`, or None if what it speaks of
never happened in that run. Times are seconds, shares are fractions of 1.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

from simbgp.measure.api_load import api_patches, api_patches_per_s
from simbgp.measure.observed import Observed, Question, Value, narrowed, prefixes_of
from simbgp.measure.procedures import procedure_s
from simbgp.measure.sessions import detection_s, flaps, reestablish_s
from simbgp.timeline import RouteChanged
from simbgp.traffic import Window, load, node_loads

Metric = Callable[[Observed, Question], Value | None]


def _holes(run: Observed, asked: Question, cause: str | None = None) -> list[Window] | None:
    """The windows of the prefixes, router, fault and least share that ``asked`` names; None if there can be none."""
    prefixes = prefixes_of(run.plan, asked)
    if not prefixes or not run.happened(asked):
        return None
    return [
        window
        for window in run.windows
        if window.prefix in prefixes
        and asked.router in (None, window.router)
        and asked.fault in (None, window.fault)
        and window.share >= asked.min_share
        and cause in (None, window.cause)
    ]


def _longest(holes: Iterable[Window]) -> Value:
    """The longest chain of touching windows of one prefix at one router.

    An outage that the horizon cut off may in truth be the longest, so one of them makes the value a lower bound.
    """
    longest_us, censored, chains = 0, False, dict[tuple[str, str], tuple[int, int]]()
    for hole in sorted(holes, key=attrgetter("start_us")):
        place = (hole.router, hole.prefix)
        start_us, end_us = chains.get(place, (hole.start_us, hole.start_us))
        start_us = start_us if end_us == hole.start_us else hole.start_us
        chains[place] = start_us, hole.start_us + hole.duration_us
        longest_us = max(longest_us, hole.start_us + hole.duration_us - start_us)
        censored |= hole.censored
    return Value(longest_us / 1e6, censored)


def blackhole_s(run: Observed, asked: Question) -> Value | None:
    """Longest unbroken outage of a prefix at a router, whatever its causes; 0 if there was none."""
    holes = _holes(run, asked)
    return None if holes is None else _longest(holes)


def zero_next_hop_s(run: Observed, asked: Question) -> Value | None:
    """Longest time a prefix had no next hop at some router."""
    holes = _holes(run, asked, cause="no-route")
    return None if holes is None else _longest(holes)


def lost_traffic_s(run: Observed, asked: Question) -> Value | None:
    """Sum of share times duration over the windows: seconds of one prefix's whole traffic at one router."""
    holes = _holes(run, asked)
    if holes is None:
        return None
    return Value(sum(hole.lost_traffic_us for hole in holes) / 1e6, any(hole.censored for hole in holes))


def _since_us(run: Observed, asked: Question) -> int:
    """Where a metric of a state begins to look: at the first occurrence of the fault it is narrowed to."""
    return 0 if asked.fault is None else run.began(asked)[0].time_us


def min_next_hops(run: Observed, asked: Question) -> Value | None:
    """Least number of next hops that a prefix had at a router, between instants."""
    prefixes = prefixes_of(run.plan, asked)
    places = {
        (peering.router, prefix)
        for peering in run.plan.peerings
        for prefix in peering.prefixes
        if prefix in prefixes and asked.router in (None, peering.router)
    }
    if not places or not run.happened(asked):
        return None
    start = run.timeline.start.next_hops
    hops = {(router, prefix): len(start.get(router, {}).get(prefix, ())) for router, prefix in places}
    since_us = _since_us(run, asked)
    least = min(hops.values())
    for time_us, facts in groupby(run.timeline.of(RouteChanged), key=attrgetter("time_us")):
        for fact in facts:
            if (fact.router, fact.prefix) in hops:
                hops[fact.router, fact.prefix] += {"added": 1, "withdrawn": -1}.get(fact.event, 0)
        least = min(hops.values()) if time_us <= since_us else min(least, *hops.values())
    return Value(float(least))


def peak_node_load(run: Observed, asked: Question) -> Value | None:
    """Greatest share of the service traffic that one node was sent; clients enter at all routers in equal shares.

    With spines they enter at all of these in equal shares. Narrowed to a router: of what that router receives.
    """
    plan = narrowed(run.plan, asked)
    if not plan.services or not run.happened(asked):
        return None
    rows = load(plan, run.timeline, run.seed, run.run)
    if asked.router is not None:
        rows = [row for row in rows if row.router == asked.router]
        plan = replace(plan, fabric=(), routers=tuple(r for r in plan.routers if r.name == asked.router))
    since_us, peak = _since_us(run, asked), 0.0
    for time_us, loads in node_loads(plan, rows):
        highest = max(loads.values())
        peak = highest if time_us <= since_us else max(peak, highest)
    return Value(peak)


def _counted(run: Observed, asked: Question, *outcomes: str) -> tuple[int, int] | None:
    """How many connections ended in one of ``outcomes``, and of how many; None without traffic."""
    rows = [row for row in run.outcomes if row.fault == asked.fault and asked.service in (None, row.service)]
    total = sum(row.total for row in rows)
    return (sum(getattr(row, outcome) for row in rows for outcome in outcomes), total) if total else None


def _share_of(*outcomes: str) -> Metric:
    def share(run: Observed, asked: Question) -> Value | None:
        counted = _counted(run, asked, *outcomes)
        return None if counted is None else Value(counted[0] / counted[1])

    return share


def _count_of(*outcomes: str) -> Metric:
    def number(run: Observed, asked: Question) -> Value | None:
        counted = _counted(run, asked, *outcomes)
        return None if counted is None else Value(float(counted[0]))

    return number


_BROKEN = ("reset", "timed_out", "not_opened")
METRICS: Mapping[str, Metric] = {
    "blackhole_s": blackhole_s,
    "lost_traffic_s": lost_traffic_s,
    "zero_next_hop_s": zero_next_hop_s,
    "min_next_hops": min_next_hops,
    "peak_node_load": peak_node_load,
    "detection_s": detection_s,
    "reestablish_s": reestablish_s,
    "procedure_s": procedure_s,
    "flaps": flaps,
    "reset_share": _share_of("reset"),
    "broken_share": _share_of(*_BROKEN),
    "delayed_share": _share_of("delayed"),
    "timed_out_share": _share_of("timed_out"),
    "reset_count": _count_of("reset"),
    "broken_count": _count_of(*_BROKEN),
    "api_patches": api_patches,
    "api_patches_per_s": api_patches_per_s,
}
"""Every metric by its name."""


def value_of(run: Observed, asked: Question) -> Value | None:
    """The value in one run of the metric that ``asked`` names and narrows."""
    return METRICS[asked.metric](run, asked)
