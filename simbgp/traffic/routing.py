"""From where clients enter to a node: one router's next-hop groups, or those of a spine and of the routers below it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from simbgp.scenario.plan import Plan
from simbgp.traffic.ecmp import Dealer, NextHops
from simbgp.traffic.flowhash import router_hashes
from simbgp.traffic.history import History
from simbgp.traffic.lookup import rows_where
from simbgp.traffic.plan_index import index_of
from simbgp.traffic.steps import Steps

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Keys = NDArray[np.uint64]
T = TypeVar("T")
N = TypeVar("N", int, float)
FAR_US = 2**62


class Stay(NamedTuple):
    """The flows (places) that a router gets from ``begin_us`` until before ``end_us``."""

    begin_us: int
    end_us: int
    flows: Ints


class Ways:
    """The ways from one entry to all nodes that ever were next hops of a prefix.

    A way is a router and a node: a place in ``pairs``, node by node in the groups' order, router by router; nodes are
    places in ``nodes``. With one router a way is its node. Under a spine there are places behind the ways, one for
    each router: flows that are sent to a router that has no next hop.
    """

    def __init__(self, history: History, entry: str, prefix: str) -> None:
        self.spine = entry if history.is_spine(entry) else None
        self.routers = history.below(entry, prefix) if self.spine else (entry,)
        self.pairs = [(router, node) for router in self.routers for node in history.origins(router, prefix)]
        self.nodes = tuple(dict.fromkeys(node for _, node in self.pairs))
        self.gaps = len(self.routers) if self.spine else 0
        self.spine_steps = history.groups(entry, prefix) if self.spine else None
        self.steps = [history.groups(router, prefix) for router in self.routers]
        self._node_of = {node: place for place, node in enumerate(self.nodes)}
        ways = {node: way for way, (_, node) in enumerate(self.pairs)}
        self.to_nodes: Ints = np.array([ways[node] for node in self.nodes], dtype=np.int64)
        """One way to each node."""

    @property
    def groups(self) -> list[Steps[NextHops]]:
        """The next-hop groups of all routers on the ways, a spine's first."""
        return [*([self.spine_steps] if self.spine_steps else []), *self.steps]

    def of_router(self, router: str) -> dict[str, int]:
        """The ways over one router by node."""
        return {node: way for way, (name, node) in enumerate(self.pairs) if name == router}

    def node_places(self) -> Ints:
        """The node of each way, and -1 for all that stands behind them or is none."""
        return np.array([*(self._node_of[node] for _, node in self.pairs), *[-1] * (self.gaps + 1)], dtype=np.int64)


