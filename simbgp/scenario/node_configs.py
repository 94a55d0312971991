"""CiliumBGPNodeConfigs of a dump: what the operator wrote for each node, and what its agent reported last.

Source: cilium ``pkg/k8s/apis/cilium.io/v2/bgp_node_types.go``. Where there are no CiliumBGPClusterConfigs they decide
who peers with whom; beside ClusterConfigs they are what those are compared with.
"""

from pydantic import Field

from simbgp.scenario.api_objects import IpAddress, Lenient, Metadata, Object
from simbgp.scenario.crds import Instance, Peer, PeerConfigSpec, RouterId
from simbgp.scenario.schema.base import Many, Part

ESTABLISHED = "established"


class OwnerReference(Lenient):
    """One of ``ownerReferences``."""

    kind: str
    name: str


class OwnedMetadata(Metadata):
    """``metadata`` with the owners."""

    owner_references: Many[OwnerReference] = ()


class NodePeer(Peer):
    """One of ``peers``; an address of the node's own is what a CiliumBGPNodeConfigOverride gave."""

    local_address: IpAddress | None = None


class NodeInstance(Instance):
    """One of ``bgpInstances``."""

    router_id: RouterId | None = Field(None, alias="routerID")
    peers: Many[NodePeer] = ()


class NodeConfigSpec(Part):
    """``spec`` of a CiliumBGPNodeConfig."""

    bgp_instances: Many[NodeInstance]


class AppliedTimers(Lenient):
    """``timers`` of a peer's status: what was negotiated, in seconds."""

    applied_hold_time_seconds: int | None = None
    applied_keepalive_seconds: int | None = None


class RouteCount(Lenient):
    """One of ``routeCount``."""

    afi: str
    safi: str
    received: int = 0
    advertised: int = 0


class PeerStatus(Lenient):
    """One of the ``peers`` of a status."""

    name: str
    peer_address: IpAddress | None = None
    peering_state: str | None = None
    timers: AppliedTimers = AppliedTimers()
    route_count: Many[RouteCount] = ()

    def config(self) -> PeerConfigSpec:
        """What can be told of the peer's configuration: its timers and families; nothing is announced by it."""
        applied = self.timers.applied_hold_time_seconds, self.timers.applied_keepalive_seconds
        timers = dict(zip(("holdTimeSeconds", "keepAliveTimeSeconds"), applied, strict=True)) if all(applied) else {}
        families = [{"afi": count.afi, "safi": count.safi} for count in self.route_count]
        return PeerConfigSpec.model_validate({"timers": timers} | ({"families": families} if families else {}))


class InstanceStatus(Lenient):
    """One of the ``bgpInstances`` of a status."""

    name: str
    peers: Many[PeerStatus] = ()


class StatusCondition(Lenient):
    """One of ``conditions``."""

    type: str
    status: str
    message: str = ""


class NodeConfigStatus(Lenient):
    """``status`` of a CiliumBGPNodeConfig."""

    bgp_instances: Many[InstanceStatus] = ()
    conditions: Many[StatusCondition] = ()


class NodeConfig(Object):
    """A CiliumBGPNodeConfig; its name is that of the node."""

    metadata: OwnedMetadata
    spec: NodeConfigSpec
    status: NodeConfigStatus = NodeConfigStatus()

    @property
    def owner(self) -> str | None:
        """The CiliumBGPClusterConfig that it was made from."""
        owners = (one.name for one in self.metadata.owner_references if one.kind == "CiliumBGPClusterConfig")
        return next(owners, None)

    def reported(self, instance: str, peer: str) -> PeerStatus | None:
        """What the agent reported of a peer."""
        instances = (one for one in self.status.bgp_instances if one.name == instance)
        return next((entry for one in instances for entry in one.peers if entry.name == peer), None)

    @property
    def local_addresses(self) -> tuple[str, ...]:
        """The node's own addresses, as far as they are known."""
        known = (peer.local_address for instance in self.spec.bgp_instances for peer in instance.peers)
        return tuple(dict.fromkeys(address for address in known if address is not None))
