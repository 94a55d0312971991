"""A node: its power, the agent with the speaker in it, and the pods on it."""

from collections.abc import Callable, Hashable
from functools import partial
from typing import TYPE_CHECKING

from simbgp.model.bgp.messages import DECONFIGURED
from simbgp.model.bgp.speaker import Speaker
from simbgp.model.clock import Order, Timer
from simbgp.model.network.switch import Switch
from simbgp.timeline.facts import ConntrackLost, ForwardingChanged, NodeConfigChanged

if TYPE_CHECKING:
    from simbgp.model.world import World


class Node:
    """The kernel forwards while the node has power, agent or no agent: the datapath outlives the agent."""

    def __init__(self, world: "World", name: str) -> None:
        self.name = name
        self._world = world
        self.power = Switch(self._power_changed)
        self.agent = Switch(self._agent_changed)
        self.selection = Switch(self._selection_changed)
        """Whether the node's label has it selected for BGP."""
        self.speaker = Speaker(world, name, runs=not world.plan.cold_start)
        self.profile = world.plan.speaker
        """The release that its agent runs, or will when it starts again."""
        self.cordoned = False
        """Whether new pods are kept away."""
        self._when_ready: Callable[[], None] | None = None
        self._boots = 0
        self._starts = 0
        self._agent_up = Timer(world.clock, self._agent_started, Order.RECONCILE)
        self._terminating = False
        self._relabels = 0

    @property
    def agent_runs(self) -> bool:
        """Whether the agent may act on what it is told."""
        return self.speaker.runs

    def cold_start(self) -> None:
        """Time 0 of a cluster that starts from nothing."""
        self._start_agent()

    def stop_agent(self, holder: Hashable) -> None:
        """SIGTERM to the agent."""
        self._terminating = True
        self.agent.hold(holder)
        self._terminating = False

    def when_agent_ready(self, action: Callable[[], None]) -> None:
        """Call ``action`` once, when the agent has started."""
        self._when_ready = action

    def boot(self, holder: Hashable, then: Callable[[], None] = lambda: None) -> None:
        """``holder`` gives the power back; the kernel forwards one start-up time later, and ``then`` is called."""
        self._boots += 1
        world = self._world
        startup_us = world.tape.draw_us(world.plan.node_startup, self.name, "node-startup", self._boots)
        world.clock.at(world.clock.now_us + startup_us, partial(self._booted, holder, then), Order.PACKET)

    def _booted(self, holder: Hashable, then: Callable[[], None]) -> None:
        self.power.release(holder)
        then()

    def _power_changed(self, up: bool) -> None:
        world, now_us = self._world, self._world.clock.now_us
        if up:
            world.timeline.write(ConntrackLost(now_us, self.name))
        world.timeline.write(ForwardingChanged(now_us, self.name, up))
        for session in world.sessions_of(self.name):
            session.way_changed()
        world.pods.node_power_changed(self.name, up)
        if up:
            self._start_agent()
        else:
            self._agent_up.cancel()
            self.speaker.vanish()

    def _agent_changed(self, up: bool) -> None:
        if up:
            self._start_agent()
            return
        self._agent_up.cancel()
        if not self.speaker.runs:
            return
        if self._terminating:
            self.speaker.terminate()
        else:
            self.speaker.kill()

    def _selection_changed(self, selected: bool) -> None:
        """The label changed; operator and agent act on it in their time, a dead agent when it is back."""
        self._relabels += 1
        change, world = self._relabels, self._world
        world.operator.ask(partial(self._reconcile, change))

    def _reconcile(self, change: int) -> None:
        world = self._world
        delay_us = world.tape.draw_us(self.profile.unlabel, self.name, "unlabel", change)
        world.clock.at(world.clock.now_us + delay_us, partial(self._apply, change), Order.RECONCILE)

    def _apply(self, change: int) -> None:
        if change != self._relabels:
            return
        world = self._world
        world.timeline.write(NodeConfigChanged(world.clock.now_us, self.name, self.selection.up))
        for session in world.sessions_of(self.name):
            if self.selection.up:
                session.node.configure()
            elif self.agent_runs:
                session.node.disable("unlabelled", DECONFIGURED)
            else:
                session.node.enabled.hold("unlabelled")

    def _start_agent(self) -> None:
        if not (self.power.up and self.agent.up):
            return
        self._starts += 1
        world = self._world
        startup_us = world.tape.draw_us(world.plan.agent_startup, self.name, "agent-startup", self._starts)
        self._agent_up.set(world.clock.now_us + startup_us)

    def _agent_started(self) -> None:
        self.speaker.start()
        self._world.endpoints.agent_started(self.name)
        action, self._when_ready = self._when_ready, None
        if action is not None:
            action()
