"""The plan: a scenario expanded to named things with every default filled in, and one draw of it, the trial.

The model and the traffic read plans and trials only; they never see the YAML.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

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


@dataclass(frozen=True, slots=True)
class GracefulRestartPlan:
    """What a speaker puts into its graceful-restart capability (RFC 4724 §3, RFC 8538 §2)."""

    enabled: bool
    restart_time_s: int = 120
    notification: bool = True
    restart_bit: bool = True


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


@dataclass(frozen=True, slots=True)
class EcmpPlan:
    """A router's multipath settings."""

    hash: Literal["modulo", "hash-threshold"]


@dataclass(frozen=True, slots=True)
class RouterPlan:
    """An upstream router; ``profile`` has the scenario's overrides applied."""

    name: str
    profile: RouterProfile
    asn: int
    addresses: tuple[str, ...]
    ecmp: EcmpPlan
    link: Literal["direct", "switched"] = "switched"


@dataclass(frozen=True, slots=True)
class BackendPlan:
    """A pod behind a service; ``key`` is what Cilium hashes for Maglev, ``[ip:port/TCP,State:active]``."""

    name: str
    node: str
    key: str


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """A service and the prefixes under which routers know it."""

    name: str
    prefixes: tuple[str, ...]
    policy: Literal["Cluster", "Local"]
    backends: tuple[BackendPlan, ...]


@dataclass(frozen=True, slots=True)
class LoadBalancerPlan:
    """How a node picks a backend and how the answer goes back (Cilium's bpf-lb-algorithm and bpf-lb-mode)."""

    algorithm: Literal["random", "maglev"] = "random"
    mode: Literal["snat", "dsr"] = "snat"
    table_size: int = 16381
    hash_seed: str = "JLfvgnHc2kaSUFaI"


@dataclass(frozen=True, slots=True)
class TrafficPlan:
    """Clients of one service.

    ``connections`` are open at time 0, ``arrivals_per_s`` new ones follow, each living for a draw of ``lifetime``
    and sending every ``request_interval_s``. Time-outs are None where only the kernel's own apply.
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


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """One fault as written: ``name`` is its name or its place from 0; ``down_for`` None means for good.

    ``nodes`` and ``routers`` are the targets by name; ``random_nodes`` of them are picked per run if it is set.
    """

    name: str | int
    kind: str
    at: Law
    nodes: tuple[str, ...]
    routers: tuple[str, ...]
    down_for: Law | None
    random_nodes: int | None = None
    times: int = 1
    every: Law = field(default_factory=lambda: Law.constant(0.0))
    options: Mapping[str, float | str] = field(default_factory=dict)


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
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occurrence of a fault, all durations drawn. ``down_for_us`` has one entry per target, None for good."""

    fault: str | int
    kind: str
    at_us: int
    nodes: tuple[str, ...]
    routers: tuple[str, ...]
    down_for_us: tuple[int | None, ...]
    options: Mapping[str, float | str]


@dataclass(frozen=True, slots=True)
class Trial:
    """One draw of a plan: its faults in time order and the tape for all that the run itself draws."""

    plan: Plan
    run: int
    tape: Tape
    occurrences: tuple[Occurrence, ...]
