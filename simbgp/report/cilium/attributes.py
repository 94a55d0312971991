"""BGP path attributes: as bytes of an UPDATE (RFC 4271 §4.3), and as the text that GoBGP makes of them.

Source of the text: gobgp ``pkg/packet/bgp/bgp.go``, the ``String`` methods. An attribute that Cilium does not set and
that is not listed here keeps its type number: ``{Unknown(16): ...}``.
"""

import base64
import ipaddress
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

_FAMILY_NAMES = {(1, 1): "ipv4-unicast", (2, 1): "ipv6-unicast"}
_ORIGINS = ("i", "e", "?")
_WELL_KNOWN = {
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
_BY_NAME = {name: value for value, name in _WELL_KNOWN.items()}
ORIGIN, AS_PATH, NEXT_HOP, MED, LOCAL_PREF, COMMUNITIES, MP_REACH, LARGE_COMMUNITIES = 1, 2, 3, 4, 5, 8, 14, 32
_OPTIONAL, _TRANSITIVE, _EXTENDED = 0x80, 0x40, 0x10


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
        return struct.pack("!BBH", flags | _EXTENDED, kind, len(value)) + value
    return struct.pack("!BBB", flags, kind, len(value)) + value


def community_number(text: str) -> int:
    """``65000:99``, ``no-export`` or a plain number. Raises ValueError."""
    if text in _BY_NAME:
        return _BY_NAME[text]
    high, _, low = text.rpartition(":")
    return int(high or 0) << 16 | int(low)


def text_of(attributes: Sequence[bytes]) -> str:
    """The attributes as Go prints the slice: ``[{Origin: i} {Nexthop: 0.0.0.0}]``. Raises ValueError."""
    return f"[{' '.join(_text(*_parts(raw)) for raw in attributes)}]"


def next_hop_of(attributes: Sequence[bytes]) -> str:
    """The next hop that the tools show: of the first attribute that has one, else 0.0.0.0. Raises ValueError."""
    for kind, value in map(_parts, attributes):
        if kind == NEXT_HOP:
            return str(ipaddress.ip_address(value))
        if kind == MP_REACH:
            return _reach(value)[1]
    return "0.0.0.0"


def decode64(text: str) -> bytes:
    """One attribute out of a dump. Raises ValueError."""
    return base64.b64decode(text, validate=True)


def prefix_of(nlri: bytes, version: int) -> str:
    """The prefix in an NLRI. Raises ValueError."""
    return next(_prefixes(nlri, version), "")


def _parts(raw: bytes) -> tuple[int, bytes]:
    if len(raw) < 3 or (raw[0] & _EXTENDED and len(raw) < 4):
        raise ValueError("a path attribute is cut short")
    return raw[1], raw[4:] if raw[0] & _EXTENDED else raw[3:]


def _text(kind: int, value: bytes) -> str:
    try:
        return _TEXTS[kind](value) if kind in _TEXTS else f"{{Unknown({kind}): {value.hex()}}}"
    except (struct.error, IndexError) as error:
        raise ValueError(f"path attribute {kind} is cut short: {error}") from None


def _numbers(value: bytes) -> tuple[int, ...]:
    return struct.unpack(f"!{len(value) // 4}I", value)


def _as_path_text(value: bytes) -> str:
    segments = []
    while value:
        kind, count = value[0], value[1]
        shown = [str(number) for number in _numbers(value[2 : 2 + 4 * count])]
        segments.append(" ".join(shown) if kind == 2 else f"{{{','.join(shown)}}}")
        value = value[2 + 4 * count :]
    return f"{{AsPath: {' '.join(segments)}}}"


def _community_text(number: int) -> str:
    return _WELL_KNOWN.get(number) or f"{number >> 16}:{number & 0xFFFF}"


def _communities_text(value: bytes) -> str:
    return f"{{Communities: {', '.join(map(_community_text, _numbers(value)))}}}"


def _large_text(value: bytes) -> str:
    numbers = _numbers(value)
    shown = (":".join(map(str, numbers[i : i + 3])) for i in range(0, len(numbers), 3))
    return f"{{LargeCommunity: [ {', '.join(shown)}]}}"


def _reach(value: bytes) -> tuple[str, str, list[str]]:
    """Family, next hop and prefixes of an MP_REACH_NLRI (RFC 4760 §3); a link-local second next hop is left out."""
    afi, safi, length = struct.unpack("!HBB", value[:4])
    hop = value[4 : 4 + min(length, 16)]
    version = 4 if afi == 1 else 6
    name = _FAMILY_NAMES.get((afi, safi), f"{afi}/{safi}")
    return name, str(ipaddress.ip_address(hop)), list(_prefixes(value[5 + length :], version))


def _prefixes(nlri: bytes, version: int) -> Iterator[str]:
    while nlri:
        bits, size = nlri[0], (nlri[0] + 7) // 8
        address = nlri[1 : 1 + size].ljust(4 if version == 4 else 16, b"\0")
        yield f"{ipaddress.ip_address(address)}/{bits}"
        nlri = nlri[1 + size :]


def _reach_text(value: bytes) -> str:
    family, hop, prefixes = _reach(value)
    return f"{{MpReach({family}): {{Nexthop: {hop}, NLRIs: [{' '.join(prefixes)}]}}}}"


_TEXTS: Mapping[int, Callable[[bytes], str]] = {
    ORIGIN: lambda value: f"{{Origin: {_ORIGINS[value[0]]}}}",
    AS_PATH: _as_path_text,
    NEXT_HOP: lambda value: f"{{Nexthop: {ipaddress.ip_address(value)}}}",
    MED: lambda value: f"{{Med: {_numbers(value)[0]}}}",
    LOCAL_PREF: lambda value: f"{{LocalPref: {_numbers(value)[0]}}}",
    COMMUNITIES: _communities_text,
    MP_REACH: _reach_text,
    LARGE_COMMUNITIES: _large_text,
}
