import json
from pathlib import Path

from cli_runs import cli
from prometheus_client.parser import text_string_to_metric_families

from simbgp.profiles import speaker
from simbgp.report.cilium.metrics import exposition, gauges, table
from simbgp.report.cilium.records import FamilyRoutes, PeerState

UP = PeerState(
    65001,
    65000,
    "fd00:10:0:1::1",
    "established",
    1,
    (FamilyRoutes("ipv4", "unicast", 2, 0, 1), FamilyRoutes("ipv6", "unicast", 2, 0, 1)),
    instance="edge",
)
DOWN = PeerState(65001, 65000, "10.0.0.1", "active", 0, (FamilyRoutes("ipv4", "unicast"),), instance="edge")

# The example in the description of cilium/cilium#31469, which brought the gauges.
_NEIGHBOR = 'neighbor="[fd00:10:0:1::1]:179"'
LISTED = "".join(
    f"{metric:<45}{labels:<76}{value}\n"
    for metric, labels, value in [
        ("Metric", "Labels", "Value"),
        *(
            (f"cilium_bgp_control_plane_{way}_routes", f'afi="{afi}" {_NEIGHBOR} safi="unicast" vrouter="65001"', value)
            for way, value in (("advertised", "1.000000"), ("received", "2.000000"))
            for afi in ("ipv4", "ipv6")
        ),
        ("cilium_bgp_control_plane_session_state", f'{_NEIGHBOR} vrouter="65001"', "1.000000"),
    ]
)


def test_cilium_dbg_lists_them_to_the_byte() -> None:
    release = speaker("1.16")
    assert table(gauges([UP], release.metric_labels, release.metrics_while_down)) == LISTED


def test_a_release_has_its_labels_and_from_1_20_no_route_gauges_of_a_session_that_is_down() -> None:
    release = speaker("1.20")
    assert exposition(gauges([DOWN], release.metric_labels, release.metrics_while_down)) == (
        "# HELP cilium_bgp_control_plane_session_state "
        "Current state of the BGP session with the peer, Up = 1 or Down = 0\n"
        "# TYPE cilium_bgp_control_plane_session_state gauge\n"
        'cilium_bgp_control_plane_session_state{instance_name="edge",local_asn="65001",neighbor="10.0.0.1:179",'
        'neighbor_asn="65000"} 0\n'
    )
    older = speaker("1.19")
    text = exposition(gauges([DOWN, UP], older.metric_labels, older.metrics_while_down))
    samples = [line for line in text.splitlines() if line.startswith("cilium_bgp_control_plane_advertised_routes{")]
    assert samples == [  # by the values of the labels in the order of their names: afi before neighbor
        f'cilium_bgp_control_plane_advertised_routes{{afi="{afi}",neighbor="{neighbor}:179",neighbor_asn="65000",'
        f'safi="unicast",vrouter="65001"}} {value}'
        for afi, neighbor, value in [
            ("ipv4", "10.0.0.1", 0),
            ("ipv4", "[fd00:10:0:1::1]", 1),
            ("ipv6", "[fd00:10:0:1::1]", 1),
        ]
    ]


def test_the_exposition_is_read_by_a_parser_of_the_format() -> None:
    release = speaker("1.20")
    text = exposition(gauges([UP, DOWN], release.metric_labels, release.metrics_while_down))
    families = {family.name: family for family in text_string_to_metric_families(text)}
    states = {
        sample.labels["neighbor"]: sample.value for sample in families["cilium_bgp_control_plane_session_state"].samples
    }
    assert states == {"10.0.0.1:179": 0.0, "[fd00:10:0:1::1]:179": 1.0}


def test_a_dump_of_peers_becomes_its_gauges(tmp_path: Path) -> None:
    peer = {
        "local-asn": 65001,
        "peer-asn": 65000,
        "peer-address": "10.0.0.1",
        "peer-port": 179,
        "session-state": "idle",
    }
    file = tmp_path / "peers.json"
    file.write_text(json.dumps([peer]))
    text = cli("show", "metrics", "--from", str(file)).out
    assert text.endswith('session_state{neighbor="10.0.0.1:179",neighbor_asn="65000",vrouter="65001"} 0\n')
