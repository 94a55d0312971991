"""The peers, routes and policies of a simulated node at a moment, as its agent would give them."""

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simbgp.profiles.speaker import SpeakerProfile
from simbgp.report.cilium.attribute_text import text_of
from simbgp.report.cilium.attributes import Path, encode
from simbgp.report.cilium.dumps import matched, path_actions
from simbgp.report.cilium.records import (
    ESTABLISHED,
    FamilyRoutes,
    PeerState,
    PeerTimers,
    PolicyState,
    RouteState,
    Statement,
)
from simbgp.report.cilium.replay import Replay, SessionState
from simbgp.scenario.plan import AnnouncementPlan, PeeringPlan, RouterPlan

_NO_PREFERENCE = -1
_IBGP_PREFERENCE = 100


@dataclass(frozen=True, slots=True)
class Terms:
    """One statement of an export policy before it is worded: a peer, prefixes, what is done to their paths."""

    peer: str
    prefixes: tuple[str, ...]
    communities: tuple[str, ...]
    large_communities: tuple[str, ...]
    local_preference: int

    def worded(self, mask: bool, match_types: bool) -> Statement:
        """The statement as a table shows it, the peer with its ``mask`` or without."""
        bits = "/128" if ":" in self.peer else "/32"
        ranges = [f"{prefix} ({length}..{length})" for prefix, length in map(_with_length, self.prefixes)]
        actions = path_actions(self.local_preference, self.communities, self.large_communities)
        prefixes = matched(ranges, "any" if match_types else "")
        return Statement(self.peer + (bits if mask else ""), "", prefixes, "accept", actions)


def _with_length(prefix: str) -> tuple[str, str]:
    return prefix, prefix.rpartition("/")[2]


