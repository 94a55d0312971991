"""The lab's data plane without root: rules as text, who dials when, how a connection is judged, how shares compare."""

import re
from collections import Counter
from typing import Any

import numpy as np
import pytest

from simbgp import scenario
from simbgp.lab.comparison import Comparison, Figure, hint
from simbgp.lab.dataplane.fates import Ended, ended, fate_of, outcomes_of
from simbgp.lab.dataplane.layout import layout_of
from simbgp.lab.dataplane.rules import ruleset
from simbgp.lab.dataplane.schedule import scaled, schedule
from simbgp.lab.driver import lasts_s
from simbgp.lab.groups import Groups, is_ours
from simbgp.lab.needs import left_out, refusals
from simbgp.lab.readings import Place
from simbgp.lab.shares import Share, shares
from simbgp.lab.topology import topology_of
from simbgp.report.figures import lab_calibration
from simbgp.report.lab import comparison
from simbgp.scenario import Plan
from simbgp.timeline import FaultBegan, Start, Timeline
from simbgp.traffic import ServiceOutcome, maglev_table
from tests.lab_worlds import CRASH, text

_PLACE = Place("tor-1", "worker-1", "10.244.1.0/24")


def _plan(traffic: str = "connections: 1000, lifetime: 1h", **changes: Any) -> Plan:
    """Two nodes with four pods."""
    words = f"{text(CRASH)}\ntraffic: [{{service: web, {traffic}}}]\n"
    return scenario.loads(words).with_(**{"services.0.backends": 4} | changes).plan()


def _balancer(algorithm: str, mode: str, **more: Any) -> dict[str, Any]:
    settings = {"algorithm": algorithm, "mode": mode} | more
    return {"cluster.loadBalancer": settings}


def _rules(plan: Plan, node: str = "worker-1") -> str:
    topology = topology_of(plan)
    return ruleset(plan, layout_of(topology), node, ["to-r1"])


# layout and rules


def test_pods_are_numbered_by_service_and_addressed_by_node():
    pods = layout_of(topology_of(_plan())).pods
    assert [(pod.backend, pod.node, pod.number, pod.address) for pod in pods] == [
        ("web-1", "worker-1", 1, "172.28.1.1"),
        ("web-2", "worker-2", 2, "172.28.2.1"),
        ("web-3", "worker-1", 3, "172.28.1.2"),
        ("web-4", "worker-2", 4, "172.28.2.2"),
    ]


def test_a_random_node_picks_every_pod_alike_and_hides_the_client():
    rules = _rules(_plan(**_balancer("random", "snat")))
    there = "0 : 172.28.1.1, 1 : 172.28.2.1, 2 : 172.28.1.2, 3 : 172.28.2.2"
    assert f"tcp dport 80 dnat ip to numgen random mod 4 map {{ {there} }} : 20000" in rules
    assert 'oifname "fabric" ip daddr 172.28.0.0/16 tcp dport 20000 snat ip to 172.29.0.1' in rules
    assert "notrack" not in rules


def test_the_maglev_map_is_ciliums_table_and_the_same_on_all_nodes():
    plan = _plan(**_balancer("maglev", "snat", maglev={"tableSize": 251}))
    rules, other = _rules(plan), _rules(plan, "worker-2")
    said = dict(re.findall(r"\b(\d+) : (172\.28\.\d\.\d)", rules))
    pods = layout_of(topology_of(plan)).pods
    table = maglev_table([pod.key for pod in pods], 251)
    assert said == {str(slot): pods[owner].address for slot, owner in enumerate(table.tolist())}
    assert "jhash ip saddr . tcp sport mod 251 seed 0x" in rules
    assert rules.replace("172.29.0.1", "172.29.0.2") == other


def test_with_dsr_a_map_remembers_and_the_answer_takes_the_services_address():
    rules = _rules(_plan(**_balancer("random", "dsr")))
    assert "snat ip to" not in rules
    assert "add @dsr20000_flows { ip saddr . tcp sport : meta mark }" in rules
    # gobgp-3.10 has no load balancer of its own: as Cilium before #47529, the client never sees the RST of a pod
    assert "tcp flags & rst == 0 ip saddr set 192.0.2.10 tcp sport set 80" in rules


