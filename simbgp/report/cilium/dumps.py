"""Dumps of the real tools, read back: ``cilium bgp ... -o json``, ``cilium-dbg bgp ... -o json``.

Two spellings of each object are read: that of the agent's API (``local-asn``, ``uptime-nanoseconds``), and a short one
of the values that the tables show (``LocalASN``, ``UptimeNS``). ``printed_cells_after_dedup`` holds a table of the
agent's shell, cell by cell.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from simbgp.report.cilium.attribute_text import decode64, next_hop_of, prefix_of, text_of
from simbgp.report.cilium.records import FamilyRoutes, PeerState, PolicyState, RouteState, Statement

T = TypeVar("T")
CELLS = "printed_cells_after_dedup"


@dataclass(frozen=True)
class Dump:
    """What a dump holds: objects of every node (``nodes``) or of one (``one``), or a table's cells."""

    nodes: Mapping[str, Sequence[Any]] | None = None
    one: Sequence[Any] | None = None
    cells: Sequence[tuple[str, ...]] | None = None

    def of_nodes(self, read: Callable[[Any], list[T]]) -> dict[str, list[T]]:
        """The objects of every node; raises ValueError if the dump is of one node alone."""
        if self.nodes is None:
            raise ValueError("the dump is of one node; allowed: {node: [...]}, as cilium -o json prints it")
        return {node: _each(items, read) for node, items in self.nodes.items()}

    def of_one(self, read: Callable[[Any], list[T]]) -> list[T]:
        """The objects of one node; raises ValueError if the dump is of several."""
        if self.one is not None:
            return _each(self.one, read)
        if self.nodes is None or len(self.nodes) != 1:
            raise ValueError("the dump is not of one node; allowed: a list, as cilium-dbg -o json prints it, or --node")
        return _each(next(iter(self.nodes.values())), read)


def read_dump(data: Any, node: str | None = None) -> Dump:
    """``data``, parsed JSON, by its shape; with ``node`` only that node's part. Raises ValueError."""
    if isinstance(data, list):
        return Dump(one=data)
    if isinstance(data, dict) and isinstance(data.get(CELLS), list):
        rows = data[CELLS]
        if not all(isinstance(row, list) and all(isinstance(cell, str) for cell in row) for row in rows):
            raise ValueError(f"{CELLS} is not a list of rows of text")
        return Dump(cells=[tuple(row) for row in rows])
    if not isinstance(data, dict) or not all(isinstance(items, list | None) for items in data.values()):
        raise ValueError("this is no dump; allowed: what cilium or cilium-dbg print with -o json")
    if node is not None and node not in data:
        raise ValueError(f"no node {node!r} in the dump; allowed: {', '.join(data) or 'none'}")
    return Dump(nodes={name: items or [] for name, items in data.items() if node in (None, name)})


def _each(items: Sequence[Any], read: Callable[[Any], list[T]]) -> list[T]:
    found: list[T] = []
    for place, item in enumerate(items):
        try:
            found += read(Fields(item))
        except (TypeError, AttributeError, KeyError, IndexError, OverflowError) as error:
            raise ValueError(f"object {place} of the dump is not of this kind: {error}") from None
    return found


class Fields:
    """A JSON object whose keys have two spellings: each is asked for by both; what is left out has Go's zero value."""

    def __init__(self, item: Any) -> None:
        if not isinstance(item, dict):
            raise TypeError(f"{item!r} is not an object")
        self._item = item

    @property
    def whole(self) -> dict[str, Any]:
        """The object itself."""
        return dict(self._item)

    def has(self, key: str) -> bool:
        """Whether it is written."""
        return key in self._item

    def text(self, *keys: str) -> str:
        """A text."""
        return str(self._first(keys, ""))

    def number(self, *keys: str) -> int:
        """An integer."""
        return int(self._first(keys, 0))

    def truth(self, key: str) -> bool:
        """Whether it is not said to be false."""
        return bool(self._item.get(key, True))

    def items(self, *keys: str) -> list[Any]:
        """A list; Go's nil is null."""
        return list(self._first(keys, None) or ())

    def fields(self, *keys: str) -> "list[Fields]":
        """A list of objects."""
        return [Fields(item) for item in self.items(*keys)]

    def _first(self, keys: Sequence[str], default: Any) -> Any:
        return next((self._item[key] for key in keys if key in self._item), default)


def is_short(item: Fields) -> bool:
    """Whether it is in the short spelling."""
    return any(item.has(key) for key in ("LocalASN", "ASN"))


