"""What each kind of fault does to the world, and what its end does."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial

from simbgp.model.bgp.messages import SHUTDOWN
from simbgp.model.clock import Order
from simbgp.model.world import World
from simbgp.scenario.plan import Occurrence
from simbgp.timeline.facts import FaultBegan, FaultEnded

Act = Callable[[World, str, tuple[str, ...], Hashable], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault at one node (and, where it names them, its sessions with some routers): how it begins and how it ends.

    ``holder`` identifies the occurrence, so that overlapping faults each hold and release what they took down.
    """

    begin: Act
    end: Act


def _crash(world: World, node: str, _: tuple[str, ...], holder: Hashable) -> None:
    world.node(node).agent.hold(holder)


def _stop(world: World, node: str, _: tuple[str, ...], holder: Hashable) -> None:
    world.node(node).stop_agent(holder)


def _container_starts(world: World, node: str, _: tuple[str, ...], holder: Hashable) -> None:
    world.node(node).agent.release(holder)


def _power_off(world: World, node: str, _: tuple[str, ...], holder: Hashable) -> None:
    world.node(node).power.hold(holder)


def _power_on(world: World, node: str, _: tuple[str, ...], holder: Hashable) -> None:
    world.node(node).boot(holder)


def _lose_packets(world: World, node: str, routers: tuple[str, ...], holder: Hashable) -> None:
    for session in world.sessions_of(node, routers):
        session.link.hold(holder)


def _pass_packets(world: World, node: str, routers: tuple[str, ...], holder: Hashable) -> None:
    for session in world.sessions_of(node, routers):
        session.link.release(holder)


def _shut_down(world: World, node: str, routers: tuple[str, ...], holder: Hashable) -> None:
    for session in world.sessions_of(node, routers):
        session.node.disable(holder, SHUTDOWN)


def _bring_up(world: World, node: str, routers: tuple[str, ...], holder: Hashable) -> None:
    for session in world.sessions_of(node, routers):
        session.node.enable(holder)


def _unlabel(world: World, node: str, _: tuple[str, ...], holder: Hashable) -> None:
    world.node(node).selection.hold(holder)


def _relabel(world: World, node: str, _: tuple[str, ...], holder: Hashable) -> None:
    world.node(node).selection.release(holder)


KINDS: dict[str, Kind] = {
    "agent-crash": Kind(_crash, _container_starts),
    "agent-restart": Kind(_stop, _container_starts),
    "node-down": Kind(_power_off, _power_on),
    "link-loss": Kind(_lose_packets, _pass_packets),
    "peer-shutdown": Kind(_shut_down, _bring_up),
    "unlabel": Kind(_unlabel, _relabel),
}


def schedule(world: World, place: int, occurrence: Occurrence) -> None:
    """Have ``occurrence``, the ``place``-th of the trial, happen at its time."""
    world.clock.at(occurrence.at_us, partial(_begin, world, place, occurrence), Order.FAULT)


def _begin(world: World, place: int, fault: Occurrence) -> None:
    kind, now_us = KINDS[fault.kind], world.clock.now_us
    world.timeline.write(FaultBegan(now_us, fault.fault, fault.kind, fault.nodes, fault.routers))
    for node, down_for_us in zip(fault.nodes, fault.down_for_us, strict=True):
        kind.begin(world, node, fault.routers, place)
        if down_for_us is not None:
            world.clock.at(now_us + down_for_us, partial(_end, world, place, fault, node), Order.FAULT)


def _end(world: World, place: int, fault: Occurrence, node: str) -> None:
    now_us = world.clock.now_us
    world.timeline.write(FaultEnded(now_us, fault.fault, fault.kind, (node,), fault.routers))
    KINDS[fault.kind].end(world, node, fault.routers, place)
