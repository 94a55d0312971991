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

    def holds(self, prefix: str, session: "Session") -> bool:
        """Whether the session's node is a next hop of ``prefix`` now."""
        at_start = not self._world.plan.cold_start and prefix in session.peering.prefixes
        return self._changed.get((prefix, session.peering.node), at_start)

    def clear(self) -> None:
        """The router's host is gone, and its table with it."""
        now_us = self._world.clock.now_us
        for session in self._world.sessions_with(self._router):
            for prefix in (*session.peering.prefixes, *session.gained):
                if self.holds(prefix, session):
                    self._changed[prefix, session.peering.node] = False
                    fact = RouteChanged(now_us, self._router, prefix, session.peering.node, "withdrawn")
                    self._world.timeline.write(fact)
                    self._world.fabric.next_hops_changed(self._router, prefix, -1)

    def _program(self, prefix: str, session: "Session") -> None:
        node = session.peering.node
        wanted = prefix in session.router.rib.paths
        if wanted and session.router.rib.paths[prefix] == "fresh" and self._world.router(self._router).daemon.up:
            self._world.fabric.announced(self._router, prefix)
        if self.holds(prefix, session) == wanted:
            return
        self._changed[prefix, node] = wanted
        event: RouteEvent = "added" if wanted else "withdrawn"
        now_us = self._world.clock.now_us
        self._world.timeline.write(RouteChanged(now_us, self._router, prefix, node, event))
        self._world.fabric.next_hops_changed(self._router, prefix, 1 if wanted else -1)
