"""What the node's BGP speaker does, as data: a bare GoBGP release, or a Cilium release around one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from simbgp.profiles.cited import Cited
from simbgp.profiles.law import Law
from simbgp.profiles.switch import Switch

Stop = Literal["close", "cease"]


@dataclass(frozen=True, slots=True)
class SpeakerProfile:
    """A node's speaker, which dials and never listens. Times in seconds; laws are drawn from the run's tape."""

    name: str
    title: str
    calibrated: str | None
    gobgp: str
    """The GoBGP release inside."""
    bare: bool
    """A gobgpd with nothing around it: no operator, no start-up gate."""

    first_dial: Law
    """Active to the first dial."""
    first_dial_timeout_s: float | None
    """After this the first dial is given up; None: connect retry - 1 s, as later dials."""
    retry_factor: tuple[float, float]
    """After a failed dial the next one follows the connect-retry time multiplied by a uniform draw from this range."""
    idle_hold: Law
    """Idle after a lost session."""
    idle_hold_after_reset: Law
    """Idle after the speaker itself reset the session (Cease 6/4)."""
    idle_hold_after_refusal: Law
    """Idle after a connection that the router closed before Established."""
    open_exchange: Law
    """Dial answered to Established, with the start of the process."""

    update_delay: Law
    """Established to the first UPDATE at the router."""
    routes_ready: Law
    """Start of the process until it has routes to announce; a session that is up before gets an End-of-RIB alone."""

    sigterm_restart: Stop
    """On SIGTERM, to a peer with graceful restart negotiated: ``close`` (no NOTIFICATION) or ``cease`` (6/3)."""
    sigterm_plain: Stop
    """The same to other peers."""
    hard_reset: tuple[int, ...]
    """Cease subcodes sent as Hard Reset 6/9 where the N bit was negotiated (RFC 8538 §5.1)."""
    waits_for_end_of_rib: bool
    """After its own restart (R set) it announces nothing to a router until that router's End-of-RIB."""
    waits_for_unestablished: bool
    """After its own restart it announces nothing to anybody while a configured restart-capable router is not
    Established, for at most `deferral_s`."""
    passes_over_plain_peers: bool
    """Whether the synchronisation that ends this silence announces nothing to routers without graceful restart: they
    hear of no route before it changes or the session is a new one."""
    deferral_s: float
    """Selection deferral time (RFC 4724 §4.1), counted from Established."""
    deferral_outlives_session: bool
    """Whether the deferral timer of a session that was lost meanwhile ends the wait of the next one too."""
    redials_after_router_restart_time: bool
    """Where graceful restart was negotiated and the router's restart time is over, a waiting peer goes idle and dials
    afresh, whatever retry it waited for."""
    clears_restart_bit: bool
    """After its first synchronised session R and F are 0 towards all later ones."""

    reads_before_expiry: float
    """Probability that a process which wakes with its hold timer over reads its socket first and keeps a session that
    the router still considers up."""
    unlabel: Law
    """From the change of the node's label to the speaker's removal of the peer."""
    reconcile: Law
    """From the change of endpoints that the agent sees to its UPDATE."""
    local_route_needs: Literal["active", "any"]
    """Which local endpoints of a Local service make the node announce it: those that are ready, or any listed."""
    withdraws_without_backends: bool
    """Whether, with enable-no-service-endpoints-routable=false, a Cluster service without a ready endpoint is withdrawn
    everywhere."""
    conntrack_tcp_s: int
    """How long a node remembers a TCP connection that sends nothing through it."""
    dsr_reset_reaches_client: bool
    """Whether the RST of a backend that does not know a DSR connection leaves with the service's address."""

    crd_version: str
    """The version of ``cilium.io`` in which its BGP objects are stored."""
    reconcile_condition: bool
    """Whether the agent reports the errors of its reconcilers as a condition of its CiliumBGPNodeConfig."""
    log_format: Literal["logrus", "slog"]
    """Which library writes its log lines."""
    gobgp_log: Literal["3", "4"]
    """Which major version of GoBGP words what the sessions log."""
    start_log: tuple[str, ...]
    """What the agent's BGP controller logs when it starts, before it registers an instance."""
    metric_labels: tuple[str, ...]
    """Labels of ``session_state``; the route gauges have ``afi`` and ``safi`` besides."""
    metrics_while_down: bool
    """Whether the route gauges are there while the session is not Established."""

    merges_service_advertisements: bool
    """Whether CiliumBGPAdvertisement entries that match the same Service are united; else the last one counts."""
    lbipam: tuple[str, ...]
    """What LB-IPAM can do beyond the oldest release: ``reads-cidrs`` (``spec.cidrs`` of a pool), ``gives-ends`` (the
    first and last address of a CIDR, unless the pool says no), ``shares-across-namespaces``,
    ``tells-protocols-apart`` and ``tells-why`` (services that cannot share an address)."""
    policy_match_types: bool
    """Whether ``cilium-dbg bgp route-policies`` says if any or all of several things must match."""

    citations: Mapping[str, Cited] = field(default_factory=dict, compare=False)
    unknowns: tuple[str, ...] = ()
    switches: tuple[Switch, ...] = field(default=(), compare=False)
    """What is open and is played every way."""
