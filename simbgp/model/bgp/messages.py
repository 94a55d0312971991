"""What ends a session: a NOTIFICATION with its code, or TCP alone."""

from dataclasses import dataclass
from typing import Literal

LossKind = Literal["tcp_closed", "hold_expired", "peer_expired", "cease", "hard_reset", "link_down", "bfd_down"]
"""The classes of loss that a graceful-restart helper tells apart (profiles.router.KeepsStale)."""


@dataclass(frozen=True, slots=True)
class Closing:
    """The last thing a peer hears of a session."""

    text: str
    kind: LossKind
    subcode: int | None = None


FIN = Closing("TCP connection closed", "tcp_closed")
RST = Closing("TCP connection reset by a rebooted host", "tcp_closed")
REPLACED = Closing("new connection from a peer that restarted", "tcp_closed")
HOLD_EXPIRED = Closing("NOTIFICATION 4/0 hold timer expired", "peer_expired")
HARD_RESET = Closing("NOTIFICATION 6/9 hard reset", "hard_reset")
COLLISION = Closing("NOTIFICATION 6/7 connection collision", "cease", 7)


def cease(subcode: int, text: str) -> Closing:
    """A Cease NOTIFICATION (RFC 4486)."""
    return Closing(f"NOTIFICATION 6/{subcode} {text}", "cease", subcode)


SHUTDOWN = cease(2, "administrative shutdown")
DECONFIGURED = cease(3, "peer de-configured")
ADMIN_RESET = cease(4, "administrative reset")
BFD_DOWN = cease(10, "BFD down")
LINK_DOWN = Closing("interface down", "link_down")
