"""BGP path attributes in the text that GoBGP makes of them, and the prefixes and next hops in them.

Source: gobgp ``pkg/packet/bgp/bgp.go@v3.37.0``, the ``String`` methods. AS numbers have four octets, as Cilium's tools
are sent them.
"""

import base64
import ipaddress
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence

from simbgp.report.cilium.attributes import (
    AS_PATH,
    COMMUNITIES,
    EXTENDED,
    LARGE_COMMUNITIES,
    LOCAL_PREF,
    MED,
    MP_REACH,
    NEXT_HOP,
    ORIGIN,
    WELL_KNOWN,
)

_FAMILY_NAMES = {(1, 1): "ipv4-unicast", (2, 1): "ipv6-unicast"}
_ORIGINS = ("i", "e", "?")
_SEGMENTS = {1: ("{", "}", ","), 2: ("", "", " "), 3: ("[", "]", ","), 4: ("(", ")", " ")}
"""By segment type (RFC 4271 §4.3, RFC 5065 §3): begin, end and what is between, as asPathParamFormatMap has them."""
_FLAGS = ((0x10, "EXTENDED_LENGTH"), (0x20, "PARTIAL"), (0x40, "TRANSITIVE"), (0x80, "OPTIONAL"))


def text_of(attributes: Sequence[bytes]) -> str:
    """The attributes as Go prints the slice: ``[{Origin: i} {Nexthop: 0.0.0.0}]``. Raises ValueError."""
    return f"[{' '.join(_text(*_parts(raw)) for raw in attributes)}]"


def next_hop_of(attributes: Sequence[bytes]) -> str:
    """The next hop that the tools show: of the first attribute that has one, else 0.0.0.0. Raises ValueError."""
    for _, kind, value in map(_parts, attributes):
        if kind == NEXT_HOP:
            return _address(value)
        if kind == MP_REACH:
            return _reach(value)[1]
    return "0.0.0.0"


def decode64(text: str) -> bytes:
    """One attribute out of a dump. Raises ValueError."""
    return base64.b64decode(text, validate=True)


def prefix_of(nlri: bytes, version: int) -> str:
    """The prefix in an NLRI. Raises ValueError."""
    return next(_prefixes(nlri, version), "")


def _parts(raw: bytes) -> tuple[int, int, bytes]:
    """Flags, type and value."""
    head = 4 if raw and raw[0] & EXTENDED else 3
    if len(raw) < head:
        raise ValueError("a path attribute is cut short")
    length = int.from_bytes(raw[2:head], "big")
    if len(raw) < head + length:
        raise ValueError(f"path attribute {raw[1]} is cut short")
    return raw[0], raw[1], raw[head : head + length]


def _text(flags: int, kind: int, value: bytes) -> str:
    try:
        return _TEXTS[kind](value) if kind in _TEXTS else _unknown(flags, kind, value)
    except (struct.error, IndexError) as error:
        raise ValueError(f"path attribute {kind} is cut short: {error}") from None


def _unknown(flags: int, kind: int, value: bytes) -> str:
    names = "|".join(name for bit, name in _FLAGS if flags & bit)
    return f"{{Flags: {names}, Type: BGPAttrType({kind}), Value: [{' '.join(map(str, value))}]}}"


def _address(packed: bytes) -> str:
    """As netip writes it: an IPv4 address within an IPv6 one with dots."""
    address = ipaddress.ip_address(packed)
    mapped = address.ipv4_mapped if address.version == 6 else None
    return f"::ffff:{mapped}" if mapped is not None else str(address)


def _numbers(value: bytes) -> tuple[int, ...]:
    if len(value) % 4:
        raise ValueError("a list of 32-bit numbers is cut short")
    return struct.unpack(f"!{len(value) // 4}I", value)


def _segments(value: bytes) -> Iterator[str]:
    while value:
        kind, count = value[0], value[1]
        if len(value) < 2 + 4 * count:
            raise ValueError("an AS path is cut short")
        shown = [str(number) for number in _numbers(value[2 : 2 + 4 * count])]
        begin, end, between = _SEGMENTS.get(kind, ("[", "]", " "))
        yield f"{begin}{between.join(shown)}{end}"
        value = value[2 + 4 * count :]


def _community(number: int) -> str:
    return WELL_KNOWN.get(number) or f"{number >> 16}:{number & 0xFFFF}"


