"""Session affinity: which backend a node keeps for a client's address (Cilium's ``cilium_lb4_affinity``)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simbgp.traffic.datapath import Datapath, Ints
from simbgp.traffic.flows import Flows
from simbgp.traffic.mixing import uniform
from simbgp.traffic.steps import START_US

_LONG_AGO_US = -(2**61)


class _Uses(NamedTuple):
    """Who sends where, from when until when: one row per stretch of a connection with the same next hop."""

    clients: NDArray[np.uint64]
    nodes: Ints
    since_us: Ints
    until_us: Ints


class Affinity:
    """Since when each node has had its entry for a client.

    The maps are per node and never shared, keyed by the client's address, kept while the agent is away and lost with
    the node. An entry is good for the timeout after the last packet of any connection of that address (bpf/lib/lb.h
    ``__lb4_affinity_backend_id``: ``last_used + timeout <= now`` is too old), so it is as old as the first packet of
    the longest stretch without a longer silence. Clients are taken to send more often than the timeout while they are
    connected. ``visits_per_s`` is how often one address opens a connection by way of one node in the steady state
    before time 0: 0 where each connection has an address of its own.
    """

    def __init__(self, path: Datapath, flows: Flows, timeout_us: int, visits_per_s: float, horizon_us: int) -> None:
        self._path, self._timeout_us, self._visits_per_s = path, timeout_us, visits_per_s
        self._horizon_us = horizon_us
        self._uses = _uses(path, flows, horizon_us)
        self._sort()

    def joined_by(self, flows: Flows) -> "Affinity":
        """The same maps, met by further connections."""
        other = object.__new__(Affinity)
        other._path, other._timeout_us, other._visits_per_s = self._path, self._timeout_us, self._visits_per_s
        other._horizon_us = self._horizon_us
        more = _uses(self._path, flows, self._horizon_us)
        other._uses = _Uses(*(np.concatenate(pair) for pair in zip(self._uses, more, strict=True)))
        other._sort()
        return other

    def _sort(self) -> None:
        """Order the uses by client, node and time, and find the first use of each unbroken stretch."""
        self._clients, client = np.unique(self._uses.clients, return_inverse=True)
        entries = client * (len(self._path.ways.nodes) + 1) + self._uses.nodes
        self._entries, entry = np.unique(entries, return_inverse=True)
        order = np.lexsort((self._uses.since_us, entry))
        entry, since_us, until_us = entry[order], self._uses.since_us[order], self._uses.until_us[order]
        first = np.diff(entry, prepend=-1) > 0
        latest_us = _running_maximum(until_us, entry)
        before_us = np.where(first, self._last_before(self._uses.clients[order], self._uses.nodes[order]), 0)
        before_us[~first] = latest_us[:-1][~first[1:]] if len(first) else before_us
        begins = since_us >= before_us + self._timeout_us
        inherits = first & ~begins  # from the steady state
        started_us = np.where(inherits, START_US, since_us)
        place = np.maximum.accumulate(np.where(begins | first, np.arange(len(entry)), 0)) if len(entry) else entry
        self._started_us, self._latest_us = started_us[place], latest_us
        self._times = np.unique(since_us)
        self._keys = entry * (len(self._times) + 1) + np.searchsorted(self._times, since_us, side="right")

    def since(self, clients: NDArray[np.uint64], nodes: Ints, at_us: Ints) -> Ints:
        """Since when the node has had an entry for each client at its moment; that moment itself: it has none."""
        entry, known = self._entry(clients, nodes)
        wanted = entry * (len(self._times) + 1) + np.searchsorted(self._times, at_us, side="right")
        row = np.searchsorted(self._keys, wanted, side="right") - 1
        met = known & (row >= 0)
        met[met] = self._keys[row[met]] // (len(self._times) + 1) == entry[met]
        found, last_us = at_us.copy(), self._last_before(clients, nodes)
        last_us[met] = self._latest_us[row[met]]
        fresh = at_us < last_us + self._timeout_us
        found[fresh & ~met] = START_US
        found[fresh & met] = self._started_us[row[fresh & met]]
        return np.maximum(found, np.minimum(self._path.lost_since(nodes, at_us), at_us))

    def _entry(self, clients: NDArray[np.uint64], nodes: Ints) -> tuple[Ints, NDArray[np.bool_]]:
        """The place of each client's entry at its node, and whether there ever was one."""
        if not len(self._clients):
            return np.zeros(len(clients), dtype=np.int64), np.zeros(len(clients), dtype=np.bool_)
        client = np.minimum(np.searchsorted(self._clients, clients), len(self._clients) - 1)
        wanted = client * (len(self._path.ways.nodes) + 1) + nodes
        entry = np.minimum(np.searchsorted(self._entries, wanted), len(self._entries) - 1)
        return entry, (self._clients[client] == clients) & (self._entries[entry] == wanted)

    def _last_before(self, clients: NDArray[np.uint64], nodes: Ints) -> Ints:
        """When a connection that was over by time 0 last went that way: Poisson visits, so an exponential age."""
        if not self._visits_per_s:
            return np.full(len(clients), _LONG_AGO_US)
        ages_s = -np.log1p(-uniform(clients, nodes)) / self._visits_per_s
        return -np.minimum(ages_s * 1e6, -float(_LONG_AGO_US)).astype(np.int64)


def _uses(path: Datapath, flows: Flows, horizon_us: int) -> _Uses:
    """Where routers send each connection, while it lives."""
    routing = path.routing
    clients = flows.keys if flows.clients is None else flows.clients
    since_us = flows.dialled_us.copy()
    ends_us = np.minimum(np.maximum(since_us, 0) + np.minimum(flows.lives_us, horizon_us), horizon_us)
    nodes = routing.nodes_of(routing.owners(flows.keys, path.epochs(since_us)))
    parts: list[tuple[Ints, Ints, Ints, Ints]] = []
    everybody = np.arange(len(flows))
    for epoch in range(1, len(path.times)):
        if routing.same_groups(epoch):
            continue
        now_us = int(path.times[epoch])
        owners = routing.nodes_of(routing.owners_at(flows.keys, epoch))
        moved = np.flatnonzero((owners != nodes) & (since_us < now_us) & (ends_us > now_us))
        parts.append((moved, nodes[moved], since_us[moved], np.full(len(moved), now_us)))
        nodes[moved], since_us[moved] = owners[moved], now_us
    parts.append((everybody, nodes, since_us, ends_us))
    who, nodes, since_us, ends_us = (np.concatenate(part) for part in zip(*parts, strict=True))
    there = nodes >= 0
    return _Uses(clients[who[there]], nodes[there], since_us[there], ends_us[there])


def _running_maximum(values: Ints, groups: Ints) -> Ints:
    """The greatest value so far in each row's group; rows of a group are neighbours and groups ascend."""
    ordered, rank = np.unique(values, return_inverse=True)
    highest = np.maximum.accumulate(groups * len(ordered) + rank) if len(values) else rank
    found: Ints = ordered[highest - groups * len(ordered)]
    return found
