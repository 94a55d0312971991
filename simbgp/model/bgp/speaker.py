"""The BGP speaker of a node: a process with one peer per router, and its rule when to announce after a restart."""

from functools import partial
from typing import TYPE_CHECKING

from simbgp.model.clock import Order

if TYPE_CHECKING:
    from simbgp.model.bgp.session import Session
    from simbgp.model.world import World


class Speaker:
    """GoBGP as Cilium embeds it. After a restart with R set it may defer its UPDATEs (RFC 4724 §4.1)."""

    def __init__(self, world: "World", node: str, runs: bool) -> None:
        self._world = world
        self._node = node
        self.runs = runs
        self.stalled_until_us = 0
        self._silent: list[Session] = []
        """Sessions that are Established and to which nothing was announced yet."""

    def start(self) -> None:
        """The process is up and may dial."""
        self.runs = True
        for session in self._world.sessions_of(self._node):
            session.node.start()

    def kill(self) -> None:
        """The process dies; the kernel closes its sockets."""
        self._end()
        for session in self._world.sessions_of(self._node):
            session.node.kill()

    def terminate(self) -> None:
        """SIGTERM."""
        self._end()
        for session in self._world.sessions_of(self._node):
            session.node.terminate()

    def vanish(self) -> None:
        """The host is gone."""
        self._end()
        for session in self._world.sessions_of(self._node):
            session.node.vanish()

    def stall(self, until_us: int) -> None:
        """The process gets no CPU until then; its kernel goes on acknowledging."""
        if until_us <= self.stalled_until_us or not self.runs:
            return
        if self.stalled_until_us <= self._world.clock.now_us:
            for session in self._world.sessions_of(self._node):
                if session.node.connection is not None:
                    session.node.connection.node_stalls()
        self.stalled_until_us = until_us
        self._world.clock.at(until_us, partial(self._wake, until_us), Order.TIMER)

    def _wake(self, until_us: int) -> None:
        if until_us != self.stalled_until_us or not self.runs:
            return
        for session in self._world.sessions_of(self._node):
            if session.node.connection is not None:
                u = self._world.tape.u(session.entity, "node-reads-first", until_us)
                session.node.connection.node_wakes(u < self._world.plan.speaker.reads_before_expiry)

    def established(self, session: "Session") -> None:
        """A session came up: announce now, or when the deferral is over."""
        profile = self._world.plan.speaker
        if not (session.node.restarting and session.restart_negotiated):
            self._announce(session)
            return
        self._silent.append(session)
        wait_us = 0
        if profile.waits_for_end_of_rib:
            law = session.profile.end_of_rib
            wait_us = self._world.tape.draw_us(law, session.entity, "end-of-rib", session.node.cycle)
        cycle, now_us = session.node.cycle, self._world.clock.now_us
        self._world.clock.at(now_us + wait_us, lambda: self._end_of_rib(session, cycle), Order.PACKET)
        due_us = now_us + round(profile.deferral_s * 1e6)
        self._world.clock.at(due_us, lambda: self._deferral_over(session, cycle), Order.TIMER)

    def _end_of_rib(self, session: "Session", cycle: int) -> None:
        """The router's End-of-RIB is in, or not waited for."""
        if session in self._silent and session.node.cycle == cycle:
            session.node.heard_end_of_rib = True
            self._announce_if_complete()

    def _deferral_over(self, session: "Session", cycle: int) -> None:
        if session in self._silent and session.node.cycle == cycle:
            self._announce_all()

    def _announce_if_complete(self) -> None:
        if not all(session.node.heard_end_of_rib for session in self._silent):
            return
        if self._world.plan.speaker.waits_for_unestablished and self._missing():
            return
        self._announce_all()

    def _missing(self) -> bool:
        """Whether a configured restart-capable router is not Established."""
        sessions = self._world.sessions_of(self._node)
        return any(s.peering.restart.enabled and s.node.enabled.up and s.node.state != "established" for s in sessions)

    def _announce_all(self) -> None:
        silent, self._silent = self._silent, []
        for session in self._world.sessions_of(self._node):
            if session in silent or self._world.plan.speaker.clears_restart_bit:
                session.node.restarting = False
        for session in silent:
            self._announce(session)

    def _announce(self, session: "Session") -> None:
        session.node.restarting = False
        if session.node.state == "established" and session.router.state == "established":
            session.router.announced(session.peering.prefixes)

    def forget(self, session: "Session") -> None:
        """The session was lost: it no longer waits for its UPDATEs."""
        if session in self._silent:
            self._silent.remove(session)

    def _end(self) -> None:
        self.runs = False
        self.stalled_until_us = 0
        self._silent.clear()