def test_local_nodes_pick_their_own_pods_and_keep_the_client():
    rules = _rules(_plan(**_balancer("random", "dsr"), **{"services.0.externalTrafficPolicy": "Local"}), "worker-2")
    assert "numgen random mod 2 map { 0 : 172.28.2.1, 1 : 172.28.2.2 }" in rules
    assert "snat ip to" not in rules
    assert "notrack" not in rules


@pytest.mark.parametrize(
    ("settings", "verdict"),
    [
        ({}, None),
        ({"tcpLoose": False}, "reject with tcp reset"),
        ({"tcpLoose": False, "vipOnNode": False}, "drop"),
    ],
)
@pytest.mark.parametrize("mode", ["snat", "dsr"])
def test_a_flow_in_mid_air_is_picked_reset_or_dropped(mode: str, settings: dict[str, Any], verdict: str | None):
    rules = _rules(_plan(**_balancer("random", mode, **settings)))
    assert [said for said in ("reject with tcp reset", "drop") if re.search(rf"{said}$", rules, re.MULTILINE)] == (
        [verdict] if verdict else []
    )


# who dials


def test_the_clients_are_those_of_the_models_run():
    plan = _plan("connections: 100, arrivals: 10/s, lifetime: 10s")
    topology = topology_of(plan)
    one, again, other = (schedule(plan, layout_of(topology), "tor-1", 0, run) for run in (0, 0, 1))
    assert one == again
    assert one != other
    olds = [each for each in one["connections"] if each[1] is None]
    news = [at for _, at, _, _ in one["connections"] if at is not None]
    assert len(olds) == 100
    # 12 s at 10/s: 120, sd 11; four of them
    assert abs(len(news) - 120) < 44
    assert all(0 <= at < 12 for at in news)
    assert one["groups"][0]["target"] == ["192.0.2.10", 80]


def test_two_routers_share_the_clients():
    words = text(CRASH).replace("services:", "  - {name: tor-2, profile: frr-8.4, asn: 65009}\nservices:")
    plan = scenario.loads(f"{words}\ntraffic: [{{service: web, connections: 1000, lifetime: 1h}}]\n").plan()
    layout = layout_of(topology_of(plan))
    counts = [len(schedule(plan, layout, name, 0, 0)["connections"]) for name in ("tor-1", "tor-2")]
    # 1000 and an arrival or a few: at 1000 / 3600 s, in 12 s, 3.3 in the mean
    assert 1000 <= sum(counts) < 1020
    assert abs(counts[0] - 500) < 64  # sd 16


@pytest.mark.parametrize(
    ("traffic", "most", "connections", "per_s"),
    [
        ("connections: 100000, arrivals: 400/s", 1000, 1000, 4.0),
        ("connections: 900, arrivals: 4/s", 1000, 900, 4.0),
        # 3000 requests/s are what the clients do: 900 * 10/s are three times that
        ("connections: 900, arrivals: 3/s, requests: 10/s", 1000, 300, 1.0),
        # 20 000 arrivals are: 5000/s * 12 s are three times that
        ("connections: 900, arrivals: 5000/s", 1000, 300, 5000 / 3),
    ],
)
def test_what_is_too_much_is_scaled_down(traffic: str, most: int, connections: int, per_s: float):
    (found,) = scaled(_plan(traffic), most).traffic
    assert (found.connections, found.arrivals_per_s) == (connections, pytest.approx(per_s))


def test_without_connections_nothing_is_played_and_that_is_said():
    whole = _plan()
    none = scaled(whole, 0)
    assert none.traffic == ()
    assert list(left_out(whole, none)) == ["traffic is not played: --connections 0"]
    assert list(left_out(whole, scaled(whole, 100))) == [
        "100 of 1000 connections are played, and as small a share of the arrivals"
    ]
    # 20 s for the sessions and the horizon of 12; 3 s for opening and 15 for who waits in the end
    assert (lasts_s(none, 2), lasts_s(whole, 2)) == (64.0, 100.0)


# how a connection ended

_FINE: dict[str, Any] = {
    "service": "web",
    "target": "192.0.2.10",
    "place": 0,
    "again": 0,
    "port": 4000,
    "dialled_s": -3.0,
    "opened_s": -2.999,
    "backend": 2,
    "late_opening": False,
    "waited_s": 0.0,
    "waited_since_s": None,
    "asked_s": None,
    "end": None,
    "ended_s": None,
}


