"""A router's forwarding table: which nodes are next hops of which prefix, some time after the RIB says so."""

from typing import TYPE_CHECKING

from simbgp.model.clock import Order
from simbgp.timeline.facts import RouteChanged, RouteEvent

if TYPE_CHECKING:
    from simbgp.model.bgp.session import Session
    from simbgp.model.world import World


class Fib:
    """Follows the RIB with a delay. A path that is back in the RIB when its removal falls due is not removed: routers
    program in batches, so an UPDATE that comes at once leaves no gap."""

    def __init__(self, world: "World", router: str) -> None:
        self._world = world
        self._router = router
        self._changed: dict[tuple[str, str], bool] = {}

    def follow(self, prefix: str, session: "Session", due_us: int) -> None:
        """At ``due_us``, have the FIB hold what the RIB then holds for this path."""
        self._world.clock.at(due_us, lambda: self._program(prefix, session), Order.RECONCILE)

    def clear(self) -> None:
        """The router's host is gone, and its table with it."""
        now_us = self._world.clock.now_us
        for peering in self._world.index.plan.peerings:
            if peering.router != self._router:
                continue
            for prefix in peering.prefixes:
                if self._changed.get((prefix, peering.node), not self._world.plan.cold_start):
                    self._changed[prefix, peering.node] = False
                    fact = RouteChanged(now_us, self._router, prefix, peering.node, "withdrawn")
                    self._world.timeline.write(fact)

    def _program(self, prefix: str, session: "Session") -> None:
        node = session.peering.node
        wanted = prefix in session.router.paths
        if self._changed.get((prefix, node), not self._world.plan.cold_start) == wanted:
            return
        self._changed[prefix, node] = wanted
        event: RouteEvent = "added" if wanted else "withdrawn"
        now_us = self._world.clock.now_us
        self._world.timeline.write(RouteChanged(now_us, self._router, prefix, node, event))
