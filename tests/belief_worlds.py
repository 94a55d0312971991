"""What tests of beliefs share: holes of one prefix, a change made by hand in mid-run, values over many runs."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from statistics import median

from worlds import AT_S, fib_log, play, since_fault

from simbgp.model.clock import Order
from simbgp.model.faults import schedule
from simbgp.model.world import World
from simbgp.profiles import Law
from simbgp.scenario.plan import Occurrence, Plan, TrafficPlan, Trial
from simbgp.scenario.tape import Tape
from simbgp.timeline import Timeline
from simbgp.traffic import windows

Edit = Callable[[World], None]


def play_edited(plan: Plan, edits: dict[float, Edit], *faults: Occurrence, run: int = 0) -> Timeline:
    """`worlds.play` with ``edits`` made so many seconds after the fault: what no fault of a scenario does."""
    world = World(Trial(plan, run, Tape(1, run), faults))
    for place, fault in enumerate(faults):
        schedule(world, place, fault)
    for time_s, edit in edits.items():
        world.clock.at(round((AT_S + time_s) * 1e6), partial(edit, world), Order.FAULT)
    world.clock.run(until_us=plan.horizon_us)
    return world.timeline


def reconfigured(**changes: object) -> Edit:
    """worker-1's peering with tor-1 has these values from then on."""

    def edit(world: World) -> None:
        (session,) = world.sessions_of("worker-1", ("tor-1",))
        session.peering = replace(session.peering, **changes)

    return edit


def holes(plan: Plan, log: Timeline, prefix: str, router: str = "tor-1") -> list[tuple[str, float, float]]:
    """Cause, start and end in seconds after the fault of each window of ``prefix``."""
    return [
        (window.cause, since_fault(window.start_us), since_fault(window.start_us + window.duration_us))
        for window in windows(plan, log)
        if (window.prefix, window.router) == (prefix, router)
    ]


def lost_s(plan: Plan, log: Timeline, prefix: str, *causes: str) -> float:
    """Seconds of ``prefix`` in windows of these causes."""
    return sum(end_s - start_s for cause, start_s, end_s in holes(plan, log, prefix) if cause in causes)


def out_s(log: Timeline, prefix: str, router: str = "tor-1") -> float:
    """When worker-1's path first left the FIB."""
    return fib_log(log, prefix, router)[0][0]


def middle(value: Callable[[Timeline], float], plan: Plan, *faults: Occurrence, runs: int = 60) -> float:
    """Median of ``value`` over ``runs`` runs."""
    return median(value(play(plan, *faults, run=run)) for run in range(runs))


def with_clients(plan: Plan, connections: int, interval_s: float = 1.0, arrivals_per_s: float = 0.0) -> Plan:
    """The plan with long-lived clients of its service that send every ``interval_s``."""
    endless, linux = Law.constant(10_000_000.0), "linux-6.5"
    clients = TrafficPlan("web", connections, arrivals_per_s, endless, interval_s, False, linux, None, None)
    return replace(plan, traffic=(clients,))
