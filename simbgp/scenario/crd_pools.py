"""Pools of addresses, and what a CiliumNode has of them, as the CRDs have them.

Source: cilium ``pkg/k8s/apis/cilium.io/client/crds``: ``v2/ciliumloadbalancerippools.yaml``,
``v2alpha1/ciliumpodippools.yaml``, ``v2/ciliumnodes.yaml``.
"""

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from simbgp.scenario.api_objects import IpAddress, LabelSelector, Lenient, Object
from simbgp.scenario.schema.base import Cidr, Many, Part, Text


def _loose_prefix(text: str) -> str:
    """A prefix in canonical text; bits behind its length are dropped, as LB-IPAM does."""
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise ValueError(f"{text!r} is not a prefix; allowed: like 20.0.10.0/24 or 2004::/64") from None


class IpBlock(Part):
    """One of ``blocks``: a prefix, or a range of addresses."""

    cidr: Annotated[str, AfterValidator(_loose_prefix)] | None = None
    start: IpAddress | None = None
    stop: IpAddress | None = None


class IpPoolSpec(Part):
    """``spec`` of a CiliumLoadBalancerIPPool; without a selector it is for all services, and ``cidrs`` is of 1.15."""

    service_selector: LabelSelector | None = None
    allow_first_last_ips: Literal["Yes", "No"] | None = Field(None, alias="allowFirstLastIPs")
    blocks: Many[IpBlock] = ()
    cidrs: Many[IpBlock] = ()
    disabled: bool = False


class IpPool(Object):
    """A CiliumLoadBalancerIPPool."""

    spec: IpPoolSpec


class Ipv4Pool(Part):
    """``ipv4`` of a CiliumPodIPPool: nodes get blocks of ``mask_size`` out of ``cidrs``."""

    cidrs: Annotated[Many[Annotated[str, AfterValidator(_loose_prefix)]], Field(min_length=1)]
    mask_size: Annotated[int, Field(ge=1, le=32)]


class Ipv6Pool(Part):
    """``ipv6`` of a CiliumPodIPPool."""

    cidrs: Annotated[Many[Annotated[str, AfterValidator(_loose_prefix)]], Field(min_length=1)]
    mask_size: Annotated[int, Field(ge=1, le=128)]


class PodIpPoolSpec(Part):
    """``spec`` of a CiliumPodIPPool."""

    ipv4: Ipv4Pool | None = None
    ipv6: Ipv6Pool | None = None
    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None


class PodIpPool(Object):
    """A CiliumPodIPPool: its labels count; what nodes have of it stands in their CiliumNodes."""

    spec: PodIpPoolSpec


class CiliumNodeAddress(Lenient):
    """One of ``addresses``."""

    type: Text
    ip: IpAddress


class AllocatedPool(Lenient):
    """One of ``spec.ipam.pools.allocated``: what a node has of a CiliumPodIPPool."""

    pool: Text
    cidrs: Many[Cidr] = ()


class CiliumNodePools(Lenient):
    """``spec.ipam.pools`` of a CiliumNode, with multi-pool IPAM."""

    allocated: Many[AllocatedPool] = ()


class CiliumNodeIpam(Lenient):
    """``spec.ipam`` of a CiliumNode."""

    pod_cidrs: Many[Cidr] | None = Field(None, alias="podCIDRs")
    pools: CiliumNodePools = CiliumNodePools()


class CiliumNodeSpec(Lenient):
    """``spec`` of a CiliumNode."""

    addresses: Many[CiliumNodeAddress] = ()
    ipam: CiliumNodeIpam = CiliumNodeIpam()


class CiliumNode(Object):
    """A CiliumNode: its labels and podCIDRs are those that BGP goes by, where the Node of that name differs."""

    spec: CiliumNodeSpec = CiliumNodeSpec()
