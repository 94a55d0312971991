"""Which node peers with which router, as the Cilium objects say: ClusterConfig, PeerConfig, Advertisement."""

from collections.abc import Iterator, Sequence

from simbgp.profiles import SpeakerProfile
from simbgp.scenario.api_objects import LabelSelector
from simbgp.scenario.cluster_services import ClusterService
from simbgp.scenario.crds import Instance
from simbgp.scenario.crds import Peer as PeerObject
from simbgp.scenario.disagreements import disagreements
from simbgp.scenario.errors import Path
from simbgp.scenario.label_index import LabelIndex
from simbgp.scenario.layout import Layout
from simbgp.scenario.node_configs import NodeConfig
from simbgp.scenario.objects import Item, Objects
from simbgp.scenario.peer_sessions import Asked, PeerSessions, Selected, Selection
from simbgp.scenario.plan import NodePlan
from simbgp.scenario.without_effect import without_effect

__all__ = ["Selected", "Selection", "select"]


def select(objects: Objects, layout: Layout, services: Sequence[ClusterService], release: SpeakerProfile) -> Selection:
    """The sessions that the objects ask for; with neither CiliumBGPClusterConfigs nor NodeConfigs there are none."""
    found = Selection()
    sessions = PeerSessions(objects, layout, services, release, found)
    found.warnings |= dict.fromkeys(without_effect(objects, layout.nodes))
    owners: dict[str, Item] = {}
    choice = _Choice(layout.nodes)
    for item in objects.deciding:
        chosen = choice.of(item, found)
        _conflicts(item, [owners[node.name] for node in chosen if node.name in owners], found)
        owners |= {node.name: item for node in chosen}
        for path, instance, peer in _peers(item):
            sessions.add(chosen, Asked(item, path, instance, peer))
    found.warnings |= dict.fromkeys(disagreements(objects, layout.nodes, {n: item.name for n, item in owners.items()}))
    served = {session.router for session in found.sessions}
    for router in layout.routers if objects.deciding and not found.problems else ():
        if router.name not in served:
            found.warnings[f"router {router.name} is no peer in the manifests: no node has a session with it"] = None
    order = {node.name: i for i, node in enumerate(layout.nodes)}
    found.sessions.sort(key=lambda session: order[session.node])
    _refuse_twins(objects, found)
    return found


class _Choice:
    """Which nodes an object is for."""

    def __init__(self, nodes: Sequence[NodePlan]) -> None:
        self._labelled = LabelIndex((node.labels, node) for node in nodes)
        self._named = LabelIndex(({"name": node.name}, node) for node in nodes)

    def of(self, item: Item, found: Selection) -> list[NodePlan]:
        """The nodes of a ClusterConfig, or the one of a NodeConfig, which is that of its name."""
        if isinstance(item.body, NodeConfig):
            chosen = list(self._named.with_all({"name": item.name}))
            said = f"CiliumBGPNodeConfig {item.name}: there is no node of that name, so it is left out"
        else:
            chosen = list(self._labelled.selected(item.body.spec.node_selector or LabelSelector()))
            said = f"CiliumBGPClusterConfig {item.name}: No node matches spec.nodeSelector"
        if not chosen:
            found.warnings[said] = None
        return chosen


def _peers(item: Item) -> Iterator[tuple[Path, Instance, PeerObject]]:
    for i, instance in enumerate(item.body.spec.bgp_instances):
        for j, peer in enumerate(instance.peers):
            yield ("spec", "bgpInstances", i, "peers", j), instance, peer


def _conflicts(item: Item, others: Sequence[Item], found: Selection) -> None:
    names = sorted({other.name for other in others})
    if names:
        what = f"Selecting the same node(s) with ClusterConfig(s): [{' '.join(names)}]"
        found.problems.append(item.problem(("spec", "nodeSelector"), what))


def _refuse_twins(objects: Objects, found: Selection) -> None:
    seen: set[tuple[str, str]] = set()
    for session in found.sessions:
        pair = (session.node, session.router)
        if pair in seen and not found.problems:
            what = f"'two sessions between {pair[0]} and {pair[1]}' is not supported yet; supported: one of each pair"
            found.problems.append(objects.deciding[0].problem(("spec", "bgpInstances"), what))
        seen.add(pair)
