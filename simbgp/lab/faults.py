"""What each kind of fault does to the daemons, and what its end does."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from simbgp.lab.dataplane.build import DataPlane
from simbgp.lab.network import Network
from simbgp.lab.node import Node
from simbgp.lab.recorder import Recorder
from simbgp.lab.topology import Link
from simbgp.scenario.plan import Occurrence
from simbgp.timeline import (
    AgentChanged,
    BackendChanged,
    ConntrackLost,
    FaultBegan,
    FaultEnded,
    ForwardingChanged,
    PathChanged,
    Reason,
)


@dataclass
class Stage:
    """All that faults act on; each holds what it took down, so that the last to end gives it back."""

    network: Network
    nodes: dict[str, Node]
    recorder: Recorder
    release: str
    pause: Callable[[str, str], None]
    """Waits as long as ``node`` or ``agent`` of a node takes to start."""
    data: DataPlane | None = None
    """Pods and clients, if the scenario has traffic."""
    held: dict[object, set[int]] = field(default_factory=lambda: defaultdict(set))
    dark: set[str] = field(default_factory=set)
    """Nodes without power."""
    cut: set[tuple[str, str]] = field(default_factory=set)
    """Routers and nodes between which nothing passes."""

    def hold(self, what: object, holder: int) -> bool:
        """Whether ``holder`` is the first to take ``what`` down."""
        first = not self.held[what]
        self.held[what].add(holder)
        return first

    def let_go(self, what: object, holder: int) -> bool:
        """Whether it was the last that held it."""
        had = holder in self.held[what]
        self.held[what].discard(holder)
        return had and not self.held[what]

    def links(self, node: str, fault: Occurrence) -> list[Link]:
        """The links between a node and the routers that the fault names; all of them if it names none."""
        return [
            link for link in self.network.topology.of_node(node) if not fault.routers or link.router in fault.routers
        ]

    def agent(self, node: str, up: bool) -> None:
        """Note that a node's speaker ended or runs."""
        self.recorder.fact(time.time(), AgentChanged(0, node, up, self.release))

    def power(self, node: str, up: bool) -> None:
        """Note that a node's kernel forwards or not, and with it its pods and what it knows of connections."""
        now, plan = time.time(), self.network.topology.plan
        if up:
            self.recorder.fact(now, ConntrackLost(0, node))
        self.recorder.fact(now, ForwardingChanged(0, node, up))
        for service in plan.services:
            for backend in service.backends:
                if backend.node == node:
                    self.recorder.fact(now, BackendChanged(0, service.name, backend.name, up))
        (self.dark.discard if up else self.dark.add)(node)

    def path(self, links: list[Link], to_node: float, to_router: float, carrier: bool = True) -> None:
        """Note what is lost on links, each way."""
        now, lost = time.time(), 1.0 - (1.0 - to_node) * (1.0 - to_router)
        for link in links:
            seen = carrier or not link.direct
            self.recorder.fact(now, PathChanged(0, link.router, link.node, lost, to_node, to_router, seen))
            (self.cut.add if lost >= 1 else self.cut.discard)((link.router, link.node))


