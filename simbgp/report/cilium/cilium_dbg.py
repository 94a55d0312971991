"""``cilium-dbg bgp``: the tables of one node (cilium pkg/bgp/api/printers.go)."""

from collections.abc import Sequence

from simbgp.report.cilium.go import rounded
from simbgp.report.cilium.records import PeerState, PolicyState, RouteState, Statement
from simbgp.report.cilium.tabwriter import tabulate

_PEERS = "Local AS\tPeer AS\tPeer Address\tSession\tUptime\tFamily\tReceived\tAdvertised\n"


def peers_table(peers: Sequence[PeerState]) -> str:
    """``cilium-dbg bgp peers``."""
    rows = [_PEERS]
    for peer in sorted(peers, key=lambda peer: (peer.local_asn, peer.address)):
        rows.append(f"{peer.local_asn}\t{peer.peer_asn}\t{peer.address}:{peer.port}\t{peer.state}\t")
        rows.append(f"{rounded(peer.uptime_ns)}\t")
        counts = (f"{family}\t{family.received}\t{family.advertised}\n" for family in peer.families)
        rows.append(("\t" * 5).join(counts))
    return tabulate("".join(rows))


def routes_table(routes: Sequence[RouteState], advertised: bool) -> str:
    """``cilium-dbg bgp routes``."""
    rows = [f"VRouter\t{'Peer' + chr(9) if advertised else ''}Prefix\tNextHop\tAge\tAttrs\n"]
    shown = [route for route in routes if route.place != "none"]
    for route in sorted(shown, key=lambda route: (route.asn, route.neighbor, route.prefix)):
        peer = f"{route.neighbor}\t" if advertised else ""
        rows.append(f"{route.asn}\t{peer}{route.prefix}\t{route.next_hop}\t")
        rows.append(f"{rounded(route.age_ns)}\t{route.attributes}\n")
    return tabulate("".join(rows))


def policies_table(policies: Sequence[PolicyState], match_families: bool) -> str:
    """``cilium-dbg bgp route-policies``; releases up to 1.19 have no column for the families."""
    families = "Match Families\t" if match_families else ""
    head = (
        f"VRouter\tPolicy Name\tType\tMatch Peers\t{families}Match Prefixes (Min..Max Len)\tRIB Action\tPath Actions\n"
    )
    rows = [head]
    for policy in sorted(policies, key=lambda policy: (policy.asn, policy.name)):
        rows.append(f"{policy.asn}\t{policy.name}\t{policy.type}\t")
        rows.append(("\t" * 3).join(_statement(statement, match_families) for statement in policy.statements) or "\n")
    return tabulate("".join(rows))


def _statement(statement: Statement, match_families: bool) -> str:
    families = f"{statement.families}\t" if match_families else ""
    return f"{statement.peers}\t{families}{statement.prefixes}\t{statement.action}\t{statement.path_actions}\n"
