"""Kubernetes objects as far as they say which services there are and where their pods stand."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator

from simbgp.scenario.api_objects import IpAddress, LabelSelector, Lenient, Object
from simbgp.scenario.schema.base import CountOrPercent, Many, Text, read_address
from simbgp.scenario.schema.services import AffinitySeconds

Count = Annotated[int, Field(ge=0, le=100_000)]


def _canonical_or_none(address: str) -> str | None:
    """A ``clusterIP`` of ``None`` is headless, an empty one not yet given."""
    return None if address in ("None", "") else read_address(address)


ClusterIp = Annotated[str, AfterValidator(_canonical_or_none)]


class Ingress(Lenient):
    """One of ``status.loadBalancer.ingress``."""

    ip: IpAddress | None = None


class LoadBalancerStatus(Lenient):
    """``status.loadBalancer``."""

    ingress: Many[Ingress] = ()


class ServiceStatus(Lenient):
    """``status`` of a Service."""

    load_balancer: LoadBalancerStatus = LoadBalancerStatus()


class ServicePort(Lenient):
    """One of ``ports``."""

    name: str = ""
    port: Annotated[int, Field(ge=1, le=65535)]
    target_port: int | str | None = None
    protocol: Text = "TCP"


class ClientIp(Lenient):
    """``clientIP`` of a sessionAffinityConfig."""

    timeout_seconds: AffinitySeconds = 10800


class AffinityConfig(Lenient):
    """``sessionAffinityConfig`` of a Service."""

    client_ip: ClientIp | None = Field(None, alias="clientIP")


class ServiceSpec(Lenient):
    """``spec`` of a Service; defaults are those of the API server."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] = "ClusterIP"
    selector: Mapping[str, str] | None = None
    cluster_ip: ClusterIp | None = Field(None, alias="clusterIP")
    cluster_ips: Many[ClusterIp] | None = Field(None, alias="clusterIPs")
    external_ips: Many[IpAddress] | None = Field(None, alias="externalIPs")
    load_balancer_ip: IpAddress | None = Field(None, alias="loadBalancerIP")
    load_balancer_class: str | None = None
    external_traffic_policy: Literal["Cluster", "Local"] = "Cluster"
    internal_traffic_policy: Literal["Cluster", "Local"] = "Cluster"
    ip_families: Many[Literal["IPv4", "IPv6"]] | None = None
    ip_family_policy: Literal["SingleStack", "PreferDualStack", "RequireDualStack"] | None = None
    ports: Many[ServicePort] = ()
    session_affinity: Literal["None", "ClientIP"] = "None"
    session_affinity_config: AffinityConfig | None = None

    @property
    def affinity_s(self) -> float | None:
        """How long the backend of a silent client is kept; None: it is not."""
        config = self.session_affinity_config or AffinityConfig()
        client_ip = config.client_ip or ClientIp()
        return float(client_ip.timeout_seconds) if self.session_affinity == "ClientIP" else None


class ServiceObject(Object):
    """A ``v1`` Service."""

    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()


class EndpointConditions(Lenient):
    """``conditions`` of an endpoint; without ``ready`` it is taken to be ready."""

    ready: bool | None = None


class EndpointEntry(Lenient):
    """One of ``endpoints``."""

    addresses: Many[IpAddress] = ()
    node_name: str | None = None
    conditions: EndpointConditions = EndpointConditions()
    target_ref: Mapping[str, Any] | None = None


class EndpointPort(Lenient):
    """One of the ``ports`` of an EndpointSlice."""

    port: int | None = None
    protocol: str | None = None


class EndpointSlice(Object):
    """A ``discovery.k8s.io/v1`` EndpointSlice."""

    endpoints: Many[EndpointEntry] = ()
    ports: Many[EndpointPort] = ()

    @field_validator("endpoints", "ports", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        """``endpoints: null`` is what kubectl prints of a slice without any."""
        return () if value is None else value


class TemplateMetadata(Lenient):
    """What pods of a template have in common."""

    labels: Mapping[str, str] | None = None


class Template(Lenient):
    """``template`` of a workload; its pods have no names yet."""

    metadata: TemplateMetadata = TemplateMetadata()

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels of the pods."""
        return self.metadata.labels or {}


class WorkloadSpec(Lenient):
    """``spec`` of a Deployment, a StatefulSet or a DaemonSet."""

    replicas: Count = 1
    template: Template = Template()


class Workload(Object):
    """An ``apps/v1`` Deployment, StatefulSet or DaemonSet."""

    spec: WorkloadSpec = WorkloadSpec()


class DaemonSet(Workload):
    """An ``apps/v1`` DaemonSet: a pod on every node."""


class PodSpec(Lenient):
    """``spec`` of a Pod."""

    node_name: str | None = None


class PodStatus(Lenient):
    """``status`` of a Pod."""

    phase: str = "Running"
    pod_ip: IpAddress | None = Field(None, alias="podIP")


class Pod(Object):
    """A ``v1`` Pod."""

    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class BudgetSpec(Lenient):
    """``spec`` of a PodDisruptionBudget."""

    min_available: CountOrPercent | None = None
    max_unavailable: CountOrPercent | None = None
    selector: LabelSelector | None = None


class Budget(Object):
    """A ``policy/v1`` PodDisruptionBudget."""

    spec: BudgetSpec = BudgetSpec()


class Secret(Object):
    """A ``v1`` Secret: that it is there, and the names of its keys; None if those were left out of the dump."""

    data: Mapping[str, object] | None = None
    string_data: Mapping[str, object] | None = None

    @field_validator("data", "string_data", mode="before")
    @classmethod
    def _names_alone(cls, value: object) -> object:
        """No value of a Secret is kept, only whether it is empty."""
        return {key: bool(text) for key, text in value.items()} if isinstance(value, dict) else value

    @property
    def has_password(self) -> bool:
        """Whether it has what Cilium looks for; one without any data is taken to have it."""
        if self.data is None and self.string_data is None:
            return True
        return any((part or {}).get("password") for part in (self.data, self.string_data))
