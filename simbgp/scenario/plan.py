"""The plan: a scenario expanded to named things with every default filled in, and one draw of it, the trial.

The model and the traffic read plans and trials only; they never see the YAML.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from simbgp.profiles.law import Law
from simbgp.profiles.router import RouterProfile
from simbgp.profiles.speaker import SpeakerProfile
from simbgp.scenario.tape import Tape

Family = Literal["ipv4", "ipv6"]


@dataclass(frozen=True, slots=True)
class NodePlan:
    """A node; ``ecmp_weight`` is its weight in next-hop groups, ``addresses`` its InternalIPs as canonical text."""

    name: str
    addresses: tuple[str, ...]
    pod_cidrs: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    rack: str | None = None
    ecmp_weight: int = 1
    joins: bool = False
    """Whether it is not there at time 0: it joins the cluster when a fault says so."""
    pools: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The CIDRs that it has of each CiliumPodIPPool."""


@dataclass(frozen=True, slots=True)
class GracefulRestartPlan:
    """What a speaker puts into its graceful-restart capability (RFC 4724 §3, RFC 8538 §2).

    ``long_lived_s`` is the stale time of its long-lived capability (71, RFC 9494); 0: it has none.
    """

    enabled: bool
    restart_time_s: int = 120
    notification: bool = True
    restart_bit: bool = True
    long_lived_s: int = 0


@dataclass(frozen=True, slots=True)
class AnnouncementPlan:
    """With which attributes a prefix is announced to a router; ``policy`` is the name of the route policy that does."""

    prefix: str
    policy: str
    communities: tuple[str, ...] = ()
    large_communities: tuple[str, ...] = ()
    local_preference: int | None = None


@dataclass(frozen=True, slots=True)
class OriginPlan:
    """The objects that a session is configured by: names of a CiliumBGPClusterConfig and a CiliumBGPPeerConfig.

    ``local_address`` and ``router_id`` are what a CiliumBGPNodeConfigOverride sets, ``local_port`` what the instance
    does or the override. Without manifests the names are those of Cilium's own examples.
    """

    cluster_config: str = "cilium-bgp"
    peer_config: str | None = "cilium-peer"
    local_address: str | None = None
    router_id: str | None = None
    local_port: int | None = None


@dataclass(frozen=True, slots=True)
class PeeringPlan:
    """One session as the node is configured for it; times are the node's own, before negotiation."""

    node: str
    router: str
    hold_s: int
    keepalive_s: int
    connect_retry_s: int
    restart: GracefulRestartPlan
    prefixes: tuple[str, ...]
    """Every prefix the node may announce to this router, PodCIDRs first; canonical CIDR text."""
    families: tuple[Family, ...] = ("ipv4",)
    md5: bool = False
    """Whether segments are authenticated (RFC 2385): a reset from a host that lost its key is ignored."""
    instance: str = ""
    peer: str = ""
    """Names of the BGP instance and of the peer in it."""
    local_asn: int = 65001
    peer_address: str = ""
    local_address: str = ""
    announcements: tuple[AnnouncementPlan, ...] = ()
    """Attributes of all that may ever be announced in this session."""
    origin: OriginPlan = OriginPlan()
    ebgp_multihop_ttl: int = 1


@dataclass(frozen=True, slots=True)
class EcmpPlan:
    """A router's multipath settings; all but the hash, ``maximum_paths`` and ``order`` are those of resilient groups.

    ``on_change`` says whether a change of the next hops edits the group in place or deals all buckets anew,
    ``addition`` what a next hop gets that joins, ``order`` where it stands (`RouterProfile.ecmp_order`).
    """

    hash: Literal["modulo", "hash-threshold", "hrw", "resilient", "per-packet"]
    buckets: int = 128
    idle_s: float = 120.0
    unbalanced_s: float = 0.0
    on_change: Literal["replace", "new-group"] = "replace"
    maximum_paths: int | None = None
    addition: Literal["idle", "at-once", "rehash"] = "idle"
    order: Literal["address", "arrival"] = "address"


def ecmp_plan(profile: RouterProfile) -> EcmpPlan:
    """What a router of this profile does, the scenario's own settings being part of it."""
    return EcmpPlan(
        hash=profile.ecmp_hash,
        buckets=profile.ecmp_buckets,
        idle_s=profile.ecmp_idle_s,
        unbalanced_s=profile.ecmp_unbalanced_s,
        on_change=profile.ecmp_on_change,
        maximum_paths=profile.ecmp_maximum_paths,
        addition=profile.ecmp_addition,
        order=profile.ecmp_order,
    )


