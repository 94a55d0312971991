"""What each kind of fault does to the world, and what its end does."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial

from simbgp.model.bgp.messages import SHUTDOWN
from simbgp.model.clock import Order
from simbgp.model.cluster import operator
from simbgp.model.procedures import drain, rollout
from simbgp.model.world import World
from simbgp.scenario.plan import Occurrence
from simbgp.timeline.facts import FaultBegan, FaultEnded

Act = Callable[[World, Occurrence, str, Hashable], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault at one target, a node (with its sessions to the routers that the fault names) or a router: how it
    begins and how it ends; without an end it has none of its own, or sees to it itself, as procedures do.

    ``holder`` identifies the occurrence, so that overlapping faults each hold and release what they took down.
    """

    begin: Act
    end: Act | None = None


def _crash(world: World, fault: Occurrence, node: str, holder: Hashable) -> None:
    world.node(node).agent.hold(holder)


def _stop(world: World, fault: Occurrence, node: str, holder: Hashable) -> None:
    world.node(node).stop_agent(holder)


def _container_starts(world: World, fault: Occurrence, node: str, holder: Hashable) -> None:
    world.node(node).agent.release(holder)


def _power_off(world: World, fault: Occurrence, node: str, holder: Hashable) -> None:
    world.node(node).power.hold(holder)


def _power_on(world: World, fault: Occurrence, node: str, holder: Hashable) -> None:
    world.node(node).boot(holder)


def _lose_packets(world: World, fault: Occurrence, node: str, holder: Hashable) -> None:
    share, direction = float(fault.options.get("share", 1.0)), str(fault.options.get("direction", "both"))
    for session in world.sessions_of(node, fault.routers):
        session.link.lose(holder, share, direction)


def _pass_packets(world: World, fault: Occurrence, node: str, holder: Hashable) -> None:
    for session in world.sessions_of(node, fault.routers):
        session.link.mend(holder)


def _cut_link(world: World, fault: Occurrence, node: str, holder: Hashable) -> None:
    """Beyond a switch the carrier of both ends stays up: packets vanish, that is all."""
    for session in world.sessions_of(node, fault.routers):
        if session.direct:
            session.link.carrier.hold(holder)
        else:
            session.link.lose(holder, 1.0, "both")


def _mend_link(world: World, fault: Occurrence, node: str, holder: Hashable) -> None:
    for session in world.sessions_of(node, fault.routers):
        if session.direct:
            session.link.carrier.release(holder)
        else:
            session.link.mend(holder)


def _reset(world: World, fault: Occurrence, node: str, holder: Hashable) -> None:
    for session in world.sessions_of(node, fault.routers):
        session.node.reset()


def _shut_down(world: World, fault: Occurrence, node: str, holder: Hashable) -> None:
    for session in world.sessions_of(node, fault.routers):
        session.node.disable(holder, SHUTDOWN)


def _bring_up(world: World, fault: Occurrence, node: str, holder: Hashable) -> None:
    for session in world.sessions_of(node, fault.routers):
        session.node.enable(holder)


def _unlabel(world: World, fault: Occurrence, node: str, holder: Hashable) -> None:
    world.node(node).selection.hold(holder)


def _relabel(world: World, fault: Occurrence, node: str, holder: Hashable) -> None:
    world.node(node).selection.release(holder)


def _router_down(world: World, fault: Occurrence, router: str, holder: Hashable) -> None:
    if fault.options.get("host", "silent") == "silent":
        world.router(router).host.hold(holder)
    world.router(router).daemon.hold(holder)


def _router_up(world: World, fault: Occurrence, router: str, holder: Hashable) -> None:
    world.router(router).host.release(holder)
    world.router(router).daemon.release(holder)


def _daemon_down(world: World, fault: Occurrence, router: str, holder: Hashable) -> None:
    found = world.router(router)
    found.stopping = fault.options.get("how", "crash") == "stop"
    found.daemon.hold(holder)


def _stall(world: World, fault: Occurrence, target: str, holder: Hashable) -> None:
    place = (fault.nodes or fault.routers).index(target)
    until_us = world.clock.now_us + (fault.down_for_us[place] or 0)
    if fault.nodes:
        world.node(target).speaker.stall(until_us)
    else:
        world.router(target).stall(until_us)