class Routing:
    """Which flow takes which way in which epoch: -1 if nobody sends it anywhere."""

    def __init__(self, plan: Plan, ways: Ways, times: Ints) -> None:
        self._ways, self._times = ways, times
        self._seeds = index_of(plan).hash_seeds
        self._node_places = ways.node_places()
        self._hashes: dict[int, tuple[Keys, NDArray[np.uint32]]] = {}
        dealer = Dealer(plan)
        self._below = [
            _Groups(dealer, router, steps, ways.of_router(router), times, len(ways.pairs) + place if ways.gaps else -1)
            for place, (router, steps) in enumerate(zip(ways.routers, ways.steps, strict=True))
        ]
        self._above: _Groups | None = None
        self.incomplete: Bools = self._below[0].empty
        """Of each epoch, whether some flow may have no way."""
        if ways.spine is not None and ways.spine_steps is not None:
            legs = {router: place for place, router in enumerate(ways.routers)}
            self._above = _Groups(dealer, ways.spine, ways.spine_steps, legs, times, -1)
            lost = [self._above.holds(leg) & group.empty for leg, group in enumerate(self._below)]
            self.incomplete = np.any([self._above.empty, *lost], axis=0)
        numbers = np.array([group.number for group in self._groups])
        self.turns: tuple[int, ...] = tuple(
            (np.flatnonzero((numbers[:, 1:] != numbers[:, :-1]).any(axis=0)) + 1).tolist()
        )
        """The epochs, but for the first, that begin with a change of some group."""
        self._turns = frozenset(self.turns)

    @property
    def _groups(self) -> "list[_Groups]":
        """All of them, a spine's first."""
        return self._below if self._above is None else [self._above, *self._below]

    def nodes_of(self, ways: Ints) -> Ints:
        """The node at the end of each way, -1 for none."""
        return self._node_places[ways] if self._ways.gaps else ways

    def owners(self, flow_keys: Keys, epochs: Ints) -> Ints:
        """The way of each flow in its epoch."""
        if self._above is None:
            return self._below[0].owners(router_hashes(flow_keys, self._seeds[self._ways.routers[0]]), epochs)
        legs = self._above.owners(router_hashes(flow_keys, self._seeds[str(self._ways.spine)]), epochs)
        owners = np.full(len(flow_keys), -1)
        for leg in np.flatnonzero(np.bincount(legs[legs >= 0])).tolist():
            here = legs == leg
            hashes = router_hashes(flow_keys[here], self._seeds[self._ways.routers[leg]])
            owners[here] = self._below[leg].owners(hashes, epochs[here])
        return owners

    def owners_at(self, flow_keys: Keys, epoch: int) -> Ints:
        """The same in one epoch for all flows of a population."""
        if self._above is None:
            return self._below[0].owners_in(epoch, self.hashed(flow_keys, self._ways.routers[0]))
        legs = self.legs_at(flow_keys, epoch)
        owners = np.full(len(flow_keys), -1)
        for leg in np.flatnonzero(np.bincount(legs[legs >= 0])).tolist():
            here = rows_where(legs == leg)
            hashes = self.hashed(flow_keys, self._ways.routers[leg])
            owners[here] = self._below[leg].owners_in(epoch, hashes[here])
        return owners

    def legs_at(self, flow_keys: Keys, epoch: int) -> Ints:
        """The place in ``Ways.routers`` of the router that the spine sends each flow of a population to; -1: none."""
        if self._above is None:
            return np.zeros(len(flow_keys), dtype=np.int64)
        return self._above.owners_in(epoch, self.hashed(flow_keys, str(self._ways.spine)))

    def same_groups(self, epoch: int) -> bool:
        """Whether the epoch's groups are those of the one before."""
        return epoch not in self._turns

    def has_none(self, router: str | None) -> Bools:
        """Of each epoch, whether a router, or the entry itself, has nobody to send to."""
        if router is not None:
            return self._below[self._ways.routers.index(router)].empty
        return self._below[0].empty if self._above is None else self._above.empty

    def most_nodes(self) -> int:
        """To how many nodes flows are sent in the epoch in which these are most."""
        different = np.unique([group.number for group in self._groups], axis=1).T.tolist()
        return max(len(self._nodes_among(*numbers)) for numbers in different)

    def ways_in(self, epoch: int) -> Ints | None:
        """All ways that some flow takes in an epoch; None if some flow may have none."""
        if self.incomplete[epoch]:
            return None
        legs = self._below
        if self._above is not None:
            legs = [self._below[leg] for leg in self._above.members(int(self._above.number[epoch]))]
        return np.array([way for group in legs for way in group.members(int(group.number[epoch]))], dtype=np.int64)

    def _nodes_among(self, *numbers: int) -> frozenset[int]:
        """The nodes that get flows under these groups, the spine's first."""
        legs = self._below if self._above is None else [self._below[leg] for leg in self._above.members(numbers[0])]
        below = dict(zip(self._below, numbers[-len(self._below) :], strict=True))
        ways = [way for group in legs for way in group.members(below[group])]
        return frozenset(self.nodes_of(np.array(ways, dtype=np.int64)).tolist())

    def movers(self, epoch: int) -> list[tuple[str, tuple[str, ...]]]:
        """What moved flows with this epoch: routers, each with the nodes that it concerns.

        At a router these entered or left its group, or are skipped or skipped no more; a router that a spine gave
        something to or took something from stands there with all its nodes. Where nobody came or went (buckets that
        migrate) it may be all of them.
        """
        ways, found = self._ways, dict[str, tuple[str, ...]]()
        times = [int(time_us) for time_us in self._times[epoch - 1 : epoch + 1]]
        for router, steps in zip(ways.routers, ways.steps, strict=True):
            changed = _changed(*(steps.at(time_us) for time_us in times))
            found[router] = tuple(node for node in ways.of_router(router) if node in changed)
        if ways.spine_steps is not None:
            for router in _changed(*(ways.spine_steps.at(time_us) for time_us in times)):
                found[router] = tuple(ways.of_router(router))
        movers = [(router, nodes) for router, nodes in found.items() if nodes]
        return movers or [(router, tuple(ways.of_router(router))) for router in ways.routers]

    def ends(self, end: int) -> list[tuple[NextHops, Mapping[str, int]]]:
        """The groups that flows may meet at first (0) or in the end (-1), with their ways; none if one has no way."""
        ways = self._ways
        used = ways.routers if ways.spine_steps is None else ways.spine_steps.values[end].members
        steps = dict(zip(ways.routers, ways.steps, strict=True))
        if not all(steps[router].values[end].members for router in used):
            return []
        return [(steps[router].values[end], ways.of_router(router)) for router in used]

    def stays(self, flow_keys: Keys, router: str) -> list["Stay"] | None:
        """From when until when which flows are sent to a router; None if it gets all of them."""
        if self._above is None or router == self._ways.spine:
            return None
        leg, epochs = self._ways.routers.index(router), range(1, len(self._times))
        begins = [0, *(epoch for epoch in epochs if self._above.number[epoch] != self._above.number[epoch - 1])]
        ends_us = [*self._times[begins[1:]].tolist(), FAR_US]
        return [
            Stay(int(self._times[epoch]), end_us, rows_where(self.legs_at(flow_keys, epoch) == leg))
            for epoch, end_us in zip(begins, ends_us, strict=True)
        ]

    def hashed(self, flow_keys: Keys, router: str) -> NDArray[np.uint32]:
        """The flow hashes of a population at a router, worked out once."""
        seed = self._seeds[router]
        if seed not in self._hashes or self._hashes[seed][0] is not flow_keys:
            self._hashes[seed] = flow_keys, router_hashes(flow_keys, seed)
        return self._hashes[seed][1]


