"""The life of each connection: what its packets meet, how long it waits and how it ends."""

from typing import Final

import numpy as np

from simbgp.scenario.plan import Plan, TrafficPlan
from simbgp.traffic.addresses import dialled_anew
from simbgp.traffic.affinity import Affinity
from simbgp.traffic.answers import either, leave_by_themselves
from simbgp.traffic.attempts import Attempts
from simbgp.traffic.causes import Causes
from simbgp.traffic.clients import SYN_LINEAR_TIMEOUTS, linux
from simbgp.traffic.conntrack import STAYS_US, Conntrack
from simbgp.traffic.datapath import Bools, Datapath, Ints, Reply, Sent
from simbgp.traffic.flows import Flows
from simbgp.traffic.lookup import rows_where
from simbgp.traffic.luck import Floats, Luck, Purpose
from simbgp.traffic.packets import Met, Packets, Through
from simbgp.traffic.resilient import Usage
from simbgp.traffic.steps import NEVER_US, START_US

_FAR_US = 2.0**61
_VANISHES, _PASSES = 0.0, 1.0
"""Luck that is known: a packet vanishes where its luck is below the share that its path loses."""


class Fate:
    """How a connection ended, or the worst that it met: each is in exactly one. Plain numbers, as `Reply` is."""

    UNAFFECTED: Final = 0
    DELAYED: Final = 1
    RESET: Final = 2
    TIMED_OUT: Final = 3
    NOT_OPENED: Final = 4
    COUNT: Final = 5


