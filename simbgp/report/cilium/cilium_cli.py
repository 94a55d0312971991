"""``cilium bgp``: one table of all nodes (cilium-cli/bgp/peers.go, routes.go)."""

from collections.abc import Mapping, Sequence

from simbgp.report.cilium.go import rounded
from simbgp.report.cilium.go_sort import sorted_slice
from simbgp.report.cilium.records import PeerState, RouteState, routes_of
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
    """``cilium bgp routes``; a column tells the peer if they are those ``advertised``.

    The cell of the node is written for a route, not for a path, so further paths of one stand a column to the left; and
    for one that cannot be decoded, which leaves its cell to the next.
    """
    rows = [f"Node\tVRouter\t{'Peer' + chr(9) if advertised else ''}Prefix\tNextHop\tAge\tAttrs\n"]
    for node in sorted(nodes):
        for i, paths in enumerate(_routes_in_order(nodes[node])):
            rows.append(f"{'' if i else node}\t")
            if paths[0].place == "broken":
                rows.append("" if i else "\n")
                continue
            rows += [_path_row(path, advertised) for path in paths]
    return tabulate("".join(rows))


def _path_row(path: RouteState, advertised: bool) -> str:
    if path.place == "none":
        return "\n"
    peer = f"{path.neighbor}\t" if advertised else ""
    shown = f"{path.asn}\t{peer}{path.prefix}\t{path.next_hop}\t"
    return f"{shown}{rounded(path.age_ns)}\t{path.attributes}\t\n"


def _peers_in_order(peers: Sequence[PeerState]) -> list[PeerState]:
    return sorted_slice(
        peers,
        lambda a, b: a.local_asn < b.local_asn or a.address < b.address,
    )


def _routes_in_order(paths: Sequence[RouteState]) -> list[list[RouteState]]:
    return sorted_slice(
        routes_of(paths),
        lambda a, b: a[0].asn < b[0].asn or a[0].neighbor < b[0].neighbor or a[0].prefix < b[0].prefix,
    )
