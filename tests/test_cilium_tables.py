import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_runs import cli
from hypothesis import given, settings
from hypothesis import strategies as st

from simbgp.report.cilium import attribute_text, attributes, cilium_cli, cilium_dbg, shell
from simbgp.report.cilium.attributes import Path as BgpPath
from simbgp.report.cilium.dumps import path_actions
from simbgp.report.cilium.go import rounded, truncated
from simbgp.report.cilium.go_sort import sorted_slice
from simbgp.report.cilium.records import FamilyRoutes, PeerState, RouteState
from simbgp.report.cilium.tabwriter import tabulate

GOLDEN = Path(__file__).parent / "data" / "cli-golden"
AVAILABLE, ADVERTISED = ("routes", "available", "ipv4", "unicast"), ("routes", "advertised", "ipv4", "unicast")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("cli_peers_seed", ("peers",)),
        ("cli_peers_empty", ("peers",)),
        ("cli_routes_available_seed", AVAILABLE),
        ("cli_routes_advertised_seed", ADVERTISED),
        ("agent_routes_advertised", ADVERTISED),
        ("agent_route_policies_seed", ("route-policies",)),
        ("agent_route_policies_new", ("route-policies", "--match-families")),
        ("shell_peers", ("peers", "--as", "shell")),
        ("shell_routes_loc", ("routes", "loc", "ipv4", "unicast", "--as", "shell")),
        ("shell_route_policies", ("route-policies", "--as", "shell")),
    ],
)
def test_every_golden_table_is_printed_to_the_byte(name: str, arguments: tuple[str, ...]) -> None:
    done = cli("show", *arguments, "--from", str(GOLDEN / f"{name}.input.json"))
    assert (done.code, done.err) == (0, "")
    assert done.out == (GOLDEN / f"{name}.txt").read_text()


def test_a_column_is_as_wide_as_its_widest_cell_and_three() -> None:
    # the cells before a tab; what follows the last tab is not padded: max(5, 4 + 3) = 7
    assert tabulate("abcd\tx\na\ty\n") == "abcd   x\na      y\n"


def test_a_narrow_column_has_five_places() -> None:
    assert tabulate("\tx\na\ty\n") == "     x\na    y\n"


def test_a_line_without_a_cell_there_ends_a_column() -> None:
    # text/tabwriter: "a column block is a run of adjacent tab-terminated cells"; the second block is narrower
    assert tabulate("abcdef\tx\nplain\na\ty\n") == "abcdef   x\nplain\na    y\n"


def test_a_trailing_tab_pads_the_last_cell_of_data_but_not_of_the_header() -> None:
    assert tabulate("A\tAdvertised\na\t2\t\nb\t137\t\n") == "A    Advertised\na    2     \nb    137   \n"


@pytest.mark.parametrize(
    ("ns", "round_text", "truncate_text"),
    [
        (0, "0s", "0s"),
        (499_999_999, "0s", "0s"),
        (500_000_000, "1s", "0s"),  # Duration.Round: half away from zero
        (59_999_999_999, "1m0s", "59s"),
        (3_723_000_000_000, "1h2m3s", "1h2m3s"),
        (90_000_000_000_000, "25h0m0s", "25h0m0s"),
    ],
)
def test_durations_are_those_of_go(ns: int, round_text: str, truncate_text: str) -> None:
    assert (rounded(ns), truncated(ns)) == (round_text, truncate_text)


def test_the_order_of_cilium_cli_is_no_order_and_depends_on_what_came_first() -> None:
    # less = asn < or address <: both of these are less than the other, so an insertion sort always swaps them
    one, two = (65001, "10.0.0.2"), (65002, "10.0.0.1")
    for found in ([one, two], [two, one]):
        swapped = sorted_slice(found, lambda a, b: a[0] < b[0] or a[1] < b[1])
        assert swapped == found[::-1]


def _peer(state: str = "established", families: int = 2, **more: object) -> PeerState:
    both = (FamilyRoutes("ipv4", "unicast", 2, 0, 4), FamilyRoutes("ipv6", "unicast", 2, 0, 4))
    return PeerState(65001, 65000, "10.0.0.9", state, 2_006_000_000_000, both[:families], **more)  # type: ignore[arg-type]


