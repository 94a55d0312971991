"""Whose connection can meet anything: the others are counted and not played."""

import numpy as np

from simbgp.traffic.datapath import Bools, Datapath, Ints
from simbgp.traffic.flows import Flows
from simbgp.traffic.steps import NEVER_US, START_US


def only_touched(path: Datapath, flows: Flows) -> Flows:
    """``flows`` without those that open at once and send all that they send over one sound way.

    Such a flow's node is reached, loses no packet and keeps its conntrack from the SYN to the last request, the router
    sends the flow nowhere else meanwhile, and the backend that the node picks lives all the time. Not for flows that
    others depend on, by the memory of a next-hop group or of session affinity.
    """
    since_us = flows.dialled_us  # of those open at time 0: START_US
    last_us = np.maximum(since_us, 0) + flows.lives_us
    epochs, ways, safe = path.epochs(since_us), *_stay(path, flows, since_us, last_us)
    calm_us = _calm_until(path.times, path.reached & (path.lost_shares == 0), path.losses)
    safe &= last_us < np.take(calm_us, epochs * calm_us.shape[1] + ways)
    rows = np.flatnonzero(safe)
    safe[rows] = _keeps_backend(path, flows, rows, last_us[rows], epochs[rows], ways[rows])
    return flows.only(np.flatnonzero(~safe))


def _stay(path: Datapath, flows: Flows, since_us: Ints, last_us: Ints) -> tuple[Ints, Bools]:
    """The way of each flow's SYN, and whether there is one and no request takes another."""
    routing = path.routing
    owners = routing.owners_at(flows.keys, 0)
    stay: Bools = np.ones(len(flows), dtype=np.bool_)
    for epoch in range(1, len(path.times)):
        if not routing.same_groups(epoch):
            sends = np.flatnonzero(stay & (last_us >= path.times[epoch]))
            now = routing.owners_at(flows.keys[sends], epoch)
            stay[sends] = (now == owners[sends]) | (since_us[sends] >= path.times[epoch])
            owners[sends] = now  # of those that are moved it does not matter any more
    return owners, stay & (owners >= 0)


def _keeps_backend(path: Datapath, flows: Flows, rows: Ints, last_us: Ints, epochs: Ints, ways: Ints) -> Bools:
    """Whether what the node picks for the SYN of the flows in these rows lives until their last request."""
    lives_us, nodes = _calm_until(path.times, path.life % 2 == 0, path.life), path.routing.nodes_of(ways)
    keeps: Bools = last_us < path.views.all_until(lives_us, epochs, nodes, flows.dialled_us[rows])
    unsure = np.flatnonzero(~keeps)
    rows, epochs, losses = rows[unsure], epochs[unsure], path.losses[epochs[unsure], ways[unsure]]
    picks = path.views.picks(flows.keys[rows], nodes[unsure], flows.dialled_us[rows], losses)
    keeps[unsure] = (picks >= 0) & (last_us[unsure] < lives_us[epochs, picks])
    return keeps


def _calm_until(times: Ints, calm: Bools, state: Ints) -> Ints:
    """Until when each column is calm and keeps its state, by epoch; `START_US` where it is not calm to begin with."""
    until_us = np.empty(calm.shape, dtype=np.int64)
    ends_us = np.full(calm.shape[1], NEVER_US)
    for epoch in reversed(range(len(times))):
        until_us[epoch] = np.where(calm[epoch], ends_us, START_US)
        same = calm[epoch] & (state[epoch] == state[epoch - 1])
        ends_us = np.where(same, ends_us, times[epoch])
    return until_us