def _wakes(world: World, fault: Occurrence, target: str, holder: Hashable) -> None:
    """The process knew when to wake."""


def _operator_down(world: World, fault: Occurrence, _: str, holder: Hashable) -> None:
    operator.end(world, str(fault.options.get("how", "away")), holder)


def _operator_up(world: World, fault: Occurrence, _: str, holder: Hashable) -> None:
    operator.back(world, str(fault.options.get("how", "away")), holder)


def _service_add(world: World, fault: Occurrence, _: str, holder: Hashable) -> None:
    names = fault.options["plans"]
    for service in world.plan.services:
        if service.name in names:
            world.endpoints.create(service.name)


def _node_join(world: World, fault: Occurrence, node: str, holder: Hashable) -> None:
    world.node(node).join()


def _backends_down(world: World, fault: Occurrence, _: str, holder: Hashable) -> None:
    service, wanted = str(fault.options["service"]), tuple(fault.options["backends"])
    world.failed[holder] = world.pods.of(service, wanted)
    world.pods.fail(service, world.failed[holder], fault.options.get("how", "gone"))


def _backends_up(world: World, fault: Occurrence, _: str, holder: Hashable) -> None:
    world.pods.recover(str(fault.options["service"]), world.failed.pop(holder))


KINDS: dict[str, Kind] = {
    "agent-crash": Kind(_crash, _container_starts),
    "agent-restart": Kind(_stop, _container_starts),
    "node-down": Kind(_power_off, _power_on),
    "agent-upgrade": Kind(rollout.begin),
    "backends-down": Kind(_backends_down, _backends_up),
    "node-drain": Kind(drain.begin),
    "node-join": Kind(_node_join),
    "operator-down": Kind(_operator_down, _operator_up),
    "link-down": Kind(_cut_link, _mend_link),
    "link-loss": Kind(_lose_packets, _pass_packets),
    "peer-shutdown": Kind(_shut_down, _bring_up),
    "router-down": Kind(_router_down, _router_up),
    "router-restart": Kind(_daemon_down, _router_up),
    "service-add": Kind(_service_add),
    "session-reset": Kind(_reset),
    "stall": Kind(_stall, _wakes),
    "unlabel": Kind(_unlabel, _relabel),
}


def schedule(world: World, place: int, occurrence: Occurrence) -> None:
    """Have ``occurrence``, the ``place``-th of the trial, happen at its time."""
    world.clock.at(occurrence.at_us, partial(_begin, world, place, occurrence), Order.FAULT)


def _begin(world: World, place: int, fault: Occurrence) -> None:
    kind, now_us = KINDS[fault.kind], world.clock.now_us
    if fault.kind != "agent-upgrade":  # a rollout begins at each node in its turn
        nodes = fault.nodes or _nodes_of_pods(world, fault)
        service = str(fault.options["service"]) if fault.kind == "service-add" else None
        world.timeline.write(FaultBegan(now_us, fault.fault, fault.kind, nodes, fault.routers, service))
    for target, down_for_us in zip(fault.nodes or fault.routers or ("",), fault.down_for_us, strict=True):
        kind.begin(world, fault, target, place)
        if down_for_us is not None and kind.end is not None:
            end = partial(_end, world, place, fault, target, kind.end)
            world.clock.at(now_us + down_for_us, end, Order.FAULT)


def _nodes_of_pods(world: World, fault: Occurrence) -> tuple[str, ...]:
    """The nodes with the pods that fail."""
    if fault.kind != "backends-down":
        return ()
    pods = world.pods.of(str(fault.options["service"]), tuple(fault.options["backends"]))
    return tuple(dict.fromkeys(pod.node for pod in pods))


def _end(world: World, place: int, fault: Occurrence, target: str, end: Act) -> None:
    now_us = world.clock.now_us
    nodes, routers = ((target,), fault.routers) if fault.nodes else ((), fault.routers and (target,))
    world.timeline.write(FaultEnded(now_us, fault.fault, fault.kind, nodes, routers))
    end(world, fault, target, place)