class Connections:
    """A population that enters at one router for one prefix; see `outcomes` for the rules.

    Every array has one row per connection. ``nodes``, ``losses``, ``backends`` and ``lives`` say where the connection
    was opened and what was true there: the node, how often that had lost its conntrack, the backend and its life.
    ``owners`` are the ways on which its packets go now.
    """

    def __init__(
        self,
        plan: Plan,
        traffic: TrafficPlan,
        datapath: Datapath,
        flows: Flows,
        causes: Causes,
        horizon_us: int,
        affinity: Affinity | None = None,
    ) -> None:
        self._path, self._flows, self._causes, self._horizon_us = datapath, flows, causes, horizon_us
        self._routing = datapath.routing
        syn_linear = SYN_LINEAR_TIMEOUTS[traffic.client]
        self._client = linux(syn_linear, traffic.tcp_retries2, traffic.user_timeout_s)
        self._connect_limit_us = _least(self._client.connect_gives_up_us, traffic.connect_timeout_s)
        self._request_limit_us = _least(self._client.retransmit_gives_up_us, traffic.request_timeout_s)
        self._interval_us = max(1, round(traffic.request_interval_s * 1e6))
        self._poisson = traffic.poisson_requests
        dsr = leave_by_themselves(plan, datapath.service)
        self._tuple_is_nodes_own = plan.load_balancer.mode == "snat" and datapath.service.policy == "Cluster"
        self._stranger = Reply.LOST if dsr and not plan.speaker.dsr_reset_reaches_client else Reply.RESET
        self._unknown_flow = plan.load_balancer.unknown_flow
        self._lifetime_us = plan.speaker.conntrack_tcp_s * 1_000_000
        self._ages = horizon_us > self._lifetime_us
        """Whether any entry can be too old in this run."""
        self._conntrack = Conntrack(len(flows), self._lifetime_us)
        self._affinity = affinity
        self._luck = Luck(flows.keys)
        self._lossy = datapath.is_lossy
        """Whether luck decides anything in this run."""
        count = len(flows)
        self.fates = np.zeros(count, dtype=np.int64)
        self.refused = np.zeros(count, dtype=np.bool_)
        self.delays_us = np.zeros(count, dtype=np.int64)
        self.connect_delays_us = np.zeros(count, dtype=np.int64)
        self.faults = np.full(count, -1)
        self.first_moves = np.full(count, -1)
        self._moves = np.full(count, -1)
        self._opened_us = np.full(count, NEVER_US)
        self._last_us = np.full(count, -1)
        self._over_us = np.full(count, NEVER_US)
        self._free_us = np.full(count, START_US)
        self._nodes, self._losses, self._backends, self._lives = np.zeros((4, count), dtype=np.int64)
        self._owners = self._nodes.copy()
        self._left_us = np.full(count if self._ages else 0, STAYS_US)
        self._waits: list[tuple[Ints, Ints, Ints]] = []

    def run(self) -> None:
        """Open all connections, then go through the epochs."""
        self._open()
        for epoch in range(1, len(self._path.times)):
            self._live_through(epoch)

    def dialled_anew(self) -> tuple[Ints, Flows]:
        """Who dials again because the connection broke, and the connections that these then ask for."""
        who = rows_where(self.is_broken & (self._over_us < self._horizon_us))
        return who, dialled_anew(self._flows, who, self._over_us[who], self._last_us[who])

    @property
    def is_broken(self) -> Bools:
        """Whose connection was reset or timed out."""
        broken: Bools = (self.fates == Fate.RESET) | (self.fates == Fate.TIMED_OUT)
        return broken

    @property
    def broken_us(self) -> Ints:
        """When those broke whose connection was reset or timed out within the run, in no order."""
        over_us: Ints = self._over_us[self.is_broken & (self._over_us < self._horizon_us)]
        return over_us

    @property
    def is_open(self) -> Bools:
        """Who got a connection within the run."""
        within: Bools = (self._opened_us < self._horizon_us) & (self.fates != Fate.NOT_OPENED)
        return within

    @property
    def backends(self) -> Ints:
        """The backend that each connection was opened to."""
        return self._backends

    def packets_at(self, router: str) -> Usage:
        """What they sent in the run, as the router's group met it."""
        stays = self._routing.stays(self._flows.keys, router)
        packets, hashes = self._packets(), self._routing.hashed(self._flows.keys, router)
        return Met(packets, hashes) if stays is None else Through(packets, hashes, stays)

    def _packets(self) -> Packets:
        waits = zip(*self._waits, strict=True) if self._waits else ([np.empty(0, np.int64)] for _ in range(3))
        who, since_us, until_us = (np.concatenate(part) for part in waits)
        return Packets(
            flows=self._flows,
            client=self._client,
            interval_us=self._interval_us,
            poisson=self._poisson,
            luck=self._luck,
            attempts=np.where(self.refused, 1, len(self._client.connect_us)),
            opened_us=self._opened_us,
            last_us=np.minimum(self._last_us, self._over_us),
            waits=(who, since_us, until_us),
        )

    def _open(self) -> None:
        is_old = self._flows.dialled_us < 0
        old, asking = rows_where(is_old), rows_where(~is_old)
        if len(old):
            sent = self._dial(old, np.full(len(old), START_US), np.full(len(old), _PASSES))
            there = rows_where(sent.replies == Reply.ANSWERED)
            who = old[there]
            self._establish(who, sent, there, np.full(len(who), START_US))
            self._last_us[who] = self._flows.lives_us[who]
            asking = np.concatenate([old[sent.replies != Reply.ANSWERED], asking])
        self._connect(asking)

    def _connect(self, who: Ints) -> None:
        """Dial until somebody answers; an attempt after the horizon meets the world as it is then."""
        attempts = Attempts(self._client.connect_us, self._connect_limit_us, self._horizon_us)
        began_us, turns = np.maximum(self._flows.dialled_us[who], 0), np.zeros(len(who), dtype=np.int64)
        everybody = who
        while len(who):
            due_us = began_us + attempts.offsets_us[turns]
            at_us, beyond = np.minimum(due_us, self._horizon_us), due_us > self._horizon_us
            sent = self._dial(who, at_us, self._luck_of(who, at_us, beyond, Purpose.SYN))
            opened = sent.replies == Reply.ANSWERED
            rows = rows_where(opened)
            self._establish(who[rows], sent, rows, at_us[rows])
            self.connect_delays_us[who[rows]] = at_us[rows] - began_us[rows]
            if len(rows) == len(who):
                break
            rows = rows_where(~opened)
            if who is everybody:
                self.faults[who[rows]] = self._causes_of(who[rows], sent.only(rows))
            rejected = sent.replies == Reply.REJECTED
            self.refused[who[rejected]] = True
            rows = rows[~(rejected | beyond)[rows]]
            stuck_us = self._path.stuck_until_dialled(sent.only(rows), at_us[rows])
            goes_on, turns = attempts.after(turns[rows], began_us[rows], stuck_us)
            who, began_us = who[rows[goes_on]], began_us[rows[goes_on]]
        self.fates[self.connect_delays_us > 0] = Fate.DELAYED
        self.fates[self._opened_us == NEVER_US] = Fate.NOT_OPENED

    def _establish(self, who: Ints, sent: Sent, rows: Ints, at_us: Ints) -> None:
        epochs, ways, backends = sent.epochs[rows], sent.ways[rows], sent.backends[rows]
        self._opened_us[who] = self._free_us[who] = at_us
        self._last_us[who] = at_us + self._flows.lives_us[who]
        self._owners[who], self._nodes[who] = ways, self._routing.nodes_of(ways)
        self._losses[who] = self._path.losses_at.at(epochs, ways)
        self._backends[who] = backends
        self._lives[who] = self._path.life_at.at(epochs, backends)

    def _live_through(self, epoch: int) -> None:
        """Find those that send into changed circumstances, and let them meet these with their first packet."""
        path, times = self._path, self._path.times
        begins_us = int(times[epoch])
        ends_us = int(times[epoch + 1]) if epoch + 1 < len(times) else self._horizon_us
        live = (self._opened_us < ends_us) & (self._last_us >= begins_us) & (self._over_us > begins_us)
        if not live.any():
            return
        if not self._routing.same_groups(epoch):
            self._move(epoch, live)
        changed = self._routing.nodes_of(self._owners) != self._nodes
        if self._routing.incomplete[epoch]:
            changed |= self._routing.nodes_of(self._routing.owners_at(self._flows.keys, epoch)) < 0
        if not path.reached[epoch].all():
            changed |= ~np.take(path.reached[epoch], self._owners)
        if path.losses[epoch].any():
            changed |= np.take(path.losses[epoch], self._owners) != self._losses
        if path.life[epoch].any():
            changed |= np.take(path.life[epoch], self._backends) != self._lives
        if self._ages:
            changed |= self._left_us <= begins_us - self._lifetime_us
        lossy = self._lossy and bool(path.lost_shares[epoch].any())
        lost_shares = path.lost_shares[epoch, self._owners] if lossy else np.zeros(len(live))
        unheard = path.answers.lost_in(epoch, self._flows.keys, self._owners, self._backends) if path.answers else None
        if unheard is not None:
            changed |= unheard == 1
            lost_shares = either(lost_shares, np.where(unheard < 1, unheard, 0.0))
        self._meet_first(rows_where(live & changed), begins_us, ends_us, lost_shares)
        if self._lossy and lost_shares.any():
            self._lose(rows_where(live & (lost_shares > 0)), begins_us, ends_us, lost_shares)

    def _meet_first(self, who: Ints, begins_us: int, ends_us: int, lost_shares: Floats) -> None:
        """Have each meet the epoch with the first packet that it sends there."""
        if not len(who):
            return
        since_us = np.maximum(self._free_us[who], begins_us)
        at_us = self._next_send(who, since_us)
        sends = rows_where((at_us < ends_us) & (at_us <= self._last_us[who]))
        who, at_us, since_us = who[sends], at_us[sends], since_us[sends]
        if not self._lossy:
            self._meet(who, at_us, np.full(len(who), _PASSES))
            return
        luck = np.where(self._next_loss(who, since_us, lost_shares[who]) == at_us, _VANISHES, _PASSES)
        self._meet(who, at_us, luck)

    def _lose(self, who: Ints, begins_us: int, ends_us: int, lost_shares: Floats) -> None:
        """Have each lose what vanishes in the epoch; all that passes is answered, for the first packet has met it."""
        while len(who):
            since_us = np.maximum(self._free_us[who], begins_us)
            at_us = self._next_loss(who, since_us, lost_shares[who])
            sends = (at_us < ends_us) & (at_us <= self._last_us[who]) & (self._over_us[who] == NEVER_US)
            who, at_us = who[sends], at_us[sends]
            self._meet(who, at_us, np.full(len(who), _VANISHES))

    def _move(self, epoch: int, live: Bools) -> None:
        """Note which way each flow now takes; only another node is a move, and having no way at all is none."""
        owners = self._routing.owners_at(self._flows.keys, epoch)
        nodes = self._routing.nodes_of(owners)
        moved = live & (nodes >= 0) & (nodes != self._routing.nodes_of(self._owners))
        turned = live & (nodes >= 0) & (owners != self._owners)
        if self._ages:
            self._let_age(rows_where(moved), nodes, epoch)
        self._owners[turned] = owners[turned]
        self._moves[moved] = epoch
        self.first_moves[moved & (self.first_moves < 0)] = epoch

    def _let_age(self, who: Ints, nodes: Ints, epoch: int) -> None:
        """From now on nothing keeps the entries at the nodes that the flows leave, while those they reach are used."""
        at_us, before, after = int(self._path.times[epoch]), self._routing.nodes_of(self._owners[who]), nodes[who]
        self._conntrack.move(who, before, after, self._path.node_losses(epoch), at_us)
        left, back = who[before == self._nodes[who]], who[after == self._nodes[who]]
        self._left_us[back[at_us - self._left_us[back] < self._lifetime_us]] = STAYS_US
        self._left_us[left] = at_us

    def _next_send(self, who: Ints, since_us: Ints) -> Ints:
        """When each sends for the first time at or after a moment."""
        if self._poisson:
            return since_us + (self._luck.exponential(who, since_us, Purpose.GAP) * self._interval_us).astype(np.int64)
        first_us = np.maximum(self._opened_us[who], 0) + self._flows.phases_us[who]
        gaps = np.maximum(0, -((first_us - since_us) // self._interval_us))
        next_us: Ints = first_us + gaps * self._interval_us
        return next_us

    def _next_loss(self, who: Ints, since_us: Ints, lost_shares: Floats) -> Ints:
        """When each sends for the first time something that vanishes."""
        first_us, gaps = self._next_send(who, since_us), self._luck.passes(who, since_us, lost_shares)
        if self._poisson:  # a geometric number of exponential gaps is one, longer in the mean
            some = (gaps > 0) & (gaps < np.inf)
            longer = self._luck.exponential(who[some], since_us[some], Purpose.LOSS_GAP)
            gaps[some] = longer / lost_shares[some]
        return first_us + np.minimum(gaps * self._interval_us, _FAR_US).astype(np.int64)

    def _meet(self, who: Ints, at_us: Ints, luck: Floats) -> None:
        sent = self._send(who, at_us, luck)
        rows = rows_where(sent.replies == Reply.RESET)
        if len(rows):
            self._end(who[rows], Fate.RESET, at_us[rows], self._causes_of(who[rows], sent.only(rows)))
        rows = rows_where(sent.replies == Reply.LOST)
        if len(rows):
            lost = sent.only(rows)
            self._wait(who[rows], at_us[rows], self._causes_of(who[rows], lost), self._path.stuck_until(lost))

    def _wait(self, who: Ints, since_us: Ints, faults: Ints, stuck_us: Ints) -> None:
        """Retransmit until there is an answer of either kind, or the client gives up; send nothing else meanwhile."""
        self._free_us[who] = NEVER_US
        everybody, began_us = who, since_us
        attempts = Attempts(self._client.retransmit_us, self._request_limit_us, self._horizon_us)
        turns = np.full(len(who), -1)
        while True:
            goes_on, turns = attempts.after(turns, since_us, stuck_us)
            if len(goes_on) < len(who):
                given_up = np.ones(len(who), dtype=np.bool_)
                given_up[goes_on] = False
                rows = rows_where(given_up)
                self._end(who[rows], Fate.TIMED_OUT, since_us[rows] + self._request_limit_us, faults[rows])
                who, since_us, faults = who[goes_on], since_us[goes_on], faults[goes_on]
            if not len(who):
                break
            due_us = since_us + attempts.offsets_us[turns]
            waits, stuck_us = self._retransmit(who, since_us, due_us, faults)
            who, since_us, faults, turns = who[waits], since_us[waits], faults[waits], turns[waits]
        self._waits.append((everybody, began_us, np.minimum(self._free_us[everybody], self._over_us[everybody])))

    def _retransmit(self, who: Ints, since_us: Ints, due_us: Ints, faults: Ints) -> tuple[Ints, Ints]:
        """Send once more; the rows that wait on, and until when each then meets the same (`Datapath.stuck_until`)."""
        at_us, beyond = np.minimum(due_us, self._horizon_us), due_us > self._horizon_us
        luck = self._luck_of(who, at_us, beyond, Purpose.RETRANSMISSION)
        sent = self._send(who, at_us, luck)
        answered, reset = sent.replies == Reply.ANSWERED, sent.replies == Reply.RESET
        undecided = beyond & ~answered & ~reset
        hopeful = undecided & ~sent.arrived & self._has_socket(who, sent.epochs)
        doomed = undecided & ~hopeful
        goes_on = answered | hopeful
        rows = rows_where(goes_on)
        self._delay(who[rows], at_us[rows] - since_us[rows], faults[rows])
        self._free_us[who[rows]] = np.where(beyond[rows], NEVER_US, at_us[rows])
        rows = rows_where(reset)
        self._end(who[rows], Fate.RESET, at_us[rows], faults[rows])
        rows = rows_where(doomed)
        self._end(who[rows], Fate.TIMED_OUT, at_us[rows], faults[rows])
        waits = rows_where(~(goes_on | reset | doomed))
        return waits, self._path.stuck_until(sent.only(waits))

    def _delay(self, who: Ints, waited_us: Ints, faults: Ints) -> None:
        """A connection is put down as delayed by its longest wait."""
        self.fates[who] = Fate.DELAYED
        longer = waited_us > np.maximum(self.delays_us[who], self.connect_delays_us[who])
        self.faults[who[longer]] = faults[longer]
        self.delays_us[who] = np.maximum(self.delays_us[who], waited_us)

    def _end(self, who: Ints, fate: int, at_us: Ints, faults: Ints) -> None:
        self.fates[who] = fate
        self._over_us[who] = at_us
        self.faults[who] = faults

    def _causes_of(self, who: Ints, sent: Sent) -> Ints:
        return self._causes.of(sent, self._moves[who], self._nodes[who])

    def _dial(self, who: Ints, at_us: Ints, luck: Floats) -> Sent:
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

    def _send(self, who: Ints, at_us: Ints, luck: Floats) -> Sent:
        """A packet of an open connection: conntrack keeps its backend, an unknown flow is given one."""
        path = self._path
        epochs, ways, arrived, losses = self._arrive(who, at_us, luck)
        nodes = self._routing.nodes_of(ways)
        at_home = arrived & (nodes == self._nodes[who]) & (losses == self._losses[who])
        if self._ages:
            at_home &= at_us - self._left_us[who] < self._lifetime_us
        opened_to = self._backends[who]
        backends = np.where(at_home, opened_to, -1)
        away = rows_where(arrived & ~at_home)
        backends[away] = self._conntrack.find(who[away], nodes[away], losses[away], at_us[away])
        unknown = away[backends[away] < 0]
        if self._unknown_flow == "pick":
            backends[unknown] = self._pick(who[unknown], nodes[unknown], losses[unknown], at_us[unknown])
            entered = unknown[backends[unknown] >= 0]
            self._conntrack.remember(who[entered], nodes[entered], losses[entered], backends[entered])
        alive = path.alive_at.at(epochs, backends)
        own = alive & (backends == opened_to) & self._has_socket(who, epochs)
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

    def _lose_answers(self, who: Ints, sent: Sent, luck: Floats) -> Ints:
        """Take back the replies that are lost on a way of their own; the rows of these."""
        path = self._path
        if path.answers is None:
            return rows_where(np.zeros(0, dtype=np.bool_))
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

    def _luck_of(self, who: Ints, at_us: Ints, beyond: Bools, purpose: Purpose) -> Floats:
        """The luck of a packet of each, which passes beyond the horizon."""
        if not self._lossy:
            return np.full(len(who), _PASSES)
        return np.where(beyond, _PASSES, self._luck.draw(who, at_us, purpose))

    def _has_socket(self, who: Ints, epochs: Ints) -> Bools:
        """Whether the backend lives the same life as when it accepted the connection."""
        same: Bools = self._path.life_at.at(epochs, self._backends[who]) == self._lives[who]
        return same


def _least(kernel_us: int, application_s: float | None) -> int:
    return kernel_us if application_s is None else min(kernel_us, round(application_s * 1e6))
