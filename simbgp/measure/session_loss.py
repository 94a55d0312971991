"""What one router makes of one fault of one node: when it loses the session, and how long it keeps the routes."""

from dataclasses import dataclass
from typing import Literal

from simbgp.measure.spans import Span, greatest, span_of
from simbgp.profiles import RouterProfile
from simbgp.scenario.plan import FaultPlan, PeeringPlan, Plan

Loss = Literal["tcp_closed", "hold_expired", "cease", "hard_reset"]
SILENT = ("node-down", "link-loss")


@dataclass(frozen=True, slots=True)
class SessionLoss:
    """One fault of one session, computed from the plan alone."""

    plan: Plan
    fault: FaultPlan
    peering: PeeringPlan
    router: RouterProfile

    def loss(self) -> Loss:
        """What the router sees of the fault."""
        kind, speaker = self.fault.kind, self.plan.speaker
        if kind in SILENT:
            return "hold_expired"
        if kind == "agent-crash":
            return "tcp_closed"
        if kind == "agent-restart":
            how = speaker.sigterm_restart if self.restarts() else speaker.sigterm_plain
            if how == "close":
                return "tcp_closed"
        subcode = 2 if kind == "peer-shutdown" else 3  # RFC 4486 §3
        return "hard_reset" if self.notifies() and subcode in speaker.hard_reset else "cease"

    def lost(self) -> Span | None:
        """From the fault to the router's loss of the session."""
        if self.fault.kind in SILENT:
            return None if self.fault.down_for is not None else self._silence()
        if self.fault.kind == "unlabel":
            return span_of(self.plan.speaker.unlabel, "the speaker removes the peer")
        closes = self.fault.kind in ("agent-crash", "agent-restart", "peer-shutdown")
        return Span(0.0, 0.0, "the connection is closed at once") if closes else None

    def _silence(self) -> Span | None:
        hold_s = min(self.peering.hold_s, self.router.hold_s)
        if hold_s == 0:
            return None
        lowered = hold_s < self.peering.hold_s
        keepalive_s = hold_s / 3 if lowered else self.peering.keepalive_s
        least, most = (hold_s * factor for factor in self.router.hold_jitter)
        text = f"hold {least:g} - keepalive {keepalive_s:g} .. hold {most:g}"
        return Span(least - keepalive_s - self.router.timer_grain_s, most, text)

    def restarts(self) -> bool:
        """Whether graceful restart is negotiated (RFC 4724 §3)."""
        return self.peering.restart.enabled and self.router.helper

    def notifies(self) -> bool:
        """Whether both ends also set the N bit (RFC 8538 §2)."""
        return self.restarts() and self.peering.restart.notification and self.router.notification

    def keeps(self) -> bool:
        """Whether the router keeps the routes over this loss."""
        keep = getattr(self.router.keeps_stale, self.loss())
        held = (keep == "notification" and self.notifies()) or (keep == "long_lived" and self.long_lived_s() > 0)
        return self.restarts() and (keep == "gr" or held)

    def kept(self) -> Span:
        """How long it keeps them at most: min(R, S)."""
        restart_s, stale_s = self.peering.restart.restart_time_s, self.router.stale_path_s
        kept_s, what = (restart_s, "restart") if stale_s is None or restart_s <= stale_s else (stale_s, "stale path")
        return Span(kept_s - self.router.timer_grain_s, kept_s, f"{what} {kept_s:g}")

    def long_lived_s(self) -> int:
        """The long-lived stale time where it was negotiated and begins (RFC 9494 §4.2), else 0."""
        if not self.restarts() or not self.router.long_lived:
            return 0
        stale_s = self.router.stale_path_s
        begins = stale_s is None or self.peering.restart.restart_time_s <= stale_s
        return self.peering.restart.long_lived_s if begins else 0

    def kept_alone(self) -> Span:
        """How long it keeps those that no other node announces: the least preferred path is still the best."""
        return self.kept().plus(self.long_lived()) if self.long_lived_s() else self.kept()

    def long_lived(self) -> Span:
        """How long after the restart time."""
        stale_s = self.long_lived_s()
        return Span(stale_s - self.router.timer_grain_s, stale_s, f"long-lived {stale_s}")

    def removal_s(self) -> float:
        """The longest time from the end of the routes in the RIB to their end in the FIB."""
        if self.keeps():
            law = self.router.fib_expire
        else:
            law = self.router.fib_hold if self.loss() == "hold_expired" else self.router.fib_withdraw
        return greatest(law) + self.router.late_wake_s + self.per_prefix_s()

    def withdrawn(self) -> Span | None:
        """From the fault until the router forwards nothing to the node."""
        lost = self.lost()
        if lost is None:
            return None
        forgotten = lost.plus(self.kept_alone() if self._stands_alone() else self.kept()) if self.keeps() else lost
        fib_s = self.removal_s()
        return forgotten.plus(Span(0.0, fib_s, f"FIB at most {fib_s:.3g}"))

    def _stands_alone(self) -> bool:
        """Whether it announces a prefix that no other node announces to this router."""
        mine = self.peering
        others = {
            prefix
            for peering in self.plan.peerings
            if peering.router == mine.router and peering.node != mine.node
            for prefix in peering.prefixes
        }
        return not set(mine.prefixes) <= others

    def neighbour_fails(self) -> Span:
        """From silence to a failed neighbour entry, at a router that checks it.

        The entry is valid for U[15, 45] + 5 s from its last confirmation, 3 probes and up to 2 s of timer slack follow
        (net/ipv4/arp.c); it is confirmed by the router's keepalives, the last one before the loss or the next after.
        """
        own_s, hold_s = self.router.keepalive_s, min(self.peering.hold_s, self.router.hold_s)
        third = {
            "always": hold_s / 3,
            "capped": min(own_s, hold_s / 3),
            "if_lowered": hold_s / 3 if hold_s < self.router.hold_s else own_s,
        }
        keepalive_s = third[self.router.keepalive_third]
        low, high = max(0.0, 20 - keepalive_s) + 3, keepalive_s + 50 + 3 + 2
        return Span(low, high, f"neighbour entry fails {low:g}-{high:g}")

    def per_prefix_s(self) -> float:
        """What the number of prefixes adds to a change of the FIB."""
        return self.router.fib_per_prefix_s * len(self.peering.prefixes)
