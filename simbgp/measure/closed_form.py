"""What paper and pencil say beside what the runs say.

For one fault of one node at one router the control plane has a closed form: detection by the hold timer takes
(H - K, H] from a silent loss (RFC 4271 §6.5: H the negotiated hold time, K the silent side's keepalive interval), and
a helper that holds the loss for a graceful restart keeps the routes min(R, S) more (RFC 4724 §4.2, RFC 8538 §4: R the
speaker's restart time, S the helper's stale-path time). It is computed from the plan alone, never from a run.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from simbgp.measure.observed import Question, Value
from simbgp.profiles import Law, RouterProfile
from simbgp.scenario.plan import FaultPlan, PeeringPlan, Plan

Loss = Literal["tcp_closed", "hold_expired", "cease", "hard_reset"]
_SILENT = ("node-down", "link-loss")
_TOLERANCE_S = 0.01
"""Packets take time and timers fire on ticks; no closed form speaks of milliseconds."""


@dataclass(frozen=True, slots=True)
class ClosedForm:
    """The range that a metric must stay in. ``fib_s`` is what the router's kernel may add to ``high_s``."""

    question: Question
    label: str
    low_s: float
    high_s: float
    fib_s: float
    text: str

    def agrees(self, values: Iterable[Value | None]) -> bool:
        """Whether every run that shows the metric lies in the range; a censored value can only be too great."""
        seen = [value for value in values if value is not None]
        low_s, high_s = self.low_s - _TOLERANCE_S, self.high_s + self.fib_s + _TOLERANCE_S
        return all(value.value <= high_s and (value.censored or value.value >= low_s) for value in seen)


@dataclass(frozen=True, slots=True)
class _Range:
    """Seconds from ``low`` to ``high``, and how they come about."""

    low: float
    high: float
    text: str

    def plus(self, other: "_Range") -> "_Range":
        return _Range(self.low + other.low, self.high + other.high, f"{self.text}, + {other.text}")

    def or_later(self, other: "_Range") -> "_Range":
        if other.high <= self.low:
            return self
        if self.high <= other.low:
            return other
        text = f"the later of {self.text}, and {other.text}"
        return _Range(max(self.low, other.low), max(self.high, other.high), text)

    def less(self, other: "_Range") -> "_Range":
        low, high = max(0.0, self.low - other.high), max(0.0, self.high - other.low)
        return _Range(low, high, f"{self.text}, - {other.text}")


def closed_forms(plan: Plan) -> tuple[ClosedForm, ...]:
    """The closed forms that hold for ``plan``; none unless it has one fault of one node and one router.

    Where the node is drawn anew in each run, what differs from node to node has no closed form.
    """
    if len(plan.faults) != 1 or len(plan.routers) != 1 or plan.cold_start:
        return ()
    fault = plan.faults[0]
    struck = len(fault.nodes) if fault.random_nodes is None else fault.random_nodes
    if fault.times != 1 or struck != 1:
        return ()
    peerings = [peering for peering in plan.peerings if peering.node in fault.nodes]
    cases = [_Case(plan, fault, peering, plan.routers[0].profile) for peering in peerings]
    if len(cases) != len(fault.nodes):
        return ()
    forms = zip(*((case.detection(), case.service_window(), case.pod_window()) for case in cases), strict=True)
    return tuple(of_all[0] for of_all in forms if of_all[0] is not None and len(set(of_all)) == 1)


