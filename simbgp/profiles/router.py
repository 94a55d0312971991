"""What a router's BGP implementation does, as data: one frozen record per profile, every value with its source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from simbgp.profiles.cited import Cited
from simbgp.profiles.law import Law

Keep = Literal["gr", "notification", "never"]
"""When a loss keeps routes: ``gr`` if graceful restart was negotiated, ``notification`` only if both ends also sent
the RFC 8538 N bit, ``never``."""


@dataclass(frozen=True, slots=True)
class KeepsStale:
    """Which loss of a session is graceful for this helper (RFC 4724 §4.2, RFC 8538 §4)."""

    tcp_closed: Keep
    hold_expired: Keep
    cease: Keep
    hard_reset: Keep
    link_down: Keep


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

    helper: bool
    notification: bool
    """Whether its own OPEN carries the N bit."""
    stale_path_s: int | None
    """Upper bound on stale routes counted from the loss; None: no such timer."""
    keeps_stale: KeepsStale
    forwarding_bit: Literal["honoured", "ignored"]
    """Whether F=0 (or the family missing) after the restart drops the family's stale routes at re-establishment."""
    second_loss: Literal["purge", "rearm"]
    """A second loss before End-of-RIB: routes still stale are purged (RFC 4724 §4.2) or kept for a new restart time."""
    half_open_loss: Literal["nothing", "purge"]
    """A connection that dies before Established while routes are stale."""
    remembers_restart: bool
    """Graceful restart once negotiated with a neighbour is applied to later sessions without it (GoBGP)."""

    idle_after_loss: Law
    idle_after_expiry: Law
    """How long accepted connections are closed at once: after a session ends, and after the restart time is over."""
    new_connection: Literal["replaces", "replaces_if_restart", "closed"]
    """A connection from a peer that is still Established: it takes over (RFC 4724 §4.2), only if graceful restart
    was negotiated (else refused by collision detection, RFC 4271 §6.8), or is closed."""
    end_of_rib: Law
    """Established to the router's own End-of-RIB marker on the wire."""
    fast_fallover: bool
    """Whether loss of carrier on the peer's own link ends the session at once."""

    fib_install: Law
    fib_withdraw: Law
    """Session event to kernel FIB for the first prefix."""
    fib_expire: Law
    """Expiry of the restart timer to kernel FIB."""
    fib_per_prefix_s: float
    ecmp_hash: Literal["modulo", "hash-threshold"]
    neighbour_check: bool
    """Whether a next hop with a failed neighbour entry is skipped."""

    citations: Mapping[str, Cited] = field(default_factory=dict, compare=False)
    unknowns: tuple[str, ...] = ()
    """Sentences a result must carry: what of this profile is not known or not modelled."""
