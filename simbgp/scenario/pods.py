"""Where the pods behind a Service stand: EndpointSlices say it, else Pods, else the workloads that make them."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simbgp.scenario.api_objects import LabelSelector
from simbgp.scenario.k8s import (
    Budget,
    BudgetSpec,
    DaemonSet,
    EndpointEntry,
    EndpointSlice,
    Pod,
    ServiceObject,
    Workload,
)
from simbgp.scenario.label_index import LabelIndex
from simbgp.scenario.limits import MAX_BACKENDS
from simbgp.scenario.objects import Item, Objects
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
        self._nodes, self._placement = nodes, placement
        self._present = present or nodes
        self._known = frozenset(nodes)
        self._pods = _Namespaces(objects.of(Pod), lambda pod: pod.metadata.labels)
        self._workloads = _Namespaces(objects.of(Workload), lambda workload: workload.spec.template.labels)
        self._selected: dict[tuple[str, frozenset[tuple[str, str]], int | None], tuple[Standing, ...]] = {}
        self._slices: dict[str, list[EndpointSlice]] = {}
        for item in objects.of(EndpointSlice):
            service = (item.body.metadata.labels or {}).get(_SERVICE)
            self._slices.setdefault(f"{_of(item.name)}/{service}", []).append(item.body)
        self._budgets: dict[str, list[BudgetSpec]] = {}
        services = _Namespaces(objects.of(ServiceObject), lambda service: service.spec.selector)
        for item in objects.of(Budget):
            for over in services.selected(_of(item.name), item.body.spec.selector):
                self._budgets.setdefault(over.name, []).append(item.body.spec)

    def of(self, name: str, service: ServiceObject) -> tuple[Standing, ...]:
        """The ready pods of a service, each once; those on nodes that are not there are left out.

        Services that select the same have the same tuple; it ends where it has more than `MAX_BACKENDS`.
        """
        selector = service.spec.selector
        if name in self._slices:
            return self._each_once(self._listed(self._slices[name]))
        if not selector:
            return ()
        if name in self._placement:
            return self._each_once(self._chosen(name, service))
        key = _of(name), frozenset(selector.items()), _target_port(service)
        if key not in self._selected:
            self._selected[key] = self._each_once(self._chosen(name, service))
        return self._selected[key]

    def _each_once(self, found: Iterable[Standing]) -> tuple[Standing, ...]:
        there: dict[str, Standing] = {}
        for pod in found:
            if pod.node in self._known:
                there[pod.name] = pod
            if len(there) > MAX_BACKENDS:
                break
        return tuple(there.values())

    def _listed(self, slices: Sequence[EndpointSlice]) -> Iterator[Standing]:
        for slice_ in slices:
            port = next((entry.port for entry in slice_.ports if entry.port), None)
            for entry in slice_.endpoints:
                if entry.conditions.ready is not False and entry.node_name is not None:
                    yield Standing(_endpoint_name(entry), entry.node_name, next(iter(entry.addresses), None), port)

    def _chosen(self, name: str, service: ServiceObject) -> Iterator[Standing]:
        """Running Pods, then those of workloads."""
        port = _target_port(service)
        for item in self._pods.with_all(_of(name), service.spec.selector):
            pod: Pod = item.body
            if pod.status.phase == "Running" and pod.spec.node_name is not None:
                yield Standing(pod.metadata.name, pod.spec.node_name, pod.status.pod_ip, port)
        yield from self._made(name, service)

    def _made(self, name: str, service: ServiceObject) -> Iterator[Standing]:
        """Pods of workloads of which no Pod is there, dealt to the nodes in turn; of a DaemonSet one for each node."""
        for item in self._workloads.with_all(_of(name), service.spec.selector):
            workload: Workload = item.body
            if any(self._pods.with_all(_of(name), workload.spec.template.labels)):
                continue
            of_daemons = isinstance(workload, DaemonSet)
            anywhere = self._nodes if of_daemons else self._present
            where = self._placement.get(item.name) or self._placement.get(name) or anywhere
            count = len(where) if of_daemons else workload.spec.replicas
            for i, node in zip(range(count), itertools.cycle(where), strict=False):
                yield Standing(f"{workload.metadata.name}-{i + 1}", node)

    def least_ready(self, name: str, pods: int) -> int:
        """What the strictest PodDisruptionBudget over these pods of a service leaves ready."""
        found = [0]
        for spec in self._budgets.get(name, ()):
            if spec.min_available is not None:
                found.append(min(pods, part_of(spec.min_available, pods)))
            elif spec.max_unavailable is not None:
                found.append(max(0, pods - part_of(spec.max_unavailable, pods)))
        return max(found)


class _Namespaces:
    """Objects by their labels, namespace by namespace."""

    def __init__(self, items: Iterable[Item], labels: Callable[[Any], Mapping[str, str] | None]) -> None:
        of: dict[str, list[Item]] = {}
        for item in items:
            of.setdefault(_of(item.name), []).append(item)
        self._of = {name: LabelIndex((labels(item.body) or {}, item) for item in own) for name, own in of.items()}

    def with_all(self, namespace: str, wanted: Mapping[str, str] | None) -> Iterator[Item]:
        """Those of a namespace that have all of some labels."""
        found = self._of.get(namespace)
        return found.with_all(wanted or {}) if found is not None else iter(())

    def selected(self, namespace: str, selector: LabelSelector | None) -> Iterator[Item]:
        """Those of a namespace that a selector matches; none without one."""
        found = self._of.get(namespace)
        return found.selected(selector) if found is not None and selector is not None else iter(())


def _endpoint_name(entry: EndpointEntry) -> str:
    target = (entry.target_ref or {}).get("name")
    return str(target or next(iter(entry.addresses), "endpoint"))


def _of(name: str) -> str:
    """The namespace of an object."""
    return name.rpartition("/")[0]


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
