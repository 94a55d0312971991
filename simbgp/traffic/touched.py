"""Whose connection can meet anything: the others are counted and not played."""

import numpy as np

from simbgp.traffic.datapath import Bools, Datapath, Ints
from simbgp.traffic.flows import Flows
from simbgp.traffic.lookup import Lookup, rows_where
from simbgp.traffic.steps import NEVER_US, START_US


class Calm:
    """Until when a flow is safe: its node is reached, loses no packet and keeps its conntrack, and its backend lives.

    Tables in microseconds by epoch: ``ways_us`` of each way, ``backends_us`` of each backend, ``picks_us`` of all that
    a node may pick, and ``all_us`` of a flow that dials in the epoch, whatever its hash. `START_US`: not even now.
    """

    def __init__(self, path: Datapath) -> None:
        self.ways_us = _calm_until(path.times, path.reached & (path.lost_shares == 0), path.losses)
        answers = path.life % 2 == 0
        if path.answers:
            answers[:, : path.answers.troubled.shape[1]] &= ~path.answers.troubled
        self.backends_us = _calm_until(path.times, answers, path.life)
        self.picks_us = path.views.least_until(self.backends_us, path.times)
        self.all_us = _all_safe_until(path, self.ways_us, self.picks_us)
        unsafe = rows_where(self.all_us < NEVER_US)
        self.newcomers_us = int(path.ends_us[unsafe[-1]]) if len(unsafe) else START_US
        """From when on everybody that dials is safe for ever."""


def only_touched(path: Datapath, calm: Calm, flows: Flows) -> Flows:
    """``flows`` without those that open at once and send all that they send over one sound way.

    Such a flow's node is reached, loses no packet and keeps its conntrack from the SYN to the last request, the router
    sends the flow nowhere else meanwhile, and the backend that the node picks lives and is heard all the time. Not for
    flows that others depend on, by the memory of a next-hop group or of session affinity.
    """
    last_us = np.maximum(flows.dialled_us, 0) + flows.lives_us
    epochs = path.epochs(flows.dialled_us)  # of those open at time 0: the first
    rows = rows_where(last_us >= calm.all_us.take(epochs))
    flows, last_us, epochs = flows.only(rows), last_us[rows], epochs[rows]
    ways, safe = _stay(path, flows, epochs, last_us)
    safe &= last_us < Lookup(calm.ways_us, START_US).at(epochs, ways)
    certain = last_us < Lookup(calm.picks_us, START_US).at(epochs, path.routing.nodes_of(ways))
    rows = rows_where(safe & ~certain)
    safe[rows] = _keeps_backend(path, flows, rows, last_us[rows], calm.backends_us, epochs[rows], ways[rows])
    return flows.only(rows_where(~safe))


def _all_safe_until(path: Datapath, calm_us: Ints, least_us: Ints) -> Ints:
    """Until when a flow that dials in an epoch meets nothing, whatever its hash; `START_US` if some meet something."""
    routing, until_us = path.routing, np.full(len(path.times), START_US)
    change_us, end = NEVER_US, len(path.times)
    for first in reversed((0, *routing.turns)):
        ways = routing.ways_in(first)
        if ways is not None:
            own_us = calm_us[first:end, ways].min(axis=1)
            picks_us = least_us[first:end, routing.nodes_of(ways)].min(axis=1)
            until_us[first:end] = np.minimum(np.minimum(own_us, picks_us), change_us)
        change_us, end = int(path.times[first]), first
    return until_us


def _stay(path: Datapath, flows: Flows, epochs: Ints, last_us: Ints) -> tuple[Ints, Bools]:
    """The way of each flow's SYN in its epoch, and whether there is one and no request takes another."""
    routing = path.routing
    ways = routing.owners(flows.keys, epochs)
    stay: Bools = ways >= 0
    for epoch in routing.turns:
        sends = rows_where(stay & (epochs < epoch) & (last_us >= path.times[epoch]))
        stay[sends] = routing.owners_at(flows.keys[sends], epoch) == ways[sends]
    return ways, stay


def _keeps_backend(
    path: Datapath, flows: Flows, rows: Ints, last_us: Ints, lives_us: Ints, epochs: Ints, ways: Ints
) -> Bools:
    """Whether what the node picks for the SYN of the flows in these rows lives until their last request."""
    nodes, losses = path.routing.nodes_of(ways), path.losses_at.at(epochs, ways)
    picks = path.views.picks(flows.keys[rows], nodes, flows.dialled_us[rows], losses)
    keeps: Bools = last_us < Lookup(lives_us, START_US).at(epochs, picks)
    return keeps


def _calm_until(times: Ints, calm: Bools, state: Ints) -> Ints:
    """Until when each column is calm and keeps its state, by epoch; `START_US` where it is not calm to begin with."""
    until_us = np.full(calm.shape, NEVER_US)
    goes_on = calm[1:] & (state[1:] == state[:-1])
    until_us[:-1][~goes_on] = np.broadcast_to(times[1:, None], goes_on.shape)[~goes_on]
    until_us = np.minimum.accumulate(until_us[::-1], axis=0)[::-1]  # the next end is the least of all that follow
    until_us[~calm] = START_US
    return until_us
