"""``cilium bgp``: one table of all nodes (cilium-cli/bgp/peers.go, routes.go)."""

from collections.abc import Mapping, Sequence

from simbgp.report.cilium.go import rounded
from simbgp.report.cilium.go_sort import sorted_slice
from simbgp.report.cilium.records import PeerState, RouteState
from simbgp.report.cilium.tabwriter import tabulate

_PEERS = "Node\tLocal AS\tPeer AS\tPeer Address\tSession State\tUptime\tFamily\tReceived\tAdvertised\n"


def peers_table(nodes: Mapping[str, Sequence[PeerState]]) -> str:
    """``cilium bgp peers``."""
    rows = [_PEERS]
    for node in sorted(nodes):
        for i, peer in enumerate(_peers_in_order(nodes[node])):
            rows.append(f"{'' if i else node}\t{peer.local_asn}\t{peer.peer_asn}\t{peer.address}\t{peer.state}\t")
            rows.append(f"{rounded(peer.uptime_ns)}\t")
            counts = (f"{family}\t{family.received}\t{family.advertised}\t\n" for family in peer.families)
            rows.append(("\t" * 6).join(counts))
    return tabulate("".join(rows))


def routes_table(nodes: Mapping[str, Sequence[RouteState]], advertised: bool) -> str:
    """``cilium bgp routes``; a column tells the peer if they are those ``advertised``."""
    rows = [f"Node\tVRouter\t{'Peer' + chr(9) if advertised else ''}Prefix\tNextHop\tAge\tAttrs\n"]
    for node in sorted(nodes):
        for i, route in enumerate(_routes_in_order(nodes[node])):
            peer = f"{route.neighbor}\t" if advertised else ""
            rows.append(f"{'' if i else node}\t{route.asn}\t{peer}{route.prefix}\t{route.next_hop}\t")
            rows.append(f"{rounded(route.age_ns)}\t{route.attributes}\t\n")
    return tabulate("".join(rows))


def _peers_in_order(peers: Sequence[PeerState]) -> list[PeerState]:
    return sorted_slice(
        peers,
        lambda a, b: a.local_asn < b.local_asn or a.address < b.address,
    )


def _routes_in_order(routes: Sequence[RouteState]) -> list[RouteState]:
    return sorted_slice(
        routes,
        lambda a, b: a.asn < b.asn or a.neighbor < b.neighbor or a.prefix < b.prefix,
    )
