"""How an open connection waits: it retransmits until something answers, or its client gives up."""

import numpy as np

from simbgp.traffic.attempts import Attempts
from simbgp.traffic.datapath import Datapath, Ints, Reply
from simbgp.traffic.lives import Fate, Lives
from simbgp.traffic.lookup import rows_where
from simbgp.traffic.luck import Purpose
from simbgp.traffic.packets import Waits
from simbgp.traffic.sending import Sending
from simbgp.traffic.steps import NEVER_US


class Waiting:
    """Lets connections of one population wait; see `outcomes` for the rules."""

    def __init__(self, path: Datapath, sending: Sending, lives: Lives, attempts: Attempts, limit_us: int) -> None:
        self._path, self._sending, self._lives = path, sending, lives
        self._attempts, self._limit_us = attempts, limit_us
        self._waits: list[Waits] = []

    @property
    def waits(self) -> Waits:
        """Every wait so far."""
        if not self._waits:
            return Waits(*(np.empty(0, np.int64) for _ in range(3)))
        return Waits(*(np.concatenate(part) for part in zip(*self._waits, strict=True)))

    def wait(self, who: Ints, since_us: Ints, faults: Ints, stuck_us: Ints) -> None:
        """Retransmit until there is an answer of either kind, or the client gives up; send nothing else meanwhile."""
        lives, attempts = self._lives, self._attempts
        lives.free_us[who] = NEVER_US
        everybody, began_us = who, since_us
        turns = np.full(len(who), -1)
        while True:
            goes_on, turns = attempts.after(turns, since_us, stuck_us)
            if len(goes_on) < len(who):
                given_up = np.ones(len(who), dtype=np.bool_)
                given_up[goes_on] = False
                rows = rows_where(given_up)
                lives.end(who[rows], Fate.TIMED_OUT, since_us[rows] + self._limit_us, faults[rows])
                who, since_us, faults = who[goes_on], since_us[goes_on], faults[goes_on]
            if not len(who):
                break
            waits, stuck_us = self._retransmit(who, since_us, turns, faults)
            who, since_us, faults, turns = who[waits], since_us[waits], faults[waits], turns[waits]
        until_us = np.minimum(lives.free_us[everybody], lives.over_us[everybody])
        self._waits.append(Waits(everybody, began_us, until_us))

    def _retransmit(self, who: Ints, since_us: Ints, turns: Ints, faults: Ints) -> tuple[Ints, Ints]:
        """Send once more; the rows that wait on, and until when each then meets the same (`Datapath.stuck_until`)."""
        lives = self._lives
        at_us, beyond = self._attempts.at(turns, since_us)
        sent = self._sending.send(who, at_us, self._sending.luck_of(who, at_us, beyond, Purpose.RETRANSMISSION))
        answered, reset = sent.replies == Reply.ANSWERED, sent.replies == Reply.RESET
        undecided = beyond & ~answered & ~reset
        hopeful = undecided & ~sent.arrived & self._sending.has_socket(who, sent.epochs)
        doomed = undecided & ~hopeful
        goes_on = answered | hopeful
        rows = rows_where(goes_on)
        lives.delay(who[rows], at_us[rows] - since_us[rows], faults[rows])
        lives.free_us[who[rows]] = np.where(beyond[rows], NEVER_US, at_us[rows])
        rows = rows_where(reset)
        lives.end(who[rows], Fate.RESET, at_us[rows], faults[rows])
        rows = rows_where(doomed)
        lives.end(who[rows], Fate.TIMED_OUT, at_us[rows], faults[rows])
        waits = rows_where(~(goes_on | reset | doomed))
        return waits, self._path.stuck_until(sent.only(waits))