def _large(value: bytes) -> str:
    numbers = _numbers(value)
    shown = (":".join(map(str, numbers[i : i + 3])) for i in range(0, len(numbers), 3))
    return f"{{LargeCommunity: [ {', '.join(shown)}]}}"


def _extended(value: bytes) -> Iterator[str]:
    """Extended communities (RFC 4360); of a type that is not for route targets and the like, the value as a number."""
    for i in range(0, len(value) - 7, 8):
        one = value[i : i + 8]
        match one[0] & 0x3F:
            case 0:
                yield "{}:{}".format(*struct.unpack("!HI", one[2:]))
            case 1:
                yield f"{_address(one[2:6])}:{int.from_bytes(one[6:], 'big')}"
            case 2:
                yield "{}.{}:{}".format(*struct.unpack("!HHH", one[2:]))
            case _:
                yield str(int.from_bytes(one[1:], "big"))


def _reach(value: bytes) -> tuple[str, str, list[str]]:
    """Family, next hop and prefixes of an MP_REACH_NLRI (RFC 4760 §3); a link-local second next hop is left out."""
    afi, safi, length = struct.unpack("!HBB", value[:4])
    hop = value[4 : 4 + min(length, 16)]
    name = _FAMILY_NAMES.get((afi, safi), f"{afi}/{safi}")
    return name, _address(hop), list(_prefixes(value[5 + length :], 4 if afi == 1 else 6))


def _prefixes(nlri: bytes, version: int) -> Iterator[str]:
    while nlri:
        bits, size = nlri[0], (nlri[0] + 7) // 8
        if len(nlri) < 1 + size or bits > (32 if version == 4 else 128):
            raise ValueError("a prefix is cut short")
        packed = nlri[1 : 1 + size].ljust(4 if version == 4 else 16, b"\0")
        yield str(ipaddress.ip_network((packed, bits), strict=False))  # bits behind the length are cleared
        nlri = nlri[1 + size :]


def _reach_text(value: bytes) -> str:
    family, hop, prefixes = _reach(value)
    return f"{{MpReach({family}): {{Nexthop: {hop}, NLRIs: [{' '.join(prefixes)}]}}}}"


def _unreach_text(value: bytes) -> str:
    afi, safi = struct.unpack("!HB", value[:3])
    prefixes = list(_prefixes(value[3:], 4 if afi == 1 else 6))
    name = _FAMILY_NAMES.get((afi, safi), f"{afi}/{safi}")
    shown = f"{{NLRIs: [{' '.join(prefixes)}]}}" if prefixes else "End-of-Rib"
    return f"{{MpUnreach({name}): {shown}}}"


def _aggregator(name: str, value: bytes) -> str:
    number, address = int.from_bytes(value[:-4], "big"), _address(value[-4:])
    return f"{{{name}: {{AS: {number}, Address: {address}}}}}"


_TEXTS: Mapping[int, Callable[[bytes], str]] = {
    ORIGIN: lambda value: f"{{Origin: {_ORIGINS[value[0]] if value[0] < len(_ORIGINS) else '-'}}}",
    AS_PATH: lambda value: f"{{AsPath: {' '.join(_segments(value))}}}",
    NEXT_HOP: lambda value: f"{{Nexthop: {_address(value)}}}",
    MED: lambda value: f"{{Med: {_numbers(value)[0]}}}",
    LOCAL_PREF: lambda value: f"{{LocalPref: {_numbers(value)[0]}}}",
    6: lambda value: "{AtomicAggregate}",
    7: lambda value: _aggregator("Aggregate", value),
    COMMUNITIES: lambda value: f"{{Communities: {', '.join(map(_community, _numbers(value)))}}}",
    9: lambda value: f"{{Originator: {_address(value)}}}",
    10: lambda value: f"{{ClusterList: [{' '.join(_address(value[i : i + 4]) for i in range(0, len(value), 4))}]}}",
    MP_REACH: _reach_text,
    15: _unreach_text,
    16: lambda value: f"{{Extcomms: {', '.join(f'[{one}]' for one in _extended(value))}}}",
    17: lambda value: " ".join(_segments(value)),
    18: lambda value: _aggregator("As4Aggregator", value),
    LARGE_COMMUNITIES: _large,
}
