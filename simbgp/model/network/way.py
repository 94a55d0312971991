"""One direction of the link between a router and a node: what share of its packets vanishes."""

from collections.abc import Hashable
from math import prod


class Way:
    """Several faults may each lose a share of the packets, independently of one another."""

    def __init__(self) -> None:
        self._losses: dict[Hashable, float] = {}

    @property
    def lost_share(self) -> float:
        """The share of packets that vanish: 0 none, 1 all."""
        return 1.0 - prod(1.0 - share for share in self._losses.values())

    @property
    def up(self) -> bool:
        """Whether some packets pass."""
        return self.lost_share < 1.0

    def lose(self, holder: Hashable, share: float) -> None:
        """``holder`` makes ``share`` of the packets vanish."""
        self._losses[holder] = share

    def release(self, holder: Hashable) -> None:
        """``holder`` lets go; nothing happens if it did not hold."""
        self._losses.pop(holder, None)
