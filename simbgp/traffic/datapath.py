"""What becomes of a packet of a service, from where it enters, at one moment."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simbgp.scenario.plan import Plan, ServicePlan
from simbgp.traffic.answers import Answers, leave_by_themselves
from simbgp.traffic.balancer import Balancer
from simbgp.traffic.history import History
from simbgp.traffic.lookup import Lookup, how_many_reached, rows_where
from simbgp.traffic.routing import N, Routing, Ways, values_of_many
from simbgp.traffic.steps import NEVER_US, START_US, Steps
from simbgp.traffic.views import Views

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Reply:
    """What a client hears after one packet: plain numbers, for arrays are compared with them in every round."""

    LOST: Final = 0
    REJECTED: Final = 1
    RESET: Final = 2
    ANSWERED: Final = 3


class Sent(NamedTuple):
    """One packet of each of some connections: which way it went and what came back; -1: no way, no backend.

    What has a backend and has not ``arrived`` was answered, and the answer got lost.
    """

    epochs: Ints
    ways: Ints
    arrived: Bools
    backends: Ints
    replies: Ints

    def only(self, rows: Ints) -> "Sent":
        """The packets of some of the connections."""
        return Sent(self.epochs[rows], self.ways[rows], self.arrived[rows], self.backends[rows], self.replies[rows])


class Datapath:
    """The way of a service's packets from one entry, over routers and nodes, to backends, as arrays over epochs.

    An epoch is an interval in which nothing changes for packets of known flows: ``times[k]`` is when epoch k begins,
    ``times[0]`` stands for the steady state before time 0. Columns are ways (see `Ways`), or backends as places in
    ``service.backends``. What nodes' load balancers know changes independently of epochs, for only unknown flows meet
    it.
    """

    def __init__(self, plan: Plan, history: History, entry: str, prefix: str, service: ServicePlan) -> None:
        self.service = service
        self.since_us = history.added_us.get(service.name, 0)
        """Since when clients ask for the service."""
        self.ways = Ways(history, entry, prefix)
        self._known = [history.view(node, service.name) for node in self.ways.nodes]
        self.views = Views(Balancer(plan.load_balancer, service), self._known, len(service.backends))
        apart = leave_by_themselves(plan, service)
        lost = history.crossings.lost_to_node if apart else history.lost_share
        paths = [lost(router, node) for router, node in self.ways.pairs]
        self.answers = Answers.of(history, self.ways, service) if apart else None
        """What is lost of answers that have a way of their own; None if they have not, or nothing is."""
        forwarding = [history.forwarding(node) for _, node in self.ways.pairs]
        conntracks = [history.conntrack(node) for _, node in self.ways.pairs]
        lives = [history.life(service.name, backend.name) for backend in service.backends]
        resets = [history.resets(service.name, backend.name) for backend in service.backends]
        exits = self.answers.steps if self.answers else []
        changes: list[Steps[Any]] = [*self.ways.groups, *paths, *exits, *forwarding, *conntracks, *lives, *resets]
        self.times: Ints = np.array(sorted({time_us for steps in changes for time_us in steps.times}))
        self.ends_us: Ints = np.append(self.times[1:], NEVER_US)
        self.routing = Routing(plan, self.ways, self.times)
        lost_shares = self._sampled(paths, float)
        reached: Bools = (lost_shares < 1.0) & (self._sampled(forwarding, int) == 1)
        self.lost_shares = self._widened(np.where(reached, lost_shares, 0.0))
        self.reached: Bools = self._widened(reached)
        self.losses = self._widened(self._sampled(conntracks, int))
        self.life = self._sampled(lives, int)
        self.resets: Bools = self._sampled(resets, int) == 1
        self.reached_at, self.losses_at = Lookup(self.reached, False), Lookup(self.losses, 0)
        self.lost_shares_at = Lookup(self.lost_shares, 0.0)
        self.life_at, self.resets_at = Lookup(self.life, -1), Lookup(self.resets, False)
        self.alive_at = Lookup(self.life % 2 == 0, False)
        if self.answers:
            self.answers.sample(self.times)
        self.is_lossy = bool(self.lost_shares.any()) or (self.answers is not None and self.answers.is_lossy)
        """Whether luck decides anything."""

    def _sampled(self, steps: Sequence[Steps[Any]], number: Callable[[Any], N]) -> NDArray[Any]:
        """One row per epoch, one column per item."""
        if not steps:
            return np.zeros((len(self.times), 1), dtype=np.int64)
        table = np.array([[number(item.values[0]) for item in steps]]).repeat(len(self.times), axis=0)
        changing = [column for column, item in enumerate(steps) if len(item.values) > 1]
        if changing:
            table[:, changing] = values_of_many([steps[column] for column in changing], self.times, number).T
        return table

    def _widened(self, of_ways: NDArray[Any]) -> NDArray[Any]:
        """With columns for what stands behind the ways: never reached, and nothing to lose."""
        return np.pad(of_ways, ((0, 0), (0, self.ways.gaps))) if self.ways.gaps else of_ways

    def epochs(self, at_us: Ints) -> Ints:
        """The epoch of each moment."""
        return how_many_reached(self.times[1:], at_us)  # no moment is before the first, the steady state

    def stuck_until(self, sent: Sent) -> Ints:
        """Until when sending each packet again meets the same; before time 0 for those of which that is not known.

        Within an epoch a flow without a way to any node has none, and a backend that conntrack keeps for it stays as
        silent as it is. Where luck decides nothing is known.
        """
        silent = (sent.replies == Reply.LOST) & (~sent.arrived | (sent.backends >= 0))
        certain = silent & (self.lost_shares_at.at(sent.epochs, sent.ways) == 0)
        if self.answers:
            certain &= self.answers.certain(sent.epochs)
        stuck_us: Ints = np.where(certain, self.ends_us[sent.epochs], START_US)
        return stuck_us

    def stuck_until_dialled(self, sent: Sent, at_us: Ints) -> Ints:
        """The same for SYNs sent at a moment: the node picks another backend when it no longer knows the last."""
        stuck_us = self.stuck_until(sent)
        got = sent.arrived if self.answers is None else (sent.ways >= 0) & (sent.ways < len(self.ways.pairs))
        there = rows_where(got)
        nodes = self.routing.nodes_of(sent.ways[there])
        stuck_us[there] = np.minimum(stuck_us[there], self.views.valid_until(nodes, at_us[there]))
        return stuck_us

    def node_losses(self, epoch: int) -> Ints:
        """How often each node had lost its conntrack."""
        losses: Ints = self.losses[epoch, self.ways.to_nodes]
        return losses

    def lost_since(self, nodes: Ints, at_us: Ints) -> Ints:
        """When each node lost its maps for the last time before a moment; `START_US`: never."""
        losses = np.diff(self.losses, axis=0, prepend=0) > 0
        since: Ints = np.maximum.accumulate(np.where(losses, self.times[:, None], START_US))
        return since[self.epochs(at_us), self.ways.to_nodes[nodes]]

    def disturbed_until(self, horizon_us: int) -> int | None:
        """Until when a packet can meet anything but the living backend of a constant way; None if it never can."""
        changes = [*self.times[1:].tolist(), *(time_us for view in self._known for time_us in view.times[1:])]
        if not changes and self._is_sound(0):
            return None
        return max(0, *changes) if self._is_sound(-1) else horizon_us

    def _is_sound(self, end: Literal[0, -1]) -> bool:
        """Whether at first (0) or in the end (-1) every new connection finds a living backend."""
        members: list[int] = []
        for hops, places in self.routing.ends(end):
            present = frozenset(hops.members) - hops.skipped or frozenset(hops.members)
            members += [way for node, way in places.items() if node in present]
        mute = self.life[end] % 2 == 1
        if self.answers:
            mute = mute | self.answers.troubled[end]
        dead = {backend.name for place, backend in enumerate(self.service.backends) if mute[place]}
        nodes = {self.ways.pairs[way][1] for way in members}
        views = {view.values[end] for node, view in zip(self.ways.nodes, self._known, strict=True) if node in nodes}
        arrive = all(self.reached[end, way] and not self.lost_shares[end, way] for way in members)
        return bool(members) and arrive and all(view and dead.isdisjoint(view.backends) for view in views)