def test_a_peer_without_families_ends_no_line_as_in_the_real_tools() -> None:
    text = cilium_cli.peers_table({"n": [_peer(families=0), _peer(families=1)]})
    assert len(text.splitlines()) == 2  # the header and one line for both
    assert len(cilium_dbg.peers_table([_peer(families=0), _peer(families=1)]).splitlines()) == 2


def test_cilium_dbg_shows_the_port_and_indents_families_by_five_cells() -> None:
    header, first, second = cilium_dbg.peers_table([_peer()]).splitlines()
    assert header.split() == [
        "Local",
        "AS",
        "Peer",
        "AS",
        "Peer",
        "Address",
        "Session",
        "Uptime",
        "Family",
        "Received",
        "Advertised",
    ]
    assert "10.0.0.9:179" in first
    assert second.index("ipv6/unicast") == first.index("ipv4/unicast") == header.index("Family")


def test_the_shell_hides_counts_of_sessions_that_are_down() -> None:
    rows = shell.peers_table([_peer("active", instance="i", name="a"), _peer(instance="i", name="b")]).splitlines()
    assert [row.split() for row in rows[1:]] == [
        ["i", "a", "active", "-", "ipv4/unicast", "-", "-", "-"],
        ["ipv6/unicast", "-", "-", "-"],
        ["b", "established", "33m26s", "ipv4/unicast", "2", "0", "4"],
        ["ipv6/unicast", "2", "0", "4"],
    ]


def test_the_shell_leaves_out_what_repeats_of_instance_peer_and_prefix() -> None:
    routes = [RouteState(1, p, "10.0.0.1", 0, "[]", instance="i", peer=peer) for peer in "ab" for p in ("x", "y")]
    rows = [row.split() for row in shell.routes_table(routes, peers=True).splitlines()[1:]]
    assert rows == [
        ["i", "a", "x", "10.0.0.1", "0s"],
        ["y", "10.0.0.1", "0s"],
        ["b", "x", "10.0.0.1", "0s"],
        ["y", "10.0.0.1", "0s"],
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (BgpPath("10.1.0.0/24", "0.0.0.0"), "[{Origin: i} {Nexthop: 0.0.0.0}]"),
        (
            BgpPath("10.1.0.0/24", "fd00:10:0:1::2", (65001,), communities=("65000:99",)),
            "[{Origin: i} {AsPath: 65001} {Communities: 65000:99} "
            "{MpReach(ipv4-unicast): {Nexthop: fd00:10:0:1::2, NLRIs: [10.1.0.0/24]}}]",
        ),
        (
            BgpPath("192.0.2.11/32", "10.9.0.21", (65010,), communities=("65000:99", "no-export")),
            "[{Origin: i} {AsPath: 65010} {Nexthop: 10.9.0.21} {Communities: 65000:99, no-export}]",
        ),
        (
            BgpPath("fd00:1::/64", "::", (), 100, (), ("1:2:3",)),
            "[{Origin: i} {AsPath: } {LocalPref: 100} {MpReach(ipv6-unicast): {Nexthop: ::, NLRIs: [fd00:1::/64]}} "
            "{LargeCommunity: [ 1:2:3]}]",
        ),
    ],
)
def test_attributes_read_as_gobgp_prints_them(path: BgpPath, text: str) -> None:
    encoded = attributes.encode(path)
    assert attribute_text.text_of(encoded) == text
    assert attribute_text.next_hop_of(encoded) == path.next_hop


def test_an_update_of_rfc_4271_is_read() -> None:
    # RFC 4271 §4.3: flags 0x40, type 1, length 1, value 0; 0x40 3 4, the address; 0x80 4 4, the MED
    raw = [bytes.fromhex("40010100"), bytes.fromhex("400304c0000201"), bytes.fromhex("80040400000007")]
    assert attribute_text.text_of(raw) == "[{Origin: i} {Nexthop: 192.0.2.1} {Med: 7}]"


def test_a_dump_of_the_agent_itself_is_read(tmp_path: Path) -> None:
    encoded = [bytes.fromhex("40010100"), bytes.fromhex("400304c0000201")]
    path = {
        "age-nanoseconds": 61_000_000_000,
        "best": True,
        "nlri": {"base64": base64.b64encode(bytes([24, 10, 1, 0])).decode()},
        "path-attributes": [{"base64": base64.b64encode(raw).decode()} for raw in encoded],
    }
    dump = tmp_path / "routes.json"
    dump.write_text(json.dumps({"n1": [{"prefix": "10.1.0.0/24", "router-asn": 65001, "paths": [path]}], "n2": None}))
    row = cli("show", *AVAILABLE, "--from", str(dump)).out.splitlines()[1]
    assert row.split() == [
        "n1",
        "65001",
        "10.1.0.0/24",
        "192.0.2.1",
        "1m1s",
        "[{Origin:",
        "i}",
        "{Nexthop:",
        "192.0.2.1}]",
    ]


