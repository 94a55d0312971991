"""What paper and pencil say beside what the runs say.

For one fault of one node at one router the control plane has a closed form: detection by the hold timer takes
(H - K, H] from a silent loss (RFC 4271 §6.5: H the negotiated hold time, K the silent side's keepalive interval), and
a helper that holds the loss for a graceful restart keeps the routes min(R, S) more (RFC 4724 §4.2, RFC 8538 §4: R the
speaker's restart time, S the helper's stale-path time). With long-lived graceful restart (RFC 9494) what no other node
announces stays for its stale time more; the rest leaves at R as before, for it is least preferred. All is computed
from the plan alone, never from a run.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from simbgp.measure.observed import Question, Value
from simbgp.measure.session_loss import SILENT, SessionLoss
from simbgp.measure.spans import Span, greatest, span_of
from simbgp.scenario.plan import Plan

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


def closed_forms(plan: Plan) -> tuple[ClosedForm, ...]:
    """The closed forms that hold for ``plan``; none unless it has one fault of one node and one router, under no spine.

    Where the node is drawn anew in each run, what differs from node to node has no closed form.
    """
    if len(plan.faults) != 1 or len(plan.routers) != 1 or plan.fabric or plan.cold_start or plan.background:
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
class _Case(SessionLoss):
    """The closed forms of one fault of one session."""

    def detection(self) -> ClosedForm | None:
        """From the fault to the router's loss of the session."""
        lost = self.lost()
        if lost is None:
            return None
        return ClosedForm(Question("detection_s"), "detection", lost.low, lost.high, 0.0, lost.text)

    def service_window(self) -> ClosedForm | None:
        """The longest outage of a service whose prefixes other nodes announce too."""
        announced = {p for service in self.plan.services for p in service.prefixes} & set(self.peering.prefixes)
        lost = self.lost()
        if lost is None or not self.plan.services or not self._others_announce(announced):
            return None
        window, fib_s = Span(0.0, 0.0, "the node forwards on, others take over"), 0.0
        if self.fault.kind in SILENT:
            window = lost.plus(self.kept()) if self.keeps() else lost
            window = window if announced else Span(0.0, 0.0, "no service prefix points there")
            fib_s = self.removal_s()
            if self._neighbour_is_checked() and announced:
                skipped = self.neighbour_fails()
                fib_s = min(fib_s, max(0.0, skipped.high - window.high))
                window = window.or_earlier(skipped)
        if self.fault.kind == "node-down" and self._backends_are_picked():
            window = window.or_later(self._endpoints())
        return ClosedForm(Question("blackhole_s"), "service outage", window.low, window.high, fib_s, window.text)

    def pod_window(self) -> ClosedForm | None:
        """The longest outage of the node's own PodCIDR while its agent restarts."""
        own = next((p for node in self.plan.nodes if node.name == self.peering.node for p in node.pod_cidrs), None)
        back = self._back()
        if own is None or own not in self.peering.prefixes or back is None:
            return None
        window = back.less(self.kept()) if self.keeps() else back
        if self.keeps() and self.long_lived_s():
            window = window.less(self.long_lived())
        fib_s = greatest(self.router.fib_install) + self.per_prefix_s()
        low_s = max(0.0, window.low - self.removal_s())
        question = Question("blackhole_s", prefix=own)
        return ClosedForm(question, f"outage of {own}", low_s, window.high, fib_s, window.text)

    def _back(self) -> Span | None:
        """From the fault until the restarted speaker has announced again, if its first dial meets an open door."""
        speaker, down_for = self.plan.speaker, self.fault.down_for
        if self.fault.kind not in ("agent-crash", "agent-restart") or down_for is None or self._waits_in_vain():
            return None
        dial = span_of(down_for, "down").plus(span_of(self.plan.agent_startup, "startup"))
        dial = dial.plus(span_of(speaker.first_dial, "dial"))
        back = dial.plus(span_of(speaker.open_exchange, "open"))
        if self.restarts() and speaker.waits_for_end_of_rib:
            back = back.plus(self._end_of_rib())
        return None if self._may_refuse(dial) or not math.isfinite(back.high) else back

    def _waits_in_vain(self) -> bool:
        """Whether the restarted speaker waits for a router without graceful restart, or passes it over."""
        offered = self.peering.restart.enabled and self.peering.restart.restart_bit
        return offered and not self.restarts() and self.plan.speaker.waits_for_end_of_rib

    def _end_of_rib(self) -> Span:
        """From Established until the router's End-of-RIB: this session alone comes up."""
        peers = sum(peering.router == self.peering.router for peering in self.plan.peerings)
        own_s = min(self.router.end_of_rib_per_peer_s * peers, self.router.end_of_rib_peers_most_s)
        low, high = (end + own_s for end in self.router.end_of_rib.support)
        if self.plan.up_for_us < self.router.restart_bit_s * 1e6:
            low = 0.0  # a router that has restarted itself is not waited for (RFC 4724 §3)
        return Span(low, high, f"End-of-RIB {low:g}" if low == high else f"End-of-RIB {low:g}-{high:g}")

    def _may_refuse(self, dial: Span) -> bool:
        """Whether the router may still close connections at once when the first dial comes."""
        idle = self.router.idle_after
        if greatest(getattr(idle, self.loss())) >= dial.low > 0:
            return True
        if not self.keeps() or dial.high <= self.kept().low:
            return False
        late_s = 0.0 if self.long_lived_s() else self.router.late_wake_s
        asleep = late_s > 0 and dial.low < self.kept().high + late_s
        return asleep or greatest(idle.restart_expired) > 0

    def _others_announce(self, announced: set[str]) -> bool:
        others = {prefix for p in self.plan.peerings if p.node != self.peering.node for prefix in p.prefixes}
        return announced <= others

    def _neighbour_is_checked(self) -> bool:
        """Whether a silent node loses its place in a next-hop group before BGP takes it."""
        return self.router.neighbour_check and self.plan.routers[0].link == "switched"

    def _backends_are_picked(self) -> bool:
        """Whether other nodes send to backends on this one."""
        shared = (service for service in self.plan.services if service.policy == "Cluster")
        return any(backend.node == self.peering.node for service in shared for backend in service.backends)

    def _endpoints(self) -> Span:
        """From the loss of the node until no other node picks its backends: Kubernetes' own clock."""
        grace = span_of(self.plan.node_monitor_grace, "node monitor grace")
        return grace.plus(span_of(self.plan.endpoint_propagation, "endpoint propagation"))
