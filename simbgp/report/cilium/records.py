"""What the tables are made of: the peers, routes and policies of one node, as the agent's API gives them.

Source: cilium ``api/v1/models/bgp_peer.go``, ``bgp_route.go``, ``bgp_route_policy.go``; ``pkg/bgp/types/bgp.go``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

ESTABLISHED = "established"


@dataclass(frozen=True, slots=True)
class FamilyRoutes:
    """Routes of one address family of a session."""

    afi: str
    safi: str
    received: int = 0
    accepted: int = 0
    advertised: int = 0

    def __str__(self) -> str:
        return f"{self.afi}/{self.safi}"


@dataclass(frozen=True, slots=True)
class PeerTimers:
    """Seconds; what was negotiated is ``applied``."""

    connect_retry_s: int = 0
    hold_s: int = 0
    keepalive_s: int = 0
    applied_hold_s: int = 0
    applied_keepalive_s: int = 0


@dataclass(frozen=True, slots=True)
class PeerState:
    """One session at the node's end."""

    local_asn: int
    peer_asn: int
    address: str
    state: str
    uptime_ns: int
    families: tuple[FamilyRoutes, ...]
    port: int = 179
    instance: str = ""
    name: str = ""
    timers: PeerTimers = PeerTimers()
    restart_s: int | None = None
    """The restart time of a session with graceful restart."""
    ebgp_multihop_ttl: int = 1
    password: bool = False
    """Whether segments are authenticated (RFC 2385)."""


@dataclass(frozen=True, slots=True)
class RouteState:
    """One path of a route. ``neighbor`` is empty in the node's own table; ``attributes`` is GoBGP's text of them."""

    asn: int
    prefix: str
    next_hop: str
    age_ns: int
    attributes: str
    neighbor: str = ""
    instance: str = ""
    peer: str = ""
    best: bool = True
    encoded: tuple[bytes, ...] = ()
    """The attributes as they stand in an UPDATE."""
    place: Literal["first", "further", "none", "broken"] = "first"
    """Which path of its route it is; ``none`` stands for a route that has no path, ``broken`` for one with a path that
    cannot be decoded, for the reason in ``attributes``."""


def routes_of(paths: Sequence[RouteState]) -> list[list[RouteState]]:
    """The paths by route, as the tools sort them."""
    routes: list[list[RouteState]] = []
    for path in paths:
        if path.place == "further":
            routes[-1].append(path)
        else:
            routes.append([path])
    return routes


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy, each part as it is shown."""

    peers: str = ""
    families: str = ""
    prefixes: str = ""
    action: str = "accept"
    path_actions: str = ""


@dataclass(frozen=True, slots=True)
class PolicyState:
    """One route policy."""

    asn: int
    name: str
    type: str
    statements: tuple[Statement, ...]
    instance: str = ""
