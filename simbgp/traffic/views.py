"""What the load balancers of a router's nodes know at any time, and which backend they pick."""

import numpy as np
from numpy.typing import NDArray

from simbgp.traffic.balancer import Balancer
from simbgp.traffic.history import View
from simbgp.traffic.mixing import mix
from simbgp.traffic.steps import Steps

_SPAN_US = 2**44
"""Longer than any run, half a year: node and time make one sortable number."""


class Views:
    """The views of nodes 0, 1, ... as one sorted table of revisions, so that no pick loops over nodes.

    Revision ``r`` of the table begins at ``_begins[r]`` and has view ``_views[r]``; the places of view ``v`` (see
    `Balancer.places`) are the ``_lengths[v]`` entries of ``_places`` from ``_offsets[v]`` on.
    """

    def __init__(self, balancer: Balancer, nodes: list[Steps[View]], backends: int) -> None:
        self._is_random = balancer.is_random
        different = {
            view: number for number, view in enumerate(dict.fromkeys(v for node in nodes for v in node.values))
        }
        begins = [number * _SPAN_US + time_us + 1 for number, node in enumerate(nodes) for time_us in node.times]
        places = [balancer.places(view.backends) for view in different]
        self._begins = np.array(begins, dtype=np.int64)
        self._views = np.array([different[view] for node in nodes for view in node.values], dtype=np.int64)
        self._lengths = np.array([len(part) for part in places], dtype=np.int64)
        self._offsets = np.cumsum(self._lengths) - self._lengths
        self._places = np.concatenate([*places, [-1]])
        self._holds = np.zeros((len(different), backends + 1), dtype=np.bool_)
        for number, part in enumerate(places):
            self._holds[number, part] = True

    def valid_until(self, nodes: NDArray[np.int64], at_us: NDArray[np.int64]) -> NDArray[np.int64]:
        """When the view that each node has at a moment next changes; far beyond any run if it does not."""
        now = nodes * _SPAN_US + at_us + 1
        nexts = np.append(self._begins, 2 * _SPAN_US + now.max(initial=0))
        changes: NDArray[np.int64] = nexts[np.searchsorted(self._begins, now, side="right")] - nodes * _SPAN_US - 1
        return changes

    def all_until(
        self,
        until_us: NDArray[np.int64],
        epochs: NDArray[np.int64],
        nodes: NDArray[np.int64],
        at_us: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Until when all last that each node may pick at a moment; each lasts ``until_us[epoch, backend]``."""
        least_us = np.full((len(until_us), len(self._holds)), -1)
        for view in np.flatnonzero(self._lengths):
            least_us[:, view] = until_us[:, np.flatnonzero(self._holds[view, :-1])].min(axis=1)
        views = self._views[self._revisions(nodes, at_us)]
        return np.take(least_us, epochs * least_us.shape[1] + views)

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
        return chosen if held is None else np.where(self._holds[self._views[revisions], held], held, chosen)

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
        while (behind := np.flatnonzero(revisions < last)).size:
            revisions[behind] += 1
            gone = behind[~self._holds[self._views[revisions[behind]], chosen[behind]]]
            chosen[gone] = self._chosen(keys[gone], revisions[gone], losses[gone])
        return chosen if held is None else np.where(self._holds[self._views[last], held], held, chosen)

    def _revisions(self, nodes: NDArray[np.int64], at_us: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.searchsorted(self._begins, nodes * _SPAN_US + at_us + 1, side="right") - 1

    def _chosen(
        self, flow_keys: NDArray[np.uint64], revisions: NDArray[np.int64], losses: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        views = self._views[revisions]
        lengths = self._lengths[views].astype(np.uint64)
        if self._is_random:
            slots = (mix(flow_keys, revisions | losses << 32) >> np.uint64(32)) * lengths >> np.uint64(32)
        else:
            slots = (flow_keys & np.uint64(0xFFFFFFFF)) % np.maximum(lengths, np.uint64(1))
        return np.where(lengths > 0, self._places[self._offsets[views] + slots.astype(np.int64)], -1)
