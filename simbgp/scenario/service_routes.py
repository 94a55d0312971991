"""Which prefixes of Services a node announces at time 0: worked out once for all nodes with pods of the same ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from simbgp.scenario.cluster_services import ClusterService
from simbgp.scenario.plan import ServicePlan
from simbgp.scenario.route_policies import Announced


class ServiceRoutes:
    """What is announced of some Services to a peer, node by node.

    ``announced`` has those of a Local service as not announced at time 0: they are, by a node with a pod of its own.
    """

    def __init__(self, announced: Sequence[Announced], services: Sequence[ClusterService]) -> None:
        self._announced = tuple(announced)
        self._near: dict[str, list[int]] = {}
        """The places of what a node announces besides."""
        nodes = {service.name: service.nodes for service in services}
        for place, entry in enumerate(announced):
            if not entry.at_start and entry.service is not None:
                for node in nodes[entry.service]:
                    self._near.setdefault(node, []).append(place)
        self._at_start: dict[int, Announced] = {}
        self._known: dict[tuple[int, ...], tuple[Announced, ...]] = {(): self._announced}

    def of(self, node: str) -> tuple[Announced, ...]:
        """What a node may announce; the same tuple for all nodes that announce the same at time 0."""
        near = tuple(self._near.get(node, ()))
        if near not in self._known:
            made = list(self._announced)
            for place in near:
                if place not in self._at_start:
                    self._at_start[place] = replace(made[place], at_start=True)
                made[place] = self._at_start[place]
            self._known[near] = tuple(made)
        return self._known[near]


@dataclass(frozen=True, slots=True)
class AtStart:
    """Prefixes of Services: those that a node announces at time 0, service by service, and all of the others."""

    announced: tuple[str, ...]
    withheld: frozenset[str]


class ServicePrefixes:
    """The prefixes of the plans of some services, node by node."""

    def __init__(self, services: Sequence[ServicePlan]) -> None:
        self._services = services
        self._near: dict[str, list[int]] = {}
        """The places of the Local services of which a node has a pod at time 0."""
        for place, service in enumerate(services):
            if service.policy == "Local":
                for node in dict.fromkeys(backend.node for backend in service.backends if not backend.late):
                    self._near.setdefault(node, []).append(place)
        self._known: dict[tuple[int, ...], AtStart] = {}

    def of(self, node: str) -> AtStart:
        """With externalTrafficPolicy Local only nodes with a backend of their own announce."""
        near = tuple(self._near.get(node, ()))
        if near not in self._known:
            self._known[near] = self._with(frozenset(near))
        return self._known[near]

    def _with(self, near: frozenset[int]) -> AtStart:
        announced: list[str] = []
        withheld: set[str] = set()
        for place, service in enumerate(self._services):
            if not service.added and (service.policy == "Cluster" or place in near):
                announced += service.prefixes
            else:
                withheld.update(service.prefixes)
        return AtStart(tuple(announced), frozenset(withheld))
