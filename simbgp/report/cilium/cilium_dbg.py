"""``cilium-dbg bgp``: the tables of one node (cilium pkg/bgp/api/printers.go)."""

from collections.abc import Sequence

from simbgp.report.cilium.go import rounded
from simbgp.report.cilium.go_sort import in_order
from simbgp.report.cilium.records import PeerState, PolicyState, RouteState, Statement, routes_of
from simbgp.report.cilium.tabwriter import tabulate

_PEERS = "Local AS\tPeer AS\tPeer Address\tSession\tUptime\tFamily\tReceived\tAdvertised\n"


def peers_table(peers: Sequence[PeerState]) -> str:
    """``cilium-dbg bgp peers``."""
    rows = [_PEERS]
    for peer in in_order(peers, lambda peer: (peer.local_asn, peer.address)):
        rows.append(f"{peer.local_asn}\t{peer.peer_asn}\t{peer.address}:{peer.port}\t{peer.state}\t")
        rows.append(f"{rounded(peer.uptime_ns)}\t")
        counts = (f"{family}\t{family.received}\t{family.advertised}\n" for family in peer.families)
        rows.append(("\t" * 5).join(counts))
    return tabulate("".join(rows))


def routes_table(routes: Sequence[RouteState], advertised: bool) -> str:
    """``cilium-dbg bgp routes``."""
    rows = [f"VRouter\t{'Peer' + chr(9) if advertised else ''}Prefix\tNextHop\tAge\tAttrs\n"]
    refuse_broken(routes)
    for paths in in_order(routes_of(routes), lambda paths: (paths[0].asn, paths[0].neighbor, paths[0].prefix)):
        rows += [_path_row(path, advertised) for path in paths if path.place != "none"]
    return tabulate("".join(rows))


def _path_row(path: RouteState, advertised: bool) -> str:
    peer = f"{path.neighbor}\t" if advertised else ""
    shown = f"{path.asn}\t{peer}{path.prefix}\t{path.next_hop}\t"
    return f"{shown}{rounded(path.age_ns)}\t{path.attributes}\n"


def refuse_broken(routes: Sequence[RouteState]) -> None:
    """Raise ValueError for a route that cannot be decoded: the agent's tools print nothing then."""
    for route in routes:
        if route.place == "broken":
            raise ValueError(f"route {route.prefix} of the dump: {route.attributes}")


def policies_table(policies: Sequence[PolicyState], match_families: bool) -> str:
    """``cilium-dbg bgp route-policies``; a column for the families came with 1.17 (cilium/cilium#34674)."""
    families = "Match Families\t" if match_families else ""
    head = (
        f"VRouter\tPolicy Name\tType\tMatch Peers\t{families}Match Prefixes (Min..Max Len)\tRIB Action\tPath Actions\n"
    )
    rows = [head]
    for policy in in_order(policies, lambda policy: (policy.asn, policy.name)):
        rows.append(f"{policy.asn}\t{policy.name}\t{policy.type}\t")
        rows.append(("\t" * 3).join(_statement(statement, match_families) for statement in policy.statements) or "\n")
    return tabulate("".join(rows))


def _statement(statement: Statement, match_families: bool) -> str:
    families = f"{statement.families}\t" if match_families else ""
    return f"{statement.peers}\t{families}{statement.prefixes}\t{statement.action}\t{statement.path_actions}\n"
