"""One session between a node and a router: both its ends, the way between them, and what they negotiated."""

from collections.abc import Callable
from math import lcm
from typing import TYPE_CHECKING

from simbgp.model.bgp.connection import Connection, End
from simbgp.model.bgp.node_peer import NodePeer
from simbgp.model.bgp.router_peer import RouterPeer
from simbgp.model.clock import Order, Timer
from simbgp.model.network.keepalives import JitteredKeepalives, Keepalives
from simbgp.model.network.switch import Switch
from simbgp.model.network.tcp import retransmission_at_or_after
from simbgp.scenario.plan import PeeringPlan
from simbgp.timeline.facts import PathChanged, SessionChanged, Side, State

if TYPE_CHECKING:
    from simbgp.model.world import World

_OPEN_HOLD_US = 240_000_000
"""Hold time in OpenSent, RFC 4271 §8.2.2."""


class Session:
    """Created when a fault first touches it; until then it is Established and costs nothing."""

    def __init__(self, world: "World", peering: PeeringPlan, established: bool) -> None:
        self.world = world
        self.peering = peering
        self.entity = f"{peering.node}>{peering.router}"
        self.profile = world.index.routers[peering.router].profile
        self.link = Switch(self._link_changed)
        self.node = NodePeer(self, established)
        self.router = RouterPeer(self, established)
        self._connections: list[Connection] = []
        self._opening = Timer(world.clock, self._opened, Order.PACKET)
        self._opening_us = 0
        if established:
            self._join(up_since=lambda: -self._age_us())

    # the way

    @property
    def passes(self) -> bool:
        """Whether packets pass between the two hosts."""
        return self.link.up and self.world.node(self.peering.node).power.up

    def way_changed(self) -> None:
        """The link or a host went down or came up."""
        for connection in self._connections:
            if self.passes:
                connection.unblock()
            else:
                connection.block()

    def _link_changed(self, up: bool) -> None:
        clock = self.world.clock
        self.world.timeline.write(PathChanged(clock.now_us, self.peering.router, self.peering.node, up))
        self.way_changed()

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
    def speaker_runs(self) -> bool:
        """Whether the node's speaker is up and may dial."""
        return self.world.node(self.peering.node).speaker.runs

    def hold_s(self) -> int:
        """min(own, peer's), RFC 4271 §4.2."""
        return min(self.peering.hold_s, self.profile.hold_s)

    # opening

    def connect(self) -> None:
        """The node's SYN was answered: the router lets it in, or closes it."""
        refusal = self.router.accept()
        if refusal is not None:
            self.node.refused(refusal)
            return
        self._opening_us = self.world.clock.now_us
        law = self.world.plan.speaker.open_exchange
        self._opening.set(self._opening_us + self.world.tape.draw_us(law, self.entity, "open"))

    def abandon(self) -> None:
        """The node's process died during the OPEN exchange."""
        self._opening.cancel()
        self.router.half_open_closed()

    def _opened(self) -> None:
        now_us = self.world.clock.now_us
        if not self.passes:
            next_us = retransmission_at_or_after(self._opening_us, now_us + 1)
            if next_us < self._opening_us + _OPEN_HOLD_US:
                self._opening.set(next_us)
            else:
                self.router.half_open_closed()
                self.node.refused("no OPEN within 240 s")
            return
        connection = self._join(up_since=lambda: now_us)
        self.router.established(connection)
        self.node.established(connection)
        self.world.node(self.peering.node).speaker.established(self)

    def _join(self, up_since: Callable[[], int]) -> Connection:
        hold_us = self.hold_s() * 1_000_000
        node_us, router_us = self._periods_us()
        low, high = self.profile.keepalive_jitter
        from_router = (
            Keepalives(up_since, router_us)
            if low == high == 1.0
            else JitteredKeepalives(up_since, router_us, (low, high), self.world.tape, f"{self.entity}/router")
        )
        node = End(Keepalives(up_since, node_us), hold_us, self.node.hold_expired, self.node.closed)
        router = End(from_router, hold_us, self.router.hold_expired, self.router.closed)
        connection = Connection(self.world.clock, node, router)
        self._connections = [c for c in self._connections if c in (self.node.connection, self.router.connection)]
        self._connections.append(connection)
        self.node.connection = self.router.connection = connection
        return connection

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

    def note(self, side: Side, from_state: State, to_state: State, reason: str) -> None:
        """Write a change of state of one end."""
        self.world.timeline.write(
            SessionChanged(
                self.world.clock.now_us, self.peering.router, self.peering.node, side, from_state, to_state, reason
            )
        )
