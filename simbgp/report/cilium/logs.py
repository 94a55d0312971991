"""The BGP control plane's log lines of a run: the agents' (``bgp-control-plane``) and the operator's.

Source: cilium ``pkg/bgp/agent/controller.go``, ``pkg/bgp/gobgp/logger.go``, ``pkg/bgp/manager/manager.go``,
``pkg/bgp/manager/reconciler/neighbor.go``, ``operator/pkg/bgp/manager.go``. Level info and above, as agents log by
default; the operator's words on NodeConfigs are all at the level debug.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from simbgp.profiles import speaker
from simbgp.profiles.speaker import SpeakerProfile
from simbgp.report.cilium import session_log
from simbgp.report.cilium.asked import Asked
from simbgp.report.cilium.log_lines import Level, Line, Value, as_json, text
from simbgp.scenario.plan import PeeringPlan, Plan
from simbgp.timeline import (
    AgentChanged,
    FaultBegan,
    FaultEnded,
    NodeConfigChanged,
    Reason,
    SessionChanged,
    Timeline,
)

_AGENT, _AGENT_MODULE = "bgp-control-plane", "agent.controlplane.bgp-control-plane"
_OPERATOR, _OPERATOR_MODULE = "bgp-cp-operator", "operator.operator-controlplane.leader-lifecycle.bgp-cp-operator"


@dataclass
class _Agent:
    release: SpeakerProfile
    runs: bool
    configured: bool = True
    peerings: dict[str, PeeringPlan] = field(default_factory=dict)
    removing: bool = False
    """Whether its configuration is gone, and its sessions with it."""


def log_lines(plan: Plan, timeline: Timeline, until_us: int) -> list[Line]:
    """Every line from time 0 to ``until_us``, in order."""
    return list(_Scribe(plan).of(timeline, until_us))


def printed_logs(asked: Asked, plan: Plan, timeline: Timeline, between_us: tuple[int, int]) -> Iterator[str]:
    """The lines of one process as it wrote them, or of several, each then with its origin before it.

    ``asked.arguments`` are ``agent``, ``operator`` or nothing. Raises ValueError for other words.
    """
    asked.check()
    if asked.arguments not in ((), ("agent",), ("operator",)):
        raise ValueError(f"logs {' '.join(asked.arguments)}: allowed: logs, logs agent, logs operator")
    alone = asked.node is not None or asked.arguments == ("operator",)
    for line in log_lines(plan, timeline, between_us[1]):
        of_agents = line.node is not None
        wanted = not asked.arguments or asked.arguments == (("agent",) if of_agents else ("operator",))
        if line.time_us >= between_us[0] and wanted and asked.node in (None, line.node):
            origin = f"{line.node}/cilium-agent" if of_agents else "cilium-operator"
            if asked.json:
                yield as_json(line, asked.time_zero, None if alone else origin)
            else:
                yield ("" if alone else f"[{origin}] ") + text(line, asked.time_zero)


class _Scribe:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._agents = {node.name: _Agent(plan.speaker, not plan.cold_start) for node in plan.nodes}
        for peering in plan.peerings:
            self._agents[peering.node].peerings[peering.router] = peering
        self._routers = {router.name: router for router in plan.routers}
        self._shut: set[tuple[str, str]] = set()
        self._reset: set[tuple[str, str]] = set()
        self._now_us = 0

    def of(self, timeline: Timeline, until_us: int) -> Iterator[Line]:
        """The lines; those that end the removal of an instance come when its sessions are down."""
        if self._plan.cold_start:
            yield self._of_operator()
        for fact in timeline:
            if fact.time_us > until_us:
                break
            if fact.time_us > self._now_us:
                yield from self._removed()
            self._now_us = fact.time_us
            match fact:
                case AgentChanged():
                    yield from self._agent_changed(fact)
                case NodeConfigChanged():
                    yield from self._config_changed(fact)
                case SessionChanged() if fact.side == "node":
                    yield from self._session_changed(fact)
                case FaultBegan():
                    yield from self._fault_began(fact)
                case FaultEnded() if fact.kind == "operator-down":
                    yield self._of_operator()
                case FaultEnded() if fact.kind == "peer-shutdown":
                    self._shut -= {(node, router) for node in fact.nodes for router in fact.routers}
        yield from self._removed()

    def _agent_changed(self, fact: AgentChanged) -> Iterator[Line]:
        agent = self._agents[fact.node]
        agent.runs, agent.removing = fact.up, False
        if not fact.up:
            return
        if fact.release != agent.release.name:
            agent.release = speaker(fact.release)
        for message in agent.release.start_log:
            yield self._agent_line(fact.node, "info", message, ("component", "Controller.Run"))
        if agent.configured:
            yield from self._registered(fact.node)

    def _config_changed(self, fact: NodeConfigChanged) -> Iterator[Line]:
        agent = self._agents[fact.node]
        was, agent.configured = agent.configured, fact.exists
        if not agent.runs or was == fact.exists:
            return
        if fact.exists:
            yield from self._registered(fact.node)
            return
        agent.removing = True
        for peering in agent.peerings.values():
            yield self._gobgp_line(peering, "info", "Delete a peer configuration")

    def _removed(self) -> Iterator[Line]:
        for node, agent in self._agents.items():
            if agent.removing:
                agent.removing = False
                for instance in dict.fromkeys(peering.instance for peering in agent.peerings.values()):
                    yield self._agent_line(node, "info", "Removed BGP instance", ("instance", instance))

    def _registered(self, node: str) -> Iterator[Line]:
        agent = self._agents[node]
        for instance in dict.fromkeys(peering.instance for peering in agent.peerings.values()):
            yield self._agent_line(node, "info", "Registering BGP instance", ("instance", instance))
            yield self._neighbor_line(node, "Reconciling peers for instance", instance)
            for peering in agent.peerings.values():
                if peering.instance == instance:
                    yield self._neighbor_line(node, "Adding peer", instance, ("peer", peering.peer))
                    yield self._gobgp_line(peering, "info", "Add a peer configuration")
            if agent.release.log_format == "logrus":  # later ones add a router ID, which is not known here
                yield self._agent_line(node, "info", "Successfully registered BGP instance", ("instance", instance))

    def _session_changed(self, fact: SessionChanged) -> Iterator[Line]:
        agent, key = self._agents[fact.node], (fact.node, fact.router)
        peering = agent.peerings[fact.router]
        if fact.to_state == "established":
            yield self._gobgp_line(peering, *session_log.established(self._session(peering)))
        elif fact.from_state == "established":
            for said in session_log.ended(fact.reason, self._session(peering)):
                yield self._gobgp_line(peering, *said)
        elif fact.reason is Reason.ROUTER_RESTART_TIME_OVER:
            yield self._gobgp_line(peering, *session_log.restart_timer_expired())
        self._reset.discard(key)

    def _session(self, peering: PeeringPlan) -> session_log.Session:
        agent, key = self._agents[peering.node], (peering.node, peering.router)
        profile = self._routers[peering.router].profile
        restart = peering.restart.enabled and profile.helper
        notification = restart and peering.restart.notification and profile.notification
        return session_log.Session(agent.release.gobgp_log, restart, notification, self._whose(agent, key))

    def _whose(self, agent: _Agent, key: tuple[str, str]) -> session_log.Own:
        if agent.removing:
            return "removed"
        return "shutdown" if key in self._shut else "reset" if key in self._reset else ""

    def _fault_began(self, fact: FaultBegan) -> Iterator[Line]:
        keys = [(node, router) for node in fact.nodes for router in fact.routers]
        if fact.kind == "peer-shutdown":
            self._shut.update(keys)
        for node, router in keys if fact.kind == "session-reset" else ():
            agent = self._agents[node]
            if router in agent.peerings and agent.runs and agent.configured:
                peering = agent.peerings[router]
                self._reset.add((node, router))
                yield self._neighbor_line(node, "Reconciling peers for instance", peering.instance)
                yield self._neighbor_line(node, "Updating peer", peering.instance, ("peer", peering.peer))

    # the forms of lines

    def _of_operator(self) -> Line:
        library = self._plan.speaker.log_format
        message = "BGPv2 control plane operator started"
        return Line(self._now_us, None, library, "info", message, _OPERATOR_MODULE, _OPERATOR)

    def _agent_line(self, node: str, level: Level, message: str, *fields: tuple[str, Value]) -> Line:
        library = self._agents[node].release.log_format
        return Line(self._now_us, node, library, level, message, _AGENT_MODULE, _AGENT, fields)

    def _neighbor_line(self, node: str, message: str, instance: str, *fields: tuple[str, Value]) -> Line:
        common = ("reconciler", "Neighbor"), ("instance", instance)
        return self._agent_line(node, "info", message, *common, *fields)

    def _gobgp_line(
        self, peering: PeeringPlan, level: Level, message: str, fields: tuple[tuple[str, Value], ...] = ()
    ) -> Line:
        speaks: tuple[tuple[str, Value], ...] = (
            ("asn", peering.local_asn),
            ("component", "gobgp.BgpServerInstance"),
            ("Topic", "Peer"),
            ("Key", peering.peer_address),
        )
        return self._agent_line(peering.node, level, message, *speaks, *fields)
