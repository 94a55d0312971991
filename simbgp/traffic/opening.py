"""How connections are opened: a SYN, and more of them until somebody answers or the client gives up."""

import numpy as np

from simbgp.traffic.attempts import Attempts
from simbgp.traffic.causes import Blame
from simbgp.traffic.datapath import Datapath, Ints, Reply, Sent
from simbgp.traffic.flows import Flows
from simbgp.traffic.lives import Fate, Lives
from simbgp.traffic.lookup import rows_where
from simbgp.traffic.luck import PASSES, Purpose
from simbgp.traffic.sending import Sending
from simbgp.traffic.steps import NEVER_US, START_US


class Opening:
    """Opens the connections of one population; see `outcomes` for the rules."""

    def __init__(
        self, path: Datapath, sending: Sending, flows: Flows, lives: Lives, attempts: Attempts, blame: Blame
    ) -> None:
        self._path, self._sending, self._flows, self._lives = path, sending, flows, lives
        self._attempts, self._blame = attempts, blame

    def open(self) -> None:
        """Those of time 0 are open if there is a way for them to exist, and dial then if not."""
        is_old = self._flows.dialled_us < 0
        old, asking = rows_where(is_old), rows_where(~is_old)
        if len(old):
            sent = self._sending.dial(old, np.full(len(old), START_US), np.full(len(old), PASSES))
            there = rows_where(sent.replies == Reply.ANSWERED)
            who = old[there]
            self._establish(who, sent, there, np.full(len(who), START_US))
            self._lives.last_us[who] = self._flows.lives_us[who]
            asking = np.concatenate([old[sent.replies != Reply.ANSWERED], asking])
        self._connect(asking)

    def _connect(self, who: Ints) -> None:
        """Dial until somebody answers; an attempt after the horizon meets the world as it is then."""
        attempts, lives = self._attempts, self._lives
        began_us, turns = np.maximum(self._flows.dialled_us[who], 0), np.zeros(len(who), dtype=np.int64)
        everybody = who
        while len(who):
            at_us, beyond = attempts.at(turns, began_us)
            sent = self._sending.dial(who, at_us, self._sending.luck_of(who, at_us, beyond, Purpose.SYN))
            opened = sent.replies == Reply.ANSWERED
            rows = rows_where(opened)
            self._establish(who[rows], sent, rows, at_us[rows])
            lives.connect_delays_us[who[rows]] = at_us[rows] - began_us[rows]
            if len(rows) == len(who):
                break
            rows = rows_where(~opened)
            if who is everybody:
                lives.faults[who[rows]] = self._blame(who[rows], sent.only(rows))
            rejected = sent.replies == Reply.REJECTED
            lives.refused[who[rejected]] = True
            rows = rows[~(rejected | beyond)[rows]]
            stuck_us = self._path.stuck_until_dialled(sent.only(rows), at_us[rows])
            goes_on, turns = attempts.after(turns[rows], began_us[rows], stuck_us)
            who, began_us = who[rows[goes_on]], began_us[rows[goes_on]]
        lives.fates[lives.connect_delays_us > 0] = Fate.DELAYED
        lives.fates[lives.opened_us == NEVER_US] = Fate.NOT_OPENED

    def _establish(self, who: Ints, sent: Sent, rows: Ints, at_us: Ints) -> None:
        path, lives, homes = self._path, self._lives, self._sending.homes
        epochs, ways, backends = sent.epochs[rows], sent.ways[rows], sent.backends[rows]
        lives.opened_us[who] = lives.free_us[who] = at_us
        lives.last_us[who] = at_us + self._flows.lives_us[who]
        lives.owners[who], homes.nodes[who] = ways, path.routing.nodes_of(ways)
        homes.losses[who] = path.losses_at.at(epochs, ways)
        homes.backends[who] = backends
        homes.lives[who] = path.life_at.at(epochs, backends)
