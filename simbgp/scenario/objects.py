"""The objects of the manifests, as they are asked for: by kind, by name, by what decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from simbgp.scenario.api_objects import Metadata, Object
from simbgp.scenario.crd_advertisements import Advertisement
from simbgp.scenario.crd_pools import CiliumNode, IpPool
from simbgp.scenario.crds import ClusterConfig, NodeConfigOverride, PeerConfig
from simbgp.scenario.errors import Path, Problem
from simbgp.scenario.label_index import LabelIndex
from simbgp.scenario.node_configs import NodeConfig
from simbgp.scenario.node_objects import NodeObject, as_cilium_has_it, node_of
from simbgp.scenario.plan import NodePlan
from simbgp.scenario.yaml_tree import Tree


@dataclass(frozen=True)
class Item:
    """One object with its place."""

    kind: str
    name: str
    body: Any
    tree: Tree
    base: Path

    def problem(self, path: Path, message: str) -> Problem:
        """A problem at ``path`` within the object."""
        return self.tree.problem(self.base + path, message)


@dataclass(frozen=True)
class Objects:
    """The objects of some files, by kind and name in the order of the files, and the text of each file."""

    items: tuple[Item, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)

    def of(self, kind: type[Object]) -> Sequence[Item]:
        """The objects of one kind; asked for node by node and service by service, so they are looked for once."""
        if kind not in self._by_kind:
            self._by_kind[kind] = tuple(item for item in self.items if isinstance(item.body, kind))
        return self._by_kind[kind]

    @cached_property
    def _by_kind(self) -> dict[type[Object], Sequence[Item]]:
        return {}

    @cached_property
    def configs(self) -> list[Item]:
        """The CiliumBGPClusterConfigs; the older ones first, for they had their nodes before the others came."""
        return sorted(self.of(ClusterConfig), key=_created)

    @property
    def node_configs(self) -> Sequence[Item]:
        """The CiliumBGPNodeConfigs, one for each node that the operator has configured."""
        return self.of(NodeConfig)

    @cached_property
    def node_config_of(self) -> dict[str, NodeConfig]:
        """The same by node."""
        return {item.name: item.body for item in self.node_configs}

    @property
    def deciding(self) -> Sequence[Item]:
        """What decides who peers: the ClusterConfigs, else the NodeConfigs that an operator made of some."""
        return self.configs or self.node_configs

    @cached_property
    def peer_configs(self) -> dict[str, Item]:
        """The CiliumBGPPeerConfigs by name."""
        return {item.name: item for item in self.of(PeerConfig)}

    @property
    def advertisements(self) -> Sequence[Item]:
        """The CiliumBGPAdvertisements."""
        return self.of(Advertisement)

    @cached_property
    def labelled_advertisements(self) -> LabelIndex[Item]:
        """The same by their labels, which the families of CiliumBGPPeerConfigs select."""
        return LabelIndex((item.body.metadata.labels or {}, item) for item in self.advertisements)

    @property
    def pools(self) -> list[Item]:
        """The CiliumLoadBalancerIPPools; of two that overlap the newer is in conflict, so the older come first."""
        return sorted(self.of(IpPool), key=_created)

    @cached_property
    def overrides(self) -> dict[str, NodeConfigOverride]:
        """The CiliumBGPNodeConfigOverrides by node."""
        return {item.name: item.body for item in self.of(NodeConfigOverride)}

    @property
    def nodes(self) -> list[NodePlan]:
        """The Nodes as BGP knows them.

        Labels and podCIDRs of a CiliumNode win over those of the Node of its name (operator/pkg/bgp/cluster.go).
        Where there is neither, there are the nodes of the CiliumBGPNodeConfigs.
        """
        own = {item.name: node_of(item.body) for item in self.of(NodeObject)}
        for item in self.of(CiliumNode):
            own[item.name] = as_cilium_has_it(item.body, own.get(item.name))
        return list(own.values()) or [NodePlan(i.name, i.body.local_addresses, ()) for i in self.node_configs]


def _created(item: Item) -> str:
    """What no API server has seen yet comes last, in the order of the files."""
    metadata: Metadata = item.body.metadata
    return metadata.creation_timestamp or "~"
