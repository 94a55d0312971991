"""The lab without daemons: what is read from logs and tables, what is refused, how a value is judged."""

import math

import pytest

from simbgp.lab.comparison import Comparison, Figure, hint
from simbgp.lab.daemons import frr, gobgp
from simbgp.lab.daemons.gobgp_router import table_of
from simbgp.lab.kernel_routes import route_in
from simbgp.lab.needs import refusals
from simbgp.lab.readings import Place
from simbgp.lab.recorder import Recorder
from simbgp.lab.score import beside, crps, floor, interval
from simbgp.lab.topology import topology_of
from simbgp.report.lab import comparison
from simbgp.timeline import Reason, RouteChanged, SessionChanged, Start
from tests.lab_worlds import CRASH, plan

# scores


def test_crps_of_a_point_is_the_distance():
    assert crps(3.0, [5.0], 60.0) == 2.0


def test_crps_of_two_points_is_gneiting_and_raftery_20():
    # E|X - x| = (1 + 3) / 2 = 2, E|X - X'| / 2 = (0 + 2 + 2 + 0) / 4 / 2 = 0.5
    assert crps(0.0, [1.0, 3.0], 60.0) == 1.5


def test_the_floor_is_half_the_mean_difference():
    assert floor([1.0, 2.0, 4.0], 60.0) == pytest.approx((1 + 3 + 2) / 3 / 2)
    assert floor([1.0], 60.0) is None


@pytest.mark.parametrize(("value", "away"), [(1.85, 0.0), (1.84, 0.01), (3.15, 0.0), (3.16, 0.01), (None, 6.85)])
def test_a_value_is_inside_up_to_the_noise(value: float | None, away: float):
    # predicted 2 and 3, noise 0.15; what never happened counts as the end, 10: 10 - 3 - 0.15
    assert beside(value, [2.0, 3.0], 10.0) == pytest.approx(away, abs=1e-9)


def test_what_never_happens_has_no_interval():
    assert interval([None, None]) == (None, None)
    assert beside(None, [None, None], 10.0) == 0.0
    assert beside(4.0, [None, None], 10.0) == pytest.approx(10 - 0.15 - 4)


# logs


def _told(log: type, *lines: tuple[float, str]) -> list[tuple[float, str, bool, Reason]]:
    found: list[tuple[float, str, bool, Reason]] = []
    reader = log(lambda *said: found.append(said))
    for time_s, line in lines:
        reader.read(time_s, line)
    return found


def test_frr_says_when_and_why():
    sent = (
        "2026/11/23 06:49:01.250000 BGP: [HTQD2-0R1WR][EC 33554451] %NOTIFICATION: sent to neighbor 172.31.1.1 4/0 "
        "(Hold Timer Expired) 0 bytes"
    )
    change = "BGP: [M7Q4P-46WDR] %ADJCHANGE: neighbor 172.31.1.1(n1) in vrf default"
    down = f"2026/11/23 06:49:01.250800 {change} Down BGP Notification send"
    up = f"2026/11/23 06:49:11.5 {change} Up"
    (time_s, peer, is_up, reason), (back_s, *_) = _told(frr.Log, (0.0, sent), (0.0, down), (7.5, up))
    assert (peer, is_up, reason) == ("172.31.1.1", False, Reason.HOLD_EXPIRED)
    assert math.isclose(time_s % 60, 1.2508, abs_tol=1e-6)
    assert back_s == 7.5  # a line without microseconds counts from when it came


def test_frr_without_a_notification_is_a_closed_connection():
    said = "%ADJCHANGE: neighbor 172.31.1.1(n1) in vrf default Down Peer closed the session"
    line = f"2026/11/23 06:49:01.250800 BGP: {said}"
    assert [reason for *_, reason in _told(frr.Log, (0.0, line))] == [Reason.TCP_CLOSED]


def test_gobgp_hides_an_expired_hold_timer_behind_graceful_restart():
    warned = '{"Key":"172.31.1.1","Topic":"Peer","level":"warning","msg":"hold timer expired"}'
    down = '{"Key":"172.31.1.1","Reason":"graceful-restart","State":"BGP_FSM_ESTABLISHED","msg":"Peer Down"}'
    assert [said[3] for said in _told(gobgp.Log, (5.0, warned), (5.01, down))] == [Reason.HOLD_EXPIRED]
    assert [said[3] for said in _told(gobgp.Log, (5.0, warned), (9.0, down))] == [Reason.TCP_CLOSED]
    received = '{"Key":"172.31.1.1","Code":6,"Subcode":9,"msg":"received notification"}'
    assert [said[3] for said in _told(gobgp.Log, (5.0, received), (5.01, down))] == [Reason.HARD_RESET]
    assert _told(gobgp.Log, (0.0, "no JSON"), (0.0, '{"Key": broken')) == []


# tables


def test_a_monitor_line_is_a_prefix_and_its_next_hops():
    stamp = "[2026-11-23T06:35:30.123456] "
    hops = " ".join(rf"\	nexthop via 172.31.1.{n} dev lan weight 1" for n in (1, 2))
    two = f"192.0.2.10 nhid 20 proto bgp metric 20 {hops}"
    assert route_in(stamp + two) == ("192.0.2.10/32", ("172.31.1.1", "172.31.1.2"))
    assert route_in(stamp + "Deleted 10.244.1.0/24 nhid 9 via 172.31.1.1 dev lan proto bgp metric 20") == (
        "10.244.1.0/24",
        (),
    )
    assert route_in(stamp + "[ROUTE]10.244.1.0/24 via 172.31.1.1 dev lan proto bgp") == (
        "10.244.1.0/24",
        ("172.31.1.1",),
    )
    assert route_in(stamp + "3: lan@if5: <NO-CARRIER,BROADCAST> mtu 1500") is None


