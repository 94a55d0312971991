"""Who there is: nodes and routers by name, with the addresses that were not written filled in."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property

from simbgp.scenario.errors import Path
from simbgp.scenario.plan import NodePlan
from simbgp.scenario.pod_keys import default_pod_cidr
from simbgp.scenario.schema import Document, Node, Racks, RouterSettings
from simbgp.scenario.selectors import Known, Selector

_FIRST_NODE = ipaddress.IPv4Address("10.0.0.1")
_LAST_ROUTER = ipaddress.IPv4Address("10.0.255.250")


@dataclass(frozen=True, slots=True)
class Upstream:
    """A router, the nodes it serves, and the path of the entry that made it."""

    name: str
    settings: RouterSettings
    addresses: tuple[str, ...]
    nodes: tuple[str, ...]
    path: Path


@dataclass(frozen=True)
class Layout:
    """Nodes and routers in the order of the scenario."""

    nodes: tuple[NodePlan, ...]
    routers: tuple[Upstream, ...]

    @cached_property
    def labels(self) -> Known:
        """The labels of every node, by name."""
        return Known((node.name, node.labels) for node in self.nodes)

    @cached_property
    def router_names(self) -> Known:
        """Every router, by name; routers have no labels."""
        return Known((router.name, {}) for router in self.routers)

    @cached_property
    def served(self) -> Mapping[str, Set[str]]:
        """The nodes of each router as the routers have it; routers of the same tuple of nodes have one set of them."""
        tuples = {id(router.nodes): router.nodes for router in self.routers}
        sets = {key: frozenset(nodes) for key, nodes in tuples.items()}
        return {router.name: sets[id(router.nodes)] for router in self.routers}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A router before its address and its nodes are known."""

    name: str
    settings: RouterSettings
    addresses: tuple[str, ...] | None
    selector: Selector
    path: Path


def layout_of(document: Document, objects: Sequence[NodePlan]) -> Layout:
    """The layout of a document; ``objects`` are the nodes of its manifests, used where none are written inline."""
    nodes = _inline_nodes(document) or tuple(objects)
    wanted = _wanted_routers(document)
    taken = {address for entry in wanted for address in entry.addresses or ()}
    taken |= {address for node in nodes for address in node.addresses}
    routers = _placed(wanted, taken)
    taken |= {address for _, addresses in routers for address in addresses}
    placed = _with_addresses(nodes, taken)
    labels = Known((node.name, node.labels) for node in placed)
    return Layout(
        placed,
        tuple(Upstream(w.name, w.settings, a, w.selector.pick(labels), w.path) for w, a in routers),
    )


def _inline_nodes(document: Document) -> tuple[NodePlan, ...]:
    cluster = document.cluster
    if cluster.racks is not None:
        return _rack_nodes(cluster.racks)
    if isinstance(cluster.nodes, int):
        return tuple(_made_node(f"worker-{i + 1}", i) for i in range(cluster.nodes))
    return tuple(_written_node(node, i) for i, node in enumerate(cluster.nodes or ()))


def _rack_nodes(racks: Racks) -> tuple[NodePlan, ...]:
    return tuple(
        _made_node(f"rack-{rack + 1}-worker-{i + 1}", rack * racks.nodes + i, f"rack-{rack + 1}")
        for rack in range(racks.count)
        for i in range(racks.nodes)
    )


def _made_node(name: str, index: int, rack: str | None = None) -> NodePlan:
    labels = {"rack": rack} if rack else {}
    return NodePlan(name, (), (default_pod_cidr(index),), labels, rack)


def _written_node(node: Node, index: int) -> NodePlan:
    written = node.pod_cidrs or ((node.pod_cidr,) if node.pod_cidr else ())
    labels = ({"rack": node.rack} if node.rack else {}) | dict(node.labels)
    cidrs = written or (default_pod_cidr(index),)
    return NodePlan(
        node.name, node.address or (), cidrs, labels, node.rack, node.ecmp_weight, pools=dict(node.pod_ip_pools)
    )


def _with_addresses(nodes: Sequence[NodePlan], taken: set[str]) -> tuple[NodePlan, ...]:
    """Each node without addresses gets that of its place, 10.0.0.1 for the first, or a later one if that is taken."""
    spare = len(nodes)
    placed = []
    for index, node in enumerate(nodes):
        address = str(_FIRST_NODE + index)
        while not node.addresses and address in taken:
            address, spare = str(_FIRST_NODE + spare), spare + 1
        own = node.addresses or (address,)
        placed.append(replace(node, addresses=own))
    return tuple(placed)


def _wanted_routers(document: Document) -> list[_Wanted]:
    written = [
        _Wanted(router.name, router, router.address, router.nodes, ("routers", i))
        for i, router in enumerate(document.routers)
    ]
    racks = document.cluster.racks
    return [*(_rack_routers(racks) if racks else ()), *written]


def _rack_routers(racks: Racks) -> Iterator[_Wanted]:
    for rack in range(1, racks.count + 1):
        for i in range(1, racks.routers + 1):
            here = Selector(labels={"rack": f"rack-{rack}"})
            yield _Wanted(f"rack-{rack}-tor-{i}", racks.router, None, here, ("cluster", "racks"))


def _placed(wanted: Sequence[_Wanted], taken: set[str]) -> list[tuple[_Wanted, tuple[str, ...]]]:
    """Each router without addresses gets one, counted down from 10.0.255.250, that is not taken."""
    placed, taken = [], set(taken)
    free = (str(_LAST_ROUTER - i) for i in range(2**16))
    for index, entry in enumerate(wanted):
        address = str(_LAST_ROUTER - index)
        while entry.addresses is None and address in taken:
            address = next(free)
        own = entry.addresses or (address,)
        taken |= set(own)
        placed.append((entry, own))
    return placed