def peer(item: Fields) -> list[PeerState]:
    """A BgpPeer."""
    families = tuple(
        FamilyRoutes(
            family.text("afi", "Afi"),
            family.text("safi", "Safi"),
            family.number("received", "Received"),
            family.number("accepted", "Accepted"),
            family.number("advertised", "Advertised"),
        )
        for family in item.fields("families", "Fams")
    )
    state = PeerState(
        item.number("local-asn", "LocalASN"),
        item.number("peer-asn", "PeerASN"),
        item.text("peer-address", "Addr"),
        item.text("session-state", "State"),
        item.number("uptime-nanoseconds", "UptimeNS"),
        families,
        item.number("peer-port", "Port"),
        item.text("instance", "Instance"),
        item.text("name", "Name"),
    )
    return [state]


def route(item: Fields) -> list[RouteState]:
    """The paths of a BgpRoute."""
    asn, neighbor = item.number("router-asn", "ASN"), item.text("neighbor", "Neighbor")
    if item.has("AgeNS"):
        shown = (item.text("Prefix"), item.text("NextHop"), item.number("AgeNS"), item.text("Attrs"))
        own = (item.text("Instance"), item.text("Peer"), item.truth("Best"))
        return [RouteState(asn, *shown, neighbor, *own)]
    try:
        found = _paths(item, asn, neighbor)
    except ValueError as error:
        return [RouteState(asn, item.text("prefix"), "", 0, str(error), neighbor, place="broken")]
    return found or [RouteState(asn, item.text("prefix"), "", 0, "", neighbor, place="none")]


def _paths(item: Fields, asn: int, neighbor: str) -> list[RouteState]:
    found: list[RouteState] = []
    for path in item.fields("paths"):
        attributes = tuple(decode64(entry.text("base64")) for entry in path.fields("path-attributes"))
        nlri = decode64(Fields(path._first(("nlri",), {})).text("base64"))
        prefix = prefix_of(nlri, 6 if ":" in item.text("prefix") else 4) or item.text("prefix")
        age = path.number("age-nanoseconds")
        best = bool(path.number("best"))
        shown = prefix, next_hop_of(attributes), age, text_of(attributes)
        found.append(RouteState(asn, *shown, neighbor, best=best, place="further" if found else "first"))
    return found


def policy(item: Fields) -> list[PolicyState]:
    """A BgpRoutePolicy; the short spelling has one statement, each part as it is shown."""
    asn, name, kind = item.number("router-asn", "ASN"), item.text("name", "Name"), item.text("type", "Type")
    if item.has("Action"):
        parts = (item.text(key) for key in ("Peers", "Families", "Prefixes", "Action", "Path"))
        return [PolicyState(asn, name, kind, (Statement(*parts),), item.text("Instance"))]
    return [PolicyState(asn, name, kind, tuple(_statement(entry) for entry in item.fields("statements")))]


def _statement(item: Fields) -> Statement:
    families = [f"{family.text('afi')}/{family.text('safi')}" for family in item.fields("match-families")]
    neighbors, how = _match(item, "match-neighbors", "neighbors")
    prefixes, prefixes_how = _match(item, "match-prefixes", "prefixes")
    ranges = [
        f"{p.text('cidr')} ({p.number('prefix-len-min')}..{p.number('prefix-len-max')})" for p in map(Fields, prefixes)
    ]
    return Statement(
        matched(neighbors, how),
        several(families),
        matched(ranges, prefixes_how),
        item.text("route-action"),
        path_actions(
            item.number("set-local-preference"), item.items("add-communities"), item.items("add-large-communities")
        ),
    )


def _match(item: Fields, key: str, inner: str) -> tuple[list[Any], str]:
    """A list, or since 1.18 an object with its match type."""
    value = item._first((key,), None)
    if isinstance(value, dict):
        return list(value.get(inner) or ()), str(value.get("type", ""))
    return list(value or ()), ""


def several(texts: Sequence[str]) -> str:
    """One thing as it is, several in braces."""
    return texts[0] if len(texts) == 1 else " ".join(f"{{{text}}}" for text in texts)


def matched(texts: Sequence[str], how: str) -> str:
    """What a statement matches; of several things also whether any or all must match."""
    return f"({how}) {several(texts)}" if len(texts) > 1 and how else several(texts)


def path_actions(local_preference: int, communities: Sequence[str], large: Sequence[str]) -> str:
    """What a statement does to a path; a local preference below 0 is none."""
    actions = [f"SetLocalPreference: {local_preference}"] if local_preference >= 0 else []
    actions += [f"AddCommunities: [{' '.join(communities)}]"] if communities else []
    actions += [f"AddLargeCommunities: [{' '.join(large)}]"] if large else []
    return several(actions)
