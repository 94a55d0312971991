"""Which backend a node remembers for a flow that it met before."""

import numpy as np

from simbgp.traffic.datapath import Ints


class Conntrack:
    """The entries of all nodes for one population of flows; a node that lost its conntrack starts with none.

    The maps are per node and never shared (Cilium's ``cilium_ct4_global``); an entry keeps its backend although that
    is dead. What a flow's own connection left at the node that opened it is kept with the connection instead. A flow
    meets few nodes, so its entries stand in as many columns as the most travelled flow needs.
    """

    def __init__(self, flows: int) -> None:
        self._used = np.zeros(flows, dtype=np.int64)
        self._maps: list[Ints] = []
        self._backends: list[Ints] = []

    def find(self, flows: Ints, nodes: Ints, losses: Ints) -> Ints:
        """The remembered backend of each flow at its node, which lost its conntrack so many times; -1: none."""
        found = np.full(len(flows), -1)
        wanted = _map(nodes, losses)
        for maps, backends in zip(self._maps, self._backends, strict=True):
            here = maps[flows] == wanted
            found[here] = backends[flows[here]]
        return found

    def remember(self, flows: Ints, nodes: Ints, losses: Ints, backends: Ints) -> None:
        """Enter each flow at its node, in place of what the node remembered of it."""
        wanted = _map(nodes, losses)
        columns = self._used[flows]
        for column, maps in enumerate(self._maps):
            columns = np.where(maps[flows] == wanted, column, columns)
        while len(self._maps) <= columns.max(initial=-1):
            self._maps.append(np.full(len(self._used), -1))
            self._backends.append(np.full(len(self._used), -1))
        self._used[flows] = np.maximum(self._used[flows], columns + 1)
        for column in range(len(self._maps)):
            here = columns == column
            self._maps[column][flows[here]] = wanted[here]
            self._backends[column][flows[here]] = backends[here]


def _map(nodes: Ints, losses: Ints) -> Ints:
    """One number for a node's map between two losses."""
    return nodes << 32 | losses
