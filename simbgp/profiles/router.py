"""What a router's BGP implementation does, as data: one frozen record per profile, every value with its source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from simbgp.profiles.cited import Cited
from simbgp.profiles.law import Law
from simbgp.profiles.switch import Switch

Keep = Literal["gr", "notification", "long_lived", "never"]
"""When a loss keeps routes: ``gr`` if graceful restart was negotiated, ``notification`` only if both ends also sent
the RFC 8538 N bit, ``long_lived`` only if RFC 9494 was negotiated too (the loss then counts as a closed connection:
no NOTIFICATION, and no wait after an error), ``never``."""


@dataclass(frozen=True, slots=True)
class KeepsStale:
    """Which loss of a session is graceful for this helper (RFC 4724 §4.2, RFC 8538 §4).

    ``hold_expired`` is its own hold timer, ``peer_expired`` a NOTIFICATION that the peer's was over.
    """

    tcp_closed: Keep
    hold_expired: Keep
    peer_expired: Keep
    cease: Keep
    hard_reset: Keep
    link_down: Keep


@dataclass(frozen=True, slots=True)
class IdleAfter:
    """How long connections are closed as soon as they are accepted, by what ended the session.

    ``restart_expired`` is the end of the restart time; after ``link_down`` it counts from the return of the carrier.
    """

    tcp_closed: Law
    hold_expired: Law
    peer_expired: Law
    cease: Law
    hard_reset: Law
    link_down: Law
    restart_expired: Law


@dataclass(frozen=True, slots=True)
class RouterProfile:
    """A router's make. Times in seconds; laws are drawn from the run's tape."""

    name: str
    title: str
    calibrated: str | None
    """What was measured, or None: the result is then stamped uncalibrated."""

    hold_s: int
    keepalive_s: int
    keepalive_third: Literal["always", "capped", "if_lowered"]
    """Keepalive interval from the negotiated hold H: ``always`` H/3; ``capped`` min(own, H/3); ``if_lowered`` own,
    but H/3 where H is below the own hold time."""
    keepalive_jitter: tuple[float, float]
    """Each interval is multiplied by a uniform draw from this range (RFC 4271 §10); (1, 1): none."""
    hold_jitter: tuple[float, float]
    """The hold timer is multiplied by a uniform draw from this range at each setting; (1, 1): RFC 4271 §10."""
    timer_grain_s: float
    """Hold and restart timers count in steps of this, and so expire up to one step early; 0: no such steps."""
    late_wake_s: float
    """What a timer leaves to do, it does at the next packet or timer of any session, at most this much later; 0: at
    once. The FIB follows then, and a peer whose restart time is over is let in again: a connection that comes before
    wakes it, and is closed."""

    reads_before_expiry: float
    """Probability that a process which wakes with its hold timer over reads its socket first and keeps a session that
    the peer still considers up."""
    restart_time_s: int
    """Restart time in its own OPEN."""
    helper: bool
    notification: bool
    """Whether its own OPEN carries the N bit."""
    stale_path_s: int | None
    """Upper bound on stale routes counted from the loss; None: no such timer."""
    restart_timer_until: Literal["established", "end_of_rib"]
    """What stops the restart timer: the session's return (RFC 4724 §4.2), or only the peer's End-of-RIB."""
    keeps_stale: KeepsStale
    long_lived: bool
    """Whether it helps a long-lived graceful restart (RFC 9494): after the restart time what is stale stays, least
    preferred, for the peer's long-lived stale time."""
    long_lived_until: Literal["established", "end_of_rib"]
    """What stops that timer: the peer's End-of-RIB (RFC 9494 §4.2), or already the session's return."""
    forwarding_bit: Literal["honoured", "ignored"]
    """Whether F=0 (or the family missing) after the restart drops the family's stale routes at re-establishment."""
    second_loss: Literal["purge", "rearm"]
    """A second loss before End-of-RIB: routes still stale are purged (RFC 4724 §4.2) or kept for a new restart time."""
    half_open_loss: Literal["nothing", "purge"]
    """A connection that dies before Established while routes are stale."""
    remembers_restart: bool
    """Graceful restart once negotiated with a neighbour is applied to later sessions without it (GoBGP)."""

    idle_after: IdleAfter
    new_connection: Literal["replaces_if_restart", "ends_both_if_restart", "closed"]
    """A connection from a peer that is still Established. ``closed``: it is closed. Else, where graceful restart was
    negotiated, it takes over (RFC 4724 §4.2), or ends the old session and is lost itself; where it was not, it is
    refused by collision detection (RFC 4271 §6.8)."""
    bfd_keeps_stale: Keep
    """Whether routes stay as after a graceful loss when BFD says the peer is gone (RFC 5882 §4.3)."""
    bfd_ends_restart: Literal["always", "if_independent", "never"]
    """Whether BFD that fails while the peer restarts ends the restart: RFC 5882 §4.3 says so only where BFD does not
    share the fate of the control plane (the C bit)."""
    restart_bit_s: float
    """How long after its daemon's start the router's OPENs have the R bit: a restarted speaker does not wait for the
    End-of-RIB of a peer that restarted too (RFC 4724 §3)."""
    end_of_rib: Law
    """Established to the router's own End-of-RIB marker on the wire."""
    end_of_rib_per_peer_s: float
    """What each configured peer adds to that."""
    end_of_rib_peers_most_s: float
    """What all of them add at most."""
    end_of_rib_shared: bool
    """Whether a peer that comes up while another one waits for it gets it together with that one."""
    end_of_rib_unasked: bool
    """Whether a router that has no graceful restart sends its End-of-RIB to a peer that has."""
    fast_fallover: bool
    """Whether loss of carrier on the peer's own link ends the session at once."""

    fib_install: Law
    fib_withdraw: Law
    """A closed connection or a NOTIFICATION to kernel FIB, for the first prefix."""
    fib_hold: Law
    """Expiry of the hold timer to kernel FIB."""
    fib_expire: Law
    """Expiry of the restart timer to kernel FIB."""
    fib_link: Law
    """Loss of carrier to kernel FIB, where the router watches the link."""
    fib_end_of_rib: Law
    """The peer's End-of-RIB to the kernel FIB without what was still stale."""
    fib_per_prefix_s: float
    fib_after_crash: Literal["dropped", "swept", "kept"]
    """Kernel routes when the daemon crashes: they go at once, when a new daemon starts, or stay until its peers have
    announced again."""
    fib_daemon: Law
    """The daemon's end, or its new start, to the kernel FIB where that drops or sweeps routes."""
    fib_kept_s: float
    """How long routes that survived a crash are kept after the new start without their peer."""
    ecmp_hash: Literal["modulo", "hash-threshold", "hrw", "resilient"]
    """How flows are spread unless the router is configured otherwise."""
    ecmp_order: Literal["address", "arrival"]
    """Where a next hop stands in its group: by its address, so that one that returns has its old place, or behind
    those that were there before it."""
    ecmp_maximum_paths: int | None
    """Next hops that a group may have; None: as many as announce."""
    ecmp_on_change: Literal["replace", "new-group"]
    """A change of the next hops edits a resilient group in place, or makes a new one that remembers nothing."""
    ecmp_buckets: int
    """Buckets of a resilient group that is configured without a number."""
    ecmp_idle_s: float
    ecmp_unbalanced_s: float
    """The two timers of a resilient group where ``ecmp_addition`` is ``idle``; an unbalanced timer of 0 never acts."""
    ecmp_addition: Literal["idle", "at-once", "rehash"]
    """What a next hop gets that joins a resilient group: buckets that were idle (Linux), its share of all buckets at
    once, in equal parts from all others, or a table that is dealt anew, as if there had been none."""
    neighbour_check: bool
    """Whether a next hop with a failed neighbour entry is skipped."""

    citations: Mapping[str, Cited] = field(default_factory=dict, compare=False)
    unknowns: tuple[str, ...] = ()
    """Sentences a result must carry: what of this profile is not known or not modelled."""
    switches: tuple[Switch, ...] = field(default=(), compare=False)
    """What is open and is played every way; the fields themselves hold the first alternative."""
