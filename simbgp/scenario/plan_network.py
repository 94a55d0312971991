"""The part of a plan that says who there is: nodes, routers, spines, and what sessions between them carry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from simbgp.profiles.law import Law
from simbgp.profiles.router import RouterProfile

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
