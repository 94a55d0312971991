"""A timeline turned around: for each thing its state as a function of time."""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from simbgp.scenario.plan import NodePlan, Plan, ServicePlan
from simbgp.timeline import (
    BackendChanged,
    ConntrackLost,
    Fact,
    ForwardingChanged,
    PathChanged,
    RouteChanged,
    Timeline,
    ViewChanged,
)
from simbgp.traffic.steps import START_US, Steps

_ALWAYS = Steps(True)
_NEVER = Steps(0)


class History:
    """Next hops, paths, nodes, conntrack, views and backends of one run.

    A conntrack's value counts its losses. A backend's value counts its deaths and returns, so that it is alive while
    the value is even, and a socket opened under one value is gone under any other.
    """

    def __init__(self, plan: Plan, timeline: Timeline) -> None:
        self.horizon_us = timeline.horizon_us
        self._nodes = {node.name: node for node in plan.nodes}
        self._services = {service.name: service for service in plan.services}
        self._start_views = timeline.start.views
        self._next_hops: dict[tuple[str, str], Steps[tuple[str, ...]]] = {}
        self._order: dict[tuple[str, str], list[str]] = {}
        self._paths: dict[tuple[str, str], Steps[bool]] = {}
        self._forwarding: dict[str, Steps[bool]] = {}
        self._conntracks: dict[str, Steps[int]] = {}
        self._lives: dict[tuple[str, str], Steps[int]] = {}
        self._views: dict[tuple[str, str], Steps[tuple[str, ...]]] = {}
        self.announced: dict[tuple[str, str], int] = {}
        """(router, prefix) -> since when the prefix is to be reachable there."""
        self._begin(plan, timeline)
        for fact in timeline:
            self._take(fact)

    def next_hops(self, router: str, prefix: str) -> Steps[tuple[str, ...]]:
        """The members of the next-hop group, in the group's order."""
        return self._next_hops[router, prefix]

    def origins(self, router: str, prefix: str) -> tuple[str, ...]:
        """Every node that ever was a next hop, in the group's order."""
        return tuple(self._order[router, prefix])

    def path(self, router: str, node: str) -> Steps[bool]:
        """Whether packets pass from the router to the node."""
        return self._paths.get((router, node), _ALWAYS)

    def forwarding(self, node: str) -> Steps[bool]:
        """Whether the node's kernel forwards."""
        return self._forwarding.get(node, _ALWAYS)

    def conntrack(self, node: str) -> Steps[int]:
        """How often the node lost its connection tracking."""
        return self._conntracks.get(node, _NEVER)

    def life(self, service: str, backend: str) -> Steps[int]:
        """Deaths and returns of a backend; even: alive."""
        return self._lives.get((service, backend), _NEVER)

    def mortal(self, service: str) -> tuple[str, ...]:
        """The backends of the service that died or returned at some time."""
        return tuple(backend for owner, backend in self._lives if owner == service)

    def view(self, node: str, service: str) -> Steps[tuple[str, ...]]:
        """Among which backends the node picks; with externalTrafficPolicy Local its own only."""
        if (node, service) not in self._views:
            known = self._usable(node, service, self._start_views.get(service, ()))
            self._views[node, service] = Steps(known)
        return self._views[node, service]

    def _begin(self, plan: Plan, timeline: Timeline) -> None:
        for router, prefixes in timeline.start.next_hops.items():
            for prefix, members in prefixes.items():
                self._announce(router, prefix, START_US, members)
        if plan.cold_start:
            for peering in plan.peerings:
                for prefix in peering.prefixes:
                    self._announce(peering.router, prefix, START_US)

    def _announce(self, router: str, prefix: str, time_us: int, members: tuple[str, ...] = ()) -> None:
        if (router, prefix) not in self.announced:
            self.announced[router, prefix] = time_us
            self._next_hops[router, prefix] = Steps(members)
            self._order[router, prefix] = list(members)

    def _take(self, fact: Fact) -> None:
        match fact:
            case RouteChanged():
                self._route(fact)
            case PathChanged(time_us, router, node, up):
                self._paths.setdefault((router, node), Steps(True)).set(time_us, up)
            case ForwardingChanged(time_us, node, up):
                self._forwarding.setdefault(node, Steps(True)).set(time_us, up)
            case ConntrackLost(time_us, node):
                losses = self._conntracks.setdefault(node, Steps(0))
                losses.set(time_us, losses.last + 1)
            case BackendChanged(time_us, service, backend, alive):
                life = self._lives.setdefault((service, backend), Steps(0))
                if alive == bool(life.last % 2):
                    life.set(time_us, life.last + 1)
            case ViewChanged(time_us, node, service, _, backends):
                self.view(node, service).set(time_us, self._usable(node, service, backends))

    def _route(self, fact: RouteChanged) -> None:
        if fact.event not in ("added", "withdrawn"):
            return
        if fact.event == "added":
            self._announce(fact.router, fact.prefix, fact.time_us)
            self._seat(fact.router, fact.prefix, fact.node)
        steps = self._next_hops.get((fact.router, fact.prefix))
        if steps is None:
            return
        members = {*steps.last, fact.node} if fact.event == "added" else {*steps.last} - {fact.node}
        order = self._order[fact.router, fact.prefix]
        steps.set(fact.time_us, tuple(node for node in order if node in members))

    def _seat(self, router: str, prefix: str, node: str) -> None:
        """A member that returns takes its old place; a new one stands before the first higher address."""
        order = self._order[router, prefix]
        if node in order:
            return
        rank = self._rank(node, prefix)
        higher = (place for place, member in enumerate(order) if self._rank(member, prefix) > rank)
        order.insert(next(higher, len(order)), node)

    def _rank(self, node: str, prefix: str) -> tuple[int, str]:
        plan = self._nodes.get(node)
        return (_address(plan, ip_network(prefix).version) if plan else 0), node

    def _usable(self, node: str, service: str, backends: Iterable[str]) -> tuple[str, ...]:
        plan: ServicePlan | None = self._services.get(service)
        if plan is None or plan.policy == "Cluster":
            return tuple(backends)
        local = {backend.name for backend in plan.backends if backend.node == node}
        return tuple(backend for backend in backends if backend in local)


def _address(node: NodePlan, version: int) -> int:
    """The node's next-hop address for a prefix of this IP version as a number."""
    addresses = [ip_address(text) for text in node.addresses]
    of_family = [address for address in addresses if address.version == version] or addresses
    return int(of_family[0]) if of_family else 0
