"""What Cilium writes into the status of its objects and of Services, worked out from the manifests.

Source: cilium ``operator/pkg/bgp/cluster.go``, ``peer.go``, ``operator/pkg/lbipam/lbipam.go``; of an agent's own
``pkg/bgp/manager/reconciler/crd_status.go``. The operator's conditions are there whether they are true or not, and
those of an object are sorted by type; an agent's is there once it had an error.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path as FilePath

from simbgp.scenario.api_objects import LabelSelector
from simbgp.scenario.cluster_services import ClusterServices, cluster_services
from simbgp.scenario.crd_pools import IpPool
from simbgp.scenario.draft import read_draft
from simbgp.scenario.errors import ScenarioError
from simbgp.scenario.k8s import Secret
from simbgp.scenario.label_index import LabelIndex
from simbgp.scenario.layout import layout_of
from simbgp.scenario.lbipam_pools import Range
from simbgp.scenario.manifests import read_objects
from simbgp.scenario.newcomers import added_services
from simbgp.scenario.objects import Item, Objects
from simbgp.scenario.overrides import apply_set
from simbgp.scenario.plan import NodePlan
from simbgp.scenario.release import release_of
from simbgp.scenario.yaml_tree import read_documents, read_file


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of one object; ``status`` is True, False or Unknown in text."""

    kind: str
    name: str
    type: str
    status: str
    reason: str
    message: str


def conditions_in(file: str, overrides: Sequence[str] = ()) -> tuple[Condition, ...]:
    """The conditions of all objects of the scenario in ``file``, which may be one that could not be run.

    ``overrides`` are ``PATH=VALUE``, applied in order.

    Raises `ScenarioError` with what the API server would not admit, and with what keeps the objects from being read.
    """
    path = FilePath(file)
    trees = read_documents(read_file(path, file), file)
    draft, problems = read_draft(reduce(apply_set, overrides, trees[0])) if trees else (None, [])
    if draft is None:
        raise ScenarioError(problems)
    cluster = draft.document.cluster
    patterns = (*cluster.manifests, *((cluster.from_,) if cluster.from_ is not None else ()))
    objects = read_objects(draft.tree, patterns, path.parent)
    if problems or objects.problems:
        raise ScenarioError([*problems, *objects.problems])
    nodes, release = layout_of(draft.document, objects.nodes).nodes, release_of(cluster)
    services = cluster_services(objects, nodes, cluster.placement, release, added_services(draft.document))
    return tuple(conditions(objects, nodes, services, release.reconcile_condition))


def conditions(
    objects: Objects, nodes: Sequence[NodePlan], services: ClusterServices, of_agents: bool = True
) -> Iterator[Condition]:
    """The conditions of every object, ClusterConfigs first; ``of_agents``: whether the release's agents write some.

    A node is its CiliumBGPNodeConfig's owner's, or the first one's that selects it.
    """
    known = {item.name for item in objects.configs}
    recorded = {item.name: item.body.owner for item in objects.node_configs}
    owners: dict[str, str] = {node: owner for node, owner in recorded.items() if owner in known}
    labelled = LabelIndex((node.labels, node.name) for node in nodes)
    for item in objects.configs:
        chosen = list(labelled.selected(item.body.spec.node_selector or LabelSelector()))
        yield from _of_cluster_config(item, chosen, owners, set(objects.peer_configs))
        for name in chosen:
            owners.setdefault(name, item.name)
    secrets = {item.body.metadata.name: item.body for item in objects.of(Secret)}
    for name, item in objects.peer_configs.items():
        yield _of_peer_config(name, item, secrets)
    if of_agents:
        yield from _of_node_configs(objects, owners, secrets)
    ranges: dict[str, list[Range]] = {}
    for entry in services.ipam.ranges:
        ranges.setdefault(entry.pool.metadata.name, []).append(entry)
    for item in objects.of(IpPool):
        yield from _of_pool(item.name, ranges.get(item.name, []))
    for name, given in services.ipam.given.items():
        yield Condition(
            "Service", name, "cilium.io/IPAMRequestSatisfied", str(given.satisfied), given.reason, given.message
        )