def test_words_that_are_left_out_are_noted_as_cilium_does() -> None:
    empty = str(GOLDEN / "cli_peers_empty.input.json")
    note = "(Defaulting to `available ipv4 unicast` routes, please see help for more options)\n\n"
    assert cli("show", "routes", "--from", empty).out.startswith(note + "Node")
    assert cli("show", "routes", "bogus", "--from", empty).code == 2
    assert "unknown AFI `ipv5`" in cli("show", "routes", "available", "ipv5", "unicast", "--from", empty).err


def test_routes_are_narrowed_by_peer() -> None:
    dump = str(GOLDEN / "agent_routes_advertised.input.json")
    rows = cli("show", *ADVERTISED, "peer", "10.9.0.2", "--from", dump).out.splitlines()
    assert [row.split()[1] for row in rows] == ["Peer", "10.9.0.2"]


def test_path_actions_are_in_braces_if_there_are_several() -> None:
    assert path_actions(-1, [], []) == ""
    assert path_actions(0, [], []) == "SetLocalPreference: 0"  # the API leaves a zero out; below 0 is none
    assert path_actions(200, ["1:2", "3:4"], []) == "{SetLocalPreference: 200} {AddCommunities: [1:2 3:4]}"


@pytest.mark.parametrize("text", ["{", "3", '{"n": [3]}', '{"n": [{"families": [1]}]}', '{"n": {}}'])
def test_what_is_no_dump_is_refused_in_a_line(tmp_path: Path, text: str) -> None:
    dump = tmp_path / "dump.json"
    dump.write_text(text)
    done = cli("show", "peers", "--from", str(dump))
    assert done.code == 2
    assert "Traceback" not in done.err


@settings(deadline=None, max_examples=200)
@given(st.lists(st.integers(0, 40), max_size=300), st.sampled_from([sorted, list, lambda items: sorted(items)[::-1]]))
def test_gos_sort_puts_any_list_in_order_by_an_order(
    items: list[int], before: Callable[[list[int]], list[int]]
) -> None:
    assert sorted_slice(before(items), lambda a, b: a < b) == sorted(items)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=100))
def test_gos_sort_loses_nothing_by_a_less_that_is_no_order(items: list[tuple[int, int]]) -> None:
    done = sorted_slice(items, lambda a, b: a[0] < b[0] or a[1] < b[1])
    assert sorted(done) == sorted(items)


def test_gos_sort_ends_where_every_pivot_is_bad() -> None:
    assert len(sorted_slice(range(1000), lambda a, b: (a * 7 + b * 13) % 3 == 0)) == 1000


def test_further_paths_of_a_route_have_no_cell_for_the_node_and_a_route_without_paths_nothing_else(
    tmp_path: Path,
) -> None:
    """``printRouteSummary`` of cilium-cli/bgp/routes.go writes the node's cell before its loop over the paths."""
    path = {"nlri": {"base64": "GAoBAQ=="}, "path-attributes": [{"base64": "QAEBAA=="}]}  # 10.1.1.0/24, Origin: i
    bare = {"prefix": "10.1.2.0/24", "router-asn": 65001, "paths": []}
    both = {"prefix": "10.1.1.0/24", "router-asn": 65001, "paths": [path, path]}
    file = tmp_path / "routes.json"
    file.write_text(json.dumps({"n": [both, bare]}))
    rows = cli("show", *AVAILABLE, "--from", str(file)).out.splitlines()
    assert [row.split() for row in rows[1:]] == [
        ["n", "65001", "10.1.1.0/24", "0.0.0.0", "0s", "[{Origin:", "i}]"],
        ["65001", "10.1.1.0/24", "0.0.0.0", "0s", "[{Origin:", "i}]"],
        [],
    ]
    assert rows[2].startswith("65001")
    assert cli("show", *AVAILABLE, "--from", str(file), "--as", "cilium-dbg", "--node", "n").out.count("\n") == 3
