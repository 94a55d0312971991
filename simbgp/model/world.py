"""All that exists in one run. Nodes, routers and sessions come into being when a fault first touches them."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address

from simbgp.model.bgp.session import Session
from simbgp.model.clock import Clock
from simbgp.model.cluster.daemonset import DaemonSet
from simbgp.model.cluster.endpoints import Endpoint, Endpoints
from simbgp.model.cluster.node import Node
from simbgp.model.cluster.operator import Operator
from simbgp.model.cluster.pods import Pods
from simbgp.model.network.fabric import Fabric
from simbgp.model.network.router import Router
from simbgp.scenario.per_plan import PerPlan
from simbgp.scenario.plan import NodePlan, PeeringPlan, Plan, RouterPlan, Trial
from simbgp.timeline import Start, Timeline


@dataclass(frozen=True)
class PlanIndex:
    """A plan's parts by name; the same for all runs of it."""

    plan: Plan

    @cached_property
    def routers(self) -> dict[str, RouterPlan]:
        """Routers by name."""
        return {router.name: router for router in self.plan.routers}

    @cached_property
    def nodes(self) -> dict[str, NodePlan]:
        """Nodes by name."""
        return {node.name: node for node in self.plan.nodes}

    @cached_property
    def peerings(self) -> dict[str, list[PeeringPlan]]:
        """Peerings by node, in the order of the plan."""
        found: dict[str, list[PeeringPlan]] = {node.name: [] for node in self.plan.nodes}
        for peering in self.plan.peerings:
            found[peering.node].append(peering)
        return found

    @cached_property
    def nodes_of_router(self) -> dict[str, list[str]]:
        """Nodes by router, in the order of the plan."""
        found: dict[str, list[str]] = {router.name: [] for router in self.plan.routers}
        for peering in self.plan.peerings:
            found[peering.router].append(peering.node)
        return found

    @cached_property
    def start(self) -> Start:
        """What holds at time 0. Next hops stand by address, numerically, as FRR and BIRD sort them."""
        if self.plan.cold_start:
            return Start({router.name: {} for router in self.plan.routers}, self._views())
        rank = {node.name: place for place, node in enumerate(sorted(self.plan.nodes, key=_by_address))}
        hops: dict[str, dict[str, list[str]]] = {router.name: {} for router in self.plan.routers}
        present = (peering for peering in self.plan.peerings if not self.nodes[peering.node].joins)
        for peering in sorted(present, key=lambda peering: rank[peering.node]):
            for prefix in peering.prefixes:
                hops[peering.router].setdefault(prefix, []).append(peering.node)
        return Start({r: {p: tuple(n) for p, n in table.items()} for r, table in hops.items()}, self._views())

    @cached_property
    def endpoints(self) -> dict[str, tuple[Endpoint, ...]]:
        """The endpoints of each service at time 0."""
        return {s.name: tuple(Endpoint(b.name, b.node) for b in s.backends if not b.late) for s in self.plan.services}

    def _views(self) -> dict[str, tuple[str, ...]]:
        return {
            service.name: () if service.added else tuple(b.name for b in service.backends if not b.late)
            for service in self.plan.services
        }


def _by_address(node: NodePlan) -> tuple[int, int]:
    address = ip_address(node.addresses[0])
    return address.version, int(address)


index_of = PerPlan(PlanIndex)
"""The index of a plan."""


class World:
    """One run: its clock, its tape, its timeline, and everything that acts."""

    def __init__(self, trial: Trial) -> None:
        self.plan = trial.plan
        self.tape = trial.tape
        self.index = index_of(trial.plan)
        self.clock = Clock()
        self.timeline = Timeline(self.index.start, trial.plan.horizon_us)
        self.endpoints = Endpoints(self)
        self.pods = Pods(self)
        self.operator = Operator(self)
        self.agents = DaemonSet(self)
        self.fabric = Fabric(self)
        self.failed: dict[Hashable, tuple[Endpoint, ...]] = {}
        """The pods that each running failure of a service's backends took down."""
        self._nodes: dict[str, Node] = {}
        self._routers: dict[str, Router] = {}
        self._sessions: dict[str, list[Session]] = {}

    def node(self, name: str) -> Node:
        """The node of that name."""
        if name not in self._nodes:
            self._nodes[name] = Node(self, name)
        return self._nodes[name]

    def up_at_start(self, node: str) -> bool:
        """Whether the node's sessions are Established at time 0."""
        return not (self.plan.cold_start or self.index.nodes[node].joins)

    def router(self, name: str) -> Router:
        """The router of that name."""
        if name not in self._routers:
            self._routers[name] = Router(self, name)
        return self._routers[name]

    def next_activity_us(self, router: str, node: str, limit_us: int) -> int:
        """When the router's process next hears from, or sends to, a peer other than ``node``; at most ``limit_us``."""
        others = (session for session in self.sessions_with(router) if session.peering.node != node)
        return min([limit_us, *(session.next_keepalive_us(self.clock.now_us + 1) for session in others)])

    def sessions_with(self, router: str) -> list[Session]:
        """The sessions of a router, with all its nodes."""
        nodes = self.index.nodes_of_router[router]
        return [session for node in nodes for session in self.sessions_of(node, (router,))]

    def touched_routers(self) -> Iterator[Router]:
        """Every router that came into being."""
        yield from self._routers.values()

    def touched_sessions(self) -> Iterator[Session]:
        """Every session that came into being."""
        for sessions in self._sessions.values():
            yield from sessions

    def sessions_of(self, node: str, routers: tuple[str, ...] = ()) -> list[Session]:
        """The sessions of a node, with all its routers or with those named."""
        if node not in self._sessions:
            up = self.up_at_start(node)
            self._sessions[node] = [Session(self, peering, up) for peering in self.index.peerings[node]]
        found = self._sessions[node]
        return [session for session in found if session.peering.router in routers] if routers else found
