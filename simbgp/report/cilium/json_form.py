"""``-o json``: the objects with the keys of the agent's API, zero values left out as Go's ``omitempty`` does."""

import base64
import ipaddress
import json
from collections.abc import Mapping, Sequence
from typing import Any

from simbgp.profiles.speaker import SpeakerProfile
from simbgp.report.cilium.records import PeerState, RouteState
from simbgp.report.cilium.snapshot import Terms


def dumped(found: object, indent: int = 1) -> str:
    """JSON as ``MarshalIndent`` writes it; cilium indents by one blank, the agent by two."""
    return json.dumps(found, indent=indent, ensure_ascii=False) + "\n"


def peer_json(peer: PeerState) -> dict[str, Any]:
    """A BgpPeer."""
    timers = peer.timers
    restart = {"enabled": True, "restart-time-seconds": peer.restart_s} if peer.restart_s is not None else {}
    return _without_zeros(
        {
            "applied-hold-time-seconds": timers.applied_hold_s,
            "applied-keep-alive-time-seconds": timers.applied_keepalive_s,
            "configured-hold-time-seconds": timers.hold_s,
            "configured-keep-alive-time-seconds": timers.keepalive_s,
            "connect-retry-time-seconds": timers.connect_retry_s,
            "ebgp-multihop-ttl": peer.ebgp_multihop_ttl,
            "families": [_family_json(family) for family in peer.families],
            "graceful-restart": restart,
            "local-asn": peer.local_asn,
            "peer-address": peer.address,
            "peer-asn": peer.peer_asn,
            "peer-port": peer.port,
            "session-state": peer.state,
            "tcp-password-enabled": peer.password,
            "uptime-nanoseconds": peer.uptime_ns,
        }
    )


def _family_json(family: Any) -> dict[str, Any]:
    return _without_zeros(
        {
            "accepted": family.accepted,
            "advertised": family.advertised,
            "afi": family.afi,
            "received": family.received,
            "safi": family.safi,
        }
    )


def route_json(route: RouteState) -> dict[str, Any]:
    """A BgpRoute with its path."""
    address, _, length = route.prefix.partition("/")
    path = {
        "age-nanoseconds": route.age_ns,
        "best": route.best,
        "family": {"afi": "ipv6" if ":" in address else "ipv4", "safi": "unicast"},
        "nlri": {"base64": _base64(_nlri(address, int(length)))},
        "path-attributes": [{"base64": _base64(raw)} for raw in route.encoded],
    }
    named = {"neighbor": route.neighbor, "paths": [_without_zeros(path)], "prefix": route.prefix}
    return _without_zeros({**named, "router-asn": route.asn})


def _nlri(address: str, bits: int) -> bytes:
    return bytes([bits]) + ipaddress.ip_address(address).packed[: (bits + 7) // 8]


def policies_json(
    terms: Mapping[tuple[str, int, str], Sequence[Terms]], release: SpeakerProfile
) -> list[dict[str, Any]]:
    """BgpRoutePolicies: the export policies, and for each instance the one that takes in nothing but its own."""
    form = _with_match_types if release.policy_match_types else _plain_lists
    exported = [
        {"name": name, "router-asn": asn, "statements": [_statement(form(one), one) for one in several]}
        for (_, asn, name), several in terms.items()
    ]
    every: Mapping[str, Any] = {} if release.policy_match_types else {"match-neighbors": [], "match-prefixes": []}
    local = [
        {"name": "allow-local", "router-asn": asn, "statements": [_statement(every)]}
        for asn in dict.fromkeys(asn for _, asn, _ in terms)
    ]
    return [{**policy, "type": "export"} for policy in exported] + [{**policy, "type": "import"} for policy in local]


def _statement(matches: Mapping[str, Any], terms: Terms | None = None) -> dict[str, Any]:
    """A BgpRoutePolicyStatement; lists that the agent never filled are null in Go."""
    found = {
        "add-communities": list(terms.communities) or None if terms is not None else None,
        "add-large-communities": list(terms.large_communities) or None if terms is not None else None,
        "match-families": None,
        **matches,
        "route-action": "accept",
        "set-local-preference": terms.local_preference if terms is not None else -1,
    }
    return {key: value for key, value in found.items() if value != 0}


def _prefixes(terms: Terms) -> list[dict[str, Any]]:
    lengths = [(prefix, int(prefix.rpartition("/")[2])) for prefix in terms.prefixes]
    return [{"cidr": p, "prefix-len-max": n, "prefix-len-min": n} for p, n in lengths]


def _plain_lists(terms: Terms) -> Mapping[str, Any]:
    """Up to 1.18; the neighbor is a prefix."""
    bits = "/128" if ":" in terms.peer else "/32"
    return {"match-neighbors": [terms.peer + bits], "match-prefixes": _prefixes(terms)}


def _with_match_types(terms: Terms) -> Mapping[str, Any]:
    """Since 1.19 (cilium/cilium#42714); the neighbor is an address."""
    return {
        "match-neighbors": {"neighbors": [terms.peer], "type": "any"},
        "match-prefixes": {"prefixes": _prefixes(terms), "type": "any"},
    }


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _without_zeros(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value not in (0, "", None, False)}
