"""The Services of the manifests: their addresses, their pods, and who may announce them."""

import ipaddress
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from simbgp.profiles import SpeakerProfile
from simbgp.scenario.errors import ScenarioError
from simbgp.scenario.k8s import ServiceObject
from simbgp.scenario.lbipam import LbIpam
from simbgp.scenario.lbipam_requests import CLASSES, labels_of, responsible
from simbgp.scenario.limits import MAX_BACKENDS
from simbgp.scenario.objects import Objects
from simbgp.scenario.plan import BackendPlan, NodePlan, ServicePlan
from simbgp.scenario.pod_keys import PodAddresses
from simbgp.scenario.pods import Pods, Standing, backend_key
from simbgp.scenario.services import host_prefix

ADDRESS_TYPES = ("LoadBalancerIP", "ExternalIP", "ClusterIP")


@dataclass(frozen=True)
class ClusterService:
    """A Service as BGP sees it; ``given`` are its LoadBalancer addresses."""

    name: str
    body: ServiceObject
    given: tuple[str, ...]
    pods: tuple[Standing, ...]
    min_available: int

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """What an advertisement's selector looks at."""
        return labels_of(self.name, self.body)

    def addresses(self, kind: str) -> tuple[str, ...]:
        """Its addresses of one of `ADDRESS_TYPES`."""
        spec = self.body.spec
        if kind == "LoadBalancerIP":
            return self.given if spec.type == "LoadBalancer" and spec.load_balancer_class in CLASSES else ()
        if kind == "ExternalIP":
            return tuple(spec.external_ips or ())
        written = spec.cluster_ips if spec.cluster_ips is not None else (spec.cluster_ip,)
        return tuple(address for address in written if address)

    def local(self, kind: str) -> bool:
        """Whether only nodes with a pod of its own announce its addresses of a kind."""
        spec = self.body.spec
        policy = spec.internal_traffic_policy if kind == "ClusterIP" else spec.external_traffic_policy
        return policy == "Local"

    @cached_property
    def nodes(self) -> Mapping[str, None]:
        """The nodes with a pod of its own, each once: they announce addresses that are local."""
        return dict.fromkeys(pod.node for pod in self.pods)


@dataclass(frozen=True)
class ClusterServices:
    """All Services of the manifests and LB-IPAM's work on them."""

    services: tuple[ClusterService, ...]
    ipam: LbIpam

    def names(self) -> list[str]:
        """Their names, ``namespace/name``."""
        return [service.name for service in self.services]

    def warnings(self) -> Iterator[str]:
        """What is missing, and what is then taken to be so."""
        yield from self.ipam.warnings
        for service in self.services:
            spec = service.body.spec
            if responsible(service.body) and not service.given:
                given = self.ipam.given.get(service.name)
                why = given.message if given else "there is no CiliumLoadBalancerIPPool"
                yield f"Service {service.name} has no LoadBalancer address: {why}"
            if spec.type == "LoadBalancer" and spec.load_balancer_class not in CLASSES:
                of_another = f"Service {service.name} has loadBalancerClass {spec.load_balancer_class}"
                yield f"{of_another}: Cilium's BGP control plane does not announce its LoadBalancer addresses"
            if spec.cluster_ip is None and spec.cluster_ips is None and spec.type != "ExternalName":
                yield f"Service {service.name} has no clusterIP yet: none is announced for it"
            if not service.pods:
                yield f"Service {service.name} has no ready endpoint: its routes alone are simulated"

    def plans(self, prefixes: Mapping[str, Mapping[str, Collection[str]]], keys: PodAddresses) -> Iterator[ServicePlan]:
        """A plan for each service with pods; its cluster addresses have one of their own where their policy differs.

        ``prefixes[service][kind]`` are those under which anybody announces it.
        """
        for service in self.services:
            if not service.pods:
                continue
            backends = tuple(_backend(pod, keys) for pod in service.pods)
            of_kind = prefixes.get(service.name, {})
            outer = [p for kind in ("LoadBalancerIP", "ExternalIP") for p in of_kind.get(kind, ())]
            inner = list(of_kind.get("ClusterIP", ()))
            if service.local("ClusterIP") == service.local("ExternalIP"):
                outer, inner = outer + inner, []
            for name, found, kind in (
                (service.name, outer, "ExternalIP"),
                (f"{service.name}-cluster-ip", inner, "ClusterIP"),
            ):
                if found:
                    policy: Literal["Cluster", "Local"] = "Local" if service.local(kind) else "Cluster"
                    unique = tuple(dict.fromkeys(found))
                    yield ServicePlan(
                        name,
                        unique,
                        policy,
                        backends,
                        service.min_available,
                        affinity_s=service.body.spec.affinity_s,
                        allocated=tuple(p for p in unique if p in of_kind.get("LoadBalancerIP", ())),
                    )


def _backend(pod: Standing, keys: PodAddresses) -> BackendPlan:
    return BackendPlan(pod.name, pod.node, backend_key(pod) or keys.next_key(pod.node, 4))


def cluster_services(
    objects: Objects,
    nodes: Sequence[NodePlan],
    placement: Mapping[str, Sequence[str]],
    release: SpeakerProfile,
    added: Sequence[str] = (),
) -> ClusterServices:
    """The Services of ``objects``; pods stand on ``nodes``. LB-IPAM serves those that are ``added`` later after the
    others, in their order."""
    items = [item for item in objects.of(ServiceObject) if item.body.spec.type != "ExternalName"]
    bodies = {item.name: item.body for item in items}
    later = [(name, bodies[name]) for name in added if name in bodies]
    late = frozenset(added)
    first = [entry for entry in bodies.items() if entry[0] not in late]
    pools = [item.body for item in objects.pools]
    ipam = LbIpam(pools, [*first, *later], _versions(nodes), release.lbipam)
    present = [node.name for node in nodes if not node.joins]
    pods = Pods(objects, [node.name for node in nodes], placement, present)
    found, backends = [], 0
    for item in items:
        name, own = item.name, pods.of(item.name, item.body)
        backends += len(own)
        if backends > MAX_BACKENDS:
            what = f"the Services up to {name} have more than {MAX_BACKENDS} backends in all; allowed: {MAX_BACKENDS}"
            raise ScenarioError([item.problem((), what)])
        found.append(
            ClusterService(name, item.body, _given(name, item.body, ipam), own, pods.least_ready(name, len(own)))
        )
    return ClusterServices(tuple(found), ipam)


def _versions(nodes: Sequence[NodePlan]) -> set[int]:
    """The IP versions of the cluster: those of the PodCIDRs, else of the nodes' addresses."""
    cidrs = [cidr for node in nodes for cidr in node.pod_cidrs]
    return {
        ipaddress.ip_network(text, strict=False).version for text in cidrs or [a for n in nodes for a in n.addresses]
    }


def _given(name: str, body: ServiceObject, ipam: LbIpam) -> tuple[str, ...]:
    """What LB-IPAM gave; without pools, what the Service's status says."""
    if name in ipam.given:
        return ipam.given[name].addresses
    return tuple(ingress.ip for ingress in body.status.load_balancer.ingress if ingress.ip)


def prefix_of(address: str, length: int | None, local: bool) -> str:
    """The prefix under which an address is announced: aggregated, but never for a Local service."""
    return (
        host_prefix(address)
        if length is None or local
        else str(ipaddress.ip_network(f"{address}/{length}", strict=False))
    )
