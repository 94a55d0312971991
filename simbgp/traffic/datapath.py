"""What becomes of a packet of a service at one router at one moment."""

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from simbgp.scenario.plan import Plan, ServicePlan
from simbgp.traffic.balancer import Balancer
from simbgp.traffic.ecmp import next_hop_group
from simbgp.traffic.history import History
from simbgp.traffic.steps import Steps
from simbgp.traffic.views import Views

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
T = TypeVar("T")


class Reply(IntEnum):
    """What a client hears after one packet."""

    LOST = 0
    REJECTED = 1
    RESET = 2
    ANSWERED = 3


class Sent(NamedTuple):
    """One packet of each of some connections: where it went and what came back; -1: no node, no backend."""

    epochs: Ints
    nodes: Ints
    arrived: Bools
    backends: Ints
    replies: Ints

    def only(self, rows: Bools) -> "Sent":
        """The packets of some of the connections."""
        return Sent(self.epochs[rows], self.nodes[rows], self.arrived[rows], self.backends[rows], self.replies[rows])


class Datapath:
    """The way of a service's packets from one router, over nodes, to backends, as arrays over epochs.

    An epoch is an interval in which nothing changes for packets of known flows: ``times[k]`` is when epoch k begins,
    ``times[0]`` stands for the steady state before time 0. Nodes are places in ``nodes`` (those that ever were next
    hops, in the group's order), backends places in ``service.backends``. What nodes' load balancers know changes
    independently of epochs, for only unknown flows meet it.
    """

    def __init__(self, plan: Plan, history: History, router: str, prefix: str, service: ServicePlan) -> None:
        self.router, self.service = router, service
        self.nodes = history.origins(router, prefix)
        self.next_hops = history.next_hops(router, prefix)
        self._known = [history.view(node, service.name) for node in self.nodes]
        self.views = Views(Balancer(plan.load_balancer, service), self._known, len(service.backends))
        paths = [history.path(router, node) for node in self.nodes]
        forwarding = [history.forwarding(node) for node in self.nodes]
        conntracks = [history.conntrack(node) for node in self.nodes]
        lives = [history.life(service.name, backend.name) for backend in service.backends]
        changes: list[Steps[Any]] = [self.next_hops, *paths, *forwarding, *conntracks, *lives]
        self.times: Ints = np.array(sorted({time_us for steps in changes for time_us in steps.times}))
        self.reached: Bools = (self._sampled(paths) & self._sampled(forwarding)) == 1
        self.losses = self._sampled(conntracks)
        self.life = self._sampled(lives)
        weights = {node.name: node.ecmp_weight for node in plan.nodes}
        kind = next(item.ecmp.hash for item in plan.routers if item.name == router)
        self._groups = _Groups(self.next_hops, self.nodes, weights, kind, self.times)
        self.group_sizes = _values_at(self.next_hops, self.times, len)

    def _sampled(self, steps: Sequence[Steps[Any]]) -> Ints:
        """One row per epoch, one column per item."""
        columns = [_values_at(item, self.times, int) for item in steps]
        return np.stack(columns, axis=1) if columns else np.zeros((len(self.times), 1), dtype=np.int64)

    def epochs(self, at_us: Ints) -> Ints:
        """The epoch of each moment."""
        return np.searchsorted(self.times, at_us, side="right") - 1

    def owners(self, flow_keys: NDArray[np.uint64], epochs: Ints) -> Ints:
        """The node to which the router sends each flow in its epoch; -1 without a next hop."""
        return self._groups.owners((flow_keys >> np.uint64(32)).astype(np.uint32), epochs)

    def group_changes(self, epoch: int) -> tuple[str, ...]:
        """The nodes that entered or left the group with this epoch."""
        after = frozenset(self.next_hops.at(int(self.times[epoch])))
        changed = after ^ frozenset(self.next_hops.at(int(self.times[epoch - 1])))
        return tuple(node for node in self.nodes if node in changed)

    def same_group(self, epoch: int) -> bool:
        """Whether the epoch's group is that of the one before."""
        return bool(self._groups.number[epoch] == self._groups.number[epoch - 1])

    def disturbed(self, horizon_us: int) -> tuple[int, int] | None:
        """From and until when a packet can meet anything but the living backend of a constant way; None if never."""
        changes = [*self.times[1:].tolist(), *(time_us for view in self._known for time_us in view.times[1:])]
        sound_at_first, sound_at_last = self._is_sound(0), self._is_sound(-1)
        if not changes and sound_at_first:
            return None
        return min(changes) if sound_at_first else 0, max(0, *changes) if sound_at_last else horizon_us

    def _is_sound(self, end: Literal[0, -1]) -> bool:
        """Whether at first (0) or in the end (-1) every new connection finds a living backend."""
        present = frozenset(self.next_hops.values[end])
        members = [place for place, node in enumerate(self.nodes) if node in present]
        dead = {backend.name for place, backend in enumerate(self.service.backends) if self.life[end, place] % 2}
        views = [self._known[member].values[end] for member in members]
        arrive = all(self.reached[end, member] for member in members)
        return bool(members) and arrive and all(view and dead.isdisjoint(view) for view in views)


class _Groups:
    """The next-hop groups of the epochs; equal ones are built once."""

    def __init__(
        self,
        steps: Steps[tuple[str, ...]],
        nodes: tuple[str, ...],
        weights: dict[str, int],
        kind: Literal["modulo", "hash-threshold"],
        times: Ints,
    ) -> None:
        different = {members: number for number, members in enumerate(dict.fromkeys(steps.values))}
        places = {node: place for place, node in enumerate(nodes)}
        self.number = _values_at(steps, times, different.__getitem__)
        self._members = [np.array([places[node] for node in members], dtype=np.int64) for members in different]
        self._groups = [next_hop_group(kind, tuple(weights[node] for node in m)) if m else None for m in different]

    def owners(self, hashes: NDArray[np.uint32], epochs: Ints) -> Ints:
        """The node of each hash in its epoch, or -1."""
        numbers = self.number[epochs]
        owners = np.full(len(hashes), -1)
        for number in np.unique(numbers).tolist():
            group, here = self._groups[number], numbers == number
            if group is not None:
                owners[here] = self._members[number][group.owners(hashes[here])]
        return owners


def _values_at(steps: Steps[T], times: Ints, number: Callable[[T], int]) -> Ints:
    values = np.array([number(value) for value in steps.values], dtype=np.int64)
    return values[np.searchsorted(steps.times, times, side="right") - 1]
