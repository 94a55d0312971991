"""One session between a node and a router: both its ends, the way between them, and what they negotiated."""

import sys
from collections.abc import Callable
from math import lcm
from typing import TYPE_CHECKING

from simbgp.model.bgp.bfd import Bfd
from simbgp.model.bgp.connection import Connection, End
from simbgp.model.bgp.node_peer import NodePeer
from simbgp.model.bgp.opening import Opening
from simbgp.model.bgp.router_peer import RouterPeer
from simbgp.model.network.keepalives import JitteredKeepalives, Keepalives
from simbgp.model.network.link import Link
from simbgp.model.network.neighbour import Neighbour
from simbgp.profiles.law import Law
from simbgp.scenario.plan import PeeringPlan
from simbgp.timeline.facts import PathChanged, SessionChanged, Side, State
from simbgp.timeline.reasons import Reason

if TYPE_CHECKING:
    from simbgp.model.world import World


class Session:
    """Created when a fault first touches it; until then it is Established and costs nothing."""

    def __init__(self, world: "World", peering: PeeringPlan, established: bool) -> None:
        self.world = world
        self.peering = peering
        self.entity = f"{peering.node}>{peering.router}"
        self.profile = world.index.routers[peering.router].profile
        self.link = Link(world.clock, self._draw_resend_us, self._link_changed, self._carrier_changed)
        self._told = 0.0, 0.0, True
        """What was last written of the path: lost to the node, lost to the router, carrier."""
        self.withheld: dict[str, None] = {}
        """Prefixes of services without a local backend, which the node would announce otherwise."""
        self.gained: dict[str, None] = {}
        """Prefixes of services that came to have a local backend."""
        self._drawn: dict[str, int] = {}
        self.neighbour = Neighbour(self, self.profile.neighbour_check and not self.direct)
        self.bfd = Bfd(self, world.index.routers[peering.router].bfd)
        self.node = NodePeer(self, established)
        self.router = RouterPeer(self, established)
        self._connections: list[Connection] = []
        self.opening = Opening(self, self._establish)
        if established:
            self._join(up_since=lambda: -self._age_us())

    # the way

    @property
    def passes(self) -> bool:
        """Whether packets pass between the two hosts, both ways."""
        return self.link.lost_share < 1.0 and self._hosts_up

    @property
    def _hosts_up(self) -> bool:
        return self.world.node(self.peering.node).power.up and self.world.router(self.peering.router).host.up

    def reaches_router(self) -> bool:
        """Whether packets of the node reach the router's host."""
        return self._hosts_up and self.link.carrier.up and self.link.to_router.up

    def reaches_node(self) -> bool:
        """Whether packets of the router reach the node."""
        return self._hosts_up and self.link.carrier.up and self.link.to_node.up

    def way_changed(self, resend_us: int | None = None) -> None:
        """The link or a host went down or came up."""
        to_router = self.link.to_router.lost_share if self.reaches_router() else 1.0
        to_node = self.link.to_node.lost_share if self.reaches_node() else 1.0
        for connection in self._connections:
            connection.set_way(to_router, to_node, resend_us)
        self.bfd.look()
        self.neighbour.look()

    def _link_changed(self, resend_us: int | None) -> None:
        link = self.link
        path = link.to_node.lost_share, link.to_router.lost_share, link.carrier.up
        if path != self._told:
            self._told = path
            ways = path[:2] if link.carrier.up else (1.0, 1.0)
            now_us, peering = self.world.clock.now_us, self.peering
            fact = PathChanged(now_us, peering.router, peering.node, link.lost_share, *ways, link.carrier.up)
            self.world.timeline.write(fact)
        self.way_changed(resend_us)

    def _carrier_changed(self, up: bool) -> None:
        if up:
            self.router.carrier_back()
        else:
            self.router.carrier_lost()

    def _draw_resend_us(self, law: Law, flap: int) -> int:
        return self.world.tape.draw_us(law, self.entity, "resend", flap)

    def syn_answered(self) -> bool:
        """Whether a SYN sent now and its answer both pass."""
        if not self.passes or self.link.lost_share == 0.0:
            return self.passes
        return self._luck("syn")() >= self.link.lost_share

    def router_keepalives(self, time_us: int) -> tuple[int, int]:
        """The router's last keepalive before ``time_us`` and its next one; both now where no session is up."""
        connection = self.router.connection
        return (time_us, time_us) if connection is None else connection.to_node.sent_around(time_us)

    def next_keepalive_us(self, after_us: int) -> int:
        """When either end next sends a keepalive, if it is Established and the way is open; else never."""
        connection = self.router.connection
        if connection is None or not self.passes:
            return sys.maxsize
        return min(connection.to_router.next_sent_us(after_us), connection.to_node.next_sent_us(after_us))

    # what was negotiated

    @property
    def restart_negotiated(self) -> bool:
        """Both ends offer graceful restart (RFC 4724 §3)."""
        return self.peering.restart.enabled and self.profile.helper

    @property
    def notification_negotiated(self) -> bool:
        """Both ends also set the N bit (RFC 8538 §2)."""
        return self.restart_negotiated and self.peering.restart.notification and self.profile.notification

    @property
    def long_lived_s(self) -> int:
        """The long-lived stale time, if graceful restart was negotiated too (RFC 9494 §3); else 0."""
        return self.peering.restart.long_lived_s if self.restart_negotiated and self.profile.long_lived else 0

    @property
    def speaker_runs(self) -> bool:
        """Whether the node's speaker is up and may dial."""
        return self.world.node(self.peering.node).speaker.runs

    @property
    def listens(self) -> bool:
        """Whether the router's host has a daemon that takes connections."""
        return self.world.router(self.peering.router).listens

    @property
    def direct(self) -> bool:
        """Whether the router sees the node's carrier."""
        return self.world.index.routers[self.peering.router].link == "direct"

    def hold_s(self) -> int:
        """min(own, peer's), RFC 4271 §4.2."""
        return min(self.peering.hold_s, self.profile.hold_s)

    # what is announced

    def prefixes(self) -> tuple[str, ...]:
        """What the node announces to this router now: its own, and the services it may attract traffic for."""
        own = tuple(prefix for prefix in self.peering.prefixes if prefix not in self.withheld)
        return own + tuple(prefix for prefix in self.gained if prefix not in own)

    def may_announce(self, prefix: str) -> bool:
        """Whether an advertisement of this peer covers the prefix, and the router speaks its family."""
        return any(entry.prefix == prefix for entry in self.peering.announcements)

    def in_fib(self) -> bool:
        """Whether the router forwards anything to the node."""
        fib = self.world.router(self.peering.router).fib
        return any(fib.holds(prefix, self) for prefix in (*self.peering.prefixes, *self.gained))

    # Established

    def _establish(self) -> None:
        """The OPEN exchange is over."""
        now_us = self.world.clock.now_us
        connection = self._join(up_since=lambda: now_us)
        self.router.established(connection)
        self.node.established(connection)
        self.world.node(self.peering.node).speaker.established(self)

    def _join(self, up_since: Callable[[], int]) -> Connection:
        node_us, router_us = self._periods_us()
        low, high = self.profile.keepalive_jitter
        from_router = (
            Keepalives(up_since, router_us)
            if low == high == 1.0
            else JitteredKeepalives(up_since, router_us, (low, high), self.world.tape, f"{self.entity}/router")
        )
        node_hold_us = self.hold_s() * 1_000_000
        node = End(
            Keepalives(up_since, node_us),
            lambda: node_hold_us,
            self._luck("packets-to-router"),
            self.node.hold_expired,
            self.node.closed,
        )
        router = End(
            from_router,
            self.router.hold_us,
            self._luck("packets-to-node"),
            self.router.hold_expired,
            self.router.closed,
        )
        connection = Connection(self.world.clock, node, router, self.peering.md5)
        self._connections = [c for c in self._connections if c in (self.node.connection, self.router.connection)]
        self._connections.append(connection)
        self.node.connection = self.router.connection = connection
        return connection

    def _luck(self, purpose: str) -> Callable[[], float]:
        """Fresh uniforms, one after the other."""

        def draw() -> float:
            self._drawn[purpose] = self._drawn.get(purpose, 0) + 1
            return self.world.tape.u(self.entity, purpose, self._drawn[purpose])

        return draw

    def _periods_us(self) -> tuple[int, int]:
        hold_s, hold_us = self.hold_s(), self.hold_s() * 1_000_000
        node_us = hold_us // 3 if hold_s < self.peering.hold_s else self.peering.keepalive_s * 1_000_000
        own_us = self.profile.keepalive_s * 1_000_000
        match self.profile.keepalive_third:
            case "always":
                return node_us, hold_us // 3
            case "capped":
                return node_us, min(own_us, hold_us // 3)
            case "if_lowered":
                return node_us, hold_us // 3 if hold_s < self.profile.hold_s else own_us

    def _age_us(self) -> int:
        """Age at time 0: long, and uniform over the common period of both ends' keepalives."""
        period_us = lcm(*self._periods_us())
        return self.world.plan.up_for_us + int(self.world.tape.u(self.entity, "age") * period_us)

    def note(self, side: Side, from_state: State, to_state: State, reason: Reason) -> None:
        """Write a change of state of one end."""
        self.world.timeline.write(
            SessionChanged(
                self.world.clock.now_us, self.peering.router, self.peering.node, side, from_state, to_state, reason
            )
        )
