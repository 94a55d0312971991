"""CiliumBGPAdvertisement as the CRD has it: what is announced, and with which path attributes.

Source: cilium ``pkg/k8s/apis/cilium.io/v2/bgp_advert_types.go``.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from simbgp.scenario.api_objects import LabelSelector, Object
from simbgp.scenario.schema.base import Many, Part, Text


class ServiceOptions(Part):
    """``service`` of an advertisement: which addresses; aggregation is not for Local services."""

    addresses: Annotated[Many[Literal["LoadBalancerIP", "ClusterIP", "ExternalIP"]], Field(min_length=1)]
    aggregation_length_ipv4: Annotated[int, Field(ge=0, le=31)] | None = Field(None, alias="aggregationLengthIPv4")
    aggregation_length_ipv6: Annotated[int, Field(ge=0, le=127)] | None = Field(None, alias="aggregationLengthIPv6")


class InterfaceOptions(Part):
    """``interface`` of an advertisement."""

    name: Text


WellKnown = Literal[
    "internet",
    "planned-shut",
    "accept-own",
    "route-filter-translated-v4",
    "route-filter-v4",
    "route-filter-translated-v6",
    "route-filter-v6",
    "llgr-stale",
    "no-llgr",
    "blackhole",
    "no-export",
    "no-advertise",
    "no-export-subconfed",
    "no-peer",
]


def _community(text: str) -> str:
    """``65000:99`` or one number (RFC 1997)."""
    parts = text.split(":")
    most = 65535 if len(parts) == 2 else 4294967295
    if len(parts) > 2 or not all(part.isascii() and part.isdigit() and int(part) <= most for part in parts):
        raise ValueError(f"{text!r} is not a community; allowed: like 65000:99, or a number up to 4294967295")
    return text


def _large_community(text: str) -> str:
    """``64512:1:2`` (RFC 8092)."""
    parts = text.split(":")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and int(part) <= 4294967295 for part in parts):
        raise ValueError(f"{text!r} is not a large community; allowed: like 64512:1:2")
    return text


class Communities(Part):
    """BGP communities (RFC 1997, RFC 8092)."""

    standard: Many[Annotated[str, AfterValidator(_community)]] = ()
    well_known: Many[WellKnown] = ()
    large: Many[Annotated[str, AfterValidator(_large_community)]] = ()


class Attributes(Part):
    """Path attributes."""

    communities: Communities = Communities()
    local_preference: Annotated[int, Field(ge=0, le=4294967295)] | None = None


class Advertised(Part):
    """One of ``advertisements``."""

    advertisement_type: Literal["PodCIDR", "CiliumPodIPPool", "Service", "Interface"]
    service: ServiceOptions | None = None
    interface: InterfaceOptions | None = None
    selector: LabelSelector | None = None
    attributes: Attributes = Attributes()


class AdvertisementSpec(Part):
    """``spec`` of a CiliumBGPAdvertisement."""

    advertisements: Many[Advertised]


class Advertisement(Object):
    """A CiliumBGPAdvertisement."""

    spec: AdvertisementSpec