def _of_cluster_config(item: Item, chosen: list[str], owners: dict[str, str], known: set[str]) -> Iterator[Condition]:
    """A node that another ClusterConfig has is a conflict."""

    def condition(kind: str, reason: str, message: str, true: bool) -> Condition:
        return Condition("CiliumBGPClusterConfig", item.name, f"cilium.io/{kind}", str(true), reason, message)

    rivals = sorted({owners[name] for name in chosen if owners.get(name, item.name) != item.name})
    references = {
        peer.peer_config_ref.name for i in item.body.spec.bgp_instances for peer in i.peers if peer.peer_config_ref
    }
    missing = sorted(references - known)
    shared = f"Selecting the same node(s) with ClusterConfig(s): [{' '.join(rivals)}]" if rivals else ""
    lost = f"Referenced CiliumBGPPeerConfig(s) are missing: [{' '.join(missing)}]" if missing else ""
    yield condition("ConflictingClusterConfig", "ConflictingClusterConfigs", shared, bool(rivals))
    yield condition("MissingPeerConfigs", "MissingPeerConfigs", lost, bool(missing))
    yield condition("NoMatchingNode", "NoMatchingNode", "No node matches spec.nodeSelector", not chosen)


def _of_node_configs(objects: Objects, owners: Mapping[str, str], secrets: Mapping[str, Secret]) -> Iterator[Condition]:
    """What an agent fails at by its manifests: a password that is not there (neighbor.go, getPeerPassword).

    A reconciler stops at its first error, so each instance has one line.
    """
    lines: dict[str, str] = {}
    for item in objects.configs:
        found = ""
        for instance in sorted(item.body.spec.bgp_instances, key=lambda instance: instance.name):
            named = (peer.peer_config_ref.name for peer in instance.peers if peer.peer_config_ref is not None)
            wanted = (
                objects.peer_configs[name].body.spec.auth_secret_ref for name in named if name in objects.peer_configs
            )
            empty = (name for name in wanted if name in secrets and not secrets[name].has_password)
            first = next(empty, None)
            if first is not None:
                found += f'{instance.name}: failed to fetch secret "{first}": missing password key\n'
        lines[item.name] = found
    for node, owner in owners.items():
        if lines[owner]:
            kind = "cilium.io/BGPReconcileError"
            yield Condition("CiliumBGPNodeConfig", node, kind, "True", "BGPReconcileError", lines[owner])


def _of_peer_config(name: str, item: Item, secrets: Collection[str]) -> Condition:
    """The objects that are given are the cluster's: a Secret that is not among them is missing."""
    wanted = item.body.spec.auth_secret_ref
    missing = wanted is not None and wanted not in secrets
    message = f'Referenced Auth Secret "{wanted}" is missing' if missing else ""
    kind = "cilium.io/MissingAuthSecret"
    return Condition("CiliumBGPPeerConfig", name, kind, str(missing), "MissingAuthSecret", message)


def _of_pool(name: str, own: Sequence[Range]) -> Iterator[Condition]:
    """Counts stand in the message; reserved first and last addresses count as used."""
    total, used = sum(entry.size() for entry in own), sum(len(entry.taken) for entry in own)
    counts = {"IPsAvailable": total - used, "IPsTotal": total, "IPsUsed": used}
    for kind, number in counts.items():
        yield Condition("CiliumLoadBalancerIPPool", name, f"cilium.io/{kind}", "Unknown", "noreason", str(number))
    conflict = next((entry.conflict for entry in own if entry.conflict), None)
    reason = "cidr_overlap" if conflict else "resolved"
    yield Condition(
        "CiliumLoadBalancerIPPool", name, "cilium.io/PoolConflict", str(conflict is not None), reason, conflict or ""
    )
