"""A router's host and its BGP daemon: what dies with which, and what the FIB does meanwhile."""

from functools import partial
from typing import TYPE_CHECKING

from simbgp.model.bgp.end_of_rib import EndOfRib
from simbgp.model.bgp.messages import FIN, SHUTDOWN
from simbgp.model.clock import Order
from simbgp.model.network.fib import Fib
from simbgp.model.network.switch import Switch

if TYPE_CHECKING:
    from simbgp.model.world import World


class Router:
    """With the host everything goes in silence. With the daemon alone the kernel closes its sockets, and its FIB
    entries go at once, when the daemon is back, or not at all: that is the profile's."""

    def __init__(self, world: "World", name: str) -> None:
        self.name = name
        self._world = world
        self.profile = world.index.routers[name].profile
        self.fib = Fib(world, name)
        self.host = Switch(self._host_changed)
        self.daemon = Switch(self._daemon_changed)
        self.stopping = False
        """Whether the daemon that goes down was told to, and says so to its peers."""
        self.stalled_until_us = 0
        self.end_of_rib = EndOfRib()
        self._up_since_us = -world.plan.up_for_us
        """When its daemon started."""

    @property
    def sets_restart_bit(self) -> bool:
        """Whether its OPENs still tell that it has restarted (RFC 4724 §3)."""
        return self._world.clock.now_us - self._up_since_us < self.profile.restart_bit_s * 1e6

    @property
    def listens(self) -> bool:
        """Whether a connection finds a daemon."""
        return self.daemon.up

    def stall(self, until_us: int) -> None:
        """The daemon gets no CPU until then; its kernel goes on acknowledging, and its FIB forwarding."""
        if until_us <= self.stalled_until_us:
            return
        if self.stalled_until_us <= self._world.clock.now_us:
            for session in self._world.sessions_with(self.name):
                if session.router.connection is not None:
                    session.router.connection.router_stalls()
        self.stalled_until_us = until_us
        self._world.clock.at(until_us, partial(self._wake, until_us), Order.TIMER)

    def _wake(self, until_us: int) -> None:
        if until_us != self.stalled_until_us:
            return  # stalled anew meanwhile
        for session in self._world.sessions_with(self.name):
            if session.router.connection is not None:
                u = self._world.tape.u(session.entity, "router-reads-first", until_us)
                session.router.connection.router_wakes(u < self.profile.reads_before_expiry)

    def _host_changed(self, up: bool) -> None:
        sessions = self._world.sessions_with(self.name)
        for session in sessions:
            session.way_changed()
        if not up:
            for session in sessions:
                session.router.vanish()
            self.fib.clear()

    def _daemon_changed(self, up: bool) -> None:
        if up:
            self._up_since_us = self._world.clock.now_us
        for session in self._world.sessions_with(self.name):
            if up:
                session.router.daemon_started()
            elif self.host.up:
                session.router.daemon_ended(SHUTDOWN if self.stopping else FIN)
            session.bfd.look()
        if not up:
            self._world.fabric.daemon_ended(self.name)
