"""Where the pods behind a Service stand: EndpointSlices say it, else Pods, else the workloads that make them."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from simbgp.scenario.k8s import Budget, DaemonSet, EndpointEntry, EndpointSlice, Pod, ServiceObject, Workload
from simbgp.scenario.manifests import Item, Objects
from simbgp.scenario.services import part_of

_SERVICE = "kubernetes.io/service-name"
_DEFAULT_PORT = 8080


@dataclass(frozen=True, slots=True)
class Standing:
    """A pod: its name, its node, and its address and port where they are known."""

    name: str
    node: str
    address: str | None = None
    port: int | None = None


class Pods:
    """The pods of some objects on some nodes; ``placement`` says where those of an object stand that does not.

    Of ``nodes`` those that are ``present`` at time 0 have the pods of Deployments; the others get pods of DaemonSets.
    """

    def __init__(
        self,
        objects: Objects,
        nodes: Sequence[str],
        placement: Mapping[str, Sequence[str]],
        present: Sequence[str] = (),
    ) -> None:
        self._objects, self._nodes, self._placement = objects, nodes, placement
        self._present = present or nodes
        self._known = frozenset(nodes)
        self._slices: dict[str, list[EndpointSlice]] = {}
        for item in objects.of(EndpointSlice):
            service = (item.body.metadata.labels or {}).get(_SERVICE)
            self._slices.setdefault(f"{_namespace(item)}/{service}", []).append(item.body)

    def of(self, name: str, service: ServiceObject) -> tuple[Standing, ...]:
        """The ready pods of a service, each once; those on nodes that are not there are left out."""
        if name in self._slices:
            found: Iterator[Standing] = self._listed(self._slices[name])
        elif not service.spec.selector:
            return ()
        else:
            found = iter([*self._running(name, service), *self._made(name, service)])
        return tuple({pod.name: pod for pod in found if pod.node in self._known}.values())

    def _listed(self, slices: Sequence[EndpointSlice]) -> Iterator[Standing]:
        for slice_ in slices:
            port = next((entry.port for entry in slice_.ports if entry.port), None)
            for entry in slice_.endpoints:
                if entry.conditions.ready is not False and entry.node_name is not None:
                    yield Standing(_endpoint_name(entry), entry.node_name, next(iter(entry.addresses), None), port)

    def _running(self, name: str, service: ServiceObject) -> Iterator[Standing]:
        for item in self._objects.of(Pod):
            pod = item.body
            if (
                _namespace(item) == _of(name)
                and _matches(service, pod.metadata.labels)
                and pod.status.phase == "Running"
            ):
                node = pod.spec.node_name
                if node is not None:
                    yield Standing(pod.metadata.name, node, pod.status.pod_ip, _target_port(service))

    def _made(self, name: str, service: ServiceObject) -> Iterator[Standing]:
        """Pods of workloads of which no Pod is there, dealt to the nodes in turn; of a DaemonSet one for each node."""
        for item in self._objects.of(Workload):
            if _namespace(item) != _of(name) or not _matches(service, item.body.spec.template.labels):
                continue
            if any(_namespace(pod) == _of(name) and _is_of(pod.body, item.body) for pod in self._objects.of(Pod)):
                continue
            of_daemons = isinstance(item.body, DaemonSet)
            anywhere = self._nodes if of_daemons else self._present
            where = self._placement.get(item.name) or self._placement.get(name) or anywhere
            count = len(where) if of_daemons else item.body.spec.replicas
            for i, node in zip(range(count), itertools.cycle(where), strict=False):
                yield Standing(f"{item.body.metadata.name}-{i + 1}", node)

    def least_ready(self, name: str, service: ServiceObject, pods: int) -> int:
        """What the strictest PodDisruptionBudget over these pods leaves ready."""
        found = [0]
        for item in self._objects.of(Budget):
            spec = item.body.spec
            if _namespace(item) != _of(name) or spec.selector is None:
                continue
            if spec.selector.matches(service.spec.selector or {}):
                if spec.min_available is not None:
                    found.append(min(pods, part_of(spec.min_available, pods)))
                elif spec.max_unavailable is not None:
                    found.append(max(0, pods - part_of(spec.max_unavailable, pods)))
        return max(found)


def _is_of(pod: Pod, workload: Workload) -> bool:
    return workload.spec.template.labels.items() <= (pod.metadata.labels or {}).items()


def _endpoint_name(entry: EndpointEntry) -> str:
    target = (entry.target_ref or {}).get("name")
    return str(target or next(iter(entry.addresses), "endpoint"))


def _namespace(item: Item) -> str:
    return item.name.rpartition("/")[0]


def _of(name: str) -> str:
    return name.rpartition("/")[0]


def _matches(service: ServiceObject, labels: Mapping[str, str] | None) -> bool:
    return (service.spec.selector or {}).items() <= (labels or {}).items()


def _target_port(service: ServiceObject) -> int | None:
    first = next(iter(service.spec.ports), None)
    if first is None:
        return None
    return first.target_port if isinstance(first.target_port, int) else first.port


def backend_key(pod: Standing) -> str | None:
    """What Cilium hashes for Maglev, where the address is known."""
    if pod.address is None:
        return None
    shown = f"[{pod.address}]" if ":" in pod.address else pod.address
    return f"[{shown}:{pod.port or _DEFAULT_PORT}/TCP,State:active]"
