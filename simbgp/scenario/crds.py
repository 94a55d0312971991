"""Kubernetes and Cilium objects, as far as they are read: fields, limits and defaults of the CRDs.

Source: cilium ``pkg/k8s/apis/cilium.io/v2/bgp_*_types.go``; ``v2alpha1`` has the same fields. Unknown keys of a spec
are errors, as ``kubectl apply`` has it; what the API server itself adds (metadata, status) is not looked at.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from simbgp.scenario.schema.base import Asn, Cidr, HoldSeconds, Many, Part, RestartSeconds, Text

PositiveInt32 = Annotated[int, Field(ge=1, le=2147483647)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Lenient(BaseModel):
    """A mapping of which only some keys are read."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, alias_generator=to_camel)


class Metadata(Lenient):
    """``metadata``."""

    name: Text
    labels: Mapping[str, str] | None = None


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


class LabelSelector(Part):
    """``metav1.LabelSelector``: all parts must match; an empty one matches everything."""

    match_labels: Mapping[str, str] | None = None
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


class NodeObject(Lenient):
    """A ``v1`` Node."""

    metadata: Metadata
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class PeerConfigRef(Part):
    """Which CiliumBGPPeerConfig; ``group`` and ``kind`` are v2alpha1's."""

    name: Text
    group: str | None = None
    kind: str | None = None


class Peer(Part):
    """One of ``peers``."""

    name: Text
    peer_address: Text | None = None
    peer_asn: Annotated[int, Field(ge=0, le=4294967295, alias="peerASN")] = 0
    auto_discovery: Any = None
    peer_config_ref: PeerConfigRef | None = None


class Instance(Part):
    """One of ``bgpInstances``."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    local_asn: Asn | None = Field(None, alias="localASN")
    local_port: Port | None = None
    peers: Many[Peer] = ()


class ClusterConfigSpec(Part):
    """``spec`` of a CiliumBGPClusterConfig; without nodeSelector it is for all nodes."""

    node_selector: LabelSelector | None = None
    bgp_instances: Annotated[Many[Instance], Field(min_length=1, max_length=16)]


class ClusterConfig(Lenient):
    """A CiliumBGPClusterConfig."""

    metadata: Metadata
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


class PeerConfig(Lenient):
    """A CiliumBGPPeerConfig."""

    metadata: Metadata
    spec: PeerConfigSpec = PeerConfigSpec()


class Advertised(Part):
    """One of ``advertisements``."""

    advertisement_type: Literal["PodCIDR", "CiliumPodIPPool", "Service", "Interface"]
    service: Any = None
    interface: Any = None
    selector: LabelSelector | None = None
    attributes: Any = None


class AdvertisementSpec(Part):
    """``spec`` of a CiliumBGPAdvertisement."""

    advertisements: Many[Advertised]


class Advertisement(Lenient):
    """A CiliumBGPAdvertisement."""

    metadata: Metadata
    spec: AdvertisementSpec


READ: Mapping[str, tuple[tuple[str, ...], type[Lenient]]] = {
    "Node": (("v1",), NodeObject),
    "CiliumBGPClusterConfig": (("cilium.io/v2", "cilium.io/v2alpha1"), ClusterConfig),
    "CiliumBGPPeerConfig": (("cilium.io/v2", "cilium.io/v2alpha1"), PeerConfig),
    "CiliumBGPAdvertisement": (("cilium.io/v2", "cilium.io/v2alpha1"), Advertisement),
}
"""The kinds that are read, with the versions of theirs."""
