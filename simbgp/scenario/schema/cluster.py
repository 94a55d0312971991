"""The ``cluster`` part: nodes, speakers, timers, load balancing, what the cluster announces."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from simbgp.scenario.schema.base import (
    Addresses,
    Asn,
    Cidr,
    Cidrs,
    Duration,
    HashSeed,
    HoldSeconds,
    LongLivedSeconds,
    Many,
    Name,
    Part,
    PositiveDuration,
    RestartSeconds,
    Seconds16,
    Text,
)
from simbgp.scenario.schema.routers import RouterSettings

TableSize = Literal[251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071]
MOST_NODES = 25_000
"""Five times what Kubernetes supports."""
AdvertisementType = Literal["PodCIDR", "LoadBalancerIP", "ExternalIP", "ClusterIP", "CiliumPodIPPool"]


class Node(Part):
    """A node by hand; without addresses or PodCIDRs it is given some by its place."""

    name: Name
    labels: Mapping[str, str] = Field({}, description="for `{matchLabels: ...}`")
    pod_cidr: Cidr | None = Field(None, alias="podCIDR")
    pod_cidrs: Cidrs | None = Field(None, alias="podCIDRs")
    address: Addresses | None = None
    rack: Name | None = None
    ecmp_weight: Annotated[int, Field(ge=1, le=254)] = Field(1, description="its weight as a next hop")
    pod_ip_pools: Mapping[str, Cidrs] = Field(
        {}, alias="podIPPools", description="the CIDRs that it has of each CiliumPodIPPool (multi-pool IPAM)"
    )


class Racks(Part):
    """Racks of nodes behind routers of their own: rack-1-worker-1 ..., rack-1-tor-1 ..."""

    count: Annotated[int, Field(ge=1, le=1000)] = Field(description="how many")
    nodes: Annotated[int, Field(ge=1, le=1000)] = Field(description="in each rack")
    routers: Annotated[int, Field(ge=1, le=64)] = Field(description="in each rack")
    router: RouterSettings = Field(RouterSettings(), description="what their routers share")

    @model_validator(mode="after")
    def _not_too_many(self) -> "Racks":
        """Refused here, before anything expands them."""
        if self.count * self.nodes > MOST_NODES:
            raise ValueError(f"{self.count * self.nodes} nodes are too many; allowed: {MOST_NODES} in all")
        return self


class Timers(Part):
    """The timers of CiliumBGPPeerConfig; without keepAliveTimeSeconds it is 30, or a third of a lower hold time."""

    connect_retry_time_seconds: Annotated[int, Field(ge=1, le=2147483647)] | None = Field(
        None, description="default 120"
    )
    hold_time_seconds: HoldSeconds | None = Field(None, description="default 90")
    keep_alive_time_seconds: Seconds16 | None = Field(None, description="default 30, or a third of a lower hold time")


class LongLived(Part):
    """Long-lived graceful restart (RFC 9494), a what-if: no Cilium release sends capability 71."""

    enabled: bool = Field(description="whether capability 71 is sent")
    stale_time_seconds: LongLivedSeconds = Field(
        3600, description="how long routers keep stale routes after the restart time, least preferred"
    )


class GracefulRestart(Part):
    """The block of CiliumBGPPeerConfig, and the bits that the release would set by itself."""

    enabled: bool = Field(description="whether agents offer it")
    restart_time_seconds: RestartSeconds | None = Field(
        None, description="how long routers keep the routes of a lost session; default 120"
    )
    notification: bool | None = Field(None, description="the N bit (RFC 8538); without: as the release")
    restart_bit: bool | None = Field(None, description="the R bit after a restart; without: as the release")
    long_lived: LongLived | None = Field(
        None, description="RFC 9494, a what-if: Cilium never sets it and cannot be configured to"
    )


class Maglev(Part):
    """Cilium's ``maglev`` Helm values."""

    table_size: TableSize = Field(16381, description="slots, a prime")
    hash_seed: HashSeed = "JLfvgnHc2kaSUFaI"


class LoadBalancer(Part):
    """How a node picks a backend, and how the answer goes back."""

    algorithm: Literal["random", "maglev"] = Field("random", description="how a node picks a backend")
    mode: Literal["snat", "dsr", "hybrid"] = Field(
        "snat", description="dsr: the backend answers the client itself, from the service's address"
    )
    maglev: Maglev = Field(Maglev(), description="of algorithm maglev")
    tcp_loose: bool = Field(
        True, description="nf_conntrack_tcp_loose: packets in mid-flow of unknown connections count as new ones"
    )
    vip_on_node: bool = Field(True, description="without tcpLoose: the node has the VIP, so its kernel answers RST")
    drop_invalid: bool = Field(False, description="without tcpLoose: what is no known connection is dropped")


