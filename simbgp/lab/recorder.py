"""What is observed, from many threads, and the timeline that it makes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import Lock

from simbgp.timeline import Fact, Reason, RouteChanged, SessionChanged, Start, Timeline
from simbgp.timeline.facts import Side, State


class Recorder:
    """Facts as they are observed, each with its moment in seconds since the epoch."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._facts: list[tuple[float, Fact]] = []
        self._up: dict[tuple[str, str, Side], bool] = {}
        self._next_hops: dict[str, dict[str, tuple[str, ...]]] = {}
        self.follow: dict[str, Callable[[str, tuple[str, ...]], None]] = {}
        """By router, who is told a prefix and its next hops when they changed."""

    def fact(self, time_s: float, fact: Fact) -> None:
        """Something happened."""
        with self._lock:
            self._facts.append((time_s, fact))

    def session(self, time_s: float, router: str, node: str, side: Side, up: bool, reason: Reason) -> None:
        """One end became or ceased to be Established; what is known already is not written again."""
        with self._lock:
            if self._up.get((router, node, side), False) == up:
                return
            self._up[router, node, side] = up
            before: State = "open_confirm" if up else "established"
            now: State = "established" if up else "idle"
            self._facts.append((time_s, SessionChanged(0, router, node, side, before, now, reason)))

    def next_hops(self, time_s: float, router: str, prefix: str, nodes: tuple[str, ...]) -> None:
        """The FIB has these next hops of a prefix from now on."""
        with self._lock:
            known = self._next_hops.setdefault(router, {})
            before, known[prefix] = known.get(prefix, ()), nodes
            for node in sorted(set(before) - set(nodes)):
                self._facts.append((time_s, RouteChanged(0, router, prefix, node, "withdrawn")))
            for node in sorted(set(nodes) - set(before)):
                self._facts.append((time_s, RouteChanged(0, router, prefix, node, "added")))
        if router in self.follow and set(before) != set(nodes):
            self.follow[router](prefix, nodes)

    def prefixes(self, router: str) -> Mapping[str, tuple[str, ...]]:
        """What the FIB of a router has now."""
        with self._lock:
            return dict(self._next_hops.get(router, {}))

    def is_up(self, router: str, node: str, side: Side) -> bool:
        """Whether that end is Established now."""
        with self._lock:
            return self._up.get((router, node, side), False)

    def zero(self, start: Start, order: Mapping[str, int]) -> "Zero":
        """Call this moment time 0: what happened before is the past."""
        with self._lock:
            self._facts.clear()
            hops = {
                router: {p: tuple(sorted(nodes, key=order.__getitem__)) for p, nodes in known.items() if nodes}
                for router, known in self._next_hops.items()
            }
            return Zero(time.time(), Start(hops, start.views))

    def timeline(self, zero: "Zero", horizon_us: int) -> Timeline:
        """All facts from time 0 to the horizon, in order."""
        made = Timeline(zero.start, horizon_us)
        with self._lock:
            found = sorted(self._facts, key=lambda timed: timed[0])
        for time_s, fact in found:
            time_us = max(0, round((time_s - zero.time_s) * 1e6))
            if time_us <= horizon_us:
                made.write(replace(fact, time_us=time_us))
        return made


class Zero:
    """Time 0 of a measurement, in seconds since the epoch, and what held then."""

    def __init__(self, time_s: float, start: Start) -> None:
        self.time_s, self.start = time_s, start