@dataclass(frozen=True, slots=True)
class BfdPlan:
    """BFD between a router and its nodes, both ways (RFC 5880): an interval without jitter and a multiplier.

    ``independent`` is the C bit: the node's BFD lives on while its agent is down.
    """

    interval_s: float
    multiplier: int
    independent: bool = False


@dataclass(frozen=True, slots=True)
class RouterPlan:
    """An upstream router; ``profile`` has the scenario's overrides applied."""

    name: str
    profile: RouterProfile
    asn: int
    addresses: tuple[str, ...]
    ecmp: EcmpPlan
    link: Literal["direct", "switched"] = "switched"
    bfd: BfdPlan | None = None
    families: tuple[Family, ...] = ("ipv4", "ipv6")
    """The families active on it: prefixes of another are not announced to it (RFC 4760 §8)."""
    hash_seed: int = 0


@dataclass(frozen=True, slots=True)
class SpinePlan:
    """A router of the second tier and the routers ``over`` which it stands, in the order of its next-hop groups.

    ``convergence`` is the time from a router's change until the spine sends to it, or sends no more.
    """

    name: str
    over: tuple[str, ...]
    ecmp: EcmpPlan
    hash_seed: int = 0
    convergence: Law = field(default_factory=lambda: Law.constant(0.05))


@dataclass(frozen=True, slots=True)
class BackendPlan:
    """A pod behind a service; ``key`` is what Cilium hashes for Maglev, ``[ip:port/TCP,State:active]``."""

    name: str
    node: str
    key: str
    late: bool = False
    """Whether it starts only when its node has joined the cluster."""


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """A service and the prefixes under which routers know it."""

    name: str
    prefixes: tuple[str, ...]
    policy: Literal["Cluster", "Local"]
    backends: tuple[BackendPlan, ...]
    min_available: int = 0
    """Its PodDisruptionBudget: evictions leave at least so many ready."""
    affinity_s: float | None = None
    """With ``sessionAffinity: ClientIP``, how long a node keeps a silent client's backend."""
    added: bool = False
    """Whether it is not there at time 0: it is created when a fault says so."""
    allocated: tuple[str, ...] = ()
    """Those of its prefixes that LB-IPAM gives, and so the operator."""


@dataclass(frozen=True, slots=True)
class OperatorPlan:
    """The Deployment of the operator and its leader election (client-go's, with Cilium's flags)."""

    replicas: int = 2
    lease_s: float = 15.0
    """``leader-election-lease-duration``: a candidate takes the lease when it saw no renewal for so long."""
    retry_s: float = 2.0
    """``leader-election-retry-period``: between renewals; candidates look after 1 to 2.2 times as long."""


@dataclass(frozen=True, slots=True)
class LoadBalancerPlan:
    """How a node picks a backend and how the answer goes back (Cilium's bpf-lb-algorithm and bpf-lb-mode)."""

    algorithm: Literal["random", "maglev"] = "random"
    mode: Literal["snat", "dsr"] = "snat"
    table_size: int = 16381
    hash_seed: str = "JLfvgnHc2kaSUFaI"
    unknown_flow: Literal["pick", "reset", "drop"] = "pick"
    """What a node does with a packet in mid-flow of which it has no entry: pick a backend as for a new flow, answer
    RST itself, or nothing."""


@dataclass(frozen=True, slots=True)
class TrafficPlan:
    """Clients of one service.

    ``connections`` are open at time 0, ``arrivals_per_s`` new ones follow, each living for a draw of ``lifetime``
    and sending every ``request_interval_s``. Time-outs are None where only the kernel's own apply; ``tcp_retries2`` is
    the client's sysctl, ``user_timeout_s`` its TCP_USER_TIMEOUT. ``clients`` is how many addresses there are, None: as
    many as connections. With ``reconnects`` a client whose connection broke dials again at once.
    """

    service: str
    connections: int
    arrivals_per_s: float
    lifetime: Law
    request_interval_s: float
    poisson_requests: bool
    client: str
    connect_timeout_s: float | None
    request_timeout_s: float | None
    tcp_retries2: int = 15
    user_timeout_s: float | None = None
    clients: int | None = None
    reconnects: bool = True


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """One fault as written: ``name`` is its name or its place from 0; ``down_for`` None means for good.

    ``nodes`` and ``routers`` are the targets by name; ``random_nodes`` of them are picked per run if it is set, and
    ``random_routers`` of those that have a session with what was picked.
    """

    name: str | int
    kind: str
    at: Law
    nodes: tuple[str, ...]
    routers: tuple[str, ...]
    down_for: Law | None
    random_nodes: int | None = None
    random_routers: int | None = None
    times: int = 1
    every: Law = field(default_factory=lambda: Law.constant(0.0))
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Incidents:
    """What a log holds of one kind of failure: how many, in how many target-years."""

    count: int
    years: float


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """A fault that strikes one of its ``targets`` at a time, at random moments, ``per_year`` times a year each.

    When is no part of it: ``fault.at`` means nothing. ``source`` says where rate and durations are from, ``seen`` what
    of it was counted; ``assumed`` that nobody said or counted the rate.
    """

    fault: FaultPlan
    per_year: float
    targets: int
    source: str = ""
    seen: Incidents | None = None
    assumed: bool = False

    @property
    def in_all(self) -> float:
        """How often a year it strikes any target."""
        return self.per_year * self.targets