class Startup(Part):
    """``node``: power on until the kernel forwards; ``agent``: container start until BGP may dial."""

    node: Duration | None = Field(None, description="default 60s; 0 of a bare gobgp")
    agent: Duration | None = Field(None, description="default 10s; 0 of a bare gobgp")


class Kubernetes(Part):
    """The release and the clocks of the Kubernetes control plane."""

    version: Annotated[str, Field(pattern=r"^v?1\.\d+(\.\d+)?$")] | None = Field(
        None, description='like "1.31"; before 1.32 the grace period is 40 s by default, then 50 s'
    )
    node_monitor_grace_period: Duration | None = Field(None, description="silence of a node until it is not ready")
    eviction_timeout: Duration | None = Field(None, description="not ready until its pods are replaced elsewhere")
    endpoint_propagation: Duration | None = Field(
        None, description="from a changed EndpointSlice until a node's load balancer follows"
    )
    pod_startup: Duration | None = Field(None, description="of a pod that replaces another, until it is ready")


class Operator(Part):
    """The operator's Deployment, and its leader election (flags leader-election-...)."""

    replicas: Annotated[int, Field(ge=1, le=100)] = Field(2, description="one of them leads")
    lease_duration: PositiveDuration = Field(15.0, description="without a renewal until a candidate takes the lease")
    retry_period: PositiveDuration = Field(2.0, description="between renewals; candidates look every 1 to 2.2 of it")


class StatusReport(Part):
    """Cilium's ``bgpControlPlane.statusReport`` Helm values."""

    enabled: bool = Field(
        True, description="false: agents report no status, and empty it as they start; to be written asks for patches"
    )


class Ipam(Part):
    """Cilium's ``ipam`` Helm values."""

    mode: Literal["cluster-pool", "kubernetes"] = Field(
        "cluster-pool", description="who gives a new node its PodCIDR: the operator, or the kube-controller-manager"
    )


def _count_or_list(value: Any) -> str | None:
    if isinstance(value, list):
        return "list"
    return "count" if isinstance(value, int) and not isinstance(value, bool) else None


CountOrList = Discriminator(_count_or_list, custom_error_type="count_or_list", custom_error_message="count or list")
Nodes = Annotated[
    Annotated[int, Field(ge=1, le=MOST_NODES), Tag("count")]
    | Annotated[Many[Node], Field(min_length=1, max_length=MOST_NODES), Tag("list")],
    CountOrList,
]


class Cluster(Part):
    """The cluster and its speakers."""

    cilium: Text | None = Field(None, description='profile of the speakers: "1.18", "1.20.3", or a bare gobgp-3.36')
    nodes: Nodes | None = Field(None, description="how many, or a list of nodes")
    racks: Racks | None = Field(None, description="instead of nodes and routers by hand")
    manifests: Many[Text] = Field((), description="files of Kubernetes and Cilium objects beside the scenario")
    from_: Text | None = Field(None, alias="from", description="the file that `simbgp import` made")
    placement: Mapping[str, Many[Name]] = Field(
        {}, description="nodes of the pods of objects (namespace/name) that do not say where they are"
    )
    advertise: Many[AdvertisementType] = Field(
        ("PodCIDR", "LoadBalancerIP"), description="what every node announces, unless manifests say"
    )
    local_asn: Asn = Field(65001, alias="localASN", description="the autonomous system of the nodes")
    timers: Timers = Field(Timers(), description="of every session, unless manifests say")
    graceful_restart: GracefulRestart | None = Field(None, description="of every session; without: off")
    load_balancer: LoadBalancer = Field(LoadBalancer(), description="how a node passes a service's packets on")
    enable_no_service_endpoints_routable: bool = Field(
        True, description="Cilium's Helm value; false: a Cluster service without endpoints is withdrawn, from 1.19 on"
    )
    startup: Startup = Field(Startup(), description="how long nodes and agents take to come up")
    kubernetes: Kubernetes = Field(Kubernetes(), description="the control plane's release and clocks")
    operator: Operator = Field(Operator(), description="Cilium's operator")
    ipam: Ipam = Field(Ipam(), description="who gives nodes their PodCIDRs")
    status_report: StatusReport | None = Field(
        None, description="written, `run` also gives the status patches that the API server gets"
    )
