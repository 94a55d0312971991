"""Pods that die, are evicted and come up elsewhere."""

from functools import partial
from typing import TYPE_CHECKING, Literal

from simbgp.model.clock import Order
from simbgp.model.cluster.endpoints import Endpoint, Phase
from simbgp.scenario.pod_keys import replacement_key

if TYPE_CHECKING:
    from simbgp.model.world import World

Pod = tuple[str, Endpoint]
"""Service and endpoint."""
How = Literal["gone", "crash", "unready"]


class Pods:
    """What kubelet, node controller and Deployment controller do with the pods behind the services."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._losses: dict[str, int] = {}
        self._dead: dict[str, list[Pod]] = {}
        """The pods that died with their node and are still listed, or would be if it came back."""
        self._pending: list[Pod] = []
        """Pods whose replacement found no node."""
        self._made = 0

    # nodes

    def node_power_changed(self, node: str, up: bool) -> None:
        """The node's pods die or run again, and the control plane notices in its own time."""
        self._losses[node] = self._losses.get(node, 0) + 1
        if up:
            self._revive(node)
        else:
            self._bury(node)

    def _bury(self, node: str) -> None:
        world, loss = self._world, self._losses[node]
        pods = world.endpoints.on(node)
        self._dead[node] = [pod for pod in pods if pod[1].phase == "active"]
        for service, endpoint in pods:
            world.endpoints.set_alive(service, endpoint.backend, False)
        if not pods:
            return
        grace_us = world.tape.draw_us(world.plan.node_monitor_grace, node, "node-monitor-grace", loss)
        eviction_us = world.tape.draw_us(world.plan.eviction_timeout, node, "eviction-timeout", loss)
        now_us = world.clock.now_us
        world.clock.at(now_us + grace_us, partial(self._not_ready, node, loss), Order.RECONCILE)
        world.clock.at(now_us + grace_us + eviction_us, partial(self._replace_dead, node, loss), Order.RECONCILE)

    def _not_ready(self, node: str, loss: int) -> None:
        """Its pods are Ready=False: EndpointSlices still list them, and nobody picks them."""
        if self._losses[node] == loss:
            after: dict[Phase, Phase] = {"active": "unready", "terminating": "ending"}
            pods = self._world.endpoints.on(node)
            self._world.endpoints.revise([(s, e, after.get(e.phase, e.phase)) for s, e in pods])

    def _replace_dead(self, node: str, loss: int) -> None:
        if self._losses[node] == loss:
            pods, self._dead[node] = self._dead[node], []
            self._world.endpoints.revise([(service, endpoint, None) for service, endpoint in pods])
            for pod in pods:
                self.start_elsewhere(pod)

    def _revive(self, node: str) -> None:
        pods = self._dead.pop(node, [])
        for service, endpoint in pods:
            self._world.endpoints.set_alive(service, endpoint.backend, True)
        self._world.endpoints.revise([(service, endpoint, "active") for service, endpoint in pods])
        self.node_takes_pods()

    def node_takes_pods(self) -> None:
        """A node is back: what found no place before starts there."""
        pending, self._pending = self._pending, []
        for pod in pending:
            self.start_elsewhere(pod)

    def node_joined(self, node: str) -> None:
        """The agent of a new node is ready: the pods that wait for this node start there."""
        world = self._world
        for service in world.plan.services:
            for backend in service.backends:
                if backend.late and backend.node == node:
                    startup_us = world.tape.draw_us(world.plan.pod_startup, backend.name, "pod-startup")
                    pod = service.name, Endpoint(backend.name, node)
                    ready_us = world.clock.now_us + startup_us
                    world.clock.at(ready_us, partial(self._ready_on_new_node, pod), Order.RECONCILE)
        self.node_takes_pods()

    def _ready_on_new_node(self, pod: Pod) -> None:
        service, endpoint = pod
        if self._world.node(endpoint.node).power.up:
            self._world.endpoints.revise([(service, endpoint, "active")])
        else:
            self._world.endpoints.set_alive(service, endpoint.backend, False)
            self._dead.setdefault(endpoint.node, []).append(pod)

    # eviction

    def evict(self, pod: Pod, lives_us: int) -> None:
        """Ask a pod to go: terminating at once, its process ends ``lives_us`` later; its replacement starts now.

        One that died with its node does not start again with it.
        """
        service, endpoint = pod
        if pod in self._dead.get(endpoint.node, ()):
            self._dead[endpoint.node].remove(pod)
        self._world.endpoints.revise([(service, endpoint, "terminating")])
        self.start_elsewhere(pod)
        self._world.clock.at(self._world.clock.now_us + lives_us, partial(self._ended, pod), Order.RECONCILE)

    def _ended(self, pod: Pod) -> None:
        service, endpoint = pod
        if self._world.node(endpoint.node).power.up:
            self._world.endpoints.set_alive(service, endpoint.backend, False, resets=True)
        self._world.endpoints.revise([(service, endpoint, None)])

    def start_elsewhere(self, pod: Pod) -> None:
        """A new pod of the same service on the node with the fewest, the first of them."""
        world, (service, endpoint) = self._world, pod
        self._made += 1
        counts = {node.name: 0 for node in world.plan.nodes if self._takes_pods(node.name)}
        if not counts:
            self._pending.append(pod)
            return
        for listed in world.endpoints.listed(service):
            if listed.node in counts:
                counts[listed.node] += 1
        node = min(counts, key=lambda name: counts[name])
        name = f"{endpoint.backend.split('~')[0]}~{self._made}"
        startup_us = world.tape.draw_us(world.plan.pod_startup, name, "pod-startup")
        world.clock.at(
            world.clock.now_us + startup_us, partial(self._started, service, Endpoint(name, node)), Order.RECONCILE
        )

    def _takes_pods(self, node: str) -> bool:
        found = self._world.node(node)
        return found.power.up and not found.cordoned

    def _started(self, service: str, endpoint: Endpoint) -> None:
        if not self._world.node(endpoint.node).power.up:
            self.start_elsewhere((service, endpoint))
            return
        self._made += 1
        plan = next(node for node in self._world.plan.nodes if node.name == endpoint.node)
        self._world.endpoints.add(service, endpoint, replacement_key(plan, self._made))

    # a service's own failure

    def of(self, service: str, backends: tuple[str, ...]) -> tuple[Endpoint, ...]:
        """The listed pods of a service, or those of them that are named."""
        listed = self._world.endpoints.listed(service)
        return tuple(e for e in listed if e.phase != "unready" and (not backends or e.backend in backends))

    def fail(self, service: str, pods: tuple[Endpoint, ...], how: How) -> None:
        """The pods' processes end, and the pods go or stay as not ready; or only their readiness ends, and they serve
        on whom they serve. Kubelet tells at once."""
        for endpoint in pods if how != "unready" else ():
            self._world.endpoints.set_alive(service, endpoint.backend, False, resets=True)
        phase: Phase | None = None if how == "gone" else "unready"
        self._world.endpoints.revise([(service, endpoint, phase) for endpoint in pods])

    def recover(self, service: str, pods: tuple[Endpoint, ...]) -> None:
        """They run again, and are ready; where their node is down, when it is back."""
        running = [endpoint for endpoint in pods if self._world.node(endpoint.node).power.up]
        for endpoint in pods:
            lost = self._dead.setdefault(endpoint.node, [])
            if endpoint not in running and (service, endpoint) not in lost:
                lost.append((service, endpoint))
        for endpoint in running:
            self._world.endpoints.set_alive(service, endpoint.backend, True)
        self._world.endpoints.revise([(service, endpoint, "active") for endpoint in running])