def test_a_dead_next_hop_is_none():
    dead, alive = (rf"\	nexthop via 172.30.1.{n} dev to-n weight 1" for n in (2, 6))
    line = f"192.0.2.10 proto bird {dead} dead linkdown {alive}"
    assert route_in(line) == ("192.0.2.10/32", ("172.30.1.6",))


def test_gobgp_paths_stand_by_address():
    text = """{"192.0.2.10/32": [{"attrs": [{"type": 3, "nexthop": "172.31.1.10"}]},
                                  {"attrs": [{"type": 1, "value": 0}, {"type": 3, "nexthop": "172.31.1.9"}]}]}"""
    assert table_of(text) == {"192.0.2.10/32": ("172.31.1.9", "172.31.1.10")}


# the record


def test_only_changes_after_time_zero_are_facts():
    recorder = Recorder()
    recorder.session(1.0, "tor-1", "worker-1", "router", True, Reason.KEEPALIVE_RECEIVED)
    recorder.next_hops(1.0, "tor-1", "10.244.1.0/24", ("worker-1",))
    zero = recorder.zero(Start(), {"worker-1": 0})
    at = zero.time_s
    recorder.next_hops(at + 2.5, "tor-1", "10.244.1.0/24", ())
    recorder.session(at + 2.0, "tor-1", "worker-1", "router", False, Reason.TCP_CLOSED)
    recorder.session(at + 2.1, "tor-1", "worker-1", "router", False, Reason.TCP_CLOSED)
    recorder.next_hops(at + 99.0, "tor-1", "10.244.1.0/24", ("worker-1",))
    found = recorder.timeline(zero, 10_000_000)
    assert found.start.next_hops == {"tor-1": {"10.244.1.0/24": ("worker-1",)}}
    assert [(fact.time_us // 100_000, type(fact)) for fact in found] == [(20, SessionChanged), (25, RouteChanged)]


# what is built and what is refused


def test_a_switched_router_has_one_bridge_and_a_direct_one_many():
    switched, direct = topology_of(plan(CRASH)), topology_of(plan(CRASH, link="direct"))
    assert len({link.bridge for link in switched.links}) == 1
    assert len({link.bridge for link in direct.links}) == 2
    names = [*switched.links, *direct.links]
    assert all(len(name) <= 15 for link in names for name in (link.bridge, link.router_port, link.node_port))


def test_each_prefix_is_probed_where_it_is_announced():
    targets = topology_of(plan(CRASH)).targets["tor-1"]
    assert [(t.prefix, t.address, t.nodes) for t in targets] == [
        ("10.244.1.0/24", "10.244.1.1", ("worker-1",)),
        ("192.0.2.10/32", "192.0.2.10", ("worker-1", "worker-2")),
        ("10.244.2.0/24", "10.244.2.1", ("worker-2",)),
    ]


@pytest.mark.parametrize(
    ("fault", "settings", "said"),
    [
        ("{at: 2s, kind: router-restart, router: tor-1}", {}, "router-restart is not played"),
        ("{at: 2s, kind: stall, node: worker-1, stallFor: 2s}", {}, "stall is not played"),
        (CRASH, {"profile": "junos"}, "no daemon plays the profile junos"),
    ],
)
def test_what_is_not_played_is_refused_by_name(fault: str, settings: dict[str, str], said: str):
    assert [line for line in refusals(plan(fault, **settings)) if said in line]


def test_what_can_be_played_is_not_refused():
    assert not list(refusals(plan(CRASH)))


# comparisons

_PLACE = Place("tor-1", "worker-1", "10.244.1.0/24")


def _figure(name: str, predicted: tuple[float | None, ...], *measured: float | None) -> Figure:
    return Figure(_PLACE, name, predicted, measured, 20.0)


def _found(*figures: Figure) -> Comparison:
    return Comparison(plan(CRASH), 2, figures)


def test_it_agrees_from_19_of_20_on():
    inside, outside = _figure("session_loss_s", (2.0, 3.0), *[2.5] * 19, 9.0), [2.5] * 18 + [9.0, 9.0]
    assert _found(inside).agrees
    assert not _found(_figure("session_loss_s", (2.0, 3.0), *outside)).agrees


def test_a_difference_hints_at_routes_that_were_kept():
    # measured 2 s -> 12 s: kept for 10 s; predicted 2 s -> 2.1 s: dropped
    kept = _found(_figure("session_loss_s", (2.0,), 2.0), _figure("withdrawn_s", (2.1,), 12.0))
    assert (hint(kept) or "").startswith("the router kept the routes, the profile drops them")
    said = comparison(kept)
    assert "largest difference: the route leaves the FIB (worker-1 at tor-1), 9.75 s outside" in said
    assert said.endswith("DIFFERS  1 of 2 measured values inside of the predicted 99 % (2 runs of the model)")


def test_no_difference_hints_at_nothing():
    assert hint(_found(_figure("session_loss_s", (2.0,), 2.1))) is None