Act = Callable[[Stage, Occurrence, str, int], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """How a fault begins at a node, and how it ends; without an end it has none of its own."""

    begin: Act
    end: Act | None = None


def _crash(stage: Stage, fault: Occurrence, node: str, holder: int) -> None:
    if stage.hold(("agent", node), holder):
        stage.agent(node, up=False)
        stage.nodes[node].kill()


def _stop(stage: Stage, fault: Occurrence, node: str, holder: int) -> None:
    if stage.hold(("agent", node), holder):
        stage.agent(node, up=False)
        stage.nodes[node].stop()


def _container_starts(stage: Stage, fault: Occurrence, node: str, holder: int) -> None:
    if stage.let_go(("agent", node), holder):
        stage.pause(node, "agent")
        stage.agent(node, up=True)
        stage.nodes[node].start()


def _power_off(stage: Stage, fault: Occurrence, node: str, holder: int) -> None:
    """Silence first, so that nothing of what its kernel would say on the way out is heard."""
    stage.network.drop(holder, stage.network.topology.of_node(node))
    if stage.hold(("power", node), holder):
        stage.power(node, up=False)
        if stage.data is not None:
            stage.data.darken(node)
    if stage.hold(("agent", node), holder):
        stage.agent(node, up=False)
        stage.nodes[node].kill(Reason.NODE_LOST_POWER)
    stage.network.forget_connections(node)


def _power_on(stage: Stage, fault: Occurrence, node: str, holder: int) -> None:
    stage.pause(node, "node")
    stage.network.forget_connections(node)
    back = stage.let_go(("power", node), holder)
    if back and stage.data is not None:
        stage.data.lighten(node)
    stage.network.mend(holder, stage.network.topology.of_node(node))
    if back:
        stage.power(node, up=True)
    _container_starts(stage, fault, node, holder)


def _lose_packets(stage: Stage, fault: Occurrence, node: str, holder: int) -> None:
    links, share = stage.links(node, fault), float(fault.options.get("share", 1.0))
    direction = str(fault.options.get("direction", "both"))
    stage.network.drop(holder, links, share, direction)
    to_node, to_router = (share if direction in ("both", way) else 0.0 for way in ("to-node", "to-router"))
    stage.path(links, to_node, to_router)


def _pass_packets(stage: Stage, fault: Occurrence, node: str, holder: int) -> None:
    stage.network.mend(holder, stage.links(node, fault))
    stage.path(stage.links(node, fault), 0.0, 0.0)


def _cut_link(stage: Stage, fault: Occurrence, node: str, holder: int) -> None:
    """Beyond a switch the carrier of both ends stays; a direct link loses it at both."""
    links = stage.links(node, fault)
    for link in links:
        if not link.direct:
            stage.network.drop(holder, [link])
        elif stage.hold(("carrier", link.router, node), holder):
            stage.network.carrier(link, up=False)
    stage.path(links, 1.0, 1.0, carrier=False)


def _mend_link(stage: Stage, fault: Occurrence, node: str, holder: int) -> None:
    links = stage.links(node, fault)
    for link in links:
        if not link.direct:
            stage.network.mend(holder, [link])
        elif stage.let_go(("carrier", link.router, node), holder):
            stage.network.carrier(link, up=True)
    stage.path(links, 0.0, 0.0)


def _unlabel(stage: Stage, fault: Occurrence, node: str, holder: int) -> None:
    if stage.hold(("label", node), holder):
        stage.nodes[node].select(False)


def _relabel(stage: Stage, fault: Occurrence, node: str, holder: int) -> None:
    if stage.let_go(("label", node), holder):
        stage.nodes[node].select(True)


def _shut(stage: Stage, fault: Occurrence, node: str, holder: int) -> None:
    for link in stage.links(node, fault):
        if stage.hold(("peer", link.router, node), holder):
            stage.nodes[node].tell(link.router, "disable")


def _open(stage: Stage, fault: Occurrence, node: str, holder: int) -> None:
    for link in stage.links(node, fault):
        if stage.let_go(("peer", link.router, node), holder):
            stage.nodes[node].tell(link.router, "enable")


def _reset(stage: Stage, fault: Occurrence, node: str, holder: int) -> None:
    for link in stage.links(node, fault):
        stage.nodes[node].tell(link.router, "reset")


KINDS: dict[str, Kind] = {
    "agent-crash": Kind(_crash, _container_starts),
    "agent-restart": Kind(_stop, _container_starts),
    "node-down": Kind(_power_off, _power_on),
    "link-down": Kind(_cut_link, _mend_link),
    "link-loss": Kind(_lose_packets, _pass_packets),
    "unlabel": Kind(_unlabel, _relabel),
    "peer-shutdown": Kind(_shut, _open),
    "session-reset": Kind(_reset),
}
"""The faults that the lab plays."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do at a moment after time 0."""

    at_us: int
    do: Callable[[], None]
    note: bool = False
    """Whether it only writes down what happens now."""


def steps(stage: Stage, occurrences: tuple[Occurrence, ...], horizon_us: int) -> list[Step]:
    """Everything that the faults do until the horizon, in order."""
    found = [step for n, fault in enumerate(occurrences) for step in _steps(stage, fault, 100 * n)]
    return sorted((step for step in found if step.at_us < horizon_us), key=lambda step: step.at_us)


def _steps(stage: Stage, fault: Occurrence, first: int) -> Iterator[Step]:
    kind = KINDS[fault.kind]

    def note() -> None:
        began = FaultBegan(0, fault.fault, fault.kind, fault.nodes, fault.routers)
        stage.recorder.fact(time.time(), began)

    yield Step(fault.at_us, note, note=True)
    for n, (node, down_us) in enumerate(zip(fault.nodes, fault.down_for_us, strict=True)):
        yield Step(fault.at_us, _act(kind.begin, stage, fault, node, first + n))
        if kind.end is not None and down_us is not None:
            yield Step(fault.at_us + down_us, _ended(stage, fault, node), note=True)
            yield Step(fault.at_us + down_us, _act(kind.end, stage, fault, node, first + n))


def _act(act: Act, stage: Stage, fault: Occurrence, node: str, holder: int) -> Callable[[], None]:
    return lambda: act(stage, fault, node, holder)


def _ended(stage: Stage, fault: Occurrence, node: str) -> Callable[[], None]:
    ended = FaultEnded(0, fault.fault, fault.kind, (node,), fault.routers)
    return lambda: stage.recorder.fact(time.time(), ended)
