"""Rolling out another release of the agent over all nodes, as a DaemonSet does it."""

from collections import deque
from collections.abc import Hashable
from functools import partial
from typing import TYPE_CHECKING

from simbgp.model.clock import Order
from simbgp.profiles import speaker
from simbgp.scenario.plan import Occurrence
from simbgp.timeline.facts import FaultBegan, FaultEnded, ProcedureEnded

if TYPE_CHECKING:
    from simbgp.model.world import World


class Rollout:
    """At most ``max_unavailable`` agents are away at once; an agent counts again when it is ready for
    ``min_ready_us``. Ready is not Established: the agent's readiness knows nothing of BGP."""

    def __init__(self, world: "World", fault: Occurrence, holder: Hashable) -> None:
        self._world = world
        self._fault = fault
        self._holder = holder
        self._waiting = deque(node for node in fault.options["nodes"] if world.node(node).joined)
        for node in fault.options["nodes"]:
            if not world.node(node).joined:  # its first agent will be of the new release
                world.node(node).profile = speaker(str(fault.options["to"]))
        self._away: dict[str, None] = {}

    def begin(self) -> None:
        """Take the first nodes."""
        for _ in range(self._fault.options["max_unavailable"]):
            self._take_next()

    def _take_next(self) -> None:
        if not self._waiting:
            if not self._away:
                self._world.timeline.write(ProcedureEnded(self._world.clock.now_us, self._fault.fault))
            return
        node = self._waiting.popleft()
        self._away[node] = None
        world, fault = self._world, self._fault
        world.timeline.write(FaultBegan(world.clock.now_us, fault.fault, fault.kind, (node,), ()))
        found = world.node(node)
        found.stop_agent((self._holder, node))
        found.profile = speaker(str(fault.options["to"]))
        pull = fault.options["image_pull"]
        pull_us = 0 if pull is None else world.tape.draw_us(pull, node, f"image-pull/{fault.fault}")
        world.clock.at(world.clock.now_us + pull_us, partial(self._start, node), Order.RECONCILE)

    def _start(self, node: str) -> None:
        world, fault = self._world, self._fault
        world.timeline.write(FaultEnded(world.clock.now_us, fault.fault, fault.kind, (node,), ()))
        found = world.node(node)
        found.when_agent_ready(partial(self._ready, node))
        found.agent.release((self._holder, node))

    def _ready(self, node: str) -> None:
        min_ready_us = self._fault.options["min_ready_us"]
        self._world.clock.at(self._world.clock.now_us + min_ready_us, partial(self._available, node), Order.RECONCILE)

    def _available(self, node: str) -> None:
        self._away.pop(node, None)
        self._take_next()


def begin(world: "World", fault: Occurrence, _: str, holder: Hashable) -> None:
    """Start the rollout."""
    Rollout(world, fault, holder).begin()
