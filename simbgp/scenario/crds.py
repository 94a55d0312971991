"""Kubernetes and Cilium objects, as far as they are read: fields, limits and defaults of the CRDs.

Source: cilium ``pkg/k8s/apis/cilium.io/v2/bgp_*_types.go``; ``v2alpha1`` has the same fields. Unknown keys of a spec
are errors, as ``kubectl apply`` has it; what the API server itself adds (metadata, status) is not looked at.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from simbgp.scenario.printable import OnlyPrintable
from simbgp.scenario.schema.base import Asn, Cidr, HoldSeconds, Many, Part, RestartSeconds, Text, read_address

IpAddress = Annotated[str, AfterValidator(read_address)]


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


class Lenient(BaseModel):
    """A mapping of which only some keys are read."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, alias_generator=to_camel, defer_build=True)


def _path_segment(name: str) -> str:
    """The API server's rule for every object (apimachinery ``validate/path``): its name is a part of an address."""
    if name in (".", "..") or "/" in name or "%" in name:
        raise ValueError(f"{name!r} is no name of an object; allowed: no '/', no '%', not '.' or '..'")
    return name


class Metadata(Lenient):
    """``metadata``."""

    name: Annotated[Text, AfterValidator(_path_segment)]
    namespace: Annotated[str, OnlyPrintable] | None = None
    creation_timestamp: str | None = None
    labels: Mapping[str, str] | None = None
    annotations: Mapping[str, str] | None = None


class Object(Lenient):
    """Any object of the API."""

    metadata: Metadata


class Requirement(Part):
    """One of ``matchExpressions``."""

    key: Text
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: Many[str] | None = None

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object of these labels fulfils it; NotIn does not ask for the key."""
        if self.operator in ("Exists", "DoesNotExist"):
            return (self.key in labels) == (self.operator == "Exists")
        listed = self.key in labels and labels[self.key] in (self.values or ())
        return listed == (self.operator == "In")


def _label_value(text: str) -> str:
    """A value of a label, as Kubernetes and the CRDs limit it."""
    if len(text) > 63 or not re.fullmatch(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?", text):
        raise ValueError(f"{text!r} is no value of a label; allowed: up to 63 of A-Z, a-z, 0-9, -, _ and .")
    return text


class LabelSelector(Part):
    """``metav1.LabelSelector``: all parts must match; an empty one matches everything."""

    match_labels: Mapping[str, Annotated[str, AfterValidator(_label_value)]] | None = None
    match_expressions: Many[Requirement] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object of these labels is selected."""
        wanted = (self.match_labels or {}).items() <= labels.items()
        return wanted and all(requirement.matches(labels) for requirement in self.match_expressions)


class NodeAddress(Lenient):
    """One of ``status.addresses``."""

    type: Text
    address: Text


class NodeSpec(Lenient):
    """``spec`` of a Node."""

    pod_cidr: Cidr | None = Field(None, alias="podCIDR")
    pod_cidrs: Many[Cidr] | None = Field(None, alias="podCIDRs")


class NodeStatus(Lenient):
    """``status`` of a Node."""

    addresses: Many[NodeAddress] = ()


class NodeObject(Object):
    """A ``v1`` Node."""

    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


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


class ServiceOptions(Part):
    """``service`` of an advertisement: which addresses; aggregation is not for Local services."""

    addresses: Annotated[Many[Literal["LoadBalancerIP", "ClusterIP", "ExternalIP"]], Field(min_length=1)]
    aggregation_length_ipv4: Annotated[int, Field(ge=0, le=31)] | None = Field(None, alias="aggregationLengthIPv4")
    aggregation_length_ipv6: Annotated[int, Field(ge=0, le=127)] | None = Field(None, alias="aggregationLengthIPv6")


class InterfaceOptions(Part):
    """``interface`` of an advertisement."""

    name: Text


WellKnown = Literal[
    "internet",
    "planned-shut",
    "accept-own",
    "route-filter-translated-v4",
    "route-filter-v4",
    "route-filter-translated-v6",
    "route-filter-v6",
    "llgr-stale",
    "no-llgr",
    "blackhole",
    "no-export",
    "no-advertise",
    "no-export-subconfed",
    "no-peer",
]


def _community(text: str) -> str:
    """``65000:99`` or one number (RFC 1997)."""
    parts = text.split(":")
    most = 65535 if len(parts) == 2 else 4294967295
    if len(parts) > 2 or not all(part.isascii() and part.isdigit() and int(part) <= most for part in parts):
        raise ValueError(f"{text!r} is not a community; allowed: like 65000:99, or a number up to 4294967295")
    return text


def _large_community(text: str) -> str:
    """``64512:1:2`` (RFC 8092)."""
    parts = text.split(":")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and int(part) <= 4294967295 for part in parts):
        raise ValueError(f"{text!r} is not a large community; allowed: like 64512:1:2")
    return text


class Communities(Part):
    """BGP communities (RFC 1997, RFC 8092)."""

    standard: Many[Annotated[str, AfterValidator(_community)]] = ()
    well_known: Many[WellKnown] = ()
    large: Many[Annotated[str, AfterValidator(_large_community)]] = ()


class Attributes(Part):
    """Path attributes."""

    communities: Communities = Communities()
    local_preference: Annotated[int, Field(ge=0, le=4294967295)] | None = None


class Advertised(Part):
    """One of ``advertisements``."""

    advertisement_type: Literal["PodCIDR", "CiliumPodIPPool", "Service", "Interface"]
    service: ServiceOptions | None = None
    interface: InterfaceOptions | None = None
    selector: LabelSelector | None = None
    attributes: Attributes = Attributes()


class AdvertisementSpec(Part):
    """``spec`` of a CiliumBGPAdvertisement."""

    advertisements: Many[Advertised]


class Advertisement(Object):
    """A CiliumBGPAdvertisement."""

    spec: AdvertisementSpec


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
