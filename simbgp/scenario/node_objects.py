"""Nodes as BGP knows them, out of Node and CiliumNode objects."""

from dataclasses import replace

from pydantic import Field

from simbgp.scenario.api_objects import Lenient, Object
from simbgp.scenario.crd_pools import CiliumNode
from simbgp.scenario.plan import NodePlan
from simbgp.scenario.schema.base import Cidr, Many, Text, read_address


class NodeAddress(Lenient):
    """One of ``status.addresses``."""

    type: Text
    address: Text


class NodeSpec(Lenient):
    """``spec`` of a Node."""

    pod_cidr: Cidr | None = Field(None, alias="podCIDR")
    pod_cidrs: Many[Cidr] | None = Field(None, alias="podCIDRs")


class NodeStatus(Lenient):
    """``status`` of a Node."""

    addresses: Many[NodeAddress] = ()


class NodeObject(Object):
    """A ``v1`` Node."""

    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


def node_of(node: NodeObject) -> NodePlan:
    """A Node; addresses that are none were reported, and are left out."""
    cidrs = node.spec.pod_cidrs or ((node.spec.pod_cidr,) if node.spec.pod_cidr else ())
    internal = [entry.address for entry in node.status.addresses if entry.type == "InternalIP"]
    addresses = tuple(read_address(address) for address in internal if is_address(address))
    labels = dict(node.metadata.labels or {})
    return NodePlan(node.metadata.name, addresses, tuple(cidrs), labels, labels.get("topology.kubernetes.io/rack"))


def as_cilium_has_it(own: CiliumNode, node: NodePlan | None) -> NodePlan:
    """A CiliumNode over the Node of its name, if there is one."""
    internal = tuple(entry.ip for entry in own.spec.addresses if entry.type == "InternalIP")
    labels = dict(own.metadata.labels or {})
    cidrs = own.spec.ipam.pod_cidrs
    pools: dict[str, tuple[str, ...]] = {}
    for entry in own.spec.ipam.pools.allocated:
        pools[entry.pool] = (*pools.get(entry.pool, ()), *entry.cidrs)
    if node is None:
        rack = labels.get("topology.kubernetes.io/rack")
        return NodePlan(own.metadata.name, internal, tuple(cidrs or ()), labels, rack, pools=pools)
    return replace(
        node,
        addresses=node.addresses or internal,
        pod_cidrs=tuple(cidrs or node.pod_cidrs),
        labels=labels or dict(node.labels),
        pools=pools,
    )


def is_address(text: str) -> bool:
    """Whether a text is an IP address."""
    try:
        read_address(text)
    except ValueError:
        return False
    return True
