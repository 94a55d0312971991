"""The part of a plan that says who is asked for: services, how nodes balance them, and their clients."""

from dataclasses import dataclass
from typing import Literal

from simbgp.profiles.law import Law


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
