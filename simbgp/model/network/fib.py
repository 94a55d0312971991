"""A router's forwarding table: which nodes are next hops of which prefix, some time after the RIB says so."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from simbgp.model.clock import Order
from simbgp.timeline.facts import RouteChanged, RouteEvent
from simbgp.timeline.invariants import require

if TYPE_CHECKING:
    from simbgp.model.bgp.session import Session
    from simbgp.model.world import World

_EVENTS: Mapping[bool, RouteEvent] = {True: "added", False: "withdrawn"}


class Fib:
    """Follows the RIB with a delay. A path that is back in the RIB when its removal falls due is not removed: routers
    program in batches, so an UPDATE that comes at once leaves no gap.

    A long-lived stale path is least preferred (RFC 9494 §4.3): it is a next hop while the prefix has no other, together
    with its equals, and is out while it has.
    """

    def __init__(self, world: "World", router: str) -> None:
        self._world = world
        self._router = router
        self._changed: dict[tuple[str, str], bool] = {}
        self._next_hops: dict[str, int] = {}
        """How many nodes a prefix points to, where that was ever changed."""
        self._least: dict[str, dict[str, tuple[Session, int]]] = {}
        """By prefix and node: the paths that are long-lived stale, and when the FIB gets to know of each."""

    def follow(self, prefix: str, session: "Session", due_us: int) -> None:
        """At ``due_us``, have the FIB hold what the RIB then holds for this path."""
        if session.router.rib.paths.get(prefix) == "long_lived":
            self._least.setdefault(prefix, {})[session.peering.node] = session, due_us
        self._world.clock.at(due_us, lambda: self._program(prefix, session), Order.RECONCILE)

    def holds(self, prefix: str, session: "Session") -> bool:
        """Whether the session's node is a next hop of ``prefix`` now."""
        at_start = self._world.up_at_start(session.peering.node) and prefix in session.peering.prefixes
        return self._changed.get((prefix, session.peering.node), at_start)

    def clear(self) -> None:
        """The router's host is gone, and its table with it."""
        for session in self._world.sessions_with(self._router):
            for prefix in (*session.peering.prefixes, *session.gained):
                self._put(prefix, session, False)
        self._least.clear()

    def check(self) -> None:
        """Assert that no long-lived stale path is a next hop beside a better one."""
        now_us = self._world.clock.now_us
        for prefix, least in self._least.items():
            known = [
                node for node, (session, due_us) in least.items() if due_us < now_us and self.holds(prefix, session)
            ]
            require(
                not known or self._has_no_better(prefix),
                f"{self._router}: {prefix} points to {', '.join(known)}, least preferred, and to a better path",
            )

    def _program(self, prefix: str, session: "Session") -> None:
        """Do what the RIB says of this path, and what that means for those that stand behind it."""
        state = session.router.rib.paths.get(prefix)
        least = self._least.get(prefix, {})
        if state == "fresh" and self._world.router(self._router).daemon.up:
            self._world.fabric.announced(self._router, prefix)
        if state != "long_lived":
            least.pop(session.peering.node, None)
            self._put(prefix, session, state is not None)
        self._settle(prefix, least)

    def _settle(self, prefix: str, least: Mapping[str, tuple["Session", int]]) -> None:
        """Long-lived paths are all in, or all out, by whether there is a better one; each from its own turn on."""
        alone, now_us = self._has_no_better(prefix), self._world.clock.now_us
        for session, due_us in least.values():
            if due_us <= now_us and session.router.rib.paths.get(prefix) == "long_lived":
                self._put(prefix, session, alone)

    def _has_no_better(self, prefix: str) -> bool:
        """Whether every next hop is a long-lived stale path, or there is none."""
        least = self._least.get(prefix, {})
        return self._count(prefix) == sum(self.holds(prefix, session) for session, _ in least.values())

    def _count(self, prefix: str) -> int:
        at_start = self._world.index.start.next_hops[self._router].get(prefix, ())
        return self._next_hops.get(prefix, len(at_start))

    def _put(self, prefix: str, session: "Session", wanted: bool) -> None:
        if self.holds(prefix, session) == wanted:
            return
        node, event = session.peering.node, _EVENTS[wanted]
        self._next_hops[prefix] = self._count(prefix) + (1 if wanted else -1)
        self._changed[prefix, node] = wanted
        self._world.timeline.write(RouteChanged(self._world.clock.now_us, self._router, prefix, node, event))
        self._world.fabric.next_hops_changed(self._router, prefix, 1 if wanted else -1)