@dataclass(frozen=True, slots=True)
class MixPlan:
    """The failures of a year, what they are judged by, and what was left out of them and why."""

    processes: tuple[ProcessPlan, ...] = ()
    availability: float | None = None
    broken_connection_s: float = 30.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SloPlan:
    """One bound: ``stat`` of ``metric`` over the runs must be at most ``max_value`` (or at least ``min_value``)."""

    metric: str
    stat: str
    max_value: float | None
    min_value: float | None
    service: str | None = None
    router: str | None = None
    fault: str | int | None = None
    prefix: str | None = None
    min_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a run needs, the same for all runs of a scenario."""

    name: str
    horizon_us: int
    cold_start: bool
    up_for_us: int
    speaker: SpeakerProfile
    nodes: tuple[NodePlan, ...]
    routers: tuple[RouterPlan, ...]
    peerings: tuple[PeeringPlan, ...]
    services: tuple[ServicePlan, ...]
    load_balancer: LoadBalancerPlan
    traffic: tuple[TrafficPlan, ...]
    faults: tuple[FaultPlan, ...]
    slo: tuple[SloPlan, ...]
    node_startup: Law
    agent_startup: Law
    node_monitor_grace: Law
    endpoint_propagation: Law
    eviction_timeout: Law = field(default_factory=lambda: Law.constant(300.0))
    pod_startup: Law = field(default_factory=lambda: Law("uniform", (2.0, 10.0)))
    operator: OperatorPlan = field(default_factory=OperatorPlan)
    ipam: Literal["cluster-pool", "kubernetes"] = "cluster-pool"
    """Who gives a new node its PodCIDR: the operator, or the kube-controller-manager."""
    routable_without_endpoints: bool = True
    """Cilium's flag enable-no-service-endpoints-routable."""
    status_report: bool = True
    """Whether agents report the status of their CiliumBGPNodeConfigs."""
    counts_patches: bool = False
    """Whether a result has a table of their patches."""
    fabric: tuple[SpinePlan, ...] = ()
    """The second tier; without one clients enter at the routers."""
    background: tuple[ProcessPlan, ...] = ()
    """What strikes by chance between time 0 and the horizon."""
    mix: MixPlan = field(default_factory=MixPlan)
    """What strikes in a year; no run plays it."""
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def sessions(self) -> dict[str, list[PeeringPlan]]:
        """The sessions of each router that has any, by its name; made anew each time."""
        found: dict[str, list[PeeringPlan]] = {}
        for peering in self.peerings:
            found.setdefault(peering.router, []).append(peering)
        return found

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of faults that a run may meet."""
        return frozenset(fault.kind for fault in (*self.faults, *(process.fault for process in self.background)))

    @property
    def fault_names(self) -> tuple[str | int, ...]:
        """The faults, and after them what strikes by chance."""
        return tuple(fault.name for fault in (*self.faults, *(process.fault for process in self.background)))

    @property
    def forwarders(self) -> tuple[RouterPlan | SpinePlan, ...]:
        """All that have next-hop groups: the spines, then the routers."""
        return *self.fabric, *self.routers


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occurrence of a fault, all durations drawn. ``down_for_us`` has one entry per target, None for good."""

    fault: str | int
    kind: str
    at_us: int
    nodes: tuple[str, ...]
    routers: tuple[str, ...]
    down_for_us: tuple[int | None, ...]
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trial:
    """One draw of a plan: its faults in time order and the tape for all that the run itself draws."""

    plan: Plan
    run: int
    tape: Tape
    occurrences: tuple[Occurrence, ...]
