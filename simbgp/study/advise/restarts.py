"""How long agents are away: from the end of the session to its End-of-RIB, as the restart time sees it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from simbgp.measure.intervals import stream
from simbgp.measure.yearly import Floats
from simbgp.profiles import Law
from simbgp.scenario import Plan

KINDS = ("agent-restart", "agent-crash")
_PIECES = 20_000
_COVERED = (0.8, 0.95, 0.99, 0.999)
_STEP_S = 5
_GREATEST_S = 4095


@dataclass(frozen=True)
class Restarts:
    """A great many agent restarts of a year's mix, the shortest first: seconds until the session is up again."""

    away_s: Floats

    def covered(self, restart_s: float) -> float:
        """The share of restarts that are over within a restart time; 0 without graceful restart."""
        if not len(self.away_s) or restart_s <= 0:
            return 0.0
        return float(np.searchsorted(self.away_s, restart_s, side="right") / len(self.away_s))

    def covering(self) -> list[int]:
        """Restart times, multiples of 5 s, that cover 80 to 99.9 % of them."""
        if not len(self.away_s):
            return []
        times = {math.ceil(float(np.quantile(self.away_s, share)) / _STEP_S) * _STEP_S for share in _COVERED}
        return sorted(min(_GREATEST_S, max(_STEP_S, time)) for time in times)


def restarts_of(plan: Plan, seed: int) -> Restarts:
    """The restarts in the mix of a plan: container away, agent's start, first dial and the exchange of OPENs.

    A first dial that finds the door open is what the model finds too, unless a router refuses for a while.
    """
    found = []
    processes = [process for process in plan.mix.processes if process.fault.kind in KINDS and process.fault.down_for]
    rates = sum(process.in_all for process in processes)
    random = stream(seed, "advise/restarts")
    for process in processes if rates else ():
        share = process.in_all / rates
        speaker = plan.speaker
        assert process.fault.down_for is not None
        laws = (process.fault.down_for, plan.agent_startup, speaker.first_dial, speaker.open_exchange)
        found.append(sum(random.permutation(column) for column in _columns(laws, max(1, round(share * _PIECES)))))
    return Restarts(np.sort(np.concatenate(found)) if found else np.empty(0))


def _columns(laws: Iterable[Law], pieces: int) -> Iterable[Floats]:
    """Each law as so many equally likely values."""
    for law in laws:
        yield np.array([law.quantile((k + 0.5) / pieces) for k in range(pieces)])
