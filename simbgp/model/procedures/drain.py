"""Taking a node out for maintenance: evict its pods, take it out of BGP, wait, switch it off, in any order."""

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from simbgp.model.clock import Order
from simbgp.model.cluster.pods import Pod
from simbgp.scenario.plan import Occurrence
from simbgp.timeline.facts import FaultEnded, ProcedureEnded

if TYPE_CHECKING:
    from simbgp.model.world import World

_ASK_AGAIN_US = 5_000_000
_LEAST_GRACE_US = 2_000_000
_LOOK_US = 100_000
"""How often an operator who waits for the routers looks at their tables."""


def pod_lives_us(grace_us: int, pre_stop_us: int | None, shutdown_us: int | None) -> int:
    """From a pod's eviction to the end of its process.

    The preStop hook runs first, no longer than the grace period; then comes SIGTERM, and SIGKILL when the grace period
    is over, but no sooner than 2 s after SIGTERM (kubelet, `kuberuntime_container.go`, minimumGracePeriodInSeconds).
    A process whose ``shutdown_us`` nobody gave ends at SIGTERM if it has a hook, else at SIGKILL.
    """
    hook_us = min(pre_stop_us or 0, grace_us)
    if shutdown_us is None:
        return grace_us if pre_stop_us is None else hook_us
    return hook_us + min(shutdown_us, max(grace_us - hook_us, _LEAST_GRACE_US))


class Drain:
    """One node's maintenance: each step begins when the one before is done; the node is back ``downFor`` later."""

    def __init__(self, world: "World", fault: Occurrence, node: str, holder: Hashable) -> None:
        self._world = world
        self._fault = fault
        self._node = node
        self._holder = holder
        options = fault.options
        self._steps = list(options["order"])
        self._wait_us: int | None = options["wait_us"]
        self._down_for_us = fault.down_for_us[fault.nodes.index(node)]
        self._pod_lives_us = pod_lives_us(options["grace_us"], options["pre_stop_us"], options.get("shutdown_us"))

    def begin(self) -> None:
        """Start with the first step."""
        self._next()

    def _next(self) -> None:
        if not self._steps:
            self._finish()
            return
        step: dict[str, Callable[[], None]] = {
            "drain": self._drain,
            "unlabel": self._unlabel,
            "wait": self._wait,
            "poweroff": self._power_off,
        }
        step[self._steps.pop(0)]()

    def _finish(self) -> None:
        now_us = self._world.clock.now_us
        self._world.timeline.write(ProcedureEnded(now_us, self._fault.fault))
        if self._down_for_us is not None:
            self._world.clock.at(now_us + self._down_for_us, self._return, Order.FAULT)

    def _return(self) -> None:
        """The power is back; the node is uncordoned and labelled again when its kernel forwards."""
        world, found = self._world, self._world.node(self._node)
        world.timeline.write(FaultEnded(world.clock.now_us, self._fault.fault, self._fault.kind, (self._node,), ()))
        if "poweroff" in self._fault.options["order"]:
            found.boot(self._holder, then=self._back)
        else:
            self._back()

    def _back(self) -> None:
        found = self._world.node(self._node)
        found.cordoned = False
        found.selection.release(self._holder)
        self._world.pods.node_takes_pods()

    def _drain(self) -> None:
        """``kubectl drain``: cordon, evict as the disruption budgets allow, wait until the pods are gone."""
        self._world.node(self._node).cordoned = True
        self._evict_some()

    def _evict_some(self) -> None:
        """Evict what may go now; what a budget holds back is asked again every 5 s, as kubectl does."""
        held_back = False
        for pod in self._world.endpoints.on(self._node):
            if pod[1].phase == "active" and self._budget_allows(pod):
                self._world.pods.evict(pod, self._pod_lives_us)
            elif pod[1].phase == "active":
                held_back = True
        if held_back:
            self._later(_ASK_AGAIN_US, self._evict_some)
        else:
            self._when_empty()

    def _budget_allows(self, pod: Pod) -> bool:
        service = pod[0]
        least = next(plan.min_available for plan in self._world.plan.services if plan.name == service)
        ready = sum(e.phase == "active" for e in self._world.endpoints.listed(service))
        return ready > least

    def _when_empty(self) -> None:
        if self._world.endpoints.on(self._node):
            self._later(_LOOK_US, self._when_empty)
        else:
            self._next()

    def _unlabel(self) -> None:
        self._world.node(self._node).selection.hold(self._holder)
        self._next()

    def _wait(self) -> None:
        if self._wait_us is not None:
            self._later(self._wait_us, self._next)
        else:
            self._until_forgotten()

    def _until_forgotten(self) -> None:
        """``wait: auto``: until no router forwards anything to the node."""
        if any(session.in_fib() for session in self._world.sessions_of(self._node)):
            self._later(_LOOK_US, self._until_forgotten)
        else:
            self._next()

    def _power_off(self) -> None:
        self._world.node(self._node).power.hold(self._holder)
        self._next()

    def _later(self, delay_us: int, action: Callable[[], None]) -> None:
        self._world.clock.at(self._world.clock.now_us + delay_us, action, Order.RECONCILE)


def begin(world: "World", fault: Occurrence, node: str, holder: Hashable) -> None:
    """Start the maintenance of a node."""
    Drain(world, fault, node, holder).begin()