@dataclass(frozen=True, slots=True)
class _Case:
    """One fault of one session."""

    plan: Plan
    fault: FaultPlan
    peering: PeeringPlan
    router: RouterProfile

    def detection(self) -> ClosedForm | None:
        """From the fault to the router's loss of the session."""
        lost = self._lost()
        if lost is None:
            return None
        return ClosedForm(Question("detection_s"), "detection", lost.low, lost.high, 0.0, lost.text)

    def service_window(self) -> ClosedForm | None:
        """The longest outage of a service whose prefixes other nodes announce too."""
        announced = {p for service in self.plan.services for p in service.prefixes} & set(self.peering.prefixes)
        lost = self._lost()
        if lost is None or not self.plan.services or not self._others_announce(announced):
            return None
        window, fib_s = _Range(0.0, 0.0, "the node forwards on, others take over"), 0.0
        if self.fault.kind in _SILENT:
            window = lost.plus(self._kept()) if self._keeps() else lost
            window = window if announced else _Range(0.0, 0.0, "no service prefix points there")
            fib_s = self._removal_s()
        if self.fault.kind == "node-down" and self._backends_are_picked():
            window = window.or_later(self._endpoints())
        return ClosedForm(Question("blackhole_s"), "service outage", window.low, window.high, fib_s, window.text)

    def pod_window(self) -> ClosedForm | None:
        """The longest outage of the node's own PodCIDR while its agent restarts."""
        own = next((p for node in self.plan.nodes if node.name == self.peering.node for p in node.pod_cidrs), None)
        back = self._back()
        if own is None or own not in self.peering.prefixes or back is None:
            return None
        window = back.less(self._kept()) if self._keeps() else back
        fib_s = _most(self.router.fib_install) + self._per_prefix_s()
        low_s = max(0.0, window.low - self._removal_s())
        question = Question("blackhole_s", prefix=own)
        return ClosedForm(question, f"outage of {own}", low_s, window.high, fib_s, window.text)

    def _loss(self) -> Loss:
        """What the router sees of the fault."""
        kind, speaker = self.fault.kind, self.plan.speaker
        if kind in _SILENT:
            return "hold_expired"
        if kind == "agent-crash":
            return "tcp_closed"
        if kind == "agent-restart":
            how = speaker.sigterm_restart if self._restarts() else speaker.sigterm_plain
            if how == "close":
                return "tcp_closed"
        subcode = 2 if kind == "peer-shutdown" else 3  # RFC 4486 §3
        return "hard_reset" if self._notifies() and subcode in speaker.hard_reset else "cease"

    def _lost(self) -> _Range | None:
        """From the fault to the router's loss of the session."""
        if self.fault.kind in _SILENT:
            return None if self.fault.down_for is not None else self._silence()
        if self.fault.kind == "unlabel":
            return _of_law(self.plan.speaker.unlabel, "the speaker removes the peer")
        closes = self.fault.kind in ("agent-crash", "agent-restart", "peer-shutdown")
        return _Range(0.0, 0.0, "the connection is closed at once") if closes else None

    def _silence(self) -> _Range | None:
        hold_s = min(self.peering.hold_s, self.router.hold_s)
        if hold_s == 0:
            return None
        lowered = hold_s < self.peering.hold_s
        keepalive_s = hold_s / 3 if lowered else self.peering.keepalive_s
        least, most = (hold_s * factor for factor in self.router.hold_jitter)
        text = f"hold {least:g} - keepalive {keepalive_s:g} .. hold {most:g}"
        return _Range(least - keepalive_s - self.router.timer_grain_s, most, text)

    def _restarts(self) -> bool:
        return self.peering.restart.enabled and self.router.helper

    def _notifies(self) -> bool:
        return self._restarts() and self.peering.restart.notification and self.router.notification

    def _keeps(self) -> bool:
        """Whether the router keeps the routes over this loss."""
        keep = getattr(self.router.keeps_stale, self._loss())
        return (keep == "gr" and self._restarts()) or (keep == "notification" and self._notifies())

    def _kept(self) -> _Range:
        """How long it keeps them at most: min(R, S)."""
        restart_s, stale_s = self.peering.restart.restart_time_s, self.router.stale_path_s
        kept_s, what = (restart_s, "restart") if stale_s is None or restart_s <= stale_s else (stale_s, "stale path")
        return _Range(kept_s - self.router.timer_grain_s, kept_s, f"{what} {kept_s:g}")

    def _back(self) -> _Range | None:
        """From the fault until the restarted speaker has announced again, if its first dial meets an open door."""
        speaker, down_for = self.plan.speaker, self.fault.down_for
        if self.fault.kind not in ("agent-crash", "agent-restart") or down_for is None:
            return None
        dial = _of_law(down_for, "down").plus(_of_law(self.plan.agent_startup, "startup"))
        dial = dial.plus(_of_law(speaker.first_dial, "dial"))
        back = dial.plus(_of_law(speaker.open_exchange, "open"))
        if self._restarts() and speaker.waits_for_end_of_rib:
            back = back.plus(_of_law(self.router.end_of_rib, "End-of-RIB"))
        return None if self._may_refuse(dial) or not math.isfinite(back.high) else back

    def _may_refuse(self, dial: _Range) -> bool:
        """Whether the router may still close connections at once when the first dial comes."""
        idle = self.router.idle_after
        if _most(getattr(idle, self._loss())) >= dial.low > 0:
            return True
        expires = self._keeps() and dial.high > self._kept().low
        return expires and _most(idle.restart_expired) > 0

    def _removal_s(self) -> float:
        """The longest time from the end of the routes in the RIB to their end in the FIB."""
        if self._keeps():
            law = self.router.fib_expire
        else:
            law = self.router.fib_hold if self._loss() == "hold_expired" else self.router.fib_withdraw
        return _most(law) + self.router.late_wake_s + self._per_prefix_s()

    def _others_announce(self, announced: set[str]) -> bool:
        others = {prefix for p in self.plan.peerings if p.node != self.peering.node for prefix in p.prefixes}
        return announced <= others

    def _backends_are_picked(self) -> bool:
        """Whether other nodes send to backends on this one."""
        shared = (service for service in self.plan.services if service.policy == "Cluster")
        return any(backend.node == self.peering.node for service in shared for backend in service.backends)

    def _endpoints(self) -> _Range:
        """From the loss of the node until no other node picks its backends: Kubernetes' own clock."""
        grace = _of_law(self.plan.node_monitor_grace, "node monitor grace")
        return grace.plus(_of_law(self.plan.endpoint_propagation, "endpoint propagation"))

    def _per_prefix_s(self) -> float:
        return self.router.fib_per_prefix_s * len(self.peering.prefixes)


def _most(law: Law) -> float:
    """The greatest value of ``law``, or of one without a greatest what one draw in a million exceeds."""
    greatest = law.support[1]
    return greatest if math.isfinite(greatest) else law.quantile(1 - 1e-6)


def _of_law(law: Law, what: str) -> _Range:
    low, high = law.support
    return _Range(low, high, f"{what} {low:g}" if low == high else f"{what} {low:g}-{high:g}")
