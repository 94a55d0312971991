"""CiliumBGPPeeringPolicy, the objects of before 1.16: read as the ClusterConfig, PeerConfigs and Advertisements that
say the same.

Source: cilium ``pkg/k8s/apis/cilium.io/v2alpha1/bgp_types.go`` (fields, limits, defaults). A policy has a peer config
and an advertisement of its own for each neighbor, named by the policy and the neighbor's address.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from simbgp.scenario.api_objects import LabelSelector, Object
from simbgp.scenario.crd_advertisements import Advertisement, Attributes
from simbgp.scenario.crds import ClusterConfig, PeerConfig, PeerGracefulRestart, Port, PositiveInt32
from simbgp.scenario.schema.base import Asn, Cidr, HoldSeconds, Many, Part, Text


class PolicyFamily(Part):
    """One of a neighbor's ``families``."""

    afi: Literal["ipv4", "ipv6", "l2vpn", "ls", "opaque"]
    safi: Text


class PathAttributes(Attributes):
    """One of ``advertisedPathAttributes``: for which routes, and the attributes."""

    selector_type: Literal["PodCIDR", "CiliumLoadBalancerIPPool", "CiliumPodIPPool"]
    selector: LabelSelector | None = None


class Neighbor(Part):
    """One of ``neighbors``; its address is written as a prefix."""

    peer_address: Cidr
    peer_port: Port = 179
    peer_asn: Annotated[int, Field(ge=0, le=4294967295, alias="peerASN")]
    auth_secret_ref: Text | None = None
    e_bgp_multihop_ttl: Annotated[int, Field(ge=1, le=255, alias="eBGPMultihopTTL")] = 1
    connect_retry_time_seconds: PositiveInt32 = 120
    hold_time_seconds: HoldSeconds = 90
    keep_alive_time_seconds: Port = 30
    graceful_restart: PeerGracefulRestart | None = None
    families: Many[PolicyFamily] = ()
    advertised_path_attributes: Many[PathAttributes] = ()


class VirtualRouter(Part):
    """One of ``virtualRouters``."""

    local_asn: Annotated[Asn, Field(alias="localASN")]
    export_pod_cidr: Annotated[bool, Field(alias="exportPodCIDR")] = False
    pod_ip_pool_selector: LabelSelector | None = Field(None, alias="podIPPoolSelector")
    service_selector: LabelSelector | None = None
    service_advertisements: Many[Literal["LoadBalancerIP", "ClusterIP", "ExternalIP"]] = ("LoadBalancerIP",)
    neighbors: Annotated[Many[Neighbor], Field(min_length=1)]


class PolicySpec(Part):
    """``spec`` of a CiliumBGPPeeringPolicy; without nodeSelector it is for all nodes."""

    node_selector: LabelSelector | None = None
    virtual_routers: Annotated[Many[VirtualRouter], Field(min_length=1)]


class PeeringPolicy(Object):
    """A CiliumBGPPeeringPolicy."""

    spec: PolicySpec


def unmapped(policy: PeeringPolicy) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What of a policy has no counterpart: its path, and why."""
    for i, router in enumerate(policy.spec.virtual_routers):
        for j, neighbor in enumerate(router.neighbors):
            for k, entry in enumerate(neighbor.advertised_path_attributes):
                path = ("spec", "virtualRouters", i, "neighbors", j, "advertisedPathAttributes", k)
                if entry.selector_type != "PodCIDR":
                    what = f"'{entry.selector_type}' is not supported yet; supported: PodCIDR"
                    yield (*path, "selectorType"), what


def successors(policy: PeeringPolicy) -> Iterator[tuple[str, Object]]:
    """The objects that say the same, each with its kind."""
    name, instances = policy.metadata.name, []
    for router in policy.spec.virtual_routers:
        peers = []
        for neighbor in router.neighbors:
            address = neighbor.peer_address.partition("/")[0]
            own = f"{name}-{router.local_asn}-{address.replace(':', '-')}".rstrip("-")  # names have no colons
            yield "CiliumBGPPeerConfig", _peer_config(own, neighbor)
            yield "CiliumBGPAdvertisement", _advertisement(own, router, neighbor)
            peer = {"name": address, "peerAddress": address, "peerASN": neighbor.peer_asn}
            peers.append({**peer, "peerConfigRef": {"name": own}})
        instances.append({"name": str(router.local_asn), "localASN": router.local_asn, "peers": peers})
    spec: dict[str, Any] = {"bgpInstances": instances}
    if policy.spec.node_selector is not None:
        spec["nodeSelector"] = _plain(policy.spec.node_selector)
    metadata = {"name": name, "creationTimestamp": policy.metadata.creation_timestamp}
    yield "CiliumBGPClusterConfig", ClusterConfig.model_validate({"metadata": metadata, "spec": spec})


def _peer_config(name: str, neighbor: Neighbor) -> PeerConfig:
    """Without families both are spoken."""
    families = [(family.afi, family.safi) for family in neighbor.families] or [("ipv4", "unicast"), ("ipv6", "unicast")]
    selector = {"matchLabels": {"policy": _label(name)}}
    spec: dict[str, Any] = {
        "transport": {"peerPort": neighbor.peer_port},
        "timers": {
            "connectRetryTimeSeconds": neighbor.connect_retry_time_seconds,
            "holdTimeSeconds": neighbor.hold_time_seconds,
            "keepAliveTimeSeconds": neighbor.keep_alive_time_seconds,
        },
        "ebgpMultihop": neighbor.e_bgp_multihop_ttl,
        "families": [{"afi": afi, "safi": safi, "advertisements": selector} for afi, safi in families],
    }
    if neighbor.graceful_restart is not None:
        spec["gracefulRestart"] = _plain(neighbor.graceful_restart)
    if neighbor.auth_secret_ref is not None:
        spec["authSecretRef"] = neighbor.auth_secret_ref
    return PeerConfig.model_validate({"metadata": {"name": name}, "spec": spec})


def _advertisement(name: str, router: VirtualRouter, neighbor: Neighbor) -> Advertisement:
    entries: list[Mapping[str, Any]] = []
    if router.export_pod_cidr:
        attributes = [
            {"attributes": _plain(entry, exclude={"selector_type", "selector"})}
            for entry in neighbor.advertised_path_attributes
        ]
        entries += [{"advertisementType": "PodCIDR", **each} for each in attributes or [{}]]
    if router.service_selector is not None:
        service = {"addresses": list(router.service_advertisements)}
        entries.append(
            {"advertisementType": "Service", "service": service, "selector": _plain(router.service_selector)}
        )
    if router.pod_ip_pool_selector is not None:
        entries.append({"advertisementType": "CiliumPodIPPool", "selector": _plain(router.pod_ip_pool_selector)})
    metadata = {"name": name, "labels": {"policy": _label(name)}}
    return Advertisement.model_validate({"metadata": metadata, "spec": {"advertisements": entries}})


def _label(name: str) -> str:
    """A value of a label has 63 signs at most; the end of a name has what tells neighbors apart."""
    return name[-63:].lstrip("-.")


def _plain(part: Part, exclude: set[str] | None = None) -> dict[str, Any]:
    return part.model_dump(by_alias=True, exclude_unset=True, exclude_none=True, exclude=exclude)
