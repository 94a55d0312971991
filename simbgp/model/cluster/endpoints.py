"""Which backends live, and which of them each node's load balancer knows: a clock of its own beside BGP's.

A dead node's pods die with it, but are picked everywhere until the control plane calls the node not ready
(nodeMonitorGracePeriod) and the change has reached each node. An agent that is down learns nothing, and keeps picking
what it knew. A pod that is asked to go is terminating at once: new connections avoid it, those it has go on. The same
clock brings services that are created during a run, and the addresses that the operator gives them.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

from simbgp.model.clock import Order
from simbgp.scenario.plan import ServicePlan
from simbgp.timeline.facts import AddressGiven, BackendAdded, BackendChanged, ServiceAdded, ViewChanged

if TYPE_CHECKING:
    from simbgp.model.world import World

Phase = Literal["active", "terminating", "ending", "unready"]
"""The states of Cilium's backends, by the conditions of an EndpointSlice: ready; terminating and serving; terminating
and not serving; neither ready nor terminating (Active, Terminating, TerminatingNotServing, Maintenance)."""
_NEVER = sys.maxsize


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A pod as the EndpointSlices list it. New connections go to active ones, to terminating ones if there is no
    active one, to no other; those that are open keep theirs in any state."""

    backend: str
    node: str
    phase: Phase = "active"


class _News(NamedTuple):
    """A service that is listed otherwise than before, or has other addresses now."""

    service: ServicePlan
    before: tuple[Endpoint, ...]
    after: tuple[Endpoint, ...]
    addresses: tuple[str, ...]


