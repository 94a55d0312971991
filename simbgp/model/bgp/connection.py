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
    hold_us: Callable[[], int]
    luck: Callable[[], float]
    """Fresh uniforms for what it sends."""
    on_hold_expired: Callable[[], None]
    on_closed: Callable[[Closing], None]


def _ignored(_: Closing) -> None:
    """A reset without the right digest is dropped in silence (RFC 2385 §2)."""


class Connection:
    """The connection between a node and a router. Each end may leave on its own; the other then learns by TCP."""

    def __init__(self, clock: Clock, node: End, router: End, md5: bool = False) -> None:
        node_closed, router_closed = self._over(node.on_closed), self._over(router.on_closed)
        node_reset, router_reset = (_ignored, _ignored) if md5 else (node_closed, router_closed)
        self.to_router = Stream(
            clock, node.keepalives, router.hold_us, node.luck, router.on_hold_expired, router_closed, node_reset
        )
        self.to_node = Stream(
            clock, router.keepalives, node.hold_us, router.luck, node.on_hold_expired, node_closed, router_reset
        )

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

    def set_way(self, to_router_lost: float, to_node_lost: float, resend_us: int | None = None) -> None:
        """Which share of the packets vanishes each way from now on; ``resend_us`` as in `Stream.set_way`."""
        self.to_router.set_way(to_router_lost, to_node_lost, resend_us)
        self.to_node.set_way(to_node_lost, to_router_lost, resend_us)

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

    def router_vanishes(self) -> None:
        """The router's host is gone: silence."""
        self.to_router.forget()
        self.to_node.silence()

    # a stalled process at one end

    def node_stalls(self) -> None:
        """The node's process is starved of CPU."""
        self.to_router.sender_stalls()
        self.to_node.receiver_stalls()

    def node_wakes(self, reads_first: bool) -> None:
        """The node's process runs again."""
        self.to_node.receiver_wakes(reads_first)
        self.to_router.sender_wakes()

    def router_stalls(self) -> None:
        """The router's process is starved of CPU."""
        self.to_node.sender_stalls()
        self.to_router.receiver_stalls()

    def router_wakes(self, reads_first: bool) -> None:
        """The router's process runs again."""
        self.to_router.receiver_wakes(reads_first)
        self.to_node.sender_wakes()