class Snapshot:
    """All nodes at one moment of a run."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        self._routers = {router.name: router for router in replay.plan.routers}

    @property
    def nodes(self) -> list[str]:
        """The nodes with BGP sessions whose agents answer, in the order of the plan."""
        return [name for name, node in self._replay.nodes.items() if node.sessions and node.answers]

    @property
    def silent(self) -> list[str]:
        """The nodes with BGP sessions whose agents are down."""
        return [name for name, node in self._replay.nodes.items() if node.exists and node.sessions and not node.answers]

    def peers(self, node: str) -> list[PeerState]:
        """The node's sessions."""
        return [self._peer(session) for session in self._replay.sessions(node)]

    def release(self, node: str) -> SpeakerProfile:
        """What the node's agent runs."""
        return self._replay.nodes[node].release

    @property
    def replay(self) -> Replay:
        """What it was taken from."""
        return self._replay

    def _peer(self, session: SessionState) -> PeerState:
        peering, up = session.peering, session.state == ESTABLISHED
        return PeerState(
            peering.local_asn,
            self._routers[peering.router].asn,
            peering.peer_address,
            session.state,
            (self._replay.at_us - session.since_us) * 1000 if up else 0,
            tuple(self._family(session, afi) for afi in peering.families),
            instance=peering.instance,
            name=peering.peer,
            timers=timers_of(peering, self._routers[peering.router], up),
            restart_s=peering.restart.restart_time_s if peering.restart.enabled else None,
            ebgp_multihop_ttl=peering.ebgp_multihop_ttl,
            password=peering.md5,
        )

    def _family(self, session: SessionState, afi: str) -> FamilyRoutes:
        """Accepted are none: the import policy takes local routes alone."""
        received, sent = self._replay.counts(session, afi)
        return FamilyRoutes(afi, "unicast", received, 0, sent)

    def available(self, node: str, afi: str) -> list[RouteState]:
        """The node's own table (Loc-RIB), instance by instance."""
        own = self._replay.own_prefixes(node)
        found: dict[tuple[str, str], RouteState] = {}
        for session in self._replay.sessions(node):
            for entry in _of_family(session.peering.announcements, afi):
                if entry.prefix in own:
                    peering, path = session.peering, Path(entry.prefix, "::" if afi == "ipv6" else "0.0.0.0")
                    key = peering.instance, entry.prefix
                    found.setdefault(key, self._route(path, peering, own[entry.prefix]))
        return list(found.values())

    def advertised(self, node: str, afi: str) -> list[RouteState]:
        """What the node has sent to each of its routers (Adj-RIB-Out)."""
        found = []
        for session in self._replay.sessions(node):
            attributes = {entry.prefix: entry for entry in reversed(session.peering.announcements)}
            for prefix, since_us in session.sent.items():
                if (":" in prefix) == (afi == "ipv6"):
                    entry = attributes.get(prefix) or AnnouncementPlan(prefix, "")
                    found.append(self._sent(entry, session.peering, since_us))
        return found

    def _sent(self, entry: AnnouncementPlan, peering: PeeringPlan, since_us: int) -> RouteState:
        internal = self._routers[peering.router].asn == peering.local_asn
        preference = entry.local_preference if entry.local_preference is not None else _IBGP_PREFERENCE
        path = Path(
            entry.prefix,
            peering.local_address,
            () if internal else (peering.local_asn,),
            preference if internal else None,
            entry.communities,
            entry.large_communities,
        )
        return self._route(path, peering, since_us, peering.peer_address, peering.peer)

    def _route(self, path: Path, peering: PeeringPlan, since_us: int, neighbor: str = "", peer: str = "") -> RouteState:
        encoded = encode(path)
        age_ns = (self._replay.at_us - since_us) * 1000
        asn, text = peering.local_asn, text_of(encoded)
        return RouteState(
            asn, path.prefix, path.next_hop, age_ns, text, neighbor, peering.instance, peer, encoded=encoded
        )

    def terms(self, node: str) -> dict[tuple[str, int, str], list[Terms]]:
        """The export policies of a node by instance, ASN and name, each with its statements."""
        own = self._replay.own_prefixes(node)
        found: dict[tuple[str, int, str], list[Terms]] = {}
        for session in self._replay.sessions(node):
            peering = session.peering
            for name in dict.fromkeys(entry.policy for entry in peering.announcements):
                here = [entry for entry in peering.announcements if entry.policy == name and entry.prefix in own]
                if here:
                    found[peering.instance, peering.local_asn, name] = list(_statements(peering.peer_address, here))
        return found

    def policies(self, node: str, mask: bool) -> list[PolicyState]:
        """The route policies of a node, those it exports by and the one that takes in nothing but its own."""
        match_types = self.release(node).policy_match_types
        exported = [
            PolicyState(asn, name, "export", tuple(terms.worded(mask, match_types) for terms in statements), instance)
            for (instance, asn, name), statements in self.terms(node).items()
        ]
        instances = dict.fromkeys((s.peering.instance, s.peering.local_asn) for s in self._replay.sessions(node))
        local = [PolicyState(asn, "allow-local", "import", (Statement(),), instance) for instance, asn in instances]
        return exported + local


def _of_family(entries: Sequence[AnnouncementPlan], afi: str) -> Iterator[AnnouncementPlan]:
    return (entry for entry in entries if (":" in entry.prefix) == (afi == "ipv6"))


def _statements(peer: str, entries: Sequence[AnnouncementPlan]) -> Iterator[Terms]:
    """One for all prefixes with the same attributes and length, the longest prefixes first."""
    groups: dict[tuple[int, tuple[str, ...], tuple[str, ...], int], list[AnnouncementPlan]] = {}
    for entry in entries:
        length = int(entry.prefix.rpartition("/")[2])
        preference = _NO_PREFERENCE if entry.local_preference is None else entry.local_preference
        groups.setdefault((-length, entry.communities, entry.large_communities, preference), []).append(entry)
    for key, several in sorted(groups.items(), key=lambda group: group[0][0]):
        yield Terms(peer, tuple(sorted((entry.prefix for entry in several), key=_by_address)), *key[1:])


def _by_address(prefix: str) -> int:
    """GoBGP lists a prefix set by the bits of its prefixes."""
    return int(ipaddress.ip_network(prefix).network_address)


def timers_of(peering: PeeringPlan, router: RouterPlan, up: bool) -> PeerTimers:
    """Keepalives follow a lower negotiated hold time, as GoBGP has them (fsm.go: a third of it)."""
    hold = min(peering.hold_s, router.profile.hold_s)
    keepalive = peering.keepalive_s if hold == peering.hold_s else max(1, hold // 3)
    applied = (hold, keepalive) if up else (0, 0)
    return PeerTimers(peering.connect_retry_s, peering.hold_s, peering.keepalive_s, *applied)
