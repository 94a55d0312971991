"""The agent's DaemonSet: the template of its pods, and the rolling update that follows a change of it.

As the DaemonSet controller does it without surge (kubernetes `pkg/controller/daemon/update.go`, `rollingUpdate`): a
pod is old whose template is not the present one. Old pods that are not available are replaced at once; of those that
are, so many that no more than maxUnavailable nodes lack an available pod. Available is ready for minReadySeconds. A
node without power counts as available until it is called not ready, and then fills one of the places until it is back.
The controller takes nodes in the order of a Go map, which is none; here it is the order of the plan.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from simbgp.model.clock import Order
from simbgp.profiles import Law, SpeakerProfile, speaker
from simbgp.timeline.facts import FaultBegan, FaultEnded, ProcedureEnded, RolloutAdvanced

if TYPE_CHECKING:
    from simbgp.model.world import World


@dataclass(frozen=True, slots=True)
class Template:
    """A revision of the pods: the release as it was asked for, and what that release does."""

    name: str
    profile: SpeakerProfile


@dataclass(frozen=True, slots=True)
class Rollout:
    """One change of the template, by the fault that asked for it."""

    fault: str | int
    revision: int
    max_unavailable: int
    min_ready_us: int
    image_pull: Law | None
    """Of a node that never had this revision's image; None: it is there."""
    ready_after: Law | None
    """Container start to ready; None: when the agent has started."""


@dataclass(slots=True)
class _Pod:
    """The agent pod of one node."""

    revision: int = 0
    available: bool = True
    put_down_to: str | int | None = None
    """The fault that has it replaced, until its container starts; None while nothing keeps it from running."""
    pulls: int = 0
    starts: int = 0
    """Goes up whenever its container starts or ends: what was planned for an earlier one is void."""
    due: bool = False
    """Whether this start's readiness is on its way."""


