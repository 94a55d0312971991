import pytest
from study_worlds import scenario

import simbgp
from simbgp.measure import Value, closed_forms

TIMERS = {"connectRetryTimeSeconds": 120, "holdTimeSeconds": 90, "keepAliveTimeSeconds": 30}
POD = "10.244.1.0/24"


def world(
    fault, hold_s=90, keepalive_s=30, restart_s=120, router="rfc8538", notification=True, checked=None, **changes
):
    """Four nodes and no backend on the first, so that Kubernetes' own clock is out of it."""
    restart = {"enabled": restart_s > 0, "notification": notification}
    timers = TIMERS | {"holdTimeSeconds": hold_s, "keepAliveTimeSeconds": keepalive_s}
    return scenario(
        cluster__timers=timers,
        cluster__gracefulRestart=restart | ({"restartTimeSeconds": restart_s} if restart_s else {}),
        routers__0__profile=router,
        **({} if checked is None else {"routers__0__neighbourCheck": checked}),
        services=[{"name": "web", "vip": "192.0.2.10", "backends": [{"node": "worker-2", "name": "web-1"}]}],
        faults=[{"at": "60s", "node": "worker-1", **fault}],
        **changes,
    )


def forms(*args, **kwargs):
    return {form.label: form for form in closed_forms(world(*args, **kwargs).plan())}


def span(form):
    return pytest.approx((form.low_s, form.high_s))


DOWN = {"kind": "node-down"}


# the oracle: D in (H-K, H]; without a helper that keeps on hold expiry the window is D, else D + min(R, S)
@pytest.mark.parametrize(
    ("setting", "detection", "window"),
    [
        ({"restart_s": 0}, (60, 90), (60, 90)),
        ({"restart_s": 0, "hold_s": 9, "keepalive_s": 3}, (6, 9), (6, 9)),
        ({"restart_s": 0, "hold_s": 3, "keepalive_s": 1}, (2, 3), (2, 3)),
        ({}, (60, 90), (180, 210)),
        ({"hold_s": 9, "keepalive_s": 3}, (6, 9), (126, 129)),
        ({"hold_s": 3, "keepalive_s": 1}, (2, 3), (122, 123)),
        ({"notification": False}, (60, 90), (60, 90)),
        ({"router": "rfc4724"}, (60, 90), (60, 90)),
        ({"restart_s": 500, "router": "frr-8.4", "checked": False}, (60, 90), (420, 450)),  # its stale-path time: 360 s
        ({"restart_s": 500, "router": "frr-8.4"}, (60, 90), (3, 85)),  # 20-30 -> 0 + 3; 30 + 45 + 5 + 3 + 2
        ({"restart_s": 0, "hold_s": 9, "keepalive_s": 3, "router": "frr-8.4"}, (6, 9), (6, 9)),  # 20 - 3 + 3 = 20
    ],
)
def test_a_dead_node_is_dropped_after_the_hold_time_and_what_the_helper_adds(setting, detection, window):
    found = forms(DOWN, **setting)
    assert span(found["detection"]) == detection
    assert span(found["service outage"]) == window


def test_a_gobgp_router_keeps_on_hold_expiry_without_the_n_bit():
    found = forms(DOWN, router="gobgp-3.10", notification=False, routers__0__gracefulRestart={"helper": True})
    assert span(found["service outage"]) == (180, 210)


def test_the_lower_hold_time_counts_and_the_sender_then_keeps_alive_each_third():
    # 180/60 at the node, FRR's default 180 at the router lowered to 9: H 9, K 3
    found = forms(
        DOWN, hold_s=180, keepalive_s=60, routers__0__timers={"holdTimeSeconds": 9, "keepAliveTimeSeconds": 3}
    )
    assert span(found["detection"]) == (6, 9)


def test_lost_packets_for_good_are_a_dead_node_to_bgp():
    assert span(forms({"kind": "link-loss", "router": "tor-1"})["service outage"]) == (180, 210)


def test_endpoints_have_a_clock_of_their_own():
    # 9/3 without graceful restart: BGP is done after 9 s, but the dead backends are picked for 50 s + U[0.1, 1]
    found = forms(DOWN, hold_s=9, keepalive_s=3, restart_s=0, services__0__backends=4)
    assert span(found["service outage"]) == (50.1, 51)


@pytest.mark.parametrize(("kind", "lost"), [("agent-crash", (0, 0)), ("peer-shutdown", (0, 0)), ("unlabel", (0.1, 1))])
def test_a_node_that_forwards_on_costs_its_service_nothing(kind, lost):
    found = forms({"kind": kind})
    assert span(found["detection"]) == lost
    assert span(found["service outage"]) == (0, 0)


def test_a_crashed_agents_pods_are_unreachable_until_it_has_announced_again():
    # no graceful restart: 20 down + U[8, 15] startup + U[1.5, 2] dial + 0.06 open; Cilium 1.20 on the letter of the RFC
    crash = {"kind": "agent-crash", "downFor": "20s"}
    found = forms(crash, restart_s=0, cluster__startup={"agent": {"uniform": ["8s", "15s"]}})
    assert span(found[f"outage of {POD}"]) == (29.56, 37.06)


def test_a_restart_time_hides_as_much_of_the_crash():
    crash = {"kind": "agent-crash", "downFor": "20s"}
    found = forms(crash, restart_s=15, cluster__startup={"agent": {"uniform": ["8s", "15s"]}})
    assert span(found[f"outage of {POD}"]) == (14.56, 22.06)
    assert span(forms(crash, restart_s=120)[f"outage of {POD}"]) == (0, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"routers": [{"name": "tor-1", "profile": "rfc8538"}, {"name": "tor-2", "profile": "rfc8538"}]},
        {"faults": [{"at": "60s", "kind": "node-down", "node": "all"}]},
        {"faults": [{"at": "60s", "kind": "node-down", "node": "worker-1", "downFor": "10s"}]},
        {"faults": [{"at": "60s", "kind": "node-down", "node": "worker-1"}] * 2},
    ],
)
def test_what_has_no_closed_form_gets_none(changes):
    assert closed_forms(scenario(**changes).plan()) == ()


def test_any_one_of_equal_nodes_has_the_closed_form_of_each():
    found = forms(DOWN | {"node": {"random": 1}})
    assert span(found["service outage"]) == (180, 210)


def test_a_value_outside_the_range_disagrees():
    form = forms(DOWN)["service outage"]  # 180 .. 210 s, ten milliseconds of tolerance
    assert form.agrees([Value(179.995), Value(210.005), None])
    assert not form.agrees([Value(195.0), Value(179.9)])
    assert not form.agrees([Value(210.1)])


def test_a_censored_value_disagrees_only_above():
    form = forms(DOWN)["service outage"]
    assert form.agrees([Value(100.0, censored=True)])
    assert not form.agrees([Value(300.0, censored=True)])


@pytest.mark.parametrize("router", ["rfc4724", "rfc8538", "frr-8.4", "gobgp-3.10"])
@pytest.mark.parametrize(
    "fault",
    [DOWN, {"kind": "agent-crash", "downFor": {"uniform": ["1s", "60s"]}}, {"kind": "link-loss"}, {"kind": "unlabel"}],
)
@pytest.mark.parametrize("restart_s", [0, 30])
def test_the_runs_agree_with_the_closed_form(router, fault, restart_s):
    result = simbgp.run(world(fault, restart_s=restart_s, router=router), runs=20)
    for form in result.closed_forms:
        assert form.agrees(result.stats(form.question).values), form
