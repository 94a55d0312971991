"""The life of each connection: what its packets meet, how long it waits and how it ends."""

from typing import Final

import numpy as np

from simbgp.scenario.plan import Plan, TrafficPlan
from simbgp.traffic.addresses import dialled_anew
from simbgp.traffic.affinity import Affinity
from simbgp.traffic.answers import either
from simbgp.traffic.attempts import Attempts
from simbgp.traffic.causes import Causes
from simbgp.traffic.clients import SYN_LINEAR_TIMEOUTS, linux
from simbgp.traffic.datapath import Bools, Datapath, Ints, Reply, Sent
from simbgp.traffic.flows import Flows
from simbgp.traffic.lookup import rows_where
from simbgp.traffic.luck import Floats, Luck, Purpose
from simbgp.traffic.packets import Met, Packets, Through
from simbgp.traffic.requests import Requests
from simbgp.traffic.resilient import Usage
from simbgp.traffic.sending import Sending
from simbgp.traffic.steps import NEVER_US, START_US

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

    Every array has one row per connection. ``homes`` say where it was opened and what was true there, ``owners`` are
    the ways on which its packets go now.
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
        self._owners = np.zeros(count, dtype=np.int64)
        self._sending = Sending(plan, datapath, flows, horizon_us, affinity)
        self._homes = self._sending.homes
        self._requests = Requests(traffic, flows, self._luck, self._opened_us)
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
        return self._homes.backends

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
            interval_us=self._requests.interval_us,
            poisson=self._requests.poisson,
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
            sent = self._sending.dial(old, np.full(len(old), START_US), np.full(len(old), _PASSES))
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
            sent = self._sending.dial(who, at_us, self._luck_of(who, at_us, beyond, Purpose.SYN))
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
        self._owners[who], self._homes.nodes[who] = ways, self._routing.nodes_of(ways)
        self._homes.losses[who] = self._path.losses_at.at(epochs, ways)
        self._homes.backends[who] = backends
        self._homes.lives[who] = self._path.life_at.at(epochs, backends)

    def _live_through(self, epoch: int) -> None:
        """Find those that send into changed circumstances, and let them meet these with their first packet."""
        path, times, homes = self._path, self._path.times, self._homes
        begins_us = int(times[epoch])
        ends_us = int(times[epoch + 1]) if epoch + 1 < len(times) else self._horizon_us
        live = (self._opened_us < ends_us) & (self._last_us >= begins_us) & (self._over_us > begins_us)
        if not live.any():
            return
        if not self._routing.same_groups(epoch):
            self._move(epoch, live)
        changed = self._routing.nodes_of(self._owners) != homes.nodes
        if self._routing.incomplete[epoch]:
            changed |= self._routing.nodes_of(self._routing.owners_at(self._flows.keys, epoch)) < 0
        if not path.reached[epoch].all():
            changed |= ~np.take(path.reached[epoch], self._owners)
        if path.losses[epoch].any():
            changed |= np.take(path.losses[epoch], self._owners) != homes.losses
        if path.life[epoch].any():
            changed |= np.take(path.life[epoch], homes.backends) != homes.lives
        if self._sending.ages:
            changed |= self._sending.is_forgotten(begins_us)
        lossy = self._lossy and bool(path.lost_shares[epoch].any())
        lost_shares = path.lost_shares[epoch, self._owners] if lossy else np.zeros(len(live))
        unheard = path.answers.lost_in(epoch, self._flows.keys, self._owners, homes.backends) if path.answers else None
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
        at_us = self._requests.next(who, since_us)
        sends = rows_where((at_us < ends_us) & (at_us <= self._last_us[who]))
        who, at_us, since_us = who[sends], at_us[sends], since_us[sends]
        if not self._lossy:
            self._meet(who, at_us, np.full(len(who), _PASSES))
            return
        luck = np.where(self._requests.next_loss(who, since_us, lost_shares[who]) == at_us, _VANISHES, _PASSES)
        self._meet(who, at_us, luck)

    def _lose(self, who: Ints, begins_us: int, ends_us: int, lost_shares: Floats) -> None:
        """Have each lose what vanishes in the epoch; all that passes is answered, for the first packet has met it."""
        while len(who):
            since_us = np.maximum(self._free_us[who], begins_us)
            at_us = self._requests.next_loss(who, since_us, lost_shares[who])
            sends = (at_us < ends_us) & (at_us <= self._last_us[who]) & (self._over_us[who] == NEVER_US)
            who, at_us = who[sends], at_us[sends]
            self._meet(who, at_us, np.full(len(who), _VANISHES))

    def _move(self, epoch: int, live: Bools) -> None:
        """Note which way each flow now takes; only another node is a move, and having no way at all is none."""
        owners = self._routing.owners_at(self._flows.keys, epoch)
        nodes = self._routing.nodes_of(owners)
        moved = live & (nodes >= 0) & (nodes != self._routing.nodes_of(self._owners))
        turned = live & (nodes >= 0) & (owners != self._owners)
        if self._sending.ages:
            who = rows_where(moved)
            self._sending.let_age(who, self._routing.nodes_of(self._owners[who]), nodes[who], epoch)
        self._owners[turned] = owners[turned]
        self._moves[moved] = epoch
        self.first_moves[moved & (self.first_moves < 0)] = epoch

    def _meet(self, who: Ints, at_us: Ints, luck: Floats) -> None:
        sent = self._sending.send(who, at_us, luck)
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
        sent = self._sending.send(who, at_us, luck)
        answered, reset = sent.replies == Reply.ANSWERED, sent.replies == Reply.RESET
        undecided = beyond & ~answered & ~reset
        hopeful = undecided & ~sent.arrived & self._sending.has_socket(who, sent.epochs)
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
        return self._causes.of(sent, self._moves[who], self._homes.nodes[who])

    def _luck_of(self, who: Ints, at_us: Ints, beyond: Bools, purpose: Purpose) -> Floats:
        """The luck of a packet of each, which passes beyond the horizon."""
        if not self._lossy:
            return np.full(len(who), _PASSES)
        return np.where(beyond, _PASSES, self._luck.draw(who, at_us, purpose))


def _least(kernel_us: int, application_s: float | None) -> int:
    return kernel_us if application_s is None else min(kernel_us, round(application_s * 1e6))
