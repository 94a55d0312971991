"""What the nodes' own tables are made of, read off a run's facts up to a moment."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from simbgp.profiles import speaker
from simbgp.profiles.speaker import SpeakerProfile
from simbgp.scenario.plan import PeeringPlan, Plan
from simbgp.timeline import (
    AddressGiven,
    AgentChanged,
    BackendAdded,
    ForwardingChanged,
    NodeConfigChanged,
    RouteChanged,
    SessionChanged,
    Timeline,
    ViewChanged,
)
from simbgp.timeline.facts import State


@dataclass
class SessionState:
    """One session at the node's end; ``sent`` has the prefixes that the router was told of, since when."""

    peering: PeeringPlan
    state: State
    since_us: int
    sent: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reported:
    """What an agent has to report of one session; ``counts`` are the routes received and sent by family."""

    peering: PeeringPlan
    state: State
    since_us: int
    counts: tuple[tuple[str, int, int], ...]


@dataclass
class NodeState:
    """A node's agent: up since when, None while it is down, and what it was told to run."""

    up_since_us: int | None
    release: SpeakerProfile
    exists: bool = True
    """Whether the cluster has, or had, the node."""
    configured: bool = True
    """Whether its CiliumBGPNodeConfig is there."""
    configured_us: int = 0
    sessions: dict[str, SessionState] = field(default_factory=dict)
    left: tuple[Reported, ...] = ()
    """What it had reported when it ended."""

    @property
    def answers(self) -> bool:
        """Whether an agent is there that could be asked."""
        return self.up_since_us is not None


