"""Which router is the default gateway of a node, with which a peer of ``autoDiscovery`` is found."""

import ipaddress
from collections.abc import Sequence

from simbgp.scenario.layout import Upstream
from simbgp.scenario.plan import NodePlan
from simbgp.scenario.route_policies import family_of


def nearest(node: NodePlan, family: str, routers: Sequence[Upstream]) -> list[tuple[Upstream, str]]:
    """The router addresses of the family that share the longest prefix with the node's own, as a gateway's does."""
    own = [int(ipaddress.ip_address(a)) for a in node.addresses if family_of(a) == family]
    bits = 32 if family == "ipv4" else 128
    found: dict[int, list[tuple[Upstream, str]]] = {}
    for router in routers:
        for address in (a for a in router.addresses if family_of(a) == family):
            apart = (int(ipaddress.ip_address(address)) ^ mine for mine in own)
            shared = max((bits - difference.bit_length() for difference in apart), default=0)
            found.setdefault(shared, []).append((router, address))
    return found[max(found)] if found else []


def unknown_gateway(node: NodePlan, family: str, reported: str | None, able: Sequence[Upstream]) -> str:
    """What is said where no one router is a node's default gateway."""
    names = ", ".join(router.name for router in able) or "none"
    what = f"the {family} default gateway of {node.name} is not known: routers that may be it: {names}"
    if reported is not None:
        what = f"the {family} default gateway of {node.name} is {reported} by the status of its CiliumBGPNodeConfig"
    more = (
        "allowed: one router of the peer's ASN, with an address of the family, for each node (routers.nodes), or one "
        "whose address shares more of its prefix with the node's than any other's"
    )
    return f"{what}; {more}"
