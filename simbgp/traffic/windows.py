"""Windows: when and how much of a prefix's traffic at a router falls into a hole, by exact interval arithmetic."""

from collections.abc import Iterator
from dataclasses import dataclass

from simbgp.scenario.plan import Plan
from simbgp.timeline import FaultBegan, FaultLog, Timeline, require
from simbgp.traffic.history import History
from simbgp.traffic.obstacles import Cause, Obstacles
from simbgp.traffic.populations import settled
from simbgp.traffic.steps import START_US
from simbgp.traffic.sweep import SOUND, Sweep


@dataclass(frozen=True, slots=True)
class Window:
    """A longest interval in which a prefix loses a constant share of its traffic at a router for one cause.

    ``share`` is of all the prefix's traffic there, whatever its several causes; ``cause`` is the first obstacle on the
    packet's way. Touching windows of a prefix form one ``outage``, counted from 0 per router and prefix. A window
    still open at the horizon is censored: ``end_us`` is None and ``duration_us`` reaches to the horizon. ``fault`` is
    the latest that began at or before the outage and touches the router or the nodes concerned.
    """

    router: str
    prefix: str
    service: str | None
    fault: str | int | None
    cause: Cause
    outage: int
    start_us: int
    end_us: int | None
    duration_us: int
    since_fault_us: int | None
    share: float
    lost_traffic_us: float
    censored: bool


def windows(plan: Plan, timeline: Timeline, seed: int = 0, run: int = 0) -> list[Window]:
    """All windows of a run, by router and prefix in the order in which they were announced, then by time.

    A prefix counts from its first announcement, in a cold start from time 0 on, that of a service which is created
    during the run from its creation on. Seed and run say whose packets the
    buckets of resilient groups met.
    """
    history, faults = settled(plan, timeline, seed, run), FaultLog(timeline)
    obstacles = Obstacles(plan, history)
    found: list[Window] = []
    for router, prefix in history.announced:
        if obstacles.service(prefix) or not history.is_quiet(router, prefix):
            found.extend(_Prefix(history, faults, Sweep(history, obstacles, router, prefix)).windows())
    return found


class _Prefix:
    """The windows of one prefix at one router."""

    def __init__(self, history: History, faults: FaultLog, sweep: Sweep) -> None:
        self._horizon_us, self._faults, self._sweep = history.horizon_us, faults, sweep
        self._outage = -1
        self._fault: FaultBegan | None = None

    def windows(self) -> Iterator[Window]:
        """In order of time: a new one begins whenever cause or share changes."""
        now, since_us = SOUND, START_US
        for time_us, hole in self._sweep.holes():
            if hole == now:
                continue
            if now.cause is not None:
                yield self._window(now.cause, now.share, since_us, time_us)
            elif time_us < self._horizon_us:
                self._outage += 1
                service = self._sweep.service.name if self._sweep.service else None
                concerned = self._sweep.concerned()
                self._fault = self._faults.latest(time_us, self._sweep.router, *concerned, service=service)
            now, since_us = hole, time_us
        if now.cause is not None and since_us < self._horizon_us:
            yield self._window(now.cause, now.share, since_us, None)

    def _window(self, cause: Cause, share: float, start_us: int, end_us: int | None) -> Window:
        duration_us = (self._horizon_us if end_us is None else end_us) - start_us
        router, prefix, service, fault = self._sweep.router, self._sweep.prefix, self._sweep.service, self._fault
        require(duration_us > 0, "a window of {} at {} ends after it starts", prefix, router)
        require(0 < share <= 1, "a window of {} at {} loses {} of the traffic", prefix, router, share)
        return Window(
            router=router,
            prefix=prefix,
            service=service.name if service else None,
            fault=fault.fault if fault else None,
            cause=cause,
            outage=self._outage,
            start_us=start_us,
            end_us=end_us,
            duration_us=duration_us,
            since_fault_us=start_us - fault.time_us if fault else None,
            share=share,
            lost_traffic_us=share * duration_us,
            censored=end_us is None,
        )
