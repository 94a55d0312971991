"""BFD between a router and a node: notices silence long before a hold timer does (RFC 5880, RFC 5882)."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from simbgp.model.clock import Timer
from simbgp.model.network.keepalives import stationary_age
from simbgp.scenario.plan import BfdPlan

if TYPE_CHECKING:
    from simbgp.model.bgp.session import Session

_JITTER = (0.75, 1.0)
_JITTER_ALONE = (0.75, 0.9)
"""RFC 5880 §6.8.7: each gap is 75 to 100 % of the interval, to 90 % where a single packet may be missed."""


class Bfd:
    """Both ends of one BFD session. It runs only where the plan has it, and costs nothing until packets vanish.

    Detection is multiplier x interval after the last packet (§6.8.4), whose age is that of a jittered sender at a
    random moment: D in (M T - T, M T].
    """

    def __init__(self, session: "Session", plan: BfdPlan | None) -> None:
        self._session = session
        self._plan = plan
        self._router = _Detector(session, "router", lambda: session.router.bfd_down())
        self._node = _Detector(session, "node", lambda: session.node.bfd_down())

    @property
    def independent(self) -> bool:
        """Whether the node's BFD does not share the fate of its agent (the C bit)."""
        return self._plan is not None and self._plan.independent

    def look(self) -> None:
        """The way or a process changed: start or stop waiting for packets."""
        if self._plan is None:
            return
        session = self._session
        agent_sends = self._plan.independent or session.speaker_runs
        self._router.hears(session.reaches_router() and agent_sends, self._plan)
        self._node.hears(session.reaches_node() and session.listens, self._plan)


class _Detector:
    """One end: its detection timer runs while nothing is heard."""

    def __init__(self, session: "Session", side: str, on_down: Callable[[], None]) -> None:
        self._session = session
        self._side = side
        self._timer = Timer(session.world.clock, on_down)
        self._hears = True
        self._silences = 0

    def hears(self, heard: bool, plan: BfdPlan) -> None:
        if heard == self._hears:
            return
        self._hears = heard
        if heard:
            self._timer.cancel()
            return
        self._silences += 1
        world, entity = self._session.world, f"{self._session.entity}/bfd-{self._side}"
        jitter = _JITTER if plan.multiplier > 1 else _JITTER_ALONE
        u_gap, u_age = (world.tape.u(entity, purpose, self._silences) for purpose in ("gap", "age"))
        _, age = stationary_age(jitter, u_gap, u_age)
        self._timer.set(world.clock.now_us + round((plan.multiplier - age) * plan.interval_s * 1e6))
