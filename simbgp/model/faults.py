"""What each kind of fault does to the world, and what its end does."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial

from simbgp.model.bgp.messages import SHUTDOWN
from simbgp.model.bgp.session import Session
from simbgp.model.clock import Order
from simbgp.model.network.switch import Switch
from simbgp.model.world import World
from simbgp.scenario.plan import Occurrence
from simbgp.timeline.facts import FaultBegan, FaultEnded

Act = Callable[[World, Occurrence, str, Hashable], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault at one target, a node (with its sessions to the routers that the fault names) or a router: how it
    begins and how it ends.

    ``holder`` identifies the occurrence, so that overlapping faults each hold and release what they took down.
    """

    begin: Act
    end: Act


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
    for session in world.sessions_of(node, fault.routers):
        for way in _ways(session, fault):
            way.hold(holder)


def _pass_packets(world: World, fault: Occurrence, node: str, holder: Hashable) -> None:
    for session in world.sessions_of(node, fault.routers):
        for way in _ways(session, fault):
            way.release(holder)


def _ways(session: Session, fault: Occurrence) -> tuple[Switch, ...]:
    """What the fault makes dark. Beyond a switch the carrier of both ends stays up: packets vanish, that is all."""
    if fault.kind == "link-down" and session.direct:
        return (session.carrier,)
    direction = fault.options.get("direction", "both")
    return {"to-node": (session.to_node,), "to-router": (session.to_router,)}.get(
        str(direction), (session.to_node, session.to_router)
    )


def _reset(world: World, fault: Occurrence, node: str, holder: Hashable) -> None:
    for session in world.sessions_of(node, fault.routers):
        session.node.reset()


def _nothing(world: World, fault: Occurrence, node: str, holder: Hashable) -> None:
    """A fault of one moment has no end."""


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


KINDS: dict[str, Kind] = {
    "agent-crash": Kind(_crash, _container_starts),
    "agent-restart": Kind(_stop, _container_starts),
    "node-down": Kind(_power_off, _power_on),
    "link-down": Kind(_lose_packets, _pass_packets),
    "link-loss": Kind(_lose_packets, _pass_packets),
    "peer-shutdown": Kind(_shut_down, _bring_up),
    "router-down": Kind(_router_down, _router_up),
    "router-restart": Kind(_daemon_down, _router_up),
    "session-reset": Kind(_reset, _nothing),
    "stall": Kind(_stall, _nothing),
    "unlabel": Kind(_unlabel, _relabel),
}


def schedule(world: World, place: int, occurrence: Occurrence) -> None:
    """Have ``occurrence``, the ``place``-th of the trial, happen at its time."""
    world.clock.at(occurrence.at_us, partial(_begin, world, place, occurrence), Order.FAULT)


def _begin(world: World, place: int, fault: Occurrence) -> None:
    kind, now_us = KINDS[fault.kind], world.clock.now_us
    world.timeline.write(FaultBegan(now_us, fault.fault, fault.kind, fault.nodes, fault.routers))
    for target, down_for_us in zip(fault.nodes or fault.routers, fault.down_for_us, strict=True):
        kind.begin(world, fault, target, place)
        if down_for_us is not None:
            world.clock.at(now_us + down_for_us, partial(_end, world, place, fault, target), Order.FAULT)


def _end(world: World, place: int, fault: Occurrence, target: str) -> None:
    now_us = world.clock.now_us
    nodes, routers = ((target,), fault.routers) if fault.nodes else ((), (target,))
    world.timeline.write(FaultEnded(now_us, fault.fault, fault.kind, nodes, routers))
    KINDS[fault.kind].end(world, fault, target, place)
