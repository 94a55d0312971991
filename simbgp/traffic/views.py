"""What the load balancers of a router's nodes know at any time, and which backend they pick."""

import numpy as np
from numpy.typing import NDArray

from simbgp.traffic.balancer import Balancer
from simbgp.traffic.history import View
from simbgp.traffic.lookup import how_many_reached, rows_where
from simbgp.traffic.mixing import mix
from simbgp.traffic.steps import NEVER_US, Steps

_SPAN_US = 2**44
"""Longer than any run, half a year: node and time make one sortable number."""


class Views:
    """The views of nodes 0, 1, ... as one sorted table of revisions, so that no pick loops over nodes.

    Revision ``r`` of the table is one of node ``_owners[r]``, from ``_begins_us[r]`` until before ``_ends_us[r]``; it
    begins at ``_begins[r]`` and has view ``_views[r]``. The places of view ``v`` (see `Balancer.places`) are the
    ``_lengths[v]`` entries of ``_places`` from ``_offsets[v]`` on.
    """

    def __init__(self, balancer: Balancer, nodes: list[Steps[View]], backends: int) -> None:
        self._is_random, self._nodes = balancer.is_random, len(nodes)
        different: dict[View, int] = {}
        views, owners, begins_us, ends_us = list[int](), list[int](), list[int](), list[int]()
        for number, node in enumerate(nodes):
            views += [different.setdefault(view, len(different)) for view in node.values]
            owners += [number] * len(node.times)
            begins_us += node.times
            ends_us += [*node.times[1:], NEVER_US]
        table = np.array([views, owners, begins_us, ends_us], dtype=np.int64)
        self._views, self._owners, self._begins_us, self._ends_us = table
        self._begins = self._owners * _SPAN_US + self._begins_us + 1
        places = [balancer.places(view.backends) for view in different]
        self._lengths = np.array([len(part) for part in places], dtype=np.int64)
        self._offsets = np.cumsum(self._lengths) - self._lengths
        self._places = np.concatenate([*places, [-1]])
        self._never_empty = bool(self._lengths.all())
        self._holds = np.zeros((len(different), backends + 1), dtype=np.bool_)
        self._holds[np.arange(len(places)).repeat(self._lengths), self._places[:-1]] = True

    def valid_until(self, nodes: NDArray[np.int64], at_us: NDArray[np.int64]) -> NDArray[np.int64]:
        """When the view that each node has at a moment next changes; far beyond any run if it does not."""
        now = nodes * _SPAN_US + at_us + 1
        nexts = np.append(self._begins, 2 * _SPAN_US + now.max(initial=0))
        changes: NDArray[np.int64] = nexts[np.searchsorted(self._begins, now, side="right")] - nodes * _SPAN_US - 1
        return changes

    def least_until(self, until_us: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Until when all last that a node may pick at any moment of an epoch: one row per epoch, one column per node.

        Epochs begin at ``times``; a backend that is picked in one lasts ``until_us[epoch, backend]``.
        """
        least_us = np.full((len(until_us), len(self._holds)), NEVER_US)
        mortal = np.flatnonzero((until_us < NEVER_US).any(axis=0))
        until_us, held = until_us[:, mortal], self._holds[:, mortal]
        for view in np.flatnonzero(held.any(axis=1)).tolist():
            least_us[:, view] = until_us[:, held[view]].min(axis=1)
        least_us[:, self._lengths == 0] = -1
        first = times.searchsorted(self._begins_us, "right") - 1
        lasting = times.searchsorted(self._ends_us, "left") - first
        seen = np.arange(len(first)).repeat(lasting)  # each revision once for every epoch in which it holds
        epochs = np.arange(len(seen)) + (first + lasting - lasting.cumsum())[seen]
        found_us = np.full((len(times), self._nodes), NEVER_US)
        np.minimum.at(found_us, (epochs, self._owners[seen]), least_us[epochs, self._views[seen]])
        return found_us

    def picks(
        self,
        flow_keys: NDArray[np.uint64],
        nodes: NDArray[np.int64],
        at_us: NDArray[np.int64],
        losses: NDArray[np.int64],
        held: NDArray[np.int64] | None = None,
    ) -> NDArray[np.int64]:
        """The backend that each flow's node picks at its moment; -1 if it knows none.

        Maglev reads the slot from the lower half of the flow's key, which is the same at every node; random picks
        anew at every node, for every view that it has and after each of its ``losses`` of conntrack. A flow keeps the
        backend it ``held`` (-1: none) if the node still knows that one.
        """
        revisions = self._revisions(nodes, at_us)
        chosen = self._chosen(flow_keys, revisions, losses)
        if held is not None:
            some = rows_where(held >= 0)
            known = some[self._holds[self._views[revisions[some]], held[some]]]
            chosen[known] = held[known]
        return chosen

    def kept(
        self,
        client_keys: NDArray[np.uint64],
        nodes: NDArray[np.int64],
        since_us: NDArray[np.int64],
        at_us: NDArray[np.int64],
        losses: NDArray[np.int64],
        held: NDArray[np.int64] | None = None,
    ) -> NDArray[np.int64]:
        """The backend that each client's node keeps for it since a moment (session affinity); -1 if it knows none.

        It was picked then, and is again whenever the node no longer knows it (``cilium_lb_affinity_match``). A flow
        keeps the backend it ``held``, as in `picks`.
        """
        revisions, last = self._revisions(nodes, since_us), self._revisions(nodes, at_us)
        keys = mix(client_keys, since_us) if self._is_random else client_keys
        chosen = self._chosen(keys, revisions, losses)
        while (behind := rows_where(revisions < last)).size:
            revisions[behind] += 1
            gone = behind[~self._holds[self._views[revisions[behind]], chosen[behind]]]
            chosen[gone] = self._chosen(keys[gone], revisions[gone], losses[gone])
        return chosen if held is None else np.where(self._holds[self._views[last], held], held, chosen)

    def _revisions(self, nodes: NDArray[np.int64], at_us: NDArray[np.int64]) -> NDArray[np.int64]:
        return how_many_reached(self._begins, nodes * _SPAN_US + at_us + 1) - 1

    def _chosen(
        self, flow_keys: NDArray[np.uint64], revisions: NDArray[np.int64], losses: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        views = self._views.take(revisions)
        lengths = self._lengths.take(views).astype(np.uint64)
        if self._is_random:
            slots = (mix(flow_keys, revisions | losses << 32) >> np.uint64(32)) * lengths >> np.uint64(32)
        else:
            slots = (flow_keys & np.uint64(0xFFFFFFFF)) % np.maximum(lengths, np.uint64(1))
        chosen = self._places.take(self._offsets.take(views) + slots.astype(np.int64))
        return chosen if self._never_empty else np.where(lengths > 0, chosen, -1)
