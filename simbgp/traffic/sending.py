"""One packet of each connection: its way to a backend, what the nodes there remember of it, and the answer."""

import numpy as np

from simbgp.scenario.plan import Plan
from simbgp.traffic.affinity import Affinity
from simbgp.traffic.answers import either, leave_by_themselves
from simbgp.traffic.conntrack import STAYS_US, Conntrack
from simbgp.traffic.datapath import Bools, Datapath, Ints, Reply, Sent
from simbgp.traffic.flows import Flows
from simbgp.traffic.lookup import rows_where
from simbgp.traffic.luck import PASSES, Floats, Luck, Purpose


class Homes:
    """Where each connection was opened, and what was true there; one row per connection.

    The node, how often that had lost its conntrack, the backend, its life, and, if entries may get too old (``ages``),
    since when the flow has been sent to other nodes.
    """

    def __init__(self, count: int, ages: bool) -> None:
        self.nodes, self.losses, self.backends, self.lives = np.zeros((4, count), dtype=np.int64)
        self.left_us = np.full(count if ages else 0, STAYS_US)


class Sending:
    """Sends packets of one population over its data path; see `outcomes` for the rules."""

    def __init__(self, plan: Plan, path: Datapath, flows: Flows, horizon_us: int, affinity: Affinity | None) -> None:
        self._path, self._routing, self._flows = path, path.routing, flows
        dsr = leave_by_themselves(plan, path.service)
        self._tuple_is_nodes_own = plan.load_balancer.mode == "snat" and path.service.policy == "Cluster"
        self._stranger = Reply.LOST if dsr and not plan.speaker.dsr_reset_reaches_client else Reply.RESET
        self._unknown_flow = plan.load_balancer.unknown_flow
        self._lifetime_us = plan.speaker.conntrack_tcp_s * 1_000_000
        self.ages = horizon_us > self._lifetime_us
        """Whether any entry can be too old in this run."""
        self.homes = Homes(len(flows), self.ages)
        self._conntrack = Conntrack(len(flows), self._lifetime_us)
        self._affinity = affinity
        self.luck = Luck(flows.keys)
        self._lossy = path.is_lossy
        """Whether luck decides anything in this run."""

    def dial(self, who: Ints, at_us: Ints, luck: Floats) -> Sent:
        """A SYN: the node picks a backend unless it remembers one that it still knows."""
        path = self._path
        epochs, ways, arrived, losses = self._arrive(who, at_us, luck)
        nodes = self._routing.nodes_of(ways)
        backends = np.full(len(who), -1)
        rows = rows_where(arrived)
        met = who[rows], nodes[rows], losses[rows], at_us[rows]
        backends[rows] = self._pick(*met, self._conntrack.find(*met))
        alive = path.alive_at.at(epochs, backends)
        dead = rows_where((backends >= 0) & ~alive)
        self._conntrack.remember(who[dead], nodes[dead], losses[dead], backends[dead])
        replies = np.where(alive, Reply.ANSWERED, Reply.LOST)
        replies[arrived & (backends < 0)] = Reply.REJECTED
        if self._stranger == Reply.RESET:
            replies[dead[path.resets_at.at(epochs[dead], backends[dead])]] = Reply.REJECTED
        sent = Sent(epochs, ways, arrived, backends, replies)
        unheard = self._lose_answers(who, sent, luck)
        unheard = unheard[backends[unheard] >= 0]
        self._conntrack.remember(who[unheard], nodes[unheard], losses[unheard], backends[unheard])
        return sent

    def send(self, who: Ints, at_us: Ints, luck: Floats) -> Sent:
        """A packet of an open connection: conntrack keeps its backend, an unknown flow is given one."""
        path = self._path
        epochs, ways, arrived, losses = self._arrive(who, at_us, luck)
        nodes = self._routing.nodes_of(ways)
        at_home = arrived & (nodes == self.homes.nodes[who]) & (losses == self.homes.losses[who])
        if self.ages:
            at_home &= at_us - self.homes.left_us[who] < self._lifetime_us
        opened_to = self.homes.backends[who]
        backends = np.where(at_home, opened_to, -1)
        away = rows_where(arrived & ~at_home)
        backends[away] = self._conntrack.find(who[away], nodes[away], losses[away], at_us[away])
        unknown = away[backends[away] < 0]
        if self._unknown_flow == "pick":
            backends[unknown] = self._pick(who[unknown], nodes[unknown], losses[unknown], at_us[unknown])
            entered = unknown[backends[unknown] >= 0]
            self._conntrack.remember(who[entered], nodes[entered], losses[entered], backends[entered])
        alive = path.alive_at.at(epochs, backends)
        own = alive & (backends == opened_to) & self.has_socket(who, epochs)
        if self._tuple_is_nodes_own:
            own &= at_home
        refuses = alive | path.resets_at.at(epochs, backends)
        replies = np.where(refuses, self._stranger, Reply.LOST)
        replies[own] = Reply.ANSWERED
        if self._unknown_flow == "reset":
            replies[unknown] = Reply.RESET
        sent = Sent(epochs, ways, arrived, backends, replies)
        self._lose_answers(who, sent, luck)
        return sent

    def luck_of(self, who: Ints, at_us: Ints, beyond: Bools, purpose: Purpose) -> Floats:
        """The luck of a packet of each, which passes beyond the horizon."""
        if not self._lossy:
            return np.full(len(who), PASSES)
        return np.where(beyond, PASSES, self.luck.draw(who, at_us, purpose))

    def has_socket(self, who: Ints, epochs: Ints) -> Bools:
        """Whether the backend lives the same life as when it accepted the connection."""
        same: Bools = self._path.life_at.at(epochs, self.homes.backends[who]) == self.homes.lives[who]
        return same

    def is_forgotten(self, at_us: int) -> Bools:
        """Whose entry at the node that opened the connection is too old."""
        forgotten: Bools = self.homes.left_us <= at_us - self._lifetime_us
        return forgotten

    def let_age(self, who: Ints, before: Ints, after: Ints, epoch: int) -> None:
        """From now on nothing keeps the entries at the nodes that the flows leave, while those they reach are used."""
        at_us = int(self._path.times[epoch])
        self._conntrack.move(who, before, after, self._path.node_losses(epoch), at_us)
        left, back = who[before == self.homes.nodes[who]], who[after == self.homes.nodes[who]]
        self.homes.left_us[back[at_us - self.homes.left_us[back] < self._lifetime_us]] = STAYS_US
        self.homes.left_us[left] = at_us

    def _lose_answers(self, who: Ints, sent: Sent, luck: Floats) -> Ints:
        """Take back the replies that are lost on a way of their own; the rows of these."""
        path = self._path
        if path.answers is None:
            return np.empty(0, dtype=np.int64)
        lost = path.answers.lost(self._flows.keys[who], sent.epochs, sent.ways, sent.backends)
        passes = lost < 1
        if self._lossy:
            passes &= (lost == 0) | (luck >= either(path.lost_shares_at.at(sent.epochs, sent.ways), lost))
        unheard = rows_where((sent.replies != Reply.LOST) & ~passes)
        sent.arrived[unheard], sent.replies[unheard] = False, Reply.LOST
        return unheard

    def _pick(self, who: Ints, nodes: Ints, losses: Ints, at_us: Ints, held: Ints | None = None) -> Ints:
        """The backend that each one's node gives to a flow without an entry."""
        if not len(who):
            return who
        views, clients = self._path.views, self._flows.clients
        if self._affinity is None or clients is None:
            return views.picks(self._flows.keys[who], nodes, at_us, losses, held)
        since_us = self._affinity.since(clients[who], nodes, at_us)
        return views.kept(clients[who], nodes, since_us, at_us, losses, held)

    def _arrive(self, who: Ints, at_us: Ints, luck: Floats) -> tuple[Ints, Ints, Bools, Ints]:
        """Epoch, way, whether the packet gets to its end, and how often the node there had lost its conntrack."""
        epochs = self._path.epochs(at_us)
        ways = self._routing.owners(self._flows.keys[who], epochs)
        arrived = self._path.reached_at.at(epochs, ways)
        if self._lossy:
            arrived &= luck >= self._path.lost_shares_at.at(epochs, ways)
        return epochs, ways, arrived, self._path.losses_at.at(epochs, ways)
