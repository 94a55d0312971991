"""The second tier: which routers each spine sends a prefix's traffic to, some time after what they offer changed."""

from functools import partial
from typing import TYPE_CHECKING

from simbgp.model.clock import Order
from simbgp.scenario.plan import SpinePlan
from simbgp.timeline.facts import SpineChanged

if TYPE_CHECKING:
    from simbgp.model.world import World


class Fabric:
    """Follows the routers with each spine's convergence time.

    A router offers a prefix while its daemon runs and it has a next hop; a daemon that was restarted offers only what
    a node has announced to it since, whatever its kernel kept. At the end of the convergence time a spine does what is
    right by then, so what is undone within it is never seen.
    """

    def __init__(self, world: "World") -> None:
        self._world = world
        self._above: dict[str, list[SpinePlan]] = {}
        for spine in world.plan.fabric:
            for router in spine.over:
                self._above.setdefault(router, []).append(spine)
        self._next_hops: dict[str, dict[str, int]] = {}
        self._heard: dict[str, set[str]] = {}
        """Of routers whose daemon went down: the prefixes announced to them since."""
        self._sends: dict[tuple[str, str, str], bool] = {}
        self._due: dict[tuple[str, str, int], set[str]] = {}
        self._changes: dict[tuple[str, str], int] = {}

    def next_hops_changed(self, router: str, prefix: str, more: int) -> None:
        """The router has so many next hops more, or less, of a prefix."""
        if router in self._above:
            table = self._table(router)
            before = table.get(prefix, 0)
            table[prefix] = before + more
            if not before or not table[prefix]:
                self._changed(router, prefix)

    def announced(self, router: str, prefix: str) -> None:
        """A node has announced the prefix to the router's daemon, and the FIB has it."""
        if router in self._heard and prefix not in self._heard[router]:
            self._heard[router].add(prefix)
            self._changed(router, prefix)

    def daemon_ended(self, router: str) -> None:
        """The router's daemon has no session with the spines any more: they forget what it offered."""
        if router not in self._above:
            return
        self._heard[router] = set()
        for prefix, count in self._table(router).items():
            if count:
                self._changed(router, prefix)

    def _table(self, router: str) -> dict[str, int]:
        """How many next hops each prefix has at a router."""
        if router not in self._next_hops:
            start = self._world.index.start.next_hops.get(router, {})
            self._next_hops[router] = {prefix: len(members) for prefix, members in start.items()}
        return self._next_hops[router]

    def _offers(self, router: str, prefix: str) -> bool:
        running = self._world.router(router).daemon.up
        heard = router not in self._heard or prefix in self._heard[router]
        return running and heard and self._table(router).get(prefix, 0) > 0

    def _changed(self, router: str, prefix: str) -> None:
        """Have all spines above look; what changes at a router at one moment is one change, with one draw."""
        now_us = self._world.clock.now_us
        for spine in self._above[router]:
            key = spine.name, router, now_us
            if key not in self._due:
                self._due[key] = set()
                count = self._changes[key[:2]] = self._changes.get(key[:2], -1) + 1
                waits_us = self._world.tape.draw_us(spine.convergence, f"{spine.name}/{router}", "convergence", count)
                self._world.clock.at(now_us + waits_us, partial(self._follow, key), Order.OBSERVE)
            self._due[key].add(prefix)

    def _follow(self, key: tuple[str, str, int]) -> None:
        spine, router, _ = key
        for prefix in sorted(self._due.pop(key)):
            wanted = self._offers(router, prefix)
            if self._sends_now(spine, router, prefix) != wanted:
                self._sends[spine, router, prefix] = wanted
                self._world.timeline.write(SpineChanged(self._world.clock.now_us, spine, prefix, router, wanted))

    def _sends_now(self, spine: str, router: str, prefix: str) -> bool:
        at_start = bool(self._world.index.start.next_hops.get(router, {}).get(prefix))
        return self._sends.get((spine, router, prefix), at_start)
