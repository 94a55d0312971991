"""Dumps of the real tools: odd ones, large ones, those that are printed as JSON again.

Oracles: cilium ``cilium-cli/bgp/peers.go@22ca075b``, ``routes.go@18d08a93``, ``pkg/bgp/api/printers.go@0317186e``,
``pkg/bgp/commands/*.go@051c289c``; gobgp ``pkg/packet/bgp/bgp.go@v3.37.0`` (the ``String`` methods); Go's
``sort/zsortfunc.go``, gone through by hand.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cli_runs import Done, cli

from simbgp.report.cilium import attribute_text
from simbgp.report.cilium.go_sort import in_order

AVAILABLE, OUT = ("routes", "available", "ipv4", "unicast"), ("routes", "out", "ipv4", "unicast")


def shown(folder: Path, dump: Any, *arguments: str) -> Done:
    (folder / "dump.json").write_text(json.dumps(dump))
    return cli("show", *arguments, "--from", str(folder / "dump.json"))


def lines(done: Done) -> list[str]:
    assert (done.code, done.err) == (0, "")
    return done.out.split("\n")[:-1]


def peer(address: str, *families: str, local: int = 65001, up_ns: int = 0, state: str = "established") -> Any:
    counts = [{"Afi": afi, "Safi": "unicast", "Received": 1, "Advertised": 2} for afi in families]
    found = {"LocalASN": local, "PeerASN": 65000, "Addr": address, "Port": 179, "State": state, "UptimeNS": up_ns}
    return found | {"Fams": counts}


def test_more_than_twelve_equals_stand_as_gos_sort_leaves_them() -> None:
    # 13 items, keys 1 x 7 and 0 x 6. Pivot: median of places 3, 6, 9 is place 3 (two swaps: not in order). It goes to
    # place 0; 12-1, 11-2, 10-3, 9-4, 8-5, 7-6 change places, then the pivot and 6. Both parts are inserted: no change.
    items = [(1, n) for n in range(7)] + [(0, n) for n in range(7, 13)]
    assert [n for _, n in in_order(items, lambda item: item[0])] == [7, 12, 11, 10, 9, 8, 3, 6, 5, 4, 0, 2, 1]
    assert [n for _, n in in_order(items[:12], lambda item: item[0])] == [7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6]


def test_cilium_orders_peers_by_a_less_that_is_no_order(tmp_path: Path) -> None:
    # LocalAsn < or PeerAddress <: each of the two is less than the other; an insertion sort swaps them once
    both = [peer("10.0.0.9", "ipv4", local=65001), peer("10.0.0.1", "ipv4", local=65002)]
    assert [row.split()[-6] for row in lines(shown(tmp_path, {"n": both}, "peers"))[1:]] == ["10.0.0.1", "10.0.0.9"]
    by_agent = lines(shown(tmp_path, both, "peers"))  # LocalAsn, then PeerAddress
    assert [row.split()[2] for row in by_agent[1:]] == ["10.0.0.9:179", "10.0.0.1:179"]


def test_a_peer_without_families_leaves_its_line_to_the_next(tmp_path: Path) -> None:
    dump = {"n": [peer("10.0.0.1"), peer("10.0.0.2", "ipv4")]}
    rows = lines(shown(tmp_path, dump, "peers"))
    own = ["65001", "65000"]
    assert rows[1].split() == [
        *("n", *own, "10.0.0.1", "established", "0s"),
        *(*own, "10.0.0.2", "established", "0s", "ipv4/unicast", "1", "2"),
    ]
    alone = shown(tmp_path, {"n": [peer("10.0.0.1")]}, "peers").out
    assert alone.splitlines()[1].split() == ["n", "65001", "65000", "10.0.0.1", "established", "0s"]
    assert not alone.endswith("\n")


@pytest.mark.parametrize(
    ("up_ns", "by_cilium", "by_shell"),
    [(499_999_999, "0s", "0s"), (500_000_000, "1s", "0s"), (3_599_500_000_000, "1h0m0s", "59m59s")],
)
def test_cilium_rounds_and_the_shell_truncates(tmp_path: Path, up_ns: int, by_cilium: str, by_shell: str) -> None:
    dump = [peer("10.0.0.1", "ipv4", up_ns=up_ns) | {"Instance": "a", "Name": "tor"}]
    assert lines(shown(tmp_path, {"n": dump}, "peers"))[1].split()[5] == by_cilium
    assert lines(shown(tmp_path, dump, "peers"))[1].split()[4] == by_cilium
    assert lines(shown(tmp_path, dump, "peers", "--as", "shell"))[1].split()[3] == by_shell


def test_a_session_that_is_not_up_has_dashes_in_the_shell_and_zeros_elsewhere(tmp_path: Path) -> None:
    down = peer("10.0.0.1", "ipv4", state="active", up_ns=5_000_000_000) | {"Instance": "a", "Name": "tor"}
    assert lines(shown(tmp_path, [down], "peers", "--as", "shell"))[1].split() == [
        *("a", "tor", "active", "-", "ipv4/unicast", "-", "-", "-"),
    ]
    assert lines(shown(tmp_path, {"n": [down]}, "peers"))[1].split()[4:6] == ["active", "5s"]


def test_the_shell_leaves_out_what_repeats_but_not_in_another_instance(tmp_path: Path) -> None:
    route = {"ASN": 65001, "Prefix": "10.0.0.0/24", "NextHop": "10.9.0.21", "AgeNS": 1_999_999_999, "Attrs": ""}
    dump = [route | {"Instance": i, "Peer": p} for i, p in (("b", "x"), ("a", "y"), ("a", "x"), ("a", "x"))]
    assert [row.split() for row in lines(shown(tmp_path, dump, *OUT, "--as", "shell"))[1:]] == [
        ["a", "x", "10.0.0.0/24", "10.9.0.21", "1s"],
        ["10.9.0.21", "1s"],
        ["y", "10.0.0.0/24", "10.9.0.21", "1s"],
        ["b", "x", "10.0.0.0/24", "10.9.0.21", "1s"],
    ]


def api_route(prefix: str, *attributes: str, nlri: str = "GAoBAQ==") -> Any:
    found = [{"base64": base64.b64encode(bytes.fromhex(raw)).decode()} for raw in attributes]
    return {"prefix": prefix, "router-asn": 65001, "paths": [{"nlri": {"base64": nlri}, "path-attributes": found}]}


def test_a_route_that_cannot_be_decoded_leaves_its_cell_as_cilium_does(tmp_path: Path) -> None:
    good, broken = api_route("10.1.1.0/24", "40010100"), api_route("10.1.0.0/24", nlri="invalid")
    rows = lines(shown(tmp_path, {"n": [broken]}, *AVAILABLE))
    assert [row.strip() for row in rows[1:]] == ["n"]
    second = api_route("10.1.2.0/24", nlri="invalid")
    third = api_route("10.1.3.0/24", "40010100", nlri="GAoBAw==")
    rows = lines(shown(tmp_path, {"n": [good, second, third]}, *AVAILABLE))
    assert [len(row) - len(row.lstrip()) for row in rows[1:]] == [0, len("Node   VRouter   ")]  # two empty cells
    done = shown(tmp_path, [good, broken], *AVAILABLE)
    assert done.code == 2
    assert "route 10.1.0.0/24 of the dump: " in done.err


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("40010103", "{Origin: -}"),
        ("400210 0202 0000fde9 0000fdea 0101 0000fdeb", "{AsPath: 65001 65002 {65003}}"),
        ("40020e 0303 0000fde9 0000fdea 0000fdeb", "{AsPath: [65001,65002,65003]}"),
        ("40020a 0402 0000fde9 0000fdea", "{AsPath: (65001 65002)}"),
        ("400600", "{AtomicAggregate}"),
        ("c00708 0000fde9 0a000001", "{Aggregate: {AS: 65001, Address: 10.0.0.1}}"),
        ("c00808 00000000 fde80063", "{Communities: internet, 65000:99}"),
        ("800904 01020304", "{Originator: 1.2.3.4}"),
        ("800a08 01020304 05060708", "{ClusterList: [1.2.3.4 5.6.7.8]}"),
        (
            "800e2a 0002 01 20 fd000000000000000000000000000001 fe800000000000000000000000000001 00 20fd000001",
            "{MpReach(ipv6-unicast): {Nexthop: fd00::1, NLRIs: [fd00:1::/32]}}",
        ),
        ("c01008 0002 fde8 00000063", "{Extcomms: [65000:99]}"),
        ("c01008 0202 00010000 0063", "{Extcomms: [1.0:99]}"),
        ("c06303 010203", "{Flags: TRANSITIVE|OPTIONAL, Type: BGPAttrType(99), Value: [1 2 3]}"),
    ],
)
def test_odd_attributes_read_as_gobgp_prints_them(raw: str, text: str) -> None:
    assert attribute_text.text_of([bytes.fromhex(raw)]) == f"[{text}]"


def test_objects_of_a_dump_are_printed_as_json_with_the_real_keys(tmp_path: Path) -> None:
    dump = {"b": [peer("10.0.0.1", "ipv4", up_ns=7)], "a": []}
    done = shown(tmp_path, dump, "peers", "-o", "json")
    assert list(json.loads(done.out)) == ["a", "b"]  # MarshalIndent sorts the keys of a map
    assert json.loads(done.out)["b"] == [
        {
            "families": [{"advertised": 2, "afi": "ipv4", "received": 1, "safi": "unicast"}],
            "local-asn": 65001,
            "peer-address": "10.0.0.1",
            "peer-asn": 65000,
            "peer-port": 179,
            "session-state": "established",
            "uptime-nanoseconds": 7,
        }
    ]
    routes = [api_route("10.1.1.0/24", "40010100")]
    assert json.loads(shown(tmp_path, routes, *AVAILABLE, "-o", "json").out) == routes
    short = [{"ASN": 65001, "Prefix": "10.0.0.0/24", "NextHop": "::", "AgeNS": 1, "Attrs": ""}]
    assert "in the words of the tables" in shown(tmp_path, short, *AVAILABLE, "-o", "json").err