@pytest.mark.parametrize(
    ("changes", "dead", "fate"),
    [
        ({}, False, "unaffected"),
        ({"end": "closed"}, False, "unaffected"),
        ({"waited_s": 0.41}, False, "delayed"),
        ({"late_opening": True}, False, "delayed"),
        ({"waited_s": 0.41, "end": "reset"}, False, "reset"),
        ({"end": "timed_out"}, False, "timed_out"),
        ({"asked_s": 5.0}, False, "delayed"),  # only a hole, which may yet end, is in its way
        ({"asked_s": 5.0}, True, "timed_out"),
        ({"opened_s": None, "end": "refused"}, False, "not_opened"),
        ({"opened_s": None}, False, "not_opened"),  # it still dials
    ],
)
def test_a_connection_has_one_outcome(changes: dict[str, Any], dead: bool, fate: str):
    assert fate_of(_FINE | changes, lambda _: dead) == fate


def _ended(*records: dict[str, Any], end_s: float = 30.0) -> list[Ended]:
    return list(ended(records, lambda _: (False, None), lambda _: False, end_s))


def test_a_client_that_dials_again_is_one_client():
    first = _FINE | {"end": "reset", "asked_s": 4.0, "ended_s": 4.2}
    second = _FINE | {"again": 1, "port": 4001, "opened_s": 4.3, "backend": 7, "end": "reset", "asked_s": 9.0}
    third = _FINE | {"again": 2, "port": 4002, "opened_s": 9.3, "backend": 7}
    (client,) = _ended(first, third, second)
    assert (client.fate, client.since_s) == ("reset", 4.0)
    assert (client.reconnected, client.elsewhere, client.broken_again) == (True, True, True)
    (client,) = _ended(first, second | {"backend": 2, "end": None, "asked_s": None})
    assert (client.reconnected, client.elsewhere, client.broken_again) == (True, False, False)


def test_who_waits_in_the_end_has_waited_since_its_request():
    (client,) = _ended(_FINE | {"asked_s": 12.5, "waited_s": 0.8})
    assert (client.fate, client.delay_s, client.connect_delay_s) == ("delayed", 17.5, 0.0)


def test_rows_sum_and_trouble_is_put_down_to_the_latest_fault():
    plan = _plan()
    timeline = Timeline(Start(), plan.horizon_us)
    for at_s, name in ((2, "first"), (8, "second")):
        timeline.write(FaultBegan(at_s * 1_000_000, name, "agent-crash", ("worker-1",), ()))
    met = [
        _FINE,
        _FINE | {"end": "reset", "asked_s": 7.99, "ended_s": 8.1},
        _FINE | {"waited_s": 0.5, "waited_since_s": 8.0},
        _FINE | {"opened_s": None, "dialled_s": 9.0, "end": "refused"},
    ]
    whole, first, second = outcomes_of(plan, timeline, _ended(*({**r, "place": n} for n, r in enumerate(met))))
    assert (whole.total, whole.unaffected, whole.delayed, whole.reset, whole.not_opened) == (4, 1, 1, 1, 1)
    assert (first.fault, first.total, first.unaffected, first.reset, first.delayed) == ("first", 4, 0, 1, 0)
    assert (second.delayed, second.not_opened, second.refused, second.reset) == (1, 1, 1, 0)
    assert whole.delay_s.tolist() == [0.5]


# shares


def _rows(reset: int, total: int = 100) -> list[ServiceOutcome]:
    none = np.empty(0)
    return [ServiceOutcome("web", None, total, reset, total - reset, 0, reset, 0, 0, 0, none, none)]


def test_shares_are_of_all_connections_and_those_that_nobody_met_are_left_out():
    found = {share.name: share for share in shares(_plan(), [_rows(30), _rows(34)], [_rows(330, 1000)])}
    assert set(found) == {"moved", "unaffected", "reset"}
    assert found["reset"].predicted == (0.3, 0.34)
    assert found["reset"].measured == (0.33,)
    assert found["reset"].apart == pytest.approx(0.33 - 0.32)


@pytest.mark.parametrize(("share", "away"), [(0.29, 0.0), (0.2899, 0.0001), (0.35, 0.0), (0.3501, 0.0001)])
def test_a_share_is_inside_up_to_a_point(share: float, away: float):
    # predicted 30 and 34 %, noise 1 point
    assert Share("web", "reset", (0.30, 0.34), (share,)).beside == (pytest.approx(away, abs=1e-9),)


