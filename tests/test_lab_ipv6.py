"""The lab over IPv6, without daemons: addresses, configurations, what is read from logs and tables, what is refused."""

from pathlib import Path

import pytest

from simbgp import scenario
from simbgp.lab.daemons import bird, frr, gobgp, openbgpd
from simbgp.lab.daemons.base import Site
from simbgp.lab.daemons.gobgp_router import neighbours, table_of
from simbgp.lab.errors import LabError
from simbgp.lab.export import IMAGES, exported
from simbgp.lab.kernel_routes import canonical, route_in
from simbgp.lab.needs import refusals
from simbgp.lab.node import config as node_config
from simbgp.lab.processes import Processes
from simbgp.lab.recorder import Recorder
from simbgp.lab.registry import Registry
from simbgp.lab.topology import Topology, topology_of
from simbgp.scenario import Plan
from simbgp.timeline import Reason

SCENARIO = Path(__file__).resolve().parent.parent / "scenarios" / "lab" / "ipv6" / "crash-then-power-off.yaml"
NODE, TOR = "fd00:31:1::1", "fd00:31:1::fe"


def _plan(**changes: object) -> Plan:
    return scenario.load(str(SCENARIO)).with_(**changes).plan()


def _site(plan: Plan, topology: Topology) -> Site:
    return Site(
        plan.routers[0], "ns", Path("/tmp"), tuple(topology.of_router("tor-1")), plan.peerings, (), "198.18.1.1",
        Recorder(), Processes(Registry()),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("link", "ends", "length"),
    [("switched", (NODE, TOR), 64), ("direct", ("fd00:30:1:1::2", "fd00:30:1:1::1"), 64)],
)
def test_a_router_of_ipv6_prefixes_has_links_of_ipv6(link, ends, length):
    found = topology_of(_plan(**{"routers.0.link": link})).link("tor-1", "worker-1")
    assert (found.node_address, found.router_address, found.length, found.version) == (*ends, length, 6)
    assert found.router_id == "172.31.1.1"


def test_ids_of_nodes_differ_over_switched_and_direct_links():
    for link in ("switched", "direct"):
        topology = topology_of(_plan(**{"routers.0.link": link}))
        assert [each.router_id for each in topology.links] == ["172.31.1.1", "172.31.1.2"]


def test_each_daemon_is_told_the_family():
    plan = _plan()
    topology = topology_of(plan)
    site = _site(plan, topology)
    said = frr.config(site).splitlines()
    assert " no bgp default ipv4-unicast" in said
    assert said[said.index(" address-family ipv6 unicast") + 1 :][:2] == [
        f"  neighbor {NODE} activate",
        "  neighbor fd00:31:1::2 activate",
    ]
    told = bird.config(site)
    assert "ipv4" not in told
    assert f"protocol bgp pfd00x31x1xx1 {{\n  local {TOR} as 65000;\n  neighbor {NODE} as 65001;" in told
    assert f"neighbor {NODE} {{\n  remote-as 65001\n  local-address {TOR}" in openbgpd.config(site)
    of_router = gobgp.config(65000, site.router_id, True, neighbours(site))
    of_node = node_config(topology.of_node("worker-1"), plan.peerings[:1], {"tor-1": plan.routers[0]})
    for text in (of_router, of_node):
        assert 'afi-safi-name = "ipv6-unicast"' in text
        assert "ipv4-unicast" not in text
    assert 'router-id = "172.31.1.1"' in of_node


@pytest.mark.parametrize(
    ("log", "line"),
    [
        (frr.Log, f"2026/12/01 00:41:00.000001 BGP: %ADJCHANGE: neighbor {NODE}(Unknown) in vrf default Up"),
        (bird.Log, "2026-12-01 00:41:00.000 <TRACE> pfd00x31x1xx1: BGP session established"),
        (gobgp.Log, f'{{"Key":"{NODE}","State":"BGP_FSM_OPENCONFIRM","level":"info","msg":"Peer Up"}}'),
        (openbgpd.Log, f"neighbor {NODE}: state change OpenConfirm -> Established, reason: KEEPALIVE message received"),
    ],
)
def test_logs_name_peers_by_their_ipv6_address(log, line):
    found = []
    log(lambda *said: found.append(said[1:])).read(1.0, line)
    assert found == [(NODE, True, Reason.KEEPALIVE_RECEIVED)]


@pytest.mark.parametrize("address", [NODE, "172.31.1.1"])
def test_birds_names_of_either_family_are_read_back(address):
    found = []
    line = f"{bird._name(address)}: State changed to stop"
    bird.Log(lambda *said: found.append(said[1])).read(1.0, line)
    assert found == [address]


def test_the_kernel_tells_one_next_hop_of_ipv6_at_a_time_so_the_table_is_read():
    assert route_in("[ROUTE]2001:db8::10 via fd00:31:1::1 dev lan proto bird metric 32 pref medium") is None
    assert canonical("2001:db8::10") == "2001:db8::10/128"
    assert canonical("fd00:10:244:1::/64") == "fd00:10:244:1::/64"


def test_next_hops_of_ipv6_stand_by_address_as_numbers():
    """::2 before ::10, which as text stands first."""
    said = '{"2001:db8::10/128": [{"attrs": [{"nexthop": "fd00::10"}]}, {"attrs": [{"nexthop": "fd00::2"}]}]}'
    assert table_of(said) == {"2001:db8::10/128": ("fd00::2", "fd00::10")}


def test_ipv6_is_played_and_both_families_at_one_router_are_refused():
    assert list(refusals(_plan())) == []
    both = _plan(**{"cluster.nodes.0": {"name": "worker-1", "address": ["10.0.0.1", "fd00:10::1"],
                                        "podCIDRs": ["10.244.1.0/24", "fd00:10:244:1::/64"]}})  # fmt: skip
    assert [line.partition(";")[0] for line in refusals(both)] == [
        "tor-1: prefixes of IPv4 and IPv6 at one router are not played"
    ]


def test_clients_of_ipv6_are_refused_by_name():
    traffic = [{"service": "web", "connections": 10, "lifetime": "1m"}]
    assert list(refusals(_plan(traffic=traffic))) == [
        "web: clients of IPv6 addresses are not played; --connections 0 leaves clients out"
    ]


def test_ipv6_is_not_exported():
    trial = scenario.draw(_plan(), 0, 0)
    with pytest.raises(LabError, match="tor-1: IPv6 prefixes are not exported"):
        exported(trial, IMAGES)
