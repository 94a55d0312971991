"""The life of each connection: what its packets meet, how long it waits and how it ends."""

import numpy as np

from simbgp.scenario.plan import Plan, TrafficPlan
from simbgp.traffic.addresses import dialled_anew
from simbgp.traffic.affinity import Affinity
from simbgp.traffic.answers import either
from simbgp.traffic.attempts import Attempts
from simbgp.traffic.causes import Blame, Causes
from simbgp.traffic.clients import SYN_LINEAR_TIMEOUTS, linux
from simbgp.traffic.datapath import Bools, Datapath, Ints, Reply
from simbgp.traffic.flows import Flows
from simbgp.traffic.lives import Fate, Lives
from simbgp.traffic.lookup import rows_where
from simbgp.traffic.luck import PASSES, VANISHES, Floats
from simbgp.traffic.opening import Opening
from simbgp.traffic.packets import Met, Packets, Through
from simbgp.traffic.requests import Requests
from simbgp.traffic.resilient import Usage
from simbgp.traffic.sending import Sending
from simbgp.traffic.steps import NEVER_US
from simbgp.traffic.waiting import Waiting


class Connections:
    """A population that enters at one router for one prefix; see `outcomes` for the rules. ``lives`` tell the rest."""

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
        self._path, self._flows, self._horizon_us = datapath, flows, horizon_us
        self._routing, self._lossy = datapath.routing, datapath.is_lossy
        self._client = client = linux(SYN_LINEAR_TIMEOUTS[traffic.client], traffic.tcp_retries2, traffic.user_timeout_s)
        self.lives = lives = Lives(len(flows))
        self._sending = sending = Sending(plan, datapath, flows, horizon_us, affinity)
        self._homes = sending.homes
        dials = Attempts(client.connect_us, _least(client.connect_gives_up_us, traffic.connect_timeout_s), horizon_us)
        self._blame = Blame(causes, lives.moves, sending.homes.nodes)
        self._opening = Opening(datapath, sending, flows, lives, dials, self._blame)
        limit_us = _least(client.retransmit_gives_up_us, traffic.request_timeout_s)
        self._waiting = Waiting(
            datapath, sending, lives, Attempts(client.retransmit_us, limit_us, horizon_us), limit_us
        )
        self._requests = Requests(traffic, flows, sending.luck, lives.opened_us)

    def run(self) -> None:
        """Open all connections, then go through the epochs."""
        self._opening.open()
        for epoch in range(1, len(self._path.times)):
            self._live_through(epoch)

    def dialled_anew(self) -> tuple[Ints, Flows]:
        """Who dials again because the connection broke, and the connections that these then ask for."""
        who = rows_where(self.lives.is_broken & (self.lives.over_us < self._horizon_us))
        return who, dialled_anew(self._flows, who, self.lives.over_us[who], self.lives.last_us[who])

    @property
    def broken_us(self) -> Ints:
        """When those broke whose connection was reset or timed out within the run, in no order."""
        over_us: Ints = self.lives.over_us[self.lives.is_broken & (self.lives.over_us < self._horizon_us)]
        return over_us

    @property
    def is_open(self) -> Bools:
        """Who got a connection within the run."""
        within: Bools = (self.lives.opened_us < self._horizon_us) & (self.lives.fates != Fate.NOT_OPENED)
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
        return Packets(
            flows=self._flows,
            client=self._client,
            interval_us=self._requests.interval_us,
            poisson=self._requests.poisson,
            luck=self._sending.luck,
            attempts=np.where(self.lives.refused, 1, len(self._client.connect_us)),
            opened_us=self.lives.opened_us,
            last_us=np.minimum(self.lives.last_us, self.lives.over_us),
            waits=self._waiting.waits,
        )

    def _live_through(self, epoch: int) -> None:
        """Find those that send into changed circumstances, and let them meet these with their first packet."""
        times = self._path.times
        begins_us = int(times[epoch])
        ends_us = int(times[epoch + 1]) if epoch + 1 < len(times) else self._horizon_us
        live = self.lives.within(begins_us, ends_us)
        if not live.any():
            return
        if not self._routing.same_groups(epoch):
            self._move(epoch, live)
        changed, lost_shares = self._circumstances(epoch)
        self._meet_first(rows_where(live & changed), begins_us, ends_us, lost_shares)
        if self._lossy and lost_shares.any():
            self._lose(rows_where(live & (lost_shares > 0)), begins_us, ends_us, lost_shares)

    def _circumstances(self, epoch: int) -> tuple[Bools, Floats]:
        """Whose packets may meet in this epoch what they did not meet at the opening, and which share each loses."""
        path, routing, owners, homes = self._path, self._routing, self.lives.owners, self._homes
        changed = routing.nodes_of(owners) != homes.nodes
        if routing.incomplete[epoch]:
            changed |= routing.nodes_of(routing.owners_at(self._flows.keys, epoch)) < 0
        if not path.reached[epoch].all():
            changed |= ~np.take(path.reached[epoch], owners)
        if path.losses[epoch].any():
            changed |= np.take(path.losses[epoch], owners) != homes.losses
        if path.life[epoch].any():
            changed |= np.take(path.life[epoch], homes.backends) != homes.lives
        if self._sending.ages:
            changed |= self._sending.is_forgotten(int(path.times[epoch]))
        lossy = self._lossy and bool(path.lost_shares[epoch].any())
        lost_shares = path.lost_shares[epoch, owners] if lossy else np.zeros(len(owners))
        unheard = path.answers.lost_in(epoch, self._flows.keys, owners, homes.backends) if path.answers else None
        if unheard is not None:
            changed |= unheard == 1
            lost_shares = either(lost_shares, np.where(unheard < 1, unheard, 0.0))
        return changed, lost_shares

    def _meet_first(self, who: Ints, begins_us: int, ends_us: int, lost_shares: Floats) -> None:
        """Have each meet the epoch with the first packet that it sends there."""
        if not len(who):
            return
        since_us = np.maximum(self.lives.free_us[who], begins_us)
        at_us = self._requests.next(who, since_us)
        sends = rows_where((at_us < ends_us) & (at_us <= self.lives.last_us[who]))
        who, at_us, since_us = who[sends], at_us[sends], since_us[sends]
        if not self._lossy:
            self._meet(who, at_us, np.full(len(who), PASSES))
            return
        luck = np.where(self._requests.next_loss(who, since_us, lost_shares[who]) == at_us, VANISHES, PASSES)
        self._meet(who, at_us, luck)

    def _lose(self, who: Ints, begins_us: int, ends_us: int, lost_shares: Floats) -> None:
        """Have each lose what vanishes in the epoch; all that passes is answered, for the first packet has met it."""
        while len(who):
            since_us = np.maximum(self.lives.free_us[who], begins_us)
            at_us = self._requests.next_loss(who, since_us, lost_shares[who])
            sends = (at_us < ends_us) & (at_us <= self.lives.last_us[who]) & (self.lives.over_us[who] == NEVER_US)
            who, at_us = who[sends], at_us[sends]
            self._meet(who, at_us, np.full(len(who), VANISHES))

    def _move(self, epoch: int, live: Bools) -> None:
        """Note which way each flow now takes; only another node is a move, and having no way at all is none."""
        owners = self._routing.owners_at(self._flows.keys, epoch)
        nodes = self._routing.nodes_of(owners)
        moved = live & (nodes >= 0) & (nodes != self._routing.nodes_of(self.lives.owners))
        turned = live & (nodes >= 0) & (owners != self.lives.owners)
        if self._sending.ages:
            who = rows_where(moved)
            self._sending.let_age(who, self._routing.nodes_of(self.lives.owners[who]), nodes[who], epoch)
        self.lives.owners[turned] = owners[turned]
        self.lives.move(moved, epoch)

    def _meet(self, who: Ints, at_us: Ints, luck: Floats) -> None:
        sent = self._sending.send(who, at_us, luck)
        rows = rows_where(sent.replies == Reply.RESET)
        if len(rows):
            self.lives.end(who[rows], Fate.RESET, at_us[rows], self._blame(who[rows], sent.only(rows)))
        rows = rows_where(sent.replies == Reply.LOST)
        if len(rows):
            lost = sent.only(rows)
            self._waiting.wait(who[rows], at_us[rows], self._blame(who[rows], lost), self._path.stuck_until(lost))


def _least(kernel_us: int, application_s: float | None) -> int:
    return kernel_us if application_s is None else min(kernel_us, round(application_s * 1e6))