class Endpoints:
    """The lists of endpoints by revision, and the revision that each node sees."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._lists: dict[str, list[tuple[int, tuple[Endpoint, ...]]]] = {
            name: [(0, endpoints)] for name, endpoints in world.index.endpoints.items()
        }
        self._exists = {service.name: _NEVER if service.added else 0 for service in world.plan.services}
        """Since which revision the service is there: an EndpointSlice belongs to a service."""
        self._given: dict[str, list[tuple[int, tuple[str, ...]]]] = {
            service.name: [(0, () if service.added else service.prefixes)] for service in world.plan.services
        }
        self._dead: dict[tuple[str, str], None] = {}
        self._revision = 0
        self._seen: dict[str, int] = {}
        self._views: dict[tuple[str, int, str], tuple[str, ...]] = {}
        """By service, list (kept alive in `_lists`, so its id stays its own) and, for a Local service, node."""
        self._services = {service.name: service for service in world.plan.services}
        self._news: dict[tuple[int, int], list[_News]] = {}
        """By two revisions that were there: what is past does not change, and most nodes see the same steps of it."""

    # what is listed

    def listed(self, service: str) -> tuple[Endpoint, ...]:
        """The endpoints of a service as the API server has them now."""
        return self._lists[service][-1][1]

    def on(self, node: str) -> list[tuple[str, Endpoint]]:
        """Service and endpoint of every pod on a node that is ready, as far as is known, or on its way out."""
        return [(n, e) for n in self._lists for e in self.listed(n) if e.node == node and e.phase != "unready"]

    def revise(self, changes: Iterable[tuple[str, Endpoint, Phase | None]]) -> None:
        """Change the phase of some endpoints (None: no longer listed, or listed anew) and tell every node."""
        self._revision += 1
        changed = False
        for service, endpoint, phase in changes:
            rest = tuple(e for e in self.listed(service) if e.backend != endpoint.backend)
            after = rest if phase is None else self._in_place(service, endpoint, phase)
            if after != self.listed(service):
                self._lists[service].append((self._revision, after))
                changed = True
        if changed:
            self._tell_all()

    def _in_place(self, service: str, endpoint: Endpoint, phase: Phase) -> tuple[Endpoint, ...]:
        listed, new = self.listed(service), Endpoint(endpoint.backend, endpoint.node, phase)
        if any(e.backend == endpoint.backend for e in listed):
            return tuple(new if e.backend == endpoint.backend else e for e in listed)
        return (*listed, new)

    def create(self, service: str) -> None:
        """The service is created: its endpoints are listed now, its LB-IPAM address follows when the operator acts."""
        if self._exists[service] <= self._revision:
            return
        plan, now_us = self._services[service], self._world.clock.now_us
        self._world.timeline.write(ServiceAdded(now_us, service))
        self._exists[service] = self._revision + 1
        own = tuple(prefix for prefix in plan.prefixes if prefix not in plan.allocated)
        self._give(service, own)
        if plan.allocated:
            self._world.operator.ask(lambda: self._give(service, plan.prefixes))

    def _give(self, service: str, prefixes: tuple[str, ...]) -> None:
        self._revision += 1
        self._given[service].append((self._revision, prefixes))
        if prefixes:
            self._world.timeline.write(AddressGiven(self._world.clock.now_us, service, prefixes))
        self._tell_all()

    # who lives

    def set_alive(self, service: str, backend: str, alive: bool, resets: bool = False) -> None:
        """The pod's process runs, or does not; nothing happens if that is so already."""
        if alive is not ((service, backend) in self._dead):
            return
        if alive:
            del self._dead[service, backend]
        else:
            self._dead[service, backend] = None
        now_us = self._world.clock.now_us
        self._world.timeline.write(BackendChanged(now_us, service, backend, alive, resets))

    def add(self, service: str, endpoint: Endpoint, key: str) -> None:
        """A new pod is ready."""
        now_us = self._world.clock.now_us
        self._world.timeline.write(BackendAdded(now_us, service, endpoint.backend, endpoint.node, key))
        self.revise([(service, endpoint, "active")])

    # who sees it

    def agent_started(self, node: str) -> None:
        """A starting agent reads the present endpoints."""
        self._show(node, self._revision)

    def _tell_all(self) -> None:
        world, revision = self._world, self._revision
        law = world.plan.endpoint_propagation
        for viewer in world.plan.nodes:
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
        speaker = self._world.node(node).speaker
        for service, before, after, addresses in self._between(seen, revision):
            view = self._picked(service, node, after)
            if view != self._picked(service, node, before):
                fact = ViewChanged(self._world.clock.now_us, node, service.name, revision, view)
                self._world.timeline.write(fact)
            speaker.service_seen(service, after, addresses)

    def _between(self, seen: int, revision: int) -> list[_News]:
        """What a node finds new that saw one revision before and sees a later one now."""
        news = self._news.get((seen, revision))
        if news is None:
            news = self._news[seen, revision] = []
            for name, service in self._services.items():
                before, after = self._at(name, seen), self._at(name, revision)
                had, has = self._addresses(name, seen), self._addresses(name, revision)
                if before is not after or had is not has:
                    news.append(_News(service, before, after, has))
        return news

    def _at(self, service: str, revision: int) -> tuple[Endpoint, ...]:
        if revision < self._exists[service]:
            return ()
        return next(listed for since, listed in reversed(self._lists[service]) if since <= revision)

    def _addresses(self, service: str, revision: int) -> tuple[str, ...]:
        return next(given for since, given in reversed(self._given[service]) if since <= revision)

    def _picked(self, service: ServicePlan, node: str, listed: tuple[Endpoint, ...]) -> tuple[str, ...]:
        """What a node picks for new connections: active pods, terminating ones where there are no others.

        All nodes pick among the same pods of a Cluster service: one tuple serves them all.
        """
        scope = "" if service.policy == "Cluster" else node
        key = service.name, id(listed), scope
        if key not in self._views:
            pods = [e for e in listed if not scope or e.node == scope]
            active = tuple(e.backend for e in pods if e.phase == "active")
            self._views[key] = active or tuple(e.backend for e in pods if e.phase == "terminating")
        return self._views[key]
