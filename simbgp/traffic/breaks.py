"""When connections broke, one by one."""

import numpy as np

from simbgp.scenario.plan import Plan
from simbgp.timeline import FaultLog, Timeline
from simbgp.traffic.datapath import Ints
from simbgp.traffic.populations import Draws, populations, settled


def breaks_us(plan: Plan, timeline: Timeline, seed: int, run: int) -> Ints:
    """The moments at which open connections of any service were reset or timed out within a run, ascending.

    They are those of the outcomes: as many as `outcomes` counts, but for connections that still wait at the horizon.
    """
    history, faults = settled(plan, timeline, seed, run), FaultLog(timeline)
    services = {service.name: service for service in history.services}
    parts = [
        population.hurt.broken_us
        for traffic in plan.traffic
        for population in populations(plan, history, faults, traffic, services[traffic.service], Draws(seed, run))
    ]
    return np.sort(np.concatenate([np.empty(0, dtype=np.int64), *parts]))
