"""What was asked for: ``show routes advertised ipv4 unicast``, in the words and with the defaults of each tool."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from simbgp.report.cilium.records import RouteState

Tool = Literal["cilium", "cilium-dbg", "shell"]
_AFIS = ("ipv4", "ipv6", "l2vpn", "ls", "opaque")
_DEFAULTS = ("available", "ipv4", "unicast")
_NOTES = (
    "`available ipv4 unicast` routes",
    "`ipv4 unicast` AFI & SAFI",
    "`unicast` SAFI",
)


@dataclass(frozen=True, slots=True)
class RoutesAsked:
    """Which table; ``note`` is what the tool prints before it about words that were left out."""

    table: str
    afi: str
    safi: str
    vrouter: int | None = None
    peer: str | None = None
    note: str = ""

    @property
    def of_peers(self) -> bool:
        """Whether a column says of which peer a route is."""
        return self.table in ("advertised", "in", "out")

    def wants(self, route: RouteState) -> bool:
        """Whether the table lists a route of that family."""
        return self.vrouter in (None, route.asn) and self.peer in (None, route.neighbor)


def routes_asked(arguments: Sequence[str], tool: Tool) -> RoutesAsked:
    """Reads the words after ``routes``. Raises ValueError in the tool's own words."""
    return _shell(arguments) if tool == "shell" else _cilium(arguments)


def _shell(words: Sequence[str]) -> RoutesAsked:
    if len(words) < 3:
        raise ValueError("BGP routes command requires <table type> <afi> <safi>")
    if words[0] not in ("loc", "in", "out"):
        raise ValueError(f"unknown table type {words[0]}")
    if words[1] not in _AFIS:
        raise ValueError(f"unknown AFI {words[1]}")
    if words[2] != "unicast":
        raise ValueError(f"unknown SAFI {words[2]}")
    return RoutesAsked(words[0], words[1], words[2])


def _cilium(words: Sequence[str]) -> RoutesAsked:
    note = ""
    if len(words) < 3:
        note = f"(Defaulting to {_NOTES[len(words)]}, please see help for more options)\n\n"
        words = (*words, *_DEFAULTS[len(words) :])
    table, afi, safi, *rest = words
    if table not in ("available", "advertised"):
        raise ValueError(f"invalid argument: `{table}`, expected `available` / `advertised`")
    if afi not in _AFIS:
        raise ValueError(f"unknown AFI `{afi}`")
    if safi != "unicast":
        raise ValueError(f"unknown SAFI `{safi}`")
    if rest and rest[0] not in ("vrouter", "peer", "neighbor"):
        raise ValueError(f"invalid argument: `{rest[0]}`, expected `vrouter` / `peer`")
    vrouter, rest = _vrouter(rest)
    return RoutesAsked(table, afi, safi, vrouter, _peer(rest) if table == "advertised" else None, note)


def _vrouter(rest: list[str]) -> tuple[int | None, list[str]]:
    if not rest or rest[0] != "vrouter":
        return None, rest
    if len(rest) < 2:
        raise ValueError("missing vrouter ASN value")
    if not rest[1].isdecimal():
        raise ValueError(f"invalid vrouter ASN: {rest[1]}")
    return int(rest[1]), rest[2:]


def _peer(rest: list[str]) -> str | None:
    if not rest:
        return None
    if rest[0] not in ("peer", "neighbor"):
        raise ValueError("missing `peer` argument")
    if len(rest) < 2:
        raise ValueError("missing peer IP address")
    try:
        return str(ipaddress.ip_address(rest[1]))
    except ValueError:
        raise ValueError(f"invalid peer IP address: {rest[1]}") from None