def test_a_share_that_differs_is_told_with_what_it_hints_at():
    far = Share("web", "timed_out", (0.0, 0.0), (0.07,))
    found = Comparison(_plan(), 2, (), (Share("web", "reset", (0.30, 0.34), (0.33,)), far))
    assert (found.inside, found.values, found.agrees) == (1, 2, False)
    said = comparison(found)
    assert "largest difference: connections of web timed out, 6.0 percentage points outside" in said
    assert "dead backends" in (hint(found) or "")
    assert "DIFFERS  1 of 2 measured values" in said


def test_the_figure_has_a_panel_for_shares():
    none = Comparison(_plan(), 2, (Figure(_PLACE, "session_loss_s", (2.0, 3.0), (2.5,), 20.0),))
    both = Comparison(_plan(), 2, none.figures, (Share("web", "not_opened", (0.0, 0.1), (0.3,)),))
    assert [len(lab_calibration(found).axes) for found in (none, both)] == [1, 2]
    panel = lab_calibration(both).axes[1]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["not opened"]
    assert panel.lines[-1].get_xdata() == [0.3]


# resilient groups


def _groups(on_change: str = "replace") -> Groups:
    plan = _plan(**{"routers.0.ecmp": {"hash": "resilient", "buckets": 64, "idleTimer": "60s", "onChange": on_change}})
    return Groups("space", plan.routers[0].ecmp, topology_of(plan).of_router("tor-1"))


def test_a_group_is_edited_in_place():
    groups, kind = _groups(), "type resilient buckets 64 idle_timer 60 unbalanced_timer 0"
    assert groups.commands("192.0.2.10/32", ("worker-1", "worker-2")) == [
        "nexthop replace id 770000 via 172.31.1.1 dev lan",
        "nexthop replace id 770001 via 172.31.1.2 dev lan",
        f"nexthop replace id 769999 group 770000/770001 {kind}",
        "route replace 192.0.2.10/32 nhid 769999 proto 77 table 77",
    ]
    assert groups.commands("192.0.2.10/32", ("worker-1",))[0] == f"nexthop replace id 769999 group 770000 {kind}"
    assert groups.commands("192.0.2.10/32", ()) == [
        "route del 192.0.2.10/32 table 77",
        "nexthop del id 769999",
    ]
    assert groups.commands("192.0.2.10/32", ()) == []


def test_or_made_anew():
    groups = _groups("new-group")
    groups.commands("192.0.2.10/32", ("worker-1", "worker-2"))
    said = groups.commands("192.0.2.10/32", ("worker-1",))
    assert Counter(re.findall(r"id (7699\d\d)", " ".join(said))) == {"769998": 2, "769999": 1}
    assert said[-1] == "nexthop del id 769999"


def test_our_own_groups_are_no_news():
    assert is_ours("[2026-11-30T20:46:47.058344] id 769998 group 770000/770002 type resilient buckets 128")
    assert is_ours("192.0.2.10 nhid 769998 table 77 proto 77 \\ nexthop via 172.31.1.1 dev lan weight 1")
    assert not is_ours("[2026-11-30T20:46:47.058344] id 13 group 12/14 proto zebra")
    assert not is_ours("192.0.2.10 nhid 13 proto bgp metric 20 \\ nexthop via 172.31.1.4 dev lan weight 1")


# what is refused


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"routers.0.ecmp.hash": "hrw"}, "ecmp.hash hrw is not played; the kernel has hash-threshold and resilient"),
        ({"routers.0.ecmp.order": "arrival"}, "ecmp.order arrival is not played"),
        ({"routers.0.ecmp": {"hash": "resilient", "idleTimer": "500ms"}}, "whole seconds in iproute2"),
        ({"routers.0.ecmp": {"hash": "resilient", "addition": "rehash"}}, "ecmp.addition rehash is not played"),
        ({"services.0.sessionAffinity": "ClientIP"}, "sessionAffinity is not played; --connections 0 leaves"),
        ({"services.0.backends": 600}, "at most 250 backends on a node"),
    ],
)
def test_what_clients_need_and_the_lab_lacks_is_refused(changes: dict[str, Any], said: str):
    assert [line for line in refusals(_plan(**changes)) if said in line]


def test_resilient_groups_and_clients_are_played():
    assert not list(refusals(_plan(**{"routers.0.ecmp.hash": "resilient"})))
