"""BGP path attributes as bytes of an UPDATE (RFC 4271 §4.3); the text that GoBGP makes of them: `attribute_text`."""

import ipaddress
import struct
from collections.abc import Sequence
from dataclasses import dataclass

WELL_KNOWN = {
    0: "internet",
    0xFFFF0000: "planned-shut",
    0xFFFF0001: "accept-own",
    0xFFFF0002: "route-filter-translated-v4",
    0xFFFF0003: "route-filter-v4",
    0xFFFF0004: "route-filter-translated-v6",
    0xFFFF0005: "route-filter-v6",
    0xFFFF0006: "llgr-stale",
    0xFFFF0007: "no-llgr",
    0xFFFF029A: "blackhole",
    0xFFFFFF01: "no-export",
    0xFFFFFF02: "no-advertise",
    0xFFFFFF03: "no-export-subconfed",
    0xFFFFFF04: "no-peer",
}
_BY_NAME = {name: value for value, name in WELL_KNOWN.items()}
ORIGIN, AS_PATH, NEXT_HOP, MED, LOCAL_PREF, COMMUNITIES, MP_REACH, LARGE_COMMUNITIES = 1, 2, 3, 4, 5, 8, 14, 32
_OPTIONAL, _TRANSITIVE, EXTENDED = 0x80, 0x40, 0x10


@dataclass(frozen=True, slots=True)
class Path:
    """What Cilium's speaker says of a prefix; ``as_path`` and ``local_pref`` are None where it says nothing."""

    prefix: str
    next_hop: str
    as_path: tuple[int, ...] | None = None
    local_pref: int | None = None
    communities: tuple[str, ...] = ()
    large_communities: tuple[str, ...] = ()
    origin: int = 0


def encode(path: Path) -> tuple[bytes, ...]:
    """The attributes in the order of their types; a next hop of another family stands in MP_REACH_NLRI (RFC 8950)."""
    network, hop = ipaddress.ip_network(path.prefix), ipaddress.ip_address(path.next_hop)
    plain = network.version == hop.version == 4
    found = [_attribute(_TRANSITIVE, ORIGIN, bytes([path.origin]))]
    if path.as_path is not None:
        found.append(_attribute(_TRANSITIVE, AS_PATH, _segment(path.as_path)))
    if plain:
        found.append(_attribute(_TRANSITIVE, NEXT_HOP, hop.packed))
    if path.local_pref is not None:
        found.append(_attribute(_TRANSITIVE, LOCAL_PREF, struct.pack("!I", path.local_pref)))
    if path.communities:
        numbers = list(dict.fromkeys(community_number(text) for text in path.communities))
        found.append(_attribute(_OPTIONAL | _TRANSITIVE, COMMUNITIES, struct.pack(f"!{len(numbers)}I", *numbers)))
    if not plain:
        nlri = bytes([network.prefixlen]) + network.network_address.packed[: (network.prefixlen + 7) // 8]
        head = struct.pack("!HBB", 1 if network.version == 4 else 2, 1, len(hop.packed))
        found.append(_attribute(_OPTIONAL, MP_REACH, head + hop.packed + b"\0" + nlri))
    if path.large_communities:
        parts = [int(part) for text in path.large_communities for part in text.split(":")]
        found.append(_attribute(_OPTIONAL | _TRANSITIVE, LARGE_COMMUNITIES, struct.pack(f"!{len(parts)}I", *parts)))
    return tuple(found)


def _segment(numbers: Sequence[int]) -> bytes:
    return struct.pack(f"!BB{len(numbers)}I", 2, len(numbers), *numbers) if numbers else b""


def _attribute(flags: int, kind: int, value: bytes) -> bytes:
    if len(value) > 255:
        return struct.pack("!BBH", flags | EXTENDED, kind, len(value)) + value
    return struct.pack("!BBB", flags, kind, len(value)) + value


def community_number(text: str) -> int:
    """``65000:99``, ``no-export`` or a plain number. Raises ValueError."""
    if text in _BY_NAME:
        return _BY_NAME[text]
    high, _, low = text.rpartition(":")
    return int(high or 0) << 16 | int(low)
