"""The Cilium operator: it gives nodes their BGP configuration and PodCIDR and services their address; nothing of that
happens while it is away.

Of its replicas one acts, the one with the lease (client-go ``tools/leaderelection``): it renews every retry period. A
candidate looks every 1 to 2.2 retry periods and takes the lease once it has seen the same record for a lease duration,
so a new process too waits that long for a lease that nobody gave back.
"""

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from simbgp.model.clock import Order, Timer
from simbgp.model.network.switch import Switch
from simbgp.timeline.facts import OperatorChanged

if TYPE_CHECKING:
    from simbgp.model.world import World

_LOOKS = (1.0, 2.2)
"""A candidate's period as a factor of the retry period: JitterUntil with JitterFactor 1.2."""
_SETTLING = 16
"""So many looks before a moment make the phase of a candidate's looks stationary."""
_NO_LEADER = "no leader"


class Operator:
    """Work that comes while nobody leads waits, in order."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._waiting: list[Callable[[], None]] = []
        self.up = Switch(self._changed)
        self._leads = True
        self._standbys = world.plan.operator.replicas - 1
        self._given_back = False
        self._ends = 0
        self._starts = 0
        self._taken = Timer(world.clock, self._lease_taken, Order.RECONCILE)

    def ask(self, work: Callable[[], None]) -> None:
        """Do ``work`` now, or first thing when an operator acts again. A bare speaker has none and waits for none."""
        if self.up.up or self._world.plan.speaker.bare:
            work()
        else:
            self._waiting.append(work)

    def end_leader(self, gives_back: bool) -> None:
        """The process with the lease ends, and gives it back (SIGTERM) or does not; without a leader a standby ends."""
        if not self._leads:
            self._standbys = max(0, self._standbys - 1)
            if not self._standbys:
                self._taken.cancel()
            return
        self._leads, self._given_back = False, gives_back
        self._ends += 1
        self.up.hold(_NO_LEADER)
        takers = [self._standby_takes_us(standby) for standby in range(self._standbys)]
        if takers:
            self._taken.set(min(takers))

    def start_one(self) -> None:
        """A process starts: a candidate."""
        self._standbys += 1
        self._starts += 1
        if self._leads:
            return
        now_us = self._world.clock.now_us
        taken_us = now_us if self._given_back else self._sees_expiry_us(now_us, f"started/{self._starts}")
        if self._taken.deadline_us is None or taken_us < self._taken.deadline_us:
            self._taken.set(taken_us)

    def _standby_takes_us(self, standby: int) -> int:
        """When a standby that watched the lease takes it."""
        plan, now_us = self._world.plan.operator, self._world.clock.now_us
        who = f"standby/{standby}/{self._ends}"
        look_us, looks = now_us - round(_SETTLING * _LOOKS[1] * plan.retry_s * 1e6), 0
        since_renewal = self._world.tape.u("operator", "since-renewal", self._ends)
        seen_from_us = now_us if self._given_back else now_us - round(since_renewal * plan.retry_s * 1e6)
        while look_us < seen_from_us:
            looks += 1
            look_us += self._step_us(who, looks)
        return look_us if self._given_back else self._sees_expiry_us(look_us, who, looks)

    def _sees_expiry_us(self, first_look_us: int, who: str, looks: int = 0) -> int:
        """The first look of a candidate at which it has seen the same record for a lease duration."""
        expires_us = first_look_us + round(self._world.plan.operator.lease_s * 1e6)
        look_us = first_look_us
        while look_us < expires_us:
            looks += 1
            look_us += self._step_us(who, looks)
        return max(look_us, self._world.clock.now_us)

    def _step_us(self, who: str, look: int) -> int:
        low, high = _LOOKS
        factor = low + (high - low) * self._world.tape.u("operator", who, look)
        return max(1, round(factor * self._world.plan.operator.retry_s * 1e6))

    def _lease_taken(self) -> None:
        self._leads = True
        self._standbys -= 1
        self.up.release(_NO_LEADER)

    def _changed(self, up: bool) -> None:
        self._world.timeline.write(OperatorChanged(self._world.clock.now_us, up))
        if up:
            waiting, self._waiting = self._waiting, []
            for work in waiting:
                work()


def end(world: "World", how: str, holder: Hashable) -> None:
    """An operator ends: ``away`` means that none acts at all, whatever the lease says."""
    if how == "away":
        world.operator.up.hold(holder)
    else:
        world.operator.end_leader(gives_back=how == "stop")


def back(world: "World", how: str, holder: Hashable) -> None:
    """What `end` took is back."""
    if how == "away":
        world.operator.up.release(holder)
    else:
        world.operator.start_one()
