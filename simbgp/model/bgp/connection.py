"""An established session's TCP connection: two streams, each with a sender, a receiver and a hold timer."""

from collections.abc import Callable
from dataclasses import dataclass

from simbgp.model.bgp.messages import HOLD_EXPIRED, Closing
from simbgp.model.bgp.stream import Stream
from simbgp.model.clock import Clock
from simbgp.model.network.keepalives import Keepalives


@dataclass(frozen=True, slots=True)
class End:
    """One end of a session, as its connection knows it: when it sends, and whom to tell that it is over."""

    keepalives: Keepalives
    hold_us: int
    on_hold_expired: Callable[[], None]
    on_closed: Callable[[Closing], None]


class Connection:
    """The connection between a node and a router. Each end may leave on its own; the other then learns by TCP."""

    def __init__(self, clock: Clock, node: End, router: End) -> None:
        node_closed, router_closed = self._over(node.on_closed), self._over(router.on_closed)
        self.to_router = Stream(
            clock, node.keepalives, router.hold_us, router.on_hold_expired, router_closed, node_closed
        )
        self.to_node = Stream(clock, router.keepalives, node.hold_us, node.on_hold_expired, node_closed, router_closed)

    def _over(self, on_closed: Callable[[Closing], None]) -> Callable[[Closing], None]:
        """Whoever hears the end of the connection is the last to leave it."""

        def closed(closing: Closing) -> None:
            self.drop()
            on_closed(closing)

        return closed

    def drop(self) -> None:
        """Nobody knows the connection any more."""
        self.to_router.drop()
        self.to_node.drop()

    def block(self) -> None:
        """Packets vanish both ways."""
        self.to_router.block()
        self.to_node.block()

    def unblock(self) -> None:
        """Packets pass again both ways."""
        self.to_router.unblock()
        self.to_node.unblock()

    def node_leaves(self, closing: Closing) -> None:
        """The node's end is closed by its process or, if that died, by its kernel."""
        self.to_node.forget()
        self.to_router.close(closing)

    def router_leaves(self, closing: Closing = HOLD_EXPIRED) -> None:
        """The router's end is closed."""
        self.to_router.forget()
        self.to_node.close(closing)

    def node_vanishes(self) -> None:
        """The node's host is gone: silence."""
        self.to_node.forget()
        self.to_router.silence()
