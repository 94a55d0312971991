"""What ends a session: a NOTIFICATION with its code, or TCP alone."""

from dataclasses import dataclass
from typing import Literal

from simbgp.timeline.reasons import Reason

LossKind = Literal["tcp_closed", "hold_expired", "peer_expired", "cease", "hard_reset", "link_down", "bfd_down"]
"""The classes of loss that a graceful-restart helper tells apart (profiles.router.KeepsStale)."""


@dataclass(frozen=True, slots=True)
class Closing:
    """The last thing a peer hears of a session."""

    reason: Reason
    kind: LossKind
    subcode: int | None = None


FIN = Closing(Reason.TCP_CLOSED, "tcp_closed")
RST = Closing(Reason.TCP_RESET, "tcp_closed")
REPLACED = Closing(Reason.REPLACED, "tcp_closed")
HOLD_EXPIRED = Closing(Reason.HOLD_EXPIRED_SENT, "peer_expired")
HARD_RESET = Closing(Reason.HARD_RESET, "hard_reset")
COLLISION = Closing(Reason.COLLISION, "cease", 7)


def cease(subcode: int, reason: Reason) -> Closing:
    """A Cease NOTIFICATION (RFC 4486)."""
    return Closing(reason, "cease", subcode)


SHUTDOWN = cease(2, Reason.SHUTDOWN)
DECONFIGURED = cease(3, Reason.DECONFIGURED)
ADMIN_RESET = cease(4, Reason.ADMIN_RESET)
BFD_DOWN = cease(10, Reason.BFD_DOWN)
LINK_DOWN = Closing(Reason.INTERFACE_DOWN, "link_down")
