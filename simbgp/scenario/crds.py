"""CiliumBGPClusterConfig, PeerConfig and NodeConfigOverride: fields, limits and defaults of the CRDs.

Source: cilium ``pkg/k8s/apis/cilium.io/v2/bgp_*_types.go``; ``v2alpha1`` has the same fields. Unknown keys of a spec
are errors, as ``kubectl apply`` has it; what the API server itself adds (metadata, status) is not looked at.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from simbgp.scenario.api_objects import IpAddress, LabelSelector, Object
from simbgp.scenario.printable import OnlyPrintable
from simbgp.scenario.schema.base import Asn, HoldSeconds, Many, Part, RestartSeconds, Text, read_address


def _router_id(text: str) -> str:
    """Four octets, as an IPv4 address."""
    if "." not in (address := read_address(text)):
        raise ValueError(f"{text!r} is not a router ID; allowed: like 10.0.0.1")
    return address


RouterId = Annotated[str, AfterValidator(_router_id)]
PositiveInt32 = Annotated[int, Field(ge=1, le=2147483647)]
Port = Annotated[int, Field(ge=1, le=65535)]
Named = Annotated[str, Field(min_length=1, max_length=255), OnlyPrintable]
"""The name of an instance or a peer."""


class PeerConfigRef(Part):
    """Which CiliumBGPPeerConfig; ``group`` and ``kind`` are v2alpha1's."""

    name: Text
    group: str | None = None
    kind: str | None = None


class DefaultGateway(Part):
    """``defaultGateway``: the default route of which family leads to the peer."""

    address_family: Literal["ipv4", "ipv6"]


def _mode(text: str) -> str:
    """Released CRDs have one mode; main has ``Unnumbered`` beside it (cilium/cilium#47394, not merged by 1.20.3)."""
    if text == "Unnumbered":
        raise ValueError(
            "no release of Cilium up to 1.20.3 has autoDiscovery mode 'Unnumbered'; allowed: DefaultGateway"
        )
    if text != "DefaultGateway":
        raise ValueError(f"{text!r} is no mode of autoDiscovery; allowed: DefaultGateway")
    return text


class AutoDiscovery(Part):
    """``autoDiscovery``: how a node finds the peer's address."""

    mode: Annotated[str, AfterValidator(_mode)]
    default_gateway: DefaultGateway | None = None


class Peer(Part):
    """One of ``peers``."""

    name: Named
    peer_address: IpAddress | None = None
    peer_asn: Annotated[int, Field(ge=0, le=4294967295, alias="peerASN")] = 0
    auto_discovery: AutoDiscovery | None = None
    peer_config_ref: PeerConfigRef | None = None


class Instance(Part):
    """One of ``bgpInstances``."""

    name: Named
    local_asn: Asn | None = Field(None, alias="localASN")
    local_port: Port | None = None
    peers: Many[Peer] = ()


class ClusterConfigSpec(Part):
    """``spec`` of a CiliumBGPClusterConfig; without nodeSelector it is for all nodes."""

    node_selector: LabelSelector | None = None
    bgp_instances: Annotated[Many[Instance], Field(min_length=1, max_length=16)]


class ClusterConfig(Object):
    """A CiliumBGPClusterConfig."""

    spec: ClusterConfigSpec


class Transport(Part):
    """``transport``."""

    peer_port: Port = 179
    source_interface: Text | None = None


class PeerTimers(Part):
    """``timers``."""

    connect_retry_time_seconds: PositiveInt32 | None = None
    hold_time_seconds: HoldSeconds | None = None
    keep_alive_time_seconds: Port | None = None


class PeerGracefulRestart(Part):
    """``gracefulRestart``; without the block it is off."""

    enabled: bool
    restart_time_seconds: RestartSeconds | None = None


class Family(Part):
    """One of ``families``; without ``advertisements`` nothing is announced in it."""

    afi: Literal["ipv4", "ipv6", "l2vpn", "ls", "opaque"]
    safi: Text
    advertisements: LabelSelector | None = None


class PeerConfigSpec(Part):
    """``spec`` of a CiliumBGPPeerConfig; without ``families`` it is for IPv4 and IPv6 unicast."""

    transport: Transport | None = None
    timers: PeerTimers = PeerTimers()
    graceful_restart: PeerGracefulRestart | None = None
    ebgp_multihop: Annotated[int, Field(ge=1, le=255)] = 1
    auth_secret_ref: Text | None = None
    families: Many[Family] | None = None


class PeerConfig(Object):
    """A CiliumBGPPeerConfig."""

    spec: PeerConfigSpec


class PeerOverride(Part):
    """One of ``peers`` of an override; ``localPort`` does nothing, as in the CRD."""

    name: Named
    local_address: IpAddress | None = None
    local_port: Port | None = None


class InstanceOverride(Part):
    """One of ``bgpInstances`` of an override."""

    name: Named
    router_id: RouterId | None = Field(None, alias="routerID")
    local_port: Port | None = None
    local_asn: Asn | None = Field(None, alias="localASN")
    peers: Many[PeerOverride] = ()


class NodeConfigOverrideSpec(Part):
    """``spec`` of a CiliumBGPNodeConfigOverride."""

    bgp_instances: Annotated[Many[InstanceOverride], Field(min_length=1)]


class NodeConfigOverride(Object):
    """A CiliumBGPNodeConfigOverride; its name is that of the node."""

    spec: NodeConfigOverrideSpec


CILIUM = ("cilium.io/v2", "cilium.io/v2alpha1")