class DaemonSet:
    """Knows nothing and costs nothing until the first change of its template."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._templates = [Template(world.plan.speaker.name, world.plan.speaker)]
        self._revision = 0
        self._rollout: Rollout | None = None
        self._undo_of: int | None = None
        """The revision to go back to, while an undo is still to come."""
        self._pods: dict[str, _Pod] = {}
        self._old: dict[str, None] = {}
        """Nodes whose pod is not of the present template, in order."""
        self._away: dict[str, None] = {}
        """Nodes without an available pod."""
        self._images: set[tuple[str, int]] = set()
        self._powers: dict[str, tuple[int, int]] = {}
        """How often each node's power came or went, and when last."""
        self._new: dict[str, None] = {}
        """Nodes with an available pod of the release that the rollout brings."""
        self._said = -1

    # what is asked of it

    def roll_out(self, fault: str | int, options: Mapping[str, Any]) -> None:
        """Change the template to release ``to``: one that it had before is that revision again, for which
        pods that still have it are not old; the present one is a restart of all."""
        self._end()
        before, self._revision = self._revision, self._revision_of(str(options["to"]))
        self._rollout = Rollout(
            fault,
            self._revision,
            options["max_unavailable"],
            options["min_ready_us"],
            options["image_pull"],
            options.get("ready_after"),
        )
        self._look_at_nodes()
        undo_us = options.get("rollback_after_us")
        self._undo_of = None if undo_us is None else before
        if undo_us is not None:
            back = partial(self._undo, self._rollout)
            self._world.clock.at(self._world.clock.now_us + undo_us, back, Order.FAULT)
        self._template_changed()

    def _undo(self, rollout: Rollout) -> None:
        """``kubectl rollout undo``: the template is the one before, unless somebody changed it since."""
        if self._rollout is rollout and self._undo_of is not None:
            self._revision, self._undo_of = self._undo_of, None
            self._template_changed()

    def _revision_of(self, release: str) -> int:
        names = [template.name for template in self._templates]
        profile = speaker(release)
        if release in names and release != names[self._revision]:
            return len(names) - 1 - names[::-1].index(release)
        if release not in names and self._revision and profile.name == names[0]:
            return 0  # a patch release of the first template, whose name is that of its minor
        self._templates.append(Template(release, profile))
        return len(names)

    def _look_at_nodes(self) -> None:
        """Before the first rollout nobody kept count of who is available."""
        for node in self._world.plan.nodes:
            found = self._world.node(node.name)
            if node.name not in self._pods and found.joined:
                self._pods[node.name] = _Pod(available=found.agent_runs or not found.power.up)
                self._images.add((node.name, 0))
                if not found.power.up:
                    self._call_not_ready_later(node.name)
        self._away = {name: None for name, pod in self._pods.items() if not pod.available}
        self._new = {name: None for name, pod in self._pods.items() if pod.available and self._is_new(pod)}

    def _template_changed(self) -> None:
        self._old = {name: None for name, pod in self._pods.items() if pod.revision != self._revision}
        self._sync()

    # the controller

    def _sync(self) -> None:
        """Replace what may go now, and say how far it is."""
        rollout = self._rollout
        if rollout is None:
            return
        self._say(rollout)
        for node in [name for name in self._away if name in self._old]:
            self._replace(node, rollout)
        while self._old and len(self._away) < rollout.max_unavailable:
            self._replace(next(iter(self._old)), rollout)
        self._say(rollout)
        if not self._old and not self._away and self._undo_of is None:
            self._end()

    def _say(self, rollout: Rollout) -> None:
        if len(self._new) != self._said:
            self._said = len(self._new)
            now_us = self._world.clock.now_us
            self._world.timeline.write(RolloutAdvanced(now_us, rollout.fault, self._said, len(self._pods)))

    def _is_new(self, pod: _Pod) -> bool:
        return self._rollout is not None and pod.revision == self._rollout.revision

    def _end(self) -> None:
        if self._rollout is not None:
            self._world.timeline.write(ProcedureEnded(self._world.clock.now_us, self._rollout.fault))
        self._rollout, self._said = None, -1

    def _replace(self, node: str, rollout: Rollout) -> None:
        """The controller deletes the pod; kubelet ends its container, pulls what it lacks and starts the next one."""
        pod, found = self._pods[node], self._world.node(node)
        del self._old[node]
        self._lose(node, pod)
        if pod.put_down_to is not None and pod.put_down_to != rollout.fault:
            self._write_end(node, pod.put_down_to)
        if pod.put_down_to != rollout.fault:
            now_us = self._world.clock.now_us
            self._world.timeline.write(FaultBegan(now_us, rollout.fault, "agent-upgrade", (node,), ()))
        pod.revision, pod.put_down_to = self._revision, rollout.fault
        found.stop_agent(self)
        found.profile = self._templates[pod.revision].profile
        if found.power.up:
            self._pull(node, pod)

    def _lose(self, node: str, pod: _Pod) -> None:
        pod.available, pod.due = False, False
        pod.starts += 1
        self._away[node] = None
        self._new.pop(node, None)

    # kubelet

    def _pull(self, node: str, pod: _Pod) -> None:
        rollout, world = self._rollout, self._world
        law = None if rollout is None or (node, pod.revision) in self._images else rollout.image_pull
        pull_us = 0
        if law is not None:
            pull_us = world.tape.draw_us(law, node, f"image-pull/{pod.put_down_to}", pod.pulls)
            pod.pulls += 1
        pulled = partial(self._pulled, node, pod.starts)
        world.clock.at(world.clock.now_us + pull_us, pulled, Order.RECONCILE)

    def _pulled(self, node: str, start: int) -> None:
        pod = self._pods[node]
        if start != pod.starts or pod.put_down_to is None:
            return
        self._images.add((node, pod.revision))
        fault, pod.put_down_to = pod.put_down_to, None
        self._write_end(node, fault)
        self._world.node(node).agent.release(self)

    def _write_end(self, node: str, fault: str | int) -> None:
        self._world.timeline.write(FaultEnded(self._world.clock.now_us, fault, "agent-upgrade", (node,), ()))

    # what it hears of the nodes

    def node_joined(self, node: str) -> None:
        """A new node gets a pod of the present template, which fills a place until it is available."""
        if not self._pods:
            return
        pod, found = _Pod(self._revision, available=False), self._world.node(node)
        self._pods[node] = pod
        self._images.add((node, self._revision))
        self._away[node] = None
        found.profile = self._templates[self._revision].profile

    def power_changed(self, node: str, up: bool) -> None:
        """The node lost its power, or boots again; what it was pulling it pulls anew."""
        count, _ = self._powers.get(node, (0, 0))
        self._powers[node] = count + 1, self._world.clock.now_us
        if node not in self._pods:
            return
        pod = self._pods[node]
        pod.starts += 1
        pod.due = False
        if up:
            self._lose(node, pod)
            if pod.put_down_to is not None:
                self._pull(node, pod)
            self._sync()
        elif pod.available:
            self._call_not_ready_later(node)

    def _call_not_ready_later(self, node: str) -> None:
        world, (count, lost_us) = self._world, self._powers[node]
        grace_us = world.tape.draw_us(world.plan.node_monitor_grace, node, "node-monitor-grace", count)
        due_us = max(world.clock.now_us, lost_us + grace_us)
        world.clock.at(due_us, partial(self._not_ready, node, count), Order.RECONCILE)

    def _not_ready(self, node: str, count: int) -> None:
        if self._powers[node][0] == count:
            self._lose(node, self._pods[node])
            self._sync()

    def container_ended(self, node: str) -> None:
        """The agent's process is gone while its node lives: kubelet says so at once."""
        if node in self._pods and self._pods[node].put_down_to is None:
            self._lose(node, self._pods[node])
            self._sync()

    def container_started(self, node: str) -> None:
        """Its readiness, where it has nothing to do with the start of BGP, counts from here."""
        law = self._rollout.ready_after if self._rollout is not None else None
        if node in self._pods and law is not None:
            pod = self._pods[node]
            pod.starts += 1
            self._ready_in(node, self._world.tape.draw_us(law, node, "agent-ready", pod.starts))

    def agent_started(self, node: str) -> None:
        """The agent is up; by default that is when it is ready. Whether it has a session nobody asks."""
        if node in self._pods and not self._pods[node].available and not self._pods[node].due:
            self._ready_in(node, 0)

    def _ready_in(self, node: str, ready_us: int) -> None:
        pod, now_us = self._pods[node], self._world.clock.now_us
        pod.due = True
        min_ready_us = 0 if self._rollout is None else self._rollout.min_ready_us
        available = partial(self._available, node, pod.starts)
        self._world.clock.at(now_us + ready_us + min_ready_us, available, Order.RECONCILE)

    def _available(self, node: str, start: int) -> None:
        pod = self._pods[node]
        if pod.starts != start:
            return
        pod.available = True
        self._away.pop(node, None)
        if self._is_new(pod):
            self._new[node] = None
        self._sync()
