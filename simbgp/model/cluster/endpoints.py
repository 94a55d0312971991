"""Which backends live, and which of them each node's load balancer knows: a clock of its own beside BGP's.

A dead node's pods die with it, but are picked everywhere until the control plane calls the node not ready
(nodeMonitorGracePeriod) and the change has reached each node. An agent that is down learns nothing.
"""

from functools import partial
from typing import TYPE_CHECKING

from simbgp.model.clock import Order
from simbgp.scenario.plan import ServicePlan
from simbgp.timeline.facts import BackendChanged, ViewChanged

if TYPE_CHECKING:
    from simbgp.model.world import World


class Endpoints:
    """Endpoint revisions of all services and the view that each node has of them."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._not_ready: dict[str, None] = {}
        self._revision = 0
        self._seen: dict[str, int] = {}
        """The revision that each node sees, where it is not the first."""
        self._history: list[tuple[str, ...]] = [()]
        """By revision, the nodes that are not ready."""
        self._losses: dict[str, int] = {}

    def node_power_changed(self, node: str, up: bool) -> None:
        """The node's pods die or run again, and the control plane notices in its own time."""
        world, now_us = self._world, self._world.clock.now_us
        if not any(backend.node == node for service in world.plan.services for backend in service.backends):
            return
        for service in world.plan.services:
            for backend in service.backends:
                if backend.node == node:
                    world.timeline.write(BackendChanged(now_us, service.name, backend.name, up))
        self._losses[node] = self._losses.get(node, 0) + 1
        if up:
            self._revise(node, ready=True)
        else:
            loss = self._losses[node]
            grace_us = world.tape.draw_us(world.plan.node_monitor_grace, node, "node-monitor-grace", loss)
            world.clock.at(now_us + grace_us, lambda: self._grace_over(node, loss), Order.RECONCILE)

    def agent_started(self, node: str) -> None:
        """A starting agent reads the present endpoints."""
        self._show(node, self._revision)

    def _grace_over(self, node: str, loss: int) -> None:
        if self._losses[node] == loss:
            self._revise(node, ready=False)

    def _revise(self, node: str, ready: bool) -> None:
        if ready == (node not in self._not_ready):
            return
        if ready:
            del self._not_ready[node]
        else:
            self._not_ready[node] = None
        self._revision += 1
        self._history.append(tuple(self._not_ready))
        revision, world = self._revision, self._world
        for viewer in world.plan.nodes:
            law = world.plan.endpoint_propagation
            delay_us = world.tape.draw_us(law, viewer.name, "endpoint-propagation", revision)
            world.clock.at(world.clock.now_us + delay_us, partial(self._reach, viewer.name, revision), Order.OBSERVE)

    def _reach(self, node: str, revision: int) -> None:
        if self._world.node(node).agent_runs:
            self._show(node, revision)

    def _show(self, node: str, revision: int) -> None:
        seen = self._seen.get(node, 0)
        if revision <= seen:
            return
        self._seen[node] = revision
        for service in self._world.plan.services:
            view = self._view(service, revision)
            if view != self._view(service, seen):
                fact = ViewChanged(self._world.clock.now_us, node, service.name, revision, view)
                self._world.timeline.write(fact)

    def _view(self, service: ServicePlan, revision: int) -> tuple[str, ...]:
        not_ready = self._history[revision]
        return tuple(backend.name for backend in service.backends if backend.node not in not_ready)