class Replay:
    """The state of every node at ``at_us``, a pure function of the facts at or before it.

    A route counts as sent once the router's own table shows that it was heard, in the same session.
    """

    def __init__(self, plan: Plan, timeline: Timeline, at_us: int) -> None:
        self.plan, self.at_us = plan, at_us
        self._facts, self._taken = list(timeline), 0
        self._start_us = 0 if plan.cold_start else -plan.up_for_us
        born = None if plan.cold_start else self._start_us
        self.nodes = {
            n.name: NodeState(
                None if n.joins else born, plan.speaker, not n.joins, not n.joins, configured_us=self._start_us
            )
            for n in plan.nodes
        }
        self._given = {p: self._start_us for s in plan.services if not s.added for p in s.prefixes}
        """Since when a prefix is that of its service."""
        self.paths: dict[str, dict[str, set[str]]] = {
            router: {prefix: set(nodes) for prefix, nodes in table.items()}
            for router, table in timeline.start.next_hops.items()
        }
        """Router, prefix and the nodes that it has as next hops."""
        self._views = {
            (node.name, s.name): timeline.start.views.get(s.name, ()) for node in plan.nodes for s in plan.services
        }
        self._view_since: dict[tuple[str, str], int] = {}
        self._homes = {backend.name: backend.node for service in plan.services for backend in service.backends}
        for peering in plan.peerings:
            self.nodes[peering.node].sessions[peering.router] = self._at_start(peering)
        self.advance(at_us)

    def advance(self, at_us: int) -> None:
        """Go on to a later moment."""
        self.at_us = at_us
        while self._taken < len(self._facts) and self._facts[self._taken].time_us <= at_us:
            self._take(self._facts[self._taken])
            self._taken += 1

    def moments(self) -> list[int]:
        """Every later moment at which anything happens."""
        return list(dict.fromkeys(fact.time_us for fact in self._facts[self._taken :]))

    def _at_start(self, peering: PeeringPlan) -> SessionState:
        if not self.nodes[peering.node].exists:
            return SessionState(peering, "idle", 0)
        if self.plan.cold_start:
            return SessionState(peering, "idle", 0)
        sent = dict.fromkeys(peering.prefixes, self._start_us)
        return SessionState(peering, "established", self._start_us, sent)

    def _take(self, fact: object) -> None:
        match fact:
            case AgentChanged():
                self._agent_changed(fact)
            case NodeConfigChanged():
                node = self.nodes[fact.node]
                node.configured, node.configured_us = fact.exists, fact.time_us
                node.left = ()
            case SessionChanged() if fact.side == "node":
                self._session_changed(fact)
            case RouteChanged():
                self._route_changed(fact)
            case BackendAdded():
                self._homes[fact.backend] = fact.node
            case ViewChanged():
                self._view_changed(fact)
            case AddressGiven():
                self._given |= {p: fact.time_us for p in fact.prefixes if p not in self._given}
            case ForwardingChanged() if fact.up:
                self.nodes[fact.node].exists = True

    def _agent_changed(self, fact: AgentChanged) -> None:
        node = self.nodes[fact.node]
        if fact.up:
            node.up_since_us = fact.time_us
            if fact.release != node.release.name:
                node.release = speaker(fact.release)
        else:
            node.left = tuple(self.reported(fact.node))
            node.up_since_us = None

    def _session_changed(self, fact: SessionChanged) -> None:
        session = self.nodes[fact.node].sessions[fact.router]
        if fact.to_state == "established" or session.state == "established":
            session.sent.clear()
        session.state, session.since_us = fact.to_state, fact.time_us

    def _route_changed(self, fact: RouteChanged) -> None:
        table = self.paths.setdefault(fact.router, {}).setdefault(fact.prefix, set())
        if fact.event == "added":
            table.add(fact.node)
        elif fact.event == "withdrawn":
            table.discard(fact.node)
        session = self.nodes[fact.node].sessions.get(fact.router)
        if session is None or session.state != "established":
            return
        if fact.event in ("added", "refreshed"):
            session.sent.setdefault(fact.prefix, fact.time_us)
        elif fact.event == "withdrawn":
            session.sent.pop(fact.prefix, None)

    def _view_changed(self, fact: ViewChanged) -> None:
        key = fact.node, fact.service
        if self._local_among(fact.node, fact.backends) and not self._local(key):
            self._view_since[key] = fact.time_us
        self._views[key] = fact.backends

    def _local(self, key: tuple[str, str]) -> bool:
        return self._local_among(key[0], self._views[key])

    def _local_among(self, node: str, backends: tuple[str, ...]) -> bool:
        return any(self._homes.get(backend) == node for backend in backends)

    def sessions(self, node: str) -> list[SessionState]:
        """The sessions that the node's agent runs; none while it is down or is not told to run any."""
        state = self.nodes[node]
        return list(state.sessions.values()) if state.answers and state.configured else []

    def reported(self, node: str) -> Sequence[Reported]:
        """What the agent has to report of its sessions, or had when it ended: nobody corrects that meanwhile."""
        if not self.nodes[node].answers:
            return self.nodes[node].left
        return [
            Reported(s.peering, s.state, s.since_us, tuple((afi, *self.counts(s, afi)) for afi in s.peering.families))
            for s in self.sessions(node)
        ]

    def counts(self, session: SessionState, afi: str) -> tuple[int, int]:
        """How many routes of a family were received and sent."""
        sent = sum((":" in prefix) == (afi == "ipv6") for prefix in session.sent)
        return self._heard_back(session, afi), sent

    def own_prefixes(self, node: str) -> dict[str, int]:
        """What the node's own table holds, and since when: PodCIDRs, and the services that it may announce.

        A node announces a Local service while it knows of a pod of its own, a Cluster one always, or while it knows of
        any pod where enable-no-service-endpoints-routable is false.
        """
        state = self.nodes[node]
        keeps = self.plan.routable_without_endpoints or not state.release.withdraws_without_backends
        if state.up_since_us is None:
            return {}
        begun_us = max(state.up_since_us, state.configured_us)
        of_services = {p: s for s in self.plan.services for p in s.prefixes}
        found: dict[str, int] = {}
        for session in self.sessions(node):
            for entry in session.peering.announcements:
                service = of_services.get(entry.prefix)
                if service is None and entry.prefix not in session.peering.prefixes:
                    continue  # of a Local service that has no pod anywhere
                since_us = begun_us
                if service is not None and entry.prefix not in self._given:
                    continue  # LB-IPAM has given it to nobody yet
                known = service is None or self._views[node, service.name]
                if (
                    service is not None
                    and service.policy == "Cluster"
                    and not (keeps or known or entry.prefix in session.sent)
                ):
                    continue
                if service is not None:
                    since_us = max(since_us, self._given[entry.prefix])
                if service is not None and service.policy == "Local":
                    if not self._local((node, service.name)) and entry.prefix not in session.sent:
                        continue  # what is still announced is still in the table: the reconciler takes both
                    since_us = max(since_us, self._view_since.get((node, service.name), since_us))
                found.setdefault(entry.prefix, since_us)
        return found

    def _heard_back(self, session: SessionState, afi: str) -> int:
        """How many routes of a family the router sends to the node.

        Those of all nodes, its own among them, as FRR's update groups have it; a router with one peer sends none back.
        """
        if session.state != "established":
            return 0
        several = sum(peering.router == session.peering.router for peering in self.plan.peerings) > 1
        table = self.paths.get(session.peering.router, {})
        known = (p for p, nodes in table.items() if nodes and (":" in p) == (afi == "ipv6"))
        return sum(1 for _ in known) if several else 0
