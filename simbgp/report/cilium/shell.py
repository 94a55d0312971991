"""``cilium-dbg shell -- bgp/...``: tables of one node by instance and peer name (cilium pkg/bgp/commands)."""

from collections.abc import Iterator, Sequence

from simbgp.report.cilium.cilium_dbg import refuse_broken
from simbgp.report.cilium.go import truncated
from simbgp.report.cilium.go_sort import in_order
from simbgp.report.cilium.records import ESTABLISHED, PeerState, PolicyState, RouteState
from simbgp.report.cilium.tabwriter import tabulate

Row = tuple[str, ...]
_PEERS = ("Instance", "Peer", "Session State", "Uptime", "Family", "Received", "Accepted", "Advertised")
_LOC = ("Instance", "Prefix", "NextHop", "Best", "Age")
_IN_OUT = ("Instance", "Peer", "Prefix", "NextHop", "Age")
_POLICIES = (
    "Instance",
    "Policy Name",
    "Type",
    "Match Peers",
    "Match Families",
    "Match Prefixes (Min..Max Len)",
    "RIB Action",
    "Path Actions",
)


def cells_table(rows: Sequence[Row]) -> str:
    """Rows of cells that are already as they are to be shown, the header among them."""
    return tabulate("".join("\t".join(row) + "\n" for row in rows))


def peers_table(peers: Sequence[PeerState]) -> str:
    """``bgp/peers``: a row for each family, what repeats left out, counts only of sessions that are up."""
    return cells_table([_PEERS, *_peer_rows(peers)])


def _peer_rows(peers: Sequence[PeerState]) -> Iterator[Row]:
    of_families = [(peer, family) for peer in peers for family in peer.families]
    last: tuple[str, str] | None = None
    for peer, family in in_order(of_families, lambda pair: (pair[0].instance, pair[0].name, str(pair[1]))):
        up = peer.state == ESTABLISHED
        uptime = truncated(peer.uptime_ns) if up else "-"
        own = ("", "", "") if last == (peer.instance, peer.name) else (peer.name, peer.state, uptime)
        instance = "" if last is not None and last[0] == peer.instance else peer.instance
        counts = (family.received, family.accepted, family.advertised)
        yield instance, *own, str(family), *(str(count) if up else "-" for count in counts)
        last = peer.instance, peer.name


def routes_table(routes: Sequence[RouteState], peers: bool) -> str:
    """``bgp/routes loc`` or, with ``peers``, ``in`` and ``out``."""
    return cells_table([_IN_OUT if peers else _LOC, *_route_rows(routes, peers)])


def _route_rows(routes: Sequence[RouteState], peers: bool) -> Iterator[Row]:
    refuse_broken(routes)
    last: tuple[str, str, str] | None = None
    shown = [route for route in routes if route.place != "none"]
    for route in in_order(shown, lambda route: (route.instance, route.peer, route.prefix)):
        own = (route.instance, route.peer, route.prefix)
        repeated = [last is not None and own[: place + 1] == last[: place + 1] for place in range(3)]
        instance, peer, prefix = ("" if again else cell for cell, again in zip(own, repeated, strict=True))
        age = truncated(route.age_ns)
        if peers:
            yield instance, peer, prefix, route.next_hop, age
        else:
            yield instance, prefix, route.next_hop, str(route.best).lower(), age
        last = own


def policies_table(policies: Sequence[PolicyState]) -> str:
    """``bgp/route-policies``: a row for each statement, nothing left out."""
    rows = [
        (policy.instance, policy.name, policy.type, s.peers, s.families, s.prefixes, s.action, s.path_actions)
        for policy in policies
        for s in policy.statements
    ]
    return cells_table([_POLICIES, *in_order(rows, lambda row: row[:2])])
