"""Which part of a prefix's whole traffic a window is of: windows are of one router, clients enter at several."""

from collections.abc import Iterator, Sequence

from simbgp.scenario.plan import Plan
from simbgp.timeline import Timeline
from simbgp.traffic.ecmp import ALL_HASHES
from simbgp.traffic.inflow import Inflow
from simbgp.traffic.populations import settled
from simbgp.traffic.windows import Window


def lost_of_whole_us(
    plan: Plan, timeline: Timeline, windows: Sequence[Window], seed: int, run: int
) -> Iterator[tuple[str, float]]:
    """For each window of a service, its service and how long all the traffic of its prefix would have to be lost for
    as much: microseconds. Under spines the router's part is what they send to it when the window begins.
    """
    of_services = [window for window in windows if window.service is not None]
    inflow = None
    for window in of_services:
        assert window.service is not None
        if not plan.fabric:
            routers = {peering.router for peering in plan.peerings if window.prefix in peering.prefixes}
            part = 1 / max(1, len(routers))
        else:
            inflow = inflow or Inflow(plan, settled(plan, timeline, seed, run))
            spread = inflow.spread(window.router, window.prefix, window.start_us)
            part = spread.total / (len(plan.fabric) * ALL_HASHES**2)
        yield window.service, window.lost_traffic_us * part
