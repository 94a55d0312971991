"""A timeline turned around: for each thing its state as a function of time."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from ipaddress import ip_address, ip_network

from simbgp.scenario.plan import BackendPlan, NodePlan, Plan, ServicePlan
from simbgp.timeline import (
    BackendAdded,
    BackendChanged,
    ConntrackLost,
    Fact,
    ForwardingChanged,
    NeighbourChanged,
    PathChanged,
    RouteChanged,
    ServiceAdded,
    SpineChanged,
    Timeline,
    ViewChanged,
)
from simbgp.traffic.crossings import Crossings
from simbgp.traffic.ecmp import NextHops
from simbgp.traffic.plan_index import index_of
from simbgp.traffic.resilient import Usage, deal
from simbgp.traffic.steps import START_US, Steps

_ALWAYS = Steps(True)
_NEVER = Steps(0)
_NOTHING = Steps(0.0)
_NOBODY = Steps(frozenset[str]())
_SILENT = Steps(False)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The backends among which a node's load balancer picks. A run has one object for each different view."""

    backends: tuple[str, ...]
    names: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset(self.backends))

    def __len__(self) -> int:
        return len(self.backends)


class History:
    """Next hops, neighbours, paths, nodes, conntrack, views and backends of one run.

    A conntrack's value counts its losses. A backend's value counts its deaths and returns, so that it is alive while
    the value is even, and a socket opened under one value is gone under any other.
    """

    def __init__(self, plan: Plan, timeline: Timeline) -> None:
        self.horizon_us = timeline.horizon_us
        index = index_of(plan)
        self._nodes = index.nodes
        self.services = _services(plan, timeline)
        self._own = _own_backends(self.services)
        self._different: dict[tuple[str, ...], View] = {}
        self._start = {name: self._view(backends) for name, backends in timeline.start.views.items()}
        self._next_hops: dict[tuple[str, str], Steps[tuple[str, ...]]] = {}
        self._spines, self._above = index.spines, index.above
        self._ecmp, self._weights = index.ecmp, index.weights
        self._groups: dict[tuple[str, str], Steps[NextHops]] = {}
        self._order: dict[tuple[str, str], list[str]] = {}
        self._unreachable: dict[str, Steps[frozenset[str]]] = {}
        self._paths: dict[tuple[str, str], Steps[float]] = {}
        self.crossings = Crossings(index.linked)
        self._forwarding: dict[str, Steps[bool]] = {}
        self._conntracks: dict[str, Steps[int]] = {}
        self._lives: dict[str, dict[str, Steps[int]]] = {}
        self._resets: dict[tuple[str, str], Steps[bool]] = {}
        self._views: dict[tuple[str, str], Steps[View]] = {}
        self.announced: dict[tuple[str, str], int] = {}
        """(router, prefix) -> since when the prefix is to be reachable there."""
        self.added_us: dict[str, int] = {}
        """When each service was created that was not there at time 0."""
        self._entries = index.entries_of_added
        self._begin(plan, timeline)
        for fact in timeline:
            self._take(fact)

    def next_hops(self, router: str, prefix: str) -> Steps[tuple[str, ...]]:
        """The members of the next-hop group, in the group's order."""
        return self._next_hops[router, prefix]

    def spines_over(self, router: str) -> tuple[str, ...]:
        """The routers of the second tier that send to a router, none in a network without one."""
        return self._above.get(router, ())

    def is_spine(self, name: str) -> bool:
        """Whether it is a router of the second tier."""
        return name in self._spines

    def below(self, spine: str, prefix: str) -> tuple[str, ...]:
        """The routers below a spine at which the prefix is ever announced, in the order of its groups."""
        return tuple(router for router in self._spines[spine] if (router, prefix) in self.announced)

    def last_routers(self, spine: str, prefix: str, time_us: int) -> tuple[str, ...]:
        """To whom a spine that has nobody to send to sent last; if it never did, all those below it."""
        steps = self._next_hops[spine, prefix]
        before = (routers for at, routers in zip(steps.times, steps.values, strict=True) if at <= time_us and routers)
        *_, last = (self.below(spine, prefix), *before)
        return last[: self._ecmp[spine].maximum_paths]

    def entries(self, prefixes: Collection[str]) -> list[tuple[str, str]]:
        """Where clients of these prefixes enter: spine, or in a network without any router, and prefix."""
        places = [place for place in self.announced if place[1] in prefixes]
        if not self._spines:
            return places
        known = dict.fromkeys(prefix for _, prefix in places)
        return [(spine, prefix) for spine in self._spines for prefix in known if self.below(spine, prefix)]

    def on_the_way(self, entry: str, prefix: str) -> tuple[str, ...]:
        """The routers on the way from where clients of a prefix enter."""
        return (entry, *self.below(entry, prefix)) if entry in self._spines else (entry,)

    def groups(self, router: str, prefix: str) -> Steps[NextHops]:
        """The members, those of them whose neighbour entry at the router failed, and who has which bucket.

        Of more next hops than the router may use, the first in the group's order are used.
        """
        if (router, prefix) not in self._groups:
            self._groups[router, prefix] = self._dealt(router, prefix, None)
        return self._groups[router, prefix]

    def remembers(self, router: str, prefix: str) -> bool:
        """Whether the group's state depends on the packets that it met."""
        ecmp = self._ecmp[router]
        if ecmp.hash != "resilient" or (ecmp.on_change, ecmp.addition) != ("replace", "idle"):
            return False
        return len(self._members(router, prefix).times) > 1

    def use(self, router: str, prefix: str, usage: Usage) -> bool:
        """Deal the group anew, now that it is known which packets it met; whether that changed anything."""
        before = self.groups(router, prefix)
        after = self._groups[router, prefix] = self._dealt(router, prefix, usage)
        return (before.times, before.values) != (after.times, after.values)

    def _dealt(self, router: str, prefix: str, usage: Usage | None) -> Steps[NextHops]:
        ecmp, steps = self._ecmp[router], self._members(router, prefix)
        return deal(steps, ecmp, self._weights, usage, self.horizon_us) if ecmp.hash == "resilient" else steps

    def _members(self, router: str, prefix: str) -> Steps[NextHops]:
        most = self._ecmp[router].maximum_paths
        members, unreachable = self._next_hops[router, prefix], self._unreachable.get(router, _NOBODY)
        if self._ecmp[router].hash == "resilient":
            unreachable = _NOBODY
        steps = Steps(NextHops(members.values[0][:most]))
        for time_us in sorted({*members.times, *unreachable.times}):
            present = members.at(time_us)[:most]
            steps.set(time_us, NextHops(present, unreachable.at(time_us).intersection(present)))
        return steps

    def origins(self, router: str, prefix: str) -> tuple[str, ...]:
        """Every node that ever was a next hop, in the group's order; for a spine every router."""
        return self.below(router, prefix) if router in self._spines else tuple(self._order[router, prefix])

    def since_us(self, router: str, prefix: str) -> int | None:
        """Since when the prefix is to be reachable at a router, or over a spine; None: never."""
        routers = self.below(router, prefix) if router in self._spines else (router,)
        return min((self.announced[name, prefix] for name in routers if (name, prefix) in self.announced), default=None)

    def lost_share(self, router: str, node: str) -> Steps[float]:
        """The share of packets between the router and the node that vanish."""
        return self._paths.get((router, node), _NOTHING)

    def forwarding(self, node: str) -> Steps[bool]:
        """Whether the node's kernel forwards."""
        return self._forwarding.get(node, _ALWAYS)

    def is_quiet(self, router: str, prefix: str) -> bool:
        """Whether the prefix always had the same next hops, and nothing ever came between the router and these."""
        steps = self._next_hops[router, prefix]
        troubled = any((router, node) in self._paths or node in self._forwarding for node in steps.last)
        spines = all(len(self._next_hops[spine, prefix].values) == 1 for spine in self.spines_over(router))
        return len(steps.values) == 1 and bool(steps.last) and not troubled and spines

    def conntrack(self, node: str) -> Steps[int]:
        """How often the node lost its connection tracking."""
        return self._conntracks.get(node, _NEVER)

    def life(self, service: str, backend: str) -> Steps[int]:
        """Deaths and returns of a backend; even: alive."""
        return self.mortal(service).get(backend, _NEVER)

    def mortal(self, service: str) -> Mapping[str, Steps[int]]:
        """The lives of those backends of the service that died or returned at some time."""
        return self._lives.get(service, {})

    def resets(self, service: str, backend: str) -> Steps[bool]:
        """Whether a kernel resets what comes for a backend: its process ended, and its node lives on since."""
        return self._resets.get((service, backend), _SILENT)

    def view(self, node: str, service: str) -> Steps[View]:
        """Among which backends the node picks; with externalTrafficPolicy Local its own only."""
        if (node, service) not in self._views:
            known = self._start.get(service) or self._view(())
            self._views[node, service] = Steps(self._usable(node, service, known))
        return self._views[node, service]

    def _begin(self, plan: Plan, timeline: Timeline) -> None:
        start = timeline.start.next_hops
        for spine, routers in self._spines.items():
            for prefix in {prefix: None for router in routers for prefix in start.get(router, {})}:
                offering = tuple(router for router in routers if start.get(router, {}).get(prefix))
                self._next_hops[spine, prefix] = Steps(offering)
        for router, prefixes in start.items():
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
            for spine in self.spines_over(router):
                self._next_hops.setdefault((spine, prefix), Steps(()))

    def _take(self, fact: Fact) -> None:
        match fact:
            case ViewChanged(time_us, node, service, _, backends):  # the most frequent first
                self.view(node, service).set(time_us, self._usable(node, service, self._view(backends)))
            case RouteChanged():
                self._route(fact)
            case SpineChanged(time_us, spine, prefix, router, sends):
                steps = self._next_hops[spine, prefix]
                present = {*steps.last, router} if sends else {*steps.last} - {router}
                order = self._order.setdefault((spine, prefix), list(self._spines[spine]))
                if sends and self._ecmp[spine].order == "arrival":
                    order.remove(router)
                    order.append(router)
                steps.set(time_us, tuple(name for name in order if name in present))
            case NeighbourChanged(time_us, router, node, reachable):
                unreachable = self._unreachable.setdefault(router, Steps(frozenset()))
                unreachable.set(time_us, unreachable.last - {node} if reachable else unreachable.last | {node})
            case PathChanged(time_us, router, node, lost_share):
                self._paths.setdefault((router, node), Steps(0.0)).set(time_us, lost_share)
                self.crossings.take(fact)
            case ForwardingChanged(time_us, node, up):
                self._forwarding.setdefault(node, Steps(True)).set(time_us, up)
                if not up:
                    self._silence(time_us, node)
            case ConntrackLost(time_us, node):
                losses = self._conntracks.setdefault(node, Steps(0))
                losses.set(time_us, losses.last + 1)
            case BackendChanged(time_us, service, backend, alive, resets):
                life = self._lives.setdefault(service, {}).setdefault(backend, Steps(0))
                if alive == bool(life.last % 2):
                    life.set(time_us, life.last + 1)
                    self._resets.setdefault((service, backend), Steps(False)).set(time_us, resets and not alive)
            case ServiceAdded(time_us, service):
                self.added_us[service] = time_us
                for router, prefix in self._entries[service]:
                    self._announce(router, prefix, time_us)

    @cached_property
    def _homes(self) -> dict[str, dict[str, str]]:
        """The node of each backend of each service."""
        return {item.name: {backend.name: backend.node for backend in item.backends} for item in self.services}

    def _silence(self, time_us: int, node: str) -> None:
        """With the node goes the kernel that reset what came for its dead backends."""
        for (service, backend), steps in self._resets.items():
            if steps.last and self._homes[service][backend] == node:
                steps.set(time_us, False)

    def _route(self, fact: RouteChanged) -> None:
        if fact.event not in ("added", "withdrawn"):
            return
        if fact.event == "added":
            self._announce(fact.router, fact.prefix, fact.time_us)
            self._seat(fact.router, fact.prefix, fact.node)
        steps = self._next_hops.get((fact.router, fact.prefix))
        if steps is None:
            return
        arrives = fact.event == "added" and fact.node not in steps.last
        if arrives and self._ecmp[fact.router].order == "arrival":
            self._order[fact.router, fact.prefix].remove(fact.node)
            self._order[fact.router, fact.prefix].append(fact.node)
        members = {*steps.last, fact.node} if fact.event == "added" else {*steps.last} - {fact.node}
        order = self._order[fact.router, fact.prefix]
        steps.set(fact.time_us, tuple(node for node in order if node in members))

    def _seat(self, router: str, prefix: str, node: str) -> None:
        """A member that returns has its old place; a new one stands before the first higher address."""
        order = self._order[router, prefix]
        if node in order:
            return
        rank = self._rank(node, prefix)
        higher = (place for place, member in enumerate(order) if self._rank(member, prefix) > rank)
        order.insert(next(higher, len(order)), node)

    def _rank(self, node: str, prefix: str) -> tuple[int, str]:
        plan = self._nodes.get(node)
        return (_address(plan, ip_network(prefix).version) if plan else 0), node

    def _view(self, backends: tuple[str, ...]) -> View:
        if backends not in self._different:
            self._different[backends] = View(backends)
        return self._different[backends]

    def _usable(self, node: str, service: str, known: View) -> View:
        if service not in self._own:
            return known
        own = self._own[service].get(node, ())
        return self._view(tuple(backend for backend in own if backend in known.names))


def _services(plan: Plan, timeline: Timeline) -> tuple[ServicePlan, ...]:
    """The services with all backends that they ever have: those of the plan, then those that joined, in time order."""
    joined: dict[str, list[BackendPlan]] = {}
    for fact in timeline.of(BackendAdded):
        joined.setdefault(fact.service, []).append(BackendPlan(fact.backend, fact.node, fact.key))
    return tuple(
        replace(item, backends=(*item.backends, *joined[item.name])) if item.name in joined else item
        for item in plan.services
    )


def _own_backends(services: tuple[ServicePlan, ...]) -> dict[str, dict[str, list[str]]]:
    """Of each service with externalTrafficPolicy Local, the backends on each node."""
    own: dict[str, dict[str, list[str]]] = {item.name: {} for item in services if item.policy == "Local"}
    for service in services:
        if service.name in own:
            for backend in service.backends:
                own[service.name].setdefault(backend.node, []).append(backend.name)
    return own


def _address(node: NodePlan, version: int) -> int:
    """The node's next-hop address for a prefix of this IP version as a number."""
    addresses = [ip_address(text) for text in node.addresses]
    of_family = [address for address in addresses if address.version == version] or addresses
    return int(of_family[0]) if of_family else 0
