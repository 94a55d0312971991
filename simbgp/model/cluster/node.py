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


_NOT_THERE = "not there yet"


class Node:
    """The kernel forwards while the node has power, agent or no agent: the datapath outlives the agent."""

    def __init__(self, world: "World", name: str) -> None:
        self.name = name
        self._world = world
        plan, joins = world.plan, world.index.nodes[name].joins
        self.joined = not joins
        """Whether the cluster has, or had, this node."""
        self._new = joins
        """Whether its agent has never started."""
        self._has_pod_cidr = not joins or plan.ipam == "kubernetes" or plan.speaker.bare
        """A new agent waits for its PodCIDR; the kube-controller-manager gives it with the Node object."""
        self.power = Switch(self._power_changed, held_by=(_NOT_THERE,) if joins else ())
        self.agent = Switch(self._agent_changed)
        self.selection = Switch(self._selection_changed)
        """Whether the node's label has it selected for BGP."""
        self.speaker = Speaker(world, name, runs=world.up_at_start(name))
        self.profile = world.plan.speaker
        """The release that its agent runs, or will when it starts again."""
        self.cordoned = False
        """Whether new pods are kept away."""
        self._boots = 0
        self._starts = 0
        self._agent_up = Timer(world.clock, self._agent_started, Order.RECONCILE)
        self._terminating = False
        self._relabels = 0
        self._relabelled_unseen = False
        """Whether the label changed while no agent was there to copy it to the CiliumNode."""

    @property
    def agent_runs(self) -> bool:
        """Whether the agent may act on what it is told."""
        return self.speaker.runs

    def cold_start(self) -> None:
        """Time 0 of a cluster that starts from nothing."""
        self._start_agent()

    def join(self) -> None:
        """The power of a new node is on: it boots, registers, and waits for what the operator gives."""
        if not self.joined:
            self.boot(_NOT_THERE)

    def stop_agent(self, holder: Hashable) -> None:
        """SIGTERM to the agent."""
        self._terminating = True
        self.agent.hold(holder)
        self._terminating = False

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
        if up and self.joined:
            world.timeline.write(ConntrackLost(now_us, self.name))
        world.timeline.write(ForwardingChanged(now_us, self.name, up))
        for session in world.sessions_of(self.name):
            session.way_changed()
        world.pods.node_power_changed(self.name, up)
        if not up:
            self._agent_up.cancel()
            self.speaker.vanish()
        if not self.joined:
            self.joined = True
            world.agents.node_joined(self.name)
            world.operator.ask(self._configured)
        else:
            world.agents.power_changed(self.name, up)
        if up:
            self._start_agent()

    def _configured(self) -> None:
        """The operator gives the new node its PodCIDR, and its BGP configuration."""
        if not self._has_pod_cidr:
            self._has_pod_cidr = True
            self._start_agent()
        self._reconcile(self._relabels)

    def _agent_changed(self, up: bool) -> None:
        if up:
            self._start_agent()
            return
        self._agent_up.cancel()
        if self.speaker.runs:
            if self._terminating:
                self.speaker.terminate()
            else:
                self.speaker.kill()
        if self.power.up:
            self._world.agents.container_ended(self.name)

    def _selection_changed(self, selected: bool) -> None:
        """The label changed: the agent copies it to the CiliumNode, by which the operator selects (a dead agent when it
        is back), and agent and operator act on it in their time."""
        self._relabels += 1
        if self.agent_runs or self.profile.bare:
            self._world.operator.ask(partial(self._reconcile, self._relabels))
        else:
            self._relabelled_unseen = True

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
        if not (self.power.up and self.agent.up and self._has_pod_cidr):
            return
        self._starts += 1
        world = self._world
        world.agents.container_started(self.name)
        startup_us = world.tape.draw_us(world.plan.agent_startup, self.name, "agent-startup", self._starts)
        self._agent_up.set(world.clock.now_us + startup_us)

    def _agent_started(self) -> None:
        self.speaker.start()
        self._world.endpoints.agent_started(self.name)
        self._world.agents.agent_started(self.name)
        if self._new:
            self._new = False
            self._world.pods.node_joined(self.name)
        if self._relabelled_unseen:
            self._relabelled_unseen = False
            self._world.operator.ask(partial(self._reconcile, self._relabels))