class _Groups:
    """A router's next-hop groups of the epochs; equal ones are built once."""

    def __init__(
        self, dealer: Dealer, router: str, steps: Steps[NextHops], places: Mapping[str, int], times: Ints, nowhere: int
    ) -> None:
        self._different = list(dict.fromkeys(steps.values))
        numbers = {hops: number for number, hops in enumerate(self._different)}
        self.number = values_at(steps, times, numbers.__getitem__)
        self.empty: Bools = np.array([not hops.members for hops in self._different])[self.number]
        self._places, self._nowhere = places, nowhere
        self._members = [np.array([places[node] for node in hops.members], dtype=np.int64) for hops in self._different]
        self._groups = [dealer.group(router, hops) if hops.members else None for hops in self._different]

    def members(self, number: int) -> list[int]:
        """The places of a group's members."""
        members: list[int] = self._members[number].tolist()
        return members

    def holds(self, place: int) -> Bools:
        """Of each epoch, whether the member at that place is in the group."""
        held: Bools = np.array([place in members for members in self._members])[self.number]
        return held

    def owners(self, hashes: NDArray[np.uint32], epochs: Ints) -> Ints:
        """The member of each hash in its epoch."""
        numbers = self.number.take(epochs)
        met = np.flatnonzero(np.bincount(numbers)).tolist()
        if len(met) == 1:
            return self._owners_of(met[0], hashes)
        owners = np.full(len(hashes), self._nowhere)
        for number in met:
            here = rows_where(numbers == number)
            owners[here] = self._owners_of(number, hashes[here])
        return owners

    def owners_in(self, epoch: int, hashes: NDArray[np.uint32]) -> Ints:
        """The member of each hash in one epoch."""
        return self._owners_of(int(self.number[epoch]), hashes)

    def _owners_of(self, number: int, hashes: NDArray[np.uint32]) -> Ints:
        group = self._groups[number]
        if group is None:
            return np.full(len(hashes), self._nowhere)
        return np.take(self._members[number], group.owners(hashes))


def _changed(before: NextHops, after: NextHops) -> frozenset[str]:
    return (frozenset(before.members) ^ frozenset(after.members)) | (before.skipped ^ after.skipped)


def values_at(steps: Steps[T], times: Ints, number: Callable[[T], N]) -> NDArray[Any]:
    """What ``number`` makes of the values that hold at ``times``."""
    values = np.array([number(value) for value in steps.values])
    if len(values) == 1:
        return values.repeat(len(times))
    return values[np.array(steps.times).searchsorted(times, "right") - 1]


def values_of_many(many: Sequence[Steps[T]], times: Ints, number: Callable[[T], N]) -> NDArray[Any]:
    """The same for several, one row each, by one search; no step begins after the last of ``times``."""
    span = int(times[-1]) + 2  # place and time make one sortable number, for the first time is -1
    begins = np.array([place * span + time_us for place, steps in enumerate(many) for time_us in steps.times])
    values = np.array([number(value) for steps in many for value in steps.values])
    asked = np.arange(len(many))[:, None] * span + times
    return values[begins.searchsorted(asked, "right") - 1]
