"""Which backend a node remembers for a flow that it met before."""

import numpy as np

from simbgp.traffic.datapath import Ints
from simbgp.traffic.lookup import rows_where

STAYS_US = 2**62
"""Flows that have not left send packets, which keep their entry."""


class Conntrack:
    """The entries of all nodes for one population of flows; a node that lost its conntrack starts with none.

    The maps are per node and never shared (Cilium's ``cilium_ct4_global``); an entry keeps its backend although that
    is dead, and is gone ``lifetime_us`` after the flow's last packet. What a flow's own connection left at the node
    that opened it is kept with the connection instead. A flow meets few nodes, so its entries stand in as many columns
    as the most travelled flow needs.
    """

    def __init__(self, flows: int, lifetime_us: int) -> None:
        self._lifetime_us = lifetime_us
        self._used = np.zeros(flows, dtype=np.int64)
        self._maps: list[Ints] = []
        self._backends: list[Ints] = []
        self._left_us: list[Ints | None] = []
        """When the flow was sent elsewhere; None while that has happened to nobody in the column."""

    def find(self, flows: Ints, nodes: Ints, losses: Ints, at_us: Ints) -> Ints:
        """The remembered backend of each flow at its node, which lost its conntrack so many times; -1: none."""
        found = np.full(len(flows), -1)
        if not self._maps:
            return found
        wanted = _map(nodes, losses)
        for maps, backends, left_us in zip(self._maps, self._backends, self._left_us, strict=True):
            here = rows_where(maps[flows] == wanted)
            if left_us is not None:
                here = here[at_us[here] - left_us[flows[here]] < self._lifetime_us]
            found[here] = backends[flows[here]]
        return found

    def remember(self, flows: Ints, nodes: Ints, losses: Ints, backends: Ints) -> None:
        """Enter each flow at its node, in place of what the node remembered of it."""
        if not len(flows):
            return
        wanted = _map(nodes, losses)
        columns = self._used[flows]
        for column, maps in enumerate(self._maps):
            columns = np.where(maps[flows] == wanted, column, columns)
        while len(self._maps) <= columns.max(initial=-1):
            self._maps.append(np.full(len(self._used), -1))
            self._backends.append(np.full(len(self._used), -1))
            self._left_us.append(None)
        self._used[flows] = np.maximum(self._used[flows], columns + 1)
        for column in range(len(self._maps)):
            here = rows_where(columns == column)
            self._maps[column][flows[here]] = wanted[here]
            self._backends[column][flows[here]] = backends[here]
            left_us = self._left_us[column]
            if left_us is not None:
                left_us[flows[here]] = STAYS_US

    def move(self, flows: Ints, before: Ints, after: Ints, losses: Ints, at_us: int) -> None:
        """Flows are sent to other nodes: entries there are in use again if they are young enough, those before age.

        ``losses`` has one number for each node.
        """
        old, new = _map(before, losses[before]), _map(after, losses[after])
        for column, maps in enumerate(self._maps):
            left_us = self._left_us[column]
            if left_us is None:
                left_us = self._left_us[column] = np.full(len(maps), STAYS_US)
            leaving, coming = flows[maps[flows] == old], flows[maps[flows] == new]
            left_us[coming[at_us - left_us[coming] < self._lifetime_us]] = STAYS_US
            left_us[leaving] = at_us


def _map(nodes: Ints, losses: Ints) -> Ints:
    """One number for a node's map between two losses."""
    return nodes << 32 | losses
