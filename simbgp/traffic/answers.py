"""The way of answers that do not go back over the node at which their requests came in (Cilium's DSR).

A backend's node answers a client by its own link to the router at which the client's packets came in. Where it has no
such link, or sees that it is down, it answers over the others that it has, in equal shares of the flows, whose kernel
would hash them over the next hops of its default route. Which routes a node has for its answers, no scenario says.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from math import fsum, lcm

import numpy as np
from numpy.typing import NDArray

from simbgp.scenario.plan import Plan, ServicePlan
from simbgp.traffic.history import History
from simbgp.traffic.mixing import mix
from simbgp.traffic.routing import Ways, values_at
from simbgp.traffic.steps import Steps

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Keys = NDArray[np.uint64]

Exits = tuple[float, ...]
"""What vanishes of a node's answers, of each of the links over which they leave in equal shares."""
_SOUND: Exits = (0.0,)
_NO_WAY_OUT: Exits = (1.0,)
_SALT = np.array([0x0A45], dtype=np.int64)
"""A node hashes its answers, and nobody else as it does."""


def leave_by_themselves(plan: Plan, service: ServicePlan) -> bool:
    """Whether answers of backends leave by the backend's own node, wherever the request came in."""
    return plan.load_balancer.mode == "dsr" and service.policy == "Cluster"


def exits(history: History, router: str, node: str) -> Steps[Exits]:
    """By which links a node answers what came in at a router, and what they lose."""
    links = history.crossings
    own, linked = links.of(router, node), links.are_linked(router, node)
    others = [links.of(other, node) for other in links.routers(node) if other != router]
    found = Steps(_SOUND)
    for time_us in sorted({time_us for steps in (own, *others) for time_us in steps.times}):
        here, rest = own.at(time_us), [steps.at(time_us) for steps in others]
        if linked and here.carrier:
            found.set(time_us, (here.to_router,))
        else:
            found.set(time_us, _over(tuple(each.to_router for each in rest if each.carrier), linked or bool(others)))
    return found


def _over(lost: Exits, has_links: bool) -> Exits:
    """Over several links; nothing is known against nodes that are linked to no router."""
    if not lost:
        return _NO_WAY_OUT if has_links else _SOUND
    return lost if any(lost) else _SOUND


def either(lost_to_node: Floats, lost_answers: Floats) -> Floats:
    """The share of questions that get no answer, because of the one way or the other."""
    both = 1.0 - (1.0 - lost_to_node) * (1.0 - lost_answers)
    return np.where(lost_answers > 0, both, lost_to_node)


def lost_of(shares: Exits) -> float:
    """The share of a node's answers that vanishes."""
    return fsum(shares) / len(shares)


def _in_slot(slot: int, shares: Exits) -> float:
    return shares[slot % len(shares)]


class Answers:
    """What is lost of answers to the clients of one entry, as arrays over epochs; hosts are nodes that answer.

    ``table[epoch, (leg * hosts + host) * slots + slot]`` is for what came in at a router (``leg``); which slot a flow
    has is its hash.
    """

    def __init__(
        self,
        ways: Ways,
        hosts: Sequence[str],
        homes: Sequence[str],
        found: list[Steps[Exits]],
        routers: Mapping[str, Sequence[str]],
    ) -> None:
        self.steps, self.routers = found, routers
        self._hosts, self._slots = len(hosts), lcm(*(len(shares) for steps in found for shares in steps.values))
        places = {host: place for place, host in enumerate(hosts)}
        self._homes = np.array([*(places[home] for home in homes), 0], dtype=np.int64)
        legs = {router: place for place, router in enumerate(ways.routers)}
        self._legs = np.array([legs[router] for router, _ in ways.pairs] + [0] * (ways.gaps + 1), dtype=np.int64)
        self._ends = np.array([places[node] for _, node in ways.pairs] + [0] * (ways.gaps + 1), dtype=np.int64)

    @classmethod
    def of(cls, history: History, ways: Ways, service: ServicePlan) -> "Answers | None":
        """Those to the clients of an entry; None if none is ever lost."""
        homes = [backend.node for backend in service.backends]
        hosts = list(dict.fromkeys((*homes, *ways.nodes)))
        found = [exits(history, router, host) for router in ways.routers for host in hosts]
        if all(steps.values == [_SOUND] for steps in found):
            return None
        return cls(ways, hosts, homes, found, {host: history.crossings.routers(host) for host in hosts})

    def sample(self, times: Ints) -> None:
        """Fix the epochs."""
        slots = range(self._slots)
        columns = [values_at(steps, times, partial(_in_slot, slot)) for steps in self.steps for slot in slots]
        self._table: Floats = np.stack(columns, axis=1)
        self._is_partial: Bools = np.any((self._table > 0) & (self._table < 1), axis=1)
        by_host = self._table.reshape(len(times), -1, self._hosts, self._slots)
        self.troubled: Bools = np.any(by_host > 0, axis=(1, 3))[:, self._homes[:-1]]
        """Of each epoch and backend, whether any answers of it may be lost."""
        self.is_lossy = bool(self._is_partial.any())
        """Whether luck decides anything."""

    def lost_in(self, epoch: int, keys: Keys, ways: Ints, backends: Ints) -> Floats | None:
        """The same as `lost` in one epoch; None if nothing is."""
        if not self._table[epoch].any():
            return None
        return self.lost(keys, np.full(len(keys), epoch), ways, backends)

    def lost(self, keys: Keys, epochs: Ints, ways: Ints, backends: Ints) -> Floats:
        """What is lost of each one's answer, which without a backend (-1) is the node's own."""
        hosts = np.where(backends >= 0, self._homes[backends], self._ends[ways])
        columns = (self._legs[ways] * self._hosts + hosts) * self._slots
        if self._slots > 1:
            columns += ((mix(keys, _SALT) >> np.uint64(32)) % np.uint64(self._slots)).astype(np.int64)
        return self._table[epochs, columns]

    def certain(self, epochs: Ints) -> Bools:
        """Whether no answer of each epoch is a matter of luck."""
        return ~self._is_partial[epochs]

    def lost_of_way(self, way: int) -> Floats:
        """What is lost of what the node at the end of a way says itself, by epoch."""
        column = (self._legs[way] * self._hosts + self._ends[way]) * self._slots
        return self._table[:, column]

    def lost_of_backend(self, way: int, backend: int) -> Bools:
        """Of each epoch, whether answers of a backend to what came in over a way may be lost."""
        column = (self._legs[way] * self._hosts + self._homes[backend]) * self._slots
        troubled: Bools = np.any(self._table[:, column : column + self._slots] > 0, axis=1)
        return troubled
