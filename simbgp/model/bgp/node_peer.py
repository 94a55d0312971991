"""The node's end of a session: GoBGP's state machine as Cilium runs it, which dials and never listens."""

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from simbgp.model.bgp.messages import ADMIN_RESET, DECONFIGURED, FIN, HARD_RESET, HOLD_EXPIRED, Closing
from simbgp.model.clock import Timer
from simbgp.model.network.switch import Switch
from simbgp.model.network.tcp import NEIGHBOUR_PROBES_US, SYN_RETRIES_US
from simbgp.profiles.law import Law
from simbgp.profiles.speaker import SpeakerProfile
from simbgp.timeline.facts import State
from simbgp.timeline.reasons import Reason

if TYPE_CHECKING:
    from simbgp.model.bgp.connection import Connection
    from simbgp.model.bgp.session import Session


class NodePeer:
    """Idle, then Active and dialling, then Established; back to Idle for its hold time after each loss."""

    def __init__(self, session: "Session", established: bool) -> None:
        self._session = session
        self.state: State = "established" if established else "idle"
        self.connection: Connection | None = None
        self.restarting = False
        """Whether its next OPEN has R and F set: since a start of the process, until the first synchronisation."""
        self.heard_end_of_rib = False
        self.cycle = 0
        """How often it was Established."""
        joins = session.world.index.nodes[session.peering.node].joins
        self.enabled = Switch(self._on_enabled, held_by=("unlabelled",) if joins else ())
        """A node that joins has no peer until the operator has made its configuration."""
        self._timer = Timer(session.world.clock, self._due)
        self._next: Callable[[], None] = self._activate
        self._helper = Timer(session.world.clock, self._router_restart_time_over)
        """As a helper of the router (RFC 4724 §4.2), for the router's restart time."""
        self._knows_neighbour = established
        """Whether the node's kernel has a neighbour entry for the router; a reboot loses it."""
        self._dials = 0
        self._dialled_us = 0
        self._give_up_us = 0

    @property
    def _profile(self) -> SpeakerProfile:
        """The release that runs on the node now."""
        return self._session.world.node(self._session.peering.node).profile

    # what the process does

    def start(self) -> None:
        """The process starts, or the peer is configured: no idle hold, R bit set."""
        self.restarting = self._session.peering.restart.enabled and self._session.peering.restart.restart_bit
        if self.enabled.up and self.state == "idle":
            self._activate(Reason.SPEAKER_STARTED)

    def kill(self) -> None:
        """The process dies; its kernel closes the socket."""
        self._leave(FIN, Reason.SPEAKER_KILLED)

    def terminate(self) -> None:
        """The process ends by SIGTERM: what it says depends on the release."""
        how = self._profile.sigterm_restart if self._session.restart_negotiated else self._profile.sigterm_plain
        self._leave(FIN if how == "close" else self._as_sent(DECONFIGURED), Reason.SPEAKER_STOPPED)

    def vanish(self) -> None:
        """Its host is gone."""
        connection, self.connection = self.connection, None
        self._knows_neighbour = False
        self._stop(Reason.NODE_LOST_POWER)
        if connection is not None:
            connection.node_vanishes()

    def disable(self, holder: Hashable, closing: Closing) -> None:
        """The peer is shut down or removed: ``closing`` goes out and it stays idle until `enable`."""
        if self.enabled.up:
            self._leave(self._as_sent(closing), closing.reason)
        self.enabled.hold(holder)

    def enable(self, holder: Hashable) -> None:
        """``holder`` of `disable` lets go."""
        self.enabled.release(holder)

    def reset(self) -> None:
        """Its configuration changed: Cease 6/4, never converted to a Hard Reset, then idle and back."""
        if self.connection is not None:
            self._leave(ADMIN_RESET, ADMIN_RESET.reason)
            self._rest(self._profile.idle_hold_after_reset)

    def configure(self) -> None:
        """The peer is configured anew after it was removed: it starts as a new process does."""
        self.enabled.release("unlabelled")
        if self._session.speaker_runs and self.state == "idle":
            self._timer.cancel()
            self.start()

    # what it hears

    def established(self, connection: "Connection") -> None:
        """The OPEN exchange is over."""
        self.connection = connection
        self._helper.cancel()
        self.heard_end_of_rib = False
        self.cycle += 1
        self._become("open_confirm", Reason.OPEN_ACCEPTED)
        self._become("established", Reason.KEEPALIVE_RECEIVED)

    def refused(self, reason: Reason) -> None:
        """The router closed the connection before Established."""
        self._become("idle", reason)
        self._rest(self._profile.idle_hold_after_refusal)

    def closed(self, closing: Closing) -> None:
        """The established session was ended by the router, or by its host's reset."""
        self.connection = None
        self._become("idle", closing.reason)
        self._rest(self._profile.idle_hold)
        if self._profile.redials_after_router_restart_time and self._session.restart_negotiated:
            self._helper.set(self._session.world.clock.now_us + self._session.profile.restart_time_s * 1_000_000)

    def hold_expired(self) -> None:
        """Nothing was heard for the hold time (RFC 4271 §8.2.2, event 10)."""
        connection, self.connection = self.connection, None
        self._become("idle", Reason.HOLD_EXPIRED)
        self._rest(self._profile.idle_hold)
        if connection is not None:
            connection.node_leaves(HOLD_EXPIRED)

    def bfd_down(self) -> None:
        """BFD heard nothing from the router: GoBGP resets the peer (bfd_peer.go, from 4.6)."""
        self.reset()

    # dialling

    def _activate(self, reason: Reason = Reason.IDLE_HOLD_OVER) -> None:
        self._become("active", reason)
        self._dials += 1
        world = self._session.world
        delay_us = world.tape.draw_us(self._profile.first_dial, self._session.entity, "first-dial", self._dials)
        limit_s = self._profile.first_dial_timeout_s or self._session.peering.connect_retry_s - 1
        self._then(delay_us, lambda: self._dial(limit_s))

    def _dial(self, limit_s: float) -> None:
        if not self._session.link.carrier.up:  # its own port is dark: no route, connect() fails at once
            self._wait_to_retry()
            return
        self._dialled_us = self._session.world.clock.now_us
        self._give_up_us = self._dialled_us + round(limit_s * 1e6)
        if not self._knows_neighbour:  # connect() fails with EHOSTUNREACH once the probes of the entry are out
            self._give_up_us = min(self._give_up_us, self._dialled_us + NEIGHBOUR_PROBES_US)
        self._syn()

    def _syn(self) -> None:
        """One SYN is on the wire; a silent far end leaves it to the kernel's retransmissions."""
        now_us = self._session.world.clock.now_us
        if self._session.syn_answered():
            self._answered()
            return
        instants = (self._dialled_us + retry_us for retry_us in SYN_RETRIES_US)
        next_us = next((instant_us for instant_us in instants if instant_us > now_us), self._give_up_us)
        if next_us < self._give_up_us:
            self._then(next_us - now_us, self._syn)
        else:
            self._then(max(0, self._give_up_us - now_us), self._wait_to_retry)

    def _answered(self) -> None:
        """The router's host answers: with a daemon behind the port, or with a reset."""
        self._knows_neighbour = True
        if not self._session.listens:
            self._wait_to_retry()
            return
        self._become("open_sent", Reason.TCP_CONNECTED)
        self._session.opening.begin()

    def _wait_to_retry(self) -> None:
        self._dials += 1
        retry_s = self._session.peering.connect_retry_s
        low, high = self._profile.retry_factor
        factor = low + (high - low) * self._session.world.tape.u(self._session.entity, "connect-retry", self._dials)
        self._then(round(retry_s * factor * 1e6), lambda: self._dial(retry_s - 1))

    # helpers

    def _as_sent(self, closing: Closing) -> Closing:
        if self._session.notification_negotiated and closing.subcode in self._profile.hard_reset:
            return HARD_RESET
        return closing

    def _leave(self, closing: Closing, reason: Reason) -> None:
        connection, self.connection = self.connection, None
        self._stop(reason)
        if connection is not None:
            connection.node_leaves(closing)

    def _router_restart_time_over(self) -> None:
        if self.state == "active":
            self._become("idle", Reason.ROUTER_RESTART_TIME_OVER)
            self._rest(self._profile.idle_hold)

    def _rest(self, law: Law) -> None:
        world = self._session.world
        self._then(world.tape.draw_us(law, self._session.entity, "idle-hold", self._dials), self._activate)

    def _stop(self, reason: Reason) -> None:
        self._timer.cancel()
        self._helper.cancel()
        was_opening = self.state == "open_sent"
        if self.state != "idle":
            self._become("idle", reason)
        if was_opening:
            self._session.opening.node_leaves()

    def _on_enabled(self, up: bool) -> None:
        if up and self._session.speaker_runs and self.state == "idle":
            self._rest(self._profile.idle_hold)

    def _due(self) -> None:
        """What was planned is due; a stalled process gets to it when it wakes."""
        wake_us = self._session.world.node(self._session.peering.node).speaker.stalled_until_us
        if wake_us > self._session.world.clock.now_us:
            self._timer.set(wake_us)
        else:
            self._next()

    def _then(self, delay_us: int, action: Callable[[], None]) -> None:
        self._next = action
        self._timer.set(self._session.world.clock.now_us + delay_us)

    def _become(self, state: State, reason: Reason) -> None:
        if self.state == "established":
            self._session.world.node(self._session.peering.node).speaker.forget(self._session)
        self._session.note("node", self.state, state, reason)
        self.state = state
