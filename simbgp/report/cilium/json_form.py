"""``-o json``: the objects with the keys of the agent's API, zero values left out as Go's ``omitempty`` does."""

import base64
import ipaddress
import json
from collections.abc import Mapping, Sequence
from typing import Any

from simbgp.report.cilium.records import PeerState, RouteState
from simbgp.report.cilium.snapshot import Terms


def dumped(found: object, indent: int = 1) -> str:
    """JSON as ``MarshalIndent`` writes it; cilium indents by one blank, the agent by two."""
    return json.dumps(found, indent=indent, ensure_ascii=False) + "\n"


def peer_json(peer: PeerState) -> dict[str, Any]:
    """A BgpPeer."""
    timers = peer.timers
    restart = {"enabled": True, "restart-time-seconds": peer.restart_s} if peer.restart_s is not None else None
    return _without_zeros(
        {
            "applied-hold-time-seconds": timers.applied_hold_s,
            "applied-keep-alive-time-seconds": timers.applied_keepalive_s,
            "configured-hold-time-seconds": timers.hold_s,
            "configured-keep-alive-time-seconds": timers.keepalive_s,
            "connect-retry-time-seconds": timers.connect_retry_s,
            "families": [_family_json(family) for family in peer.families],
            "graceful-restart": restart,
            "local-asn": peer.local_asn,
            "peer-address": peer.address,
            "peer-asn": peer.peer_asn,
            "peer-port": peer.port,
            "session-state": peer.state,
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
        "nlri": {"base64": _base64(_nlri(address, int(length)))},
        "path-attributes": [{"base64": _base64(raw)} for raw in route.encoded],
    }
    named = {"neighbor": route.neighbor, "paths": [_without_zeros(path)], "prefix": route.prefix}
    return _without_zeros({**named, "router-asn": route.asn})


def _nlri(address: str, bits: int) -> bytes:
    return bytes([bits]) + ipaddress.ip_address(address).packed[: (bits + 7) // 8]


def policies_json(terms: Mapping[tuple[str, int, str], Sequence[Terms]]) -> list[dict[str, Any]]:
    """BgpRoutePolicies: the export policies, and for each instance the one that takes in nothing but its own."""
    exported = [
        {"name": name, "router-asn": asn, "statements": [_statement_json(one) for one in several], "type": "export"}
        for (_, asn, name), several in terms.items()
    ]
    local = [
        {"name": "allow-local", "router-asn": asn, "statements": [_local_json()], "type": "import"}
        for asn in dict.fromkeys(asn for _, asn, _ in terms)
    ]
    return exported + local


def _statement_json(terms: Terms) -> dict[str, Any]:
    bits = "/128" if ":" in terms.peer else "/32"
    lengths = [(prefix, int(prefix.rpartition("/")[2])) for prefix in terms.prefixes]
    return {
        "add-communities": list(terms.communities) or None,
        "add-large-communities": list(terms.large_communities) or None,
        "match-families": None,
        "match-neighbors": [terms.peer + bits],
        "match-prefixes": [{"cidr": p, "prefix-len-max": n, "prefix-len-min": n} for p, n in lengths],
        "route-action": "accept",
        "set-local-preference": terms.local_preference,
    }


def _local_json() -> dict[str, Any]:
    nothing = ("add-communities", "add-large-communities", "match-families", "match-neighbors", "match-prefixes")
    return dict.fromkeys(nothing) | {"route-action": "accept", "set-local-preference": -1}


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _without_zeros(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value not in (0, "", None, False)}
