"""The Cilium operator: it turns labels into each node's BGP configuration, and nothing happens while it is away."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from simbgp.model.network.switch import Switch

if TYPE_CHECKING:
    from simbgp.model.world import World


class Operator:
    """Work that comes while it is down waits, in order."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._waiting: list[Callable[[], None]] = []
        self.up = Switch(self._changed)

    def ask(self, work: Callable[[], None]) -> None:
        """Do ``work`` now, or first thing when the operator is back."""
        if self.up.up:
            work()
        else:
            self._waiting.append(work)

    def _changed(self, up: bool) -> None:
        if up:
            waiting, self._waiting = self._waiting, []
            for work in waiting:
                work()
