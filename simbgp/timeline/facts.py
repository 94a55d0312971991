"""The facts of a run: small immutable records, each with its time in integer microseconds from time 0.

The simulator's model writes them, and a lab of real daemons could write the same: all that reads a timeline serves
predictions and measurements alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Side = Literal["router", "node"]
State = Literal["idle", "connect", "active", "open_sent", "open_confirm", "established"]
RouteEvent = Literal["added", "withdrawn", "stale", "refreshed"]


@dataclass(frozen=True, slots=True)
class Fact:
    """Anything that happened at one moment."""

    time_us: int


@dataclass(frozen=True, slots=True)
class SessionChanged(Fact):
    """One end of a BGP session changed its state (RFC 4271 §8.2.2); each end writes its own facts."""

    router: str
    node: str
    side: Side
    from_state: State
    to_state: State
    reason: str


@dataclass(frozen=True, slots=True)
class RouteChanged(Fact):
    """One path, prefix **and** node, at one router.

    ``added`` and ``withdrawn`` are changes of the FIB: the node became or ceased to be a next hop of the prefix.
    ``stale`` and ``refreshed`` are changes of the RIB (RFC 4724 §4.2) that the FIB does not see.
    """

    router: str
    prefix: str
    node: str
    event: RouteEvent


@dataclass(frozen=True, slots=True)
class PathChanged(Fact):
    """Packets between a router and a node began to pass (``up``) or to vanish."""

    router: str
    node: str
    up: bool


@dataclass(frozen=True, slots=True)
class ForwardingChanged(Fact):
    """A node's kernel began (``up``) or ceased to forward what reaches it."""

    node: str
    up: bool


@dataclass(frozen=True, slots=True)
class ConntrackLost(Fact):
    """A node lost its connection tracking (a reboot); an agent crash keeps it, for it lives in the kernel."""

    node: str


@dataclass(frozen=True, slots=True)
class BackendChanged(Fact):
    """A backend pod of a service began (``alive``) or ceased to answer."""

    service: str
    backend: str
    alive: bool


@dataclass(frozen=True, slots=True)
class ViewChanged(Fact):
    """From now on the load balancer of ``node`` picks among ``backends`` (names, in the order of the service)."""

    node: str
    service: str
    revision: int
    backends: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FaultBegan(Fact):
    """A fault of the scenario took effect. ``fault`` is its name, else its place in the scenario from 0."""

    fault: str | int
    kind: str
    nodes: tuple[str, ...]
    routers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FaultEnded(Fact):
    """What caused the fault is over (power, link, process back); its consequences may last longer."""

    fault: str | int
    kind: str
    nodes: tuple[str, ...]
    routers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Start:
    """What holds at time 0; it writes no facts.

    ``next_hops[router][prefix]`` are the nodes in the order in which they stand in the next-hop group,
    ``views[service]`` the backends that every node's load balancer knows; all paths, nodes and backends are up.
    """

    next_hops: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    views: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
