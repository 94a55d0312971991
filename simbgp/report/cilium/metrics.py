"""The BGP gauges of an agent: the exposition format of its ``/metrics``, and ``cilium-dbg metrics list``.

Source: cilium ``pkg/bgp/metrics/metrics.go`` (names, help, labels by release), client_golang's text encoder, which
sorts families, labels and series, and ``cilium-dbg/cmd/metrics_list.go``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from simbgp.report.cilium.records import ESTABLISHED, FamilyRoutes, PeerState
from simbgp.report.cilium.tabwriter import tabulate

_PREFIX = "cilium_bgp_control_plane_"
_HELP = {
    "advertised_routes": "Number of routes advertised to the peer",
    "received_routes": "Number of routes received from the peer",
    "session_state": "Current state of the BGP session with the peer, Up = 1 or Down = 0",
}


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a gauge; ``labels`` are sorted by name."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: int


def gauges(peers: Sequence[PeerState], labels: Sequence[str], while_down: bool) -> list[Series]:
    """The series of all ``peers`` by name and labels."""
    return sorted(_gauges(peers, labels, while_down), key=lambda series: (series.name, [v for _, v in series.labels]))


def _gauges(peers: Sequence[PeerState], labels: Sequence[str], while_down: bool) -> Iterator[Series]:
    for peer in peers:
        up = peer.state == ESTABLISHED
        own = {label: _label(label, peer) for label in labels}
        yield _series("session_state", own, int(up))
        for family in peer.families if up or while_down else ():
            named = {**own, "afi": family.afi, "safi": family.safi}
            yield from _of_family(family, named)


def _of_family(family: FamilyRoutes, labels: dict[str, str]) -> Iterator[Series]:
    yield _series("advertised_routes", labels, family.advertised)
    yield _series("received_routes", labels, family.received)


def _series(name: str, labels: dict[str, str], value: int) -> Series:
    return Series(_PREFIX + name, tuple(sorted(labels.items())), value)


def _label(label: str, peer: PeerState) -> str:
    address = f"[{peer.address}]" if ":" in peer.address else peer.address  # netip.AddrPort.String
    return {
        "vrouter": str(peer.local_asn),
        "local_asn": str(peer.local_asn),
        "instance_name": peer.instance,
        "neighbor": f"{address}:{peer.port}",
        "neighbor_asn": str(peer.peer_asn),
    }[label]


def exposition(series: Sequence[Series]) -> str:
    """The text format, version 0.0.4."""
    lines = []
    for name, text in _HELP.items():
        found = [one for one in series if one.name == _PREFIX + name]
        if found:
            lines += [f"# HELP {_PREFIX}{name} {text}", f"# TYPE {_PREFIX}{name} gauge"]
            lines += [f"{one.name}{{{_labels(one, ',')}}} {one.value}" for one in found]
    return "".join(f"{line}\n" for line in lines)


def table(series: Sequence[Series]) -> str:
    """``cilium-dbg metrics list``."""
    rows = ["Metric\tLabels\tValue\n", *(f"{one.name}\t{_labels(one, ' ')}\t{one.value:f}\n" for one in series)]
    return tabulate("".join(rows))


def _labels(series: Series, between: str) -> str:
    return between.join(f'{name}="{_escaped(value)}"' for name, value in series.labels)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def as_json(series: Sequence[Series]) -> list[dict[str, Any]]:
    """``cilium-dbg metrics list -o json``."""
    return [{"labels": dict(one.labels), "name": one.name, "value": one.value} for one in series]
