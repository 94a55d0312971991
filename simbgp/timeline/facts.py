"""The facts of a run: small immutable records, each with its time in integer microseconds from time 0.

The simulator's model writes them, and a lab of real daemons could write the same: all that reads a timeline serves
predictions and measurements alike.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from simbgp.timeline.reasons import Reason

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
    reason: Reason


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
class SpineChanged(Fact):
    """A router of the second tier began (``sends``) or ceased to send traffic of ``prefix`` to ``router`` below it.

    At time 0 it sends to all those below it that have a next hop of the prefix.
    """

    spine: str
    prefix: str
    router: str
    sends: bool


@dataclass(frozen=True, slots=True)
class PathChanged(Fact):
    """From now on ``lost_share`` of the packets between a router and a node vanish: 0 none, 1 all of them.

    That is of a question and its answer; ``to_node`` and ``to_router`` are of either way alone, None: both lose alike.
    Without ``carrier`` the node sees that its link is down.
    """

    router: str
    node: str
    lost_share: float
    to_node: float | None = None
    to_router: float | None = None
    carrier: bool = True

    @property
    def up(self) -> bool:
        """Whether all packets pass."""
        return self.lost_share == 0.0

    @property
    def lost_to_node(self) -> float:
        """The share that vanishes on the way to the node."""
        return self._of_one_way if self.to_node is None else self.to_node

    @property
    def lost_to_router(self) -> float:
        """The share that vanishes on the way to the router."""
        return self._of_one_way if self.to_router is None else self.to_router

    @property
    def _of_one_way(self) -> float:
        return 1.0 - math.sqrt(1.0 - self.lost_share)


@dataclass(frozen=True, slots=True)
class ForwardingChanged(Fact):
    """A node's kernel began (``up``) or ceased to forward what reaches it."""

    node: str
    up: bool


@dataclass(frozen=True, slots=True)
class NeighbourChanged(Fact):
    """The neighbour entry of a next hop failed at a router that checks it, or resolves again.

    The kernel's next-hop groups skip a member whose entry failed without a new deal (net/ipv4/nexthop.c): its flows go
    to the next reachable member in order, to the first if none follows, and the flows of the others stay. The FIB is as
    it was: that changes by `RouteChanged` alone.
    """

    router: str
    node: str
    reachable: bool


@dataclass(frozen=True, slots=True)
class AgentChanged(Fact):
    """The process with a node's speaker ended, or runs again as ``release``; what its sessions do follows."""

    node: str
    up: bool
    release: str


@dataclass(frozen=True, slots=True)
class NodeConfigChanged(Fact):
    """The BGP configuration of a node (its CiliumBGPNodeConfig) was deleted, or is there again."""

    node: str
    exists: bool


@dataclass(frozen=True, slots=True)
class ConntrackLost(Fact):
    """A node lost its connection tracking (a reboot); an agent crash keeps it, for it lives in the kernel."""

    node: str


@dataclass(frozen=True, slots=True)
class BackendAdded(Fact):
    """A pod that was not there at time 0 joined a service; ``key`` is what Cilium hashes for Maglev."""

    service: str
    backend: str
    node: str
    key: str


@dataclass(frozen=True, slots=True)
class BackendChanged(Fact):
    """A backend pod of a service began (``alive``) or ceased to answer.

    ``resets`` says how it ceased: its process ended on a living node, whose kernel resets what still comes for it, or
    it vanished with its node and nobody answers.
    """

    service: str
    backend: str
    alive: bool
    resets: bool = False


@dataclass(frozen=True, slots=True)
class ViewChanged(Fact):
    """From now on the load balancer of ``node`` picks among ``backends`` (names, in the order of the service)."""

    node: str
    service: str
    revision: int
    backends: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceAdded(Fact):
    """A service that was not there at time 0 was created: from now on clients ask for it."""

    service: str


@dataclass(frozen=True, slots=True)
class AddressGiven(Fact):
    """A service has these prefixes from now on; those of LB-IPAM are given by the operator."""

    service: str
    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OperatorChanged(Fact):
    """From now on some operator acts, or none does."""

    acts: bool


@dataclass(frozen=True, slots=True)
class FaultBegan(Fact):
    """A fault of the scenario took effect. ``fault`` is its name, else its place in the scenario from 0.

    One of a ``service`` touches the routes of that service, at all nodes and routers, and nothing else.
    """

    fault: str | int
    kind: str
    nodes: tuple[str, ...]
    routers: tuple[str, ...]
    service: str | None = None


@dataclass(frozen=True, slots=True)
class RolloutAdvanced(Fact):
    """From now on ``upgraded`` of ``nodes`` have an available agent of the release that the rollout brings; what is
    rolled back makes them fewer."""

    fault: str | int
    upgraded: int
    nodes: int


@dataclass(frozen=True, slots=True)
class ProcedureEnded(Fact):
    """The last step of a procedure (a drain, a rollout) is done."""

    fault: str | int


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
