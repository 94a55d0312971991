"""What becomes of a packet of a service at one router at one moment."""

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from simbgp.scenario.plan import Plan, ServicePlan
from simbgp.traffic.balancer import Balancer
from simbgp.traffic.ecmp import Dealer, NextHops
from simbgp.traffic.history import History
from simbgp.traffic.steps import NEVER_US, START_US, Steps
from simbgp.traffic.views import Views

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
T = TypeVar("T")
N = TypeVar("N", int, float)


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
        self.since_us = history.added_us.get(service.name, 0)
        """Since when clients ask for the service."""
        self.nodes = history.origins(router, prefix)
        self.next_hops = history.groups(router, prefix)
        self._known = [history.view(node, service.name) for node in self.nodes]
        self.views = Views(Balancer(plan.load_balancer, service), self._known, len(service.backends))
        paths = [history.lost_share(router, node) for node in self.nodes]
        forwarding = [history.forwarding(node) for node in self.nodes]
        conntracks = [history.conntrack(node) for node in self.nodes]
        lives = [history.life(service.name, backend.name) for backend in service.backends]
        resets = [history.resets(service.name, backend.name) for backend in service.backends]
        changes: list[Steps[Any]] = [self.next_hops, *paths, *forwarding, *conntracks, *lives, *resets]
        self.times: Ints = np.array(sorted({time_us for steps in changes for time_us in steps.times}))
        lost_shares = self._sampled(paths, float)
        self.reached: Bools = (lost_shares < 1.0) & (self._sampled(forwarding, int) == 1)
        self.lost_shares = np.where(self.reached, lost_shares, 0.0)
        self.losses = self._sampled(conntracks, int)
        self.life = self._sampled(lives, int)
        self.resets: Bools = self._sampled(resets, int) == 1
        self._groups = _Groups(Dealer(plan), router, self.next_hops, self.nodes, self.times)
        self.group_sizes = _values_at(self.next_hops, self.times, lambda hops: len(hops.members))

    def _sampled(self, steps: Sequence[Steps[Any]], number: Callable[[Any], N]) -> NDArray[Any]:
        """One row per epoch, one column per item."""
        columns = [_values_at(item, self.times, number) for item in steps]
        return np.stack(columns, axis=1) if columns else np.zeros((len(self.times), 1), dtype=np.int64)

    def epochs(self, at_us: Ints) -> Ints:
        """The epoch of each moment."""
        return np.searchsorted(self.times, at_us, side="right") - 1

    def stuck_until(self, sent: Sent) -> Ints:
        """Until when sending each packet again meets the same; before time 0 for those of which that is not known.

        Within an epoch a flow without a way to any node has none, and a backend that conntrack keeps for it stays as
        silent as it is. Where luck decides nothing is known.
        """
        ends_us = np.append(self.times[1:], NEVER_US)
        silent = (sent.replies == Reply.LOST) & (~sent.arrived | (sent.backends >= 0))
        certain = silent & (self.lost_shares[sent.epochs, sent.nodes] == 0)
        stuck_us: Ints = np.where(certain, ends_us[sent.epochs], START_US)
        return stuck_us

    def stuck_until_dialled(self, sent: Sent, at_us: Ints) -> Ints:
        """The same for SYNs sent at a moment: the node picks another backend when it no longer knows the last."""
        stuck_us = self.stuck_until(sent)
        there = sent.arrived
        stuck_us[there] = np.minimum(stuck_us[there], self.views.valid_until(sent.nodes[there], at_us[there]))
        return stuck_us

    def owners(self, flow_keys: NDArray[np.uint64], epochs: Ints) -> Ints:
        """The node to which the router sends each flow in its epoch; -1 without a next hop."""
        return self._groups.owners((flow_keys >> np.uint64(32)).astype(np.uint32), epochs)

    def owners_at(self, flow_keys: NDArray[np.uint64], epoch: int) -> Ints:
        """The same in one epoch for all."""
        return self._groups.owners_in(int(self._groups.number[epoch]), (flow_keys >> np.uint64(32)).astype(np.uint32))

    def lost_since(self, nodes: Ints, at_us: Ints) -> Ints:
        """When each node lost its maps for the last time before a moment; `START_US`: never."""
        losses = np.diff(self.losses, axis=0, prepend=0) > 0
        since: Ints = np.maximum.accumulate(np.where(losses, self.times[:, None], START_US))
        return since[self.epochs(at_us), nodes]

    def group_changes(self, epoch: int) -> tuple[str, ...]:
        """The nodes that entered or left the group with this epoch, or that it now skips or skips no more."""
        before, after = (self.next_hops.at(int(time_us)) for time_us in self.times[epoch - 1 : epoch + 1])
        changed = (frozenset(before.members) ^ frozenset(after.members)) | (before.skipped ^ after.skipped)
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
        hops = self.next_hops.values[end]
        present = frozenset(hops.members) - hops.skipped or frozenset(hops.members)
        members = [place for place, node in enumerate(self.nodes) if node in present]
        dead = {backend.name for place, backend in enumerate(self.service.backends) if self.life[end, place] % 2}
        views = {self._known[member].values[end] for member in members}
        arrive = all(self.reached[end, member] and not self.lost_shares[end, member] for member in members)
        return bool(members) and arrive and all(view and dead.isdisjoint(view.backends) for view in views)


class _Groups:
    """The next-hop groups of the epochs; equal ones are built once."""

    def __init__(
        self, dealer: Dealer, router: str, steps: Steps[NextHops], nodes: tuple[str, ...], times: Ints
    ) -> None:
        different = {hops: number for number, hops in enumerate(dict.fromkeys(steps.values))}
        places = {node: place for place, node in enumerate(nodes)}
        self.number = _values_at(steps, times, different.__getitem__)
        self._members = [np.array([places[node] for node in hops.members], dtype=np.int64) for hops in different]
        self._groups = [dealer.group(router, hops) if hops.members else None for hops in different]

    def owners(self, hashes: NDArray[np.uint32], epochs: Ints) -> Ints:
        """The node of each hash in its epoch, or -1."""
        numbers = self.number[epochs]
        owners = np.full(len(hashes), -1)
        for number in np.flatnonzero(np.bincount(numbers)).tolist():
            here = numbers == number
            owners[here] = self.owners_in(number, hashes[here])
        return owners

    def owners_in(self, number: int, hashes: NDArray[np.uint32]) -> Ints:
        """The node of each hash in one group."""
        group = self._groups[number]
        if group is None:
            return np.full(len(hashes), -1)
        return np.take(self._members[number], group.owners(hashes))


def _values_at(steps: Steps[T], times: Ints, number: Callable[[T], N]) -> NDArray[Any]:
    values = np.array([number(value) for value in steps.values])
    return values[np.searchsorted(steps.times, times, side="right") - 1]
