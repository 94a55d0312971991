"""Monotone laws, each with its conditions in its name, and the counter-examples that show the conditions are needed.

Both sides of a comparison are run 0 of the same seed: the same draws. Seconds after the fault; a censored outage counts
up to the horizon. What fails is printed as a scenario file.
"""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scenario_strategies import read, seconds, seeds

from simbgp import profiles as profiles_of
from simbgp.measure import Observed, Question, value_of
from simbgp.scenario.plan import BfdPlan, Plan
from simbgp.study.replay import timeline
from simbgp.traffic import windows

POD, VIP = "10.244.1.0/24", "192.0.2.10/32"
PUNCTUAL = ["frr-8.4", "rfc4724", "rfc8538", "gobgp-3.10", "openbgpd-7.7", "sonic"]
"""BIRD acts at its next wake-up, up to 3 s late by a draw of its own for each moment."""
RELEASES = ["1.16", "1.17", "1.18", "1.19", "1.20", "gobgp-3.10", "gobgp-3.36", "gobgp-4.8"]
TICK_S = 1e-5
"""Durations are whole microseconds, and sums of them are rounded."""
NO_BACKEND_ON_IT = [{"name": "web", "vip": "192.0.2.10", "backends": [{"node": "worker-2"}, {"node": "worker-3"}]}]
"""So that the clock of Kubernetes, which is none of BGP's, is out of it."""


def world(fault, profile, release, hold_s=90, restart_s=120, enabled=True, routers=1, **router):
    tors = [{"name": f"tor-{i + 1}", "profile": profile, "neighbourCheck": False, **router} for i in range(routers)]
    return {
        "horizon": "900s",
        "cluster": {
            "cilium": release,
            "nodes": 3,
            "timers": {"holdTimeSeconds": hold_s, "keepAliveTimeSeconds": hold_s // 3, "connectRetryTimeSeconds": 30},
            "gracefulRestart": {"enabled": enabled, "restartTimeSeconds": restart_s},
            "startup": {"agent": "5s", "node": "40s"},
        },
        "routers": tors,
        "services": NO_BACKEND_ON_IT,
        "faults": [{"at": "100s", **fault}],
    }


def asked(question: Question, data, seed: int) -> float:
    plan: Plan = read(data, seed).plan()
    happened = timeline(plan, seed, 0)
    value = value_of(Observed(plan, happened, windows(plan, happened, seed, 0), (), seed, 0), question)
    assert value is not None
    return value.value


def outage(prefix, data, seed, router=None):
    return asked(Question("blackhole_s", prefix=prefix, router=router), data, seed)


holds = st.sampled_from([3, 6, 9, 15, 30, 60, 90, 180])
profiles, releases = st.sampled_from(PUNCTUAL), st.sampled_from(RELEASES)
silent = st.sampled_from([{"kind": "node-down"}, {"kind": "link-loss", "router": "tor-1"}]).map(
    lambda fault: {**fault, "node": "worker-1"}
)
times = st.sampled_from([5, 30, 120])
law = settings(max_examples=40, deadline=None)


@law
@given(st.tuples(holds, holds).map(sorted), silent, profiles, releases, st.booleans(), seeds)
def test_detection_does_not_fall_as_hold_grows_if_the_fault_is_silent_and_keepalive_is_a_third_of_hold(
    two, fault, profile, release, enabled, seed
):
    """D = H - age, age = u K, K = H / 3: D = H (1 - u / 3) grows with H for the same u."""
    wide = {"timers": {"holdTimeSeconds": 180, "keepAliveTimeSeconds": 60}}
    low, high = (
        asked(Question("detection_s"), world(fault, profile, release, hold, enabled=enabled, **wide), seed)
        for hold in two
    )
    assert low <= high + TICK_S


@law
@given(holds, times, silent, profiles, releases, seeds, st.sampled_from(["50ms", "300ms", "1s"]))
def test_bfd_does_not_lengthen_the_service_window_of_a_permanent_silent_node_loss(
    hold, restart, fault, profile, release, seed, interval
):
    plain = world(fault, profile, release, hold, restart)
    bfd = world(fault, profile, release, hold, restart, bfd={"enabled": True, "interval": interval})
    assert outage(VIP, bfd, seed) <= outage(VIP, plain, seed) + TICK_S


@law
@given(holds, times, silent, profiles, releases, seeds)
def test_switching_gr_off_does_not_lengthen_the_service_window_of_a_permanent_silent_node_loss(
    hold, restart, fault, profile, release, seed
):
    on, off = (world(fault, profile, release, hold, restart, enabled) for enabled in (True, False))
    assert outage(VIP, off, seed) <= outage(VIP, on, seed) + TICK_S


@law
@given(holds, st.sampled_from([60, 120]), profiles, releases, seeds, seconds)
def test_gr_never_lengthens_the_pod_window_of_an_agent_crash_within_restart_time_one_live_router_no_vain_wait_no_bfd(
    hold, restart, profile, release, seed, down_for
):
    # a release that waits for an End-of-RIB waits 360 s for that of a router that sends none: test_end_of_rib.py
    assume(profiles_of.router(profile).helper or not profiles_of.speaker(release).waits_for_end_of_rib)
    fault = {"kind": "agent-crash", "node": "worker-1", "downFor": down_for}
    on, off = (world(fault, profile, release, hold, restart, enabled) for enabled in (True, False))
    assume(asked(Question("reestablish_s"), on, seed) <= restart)
    assert outage(POD, on, seed) <= outage(POD, off, seed) + TICK_S


# --- where a condition is left out, its law does not hold: facts/bgp rows 8, 19-21, known to the field


def test_with_bfd_whose_c_bit_is_clear_a_crash_is_a_hole_although_gr_is_on():
    """FRR flushes when BFD dies with the control plane (RFC 5882 §4.3.2 says it should not): GR has kept nothing."""
    fault = {"kind": "agent-crash", "node": "worker-1", "downFor": "20s"}
    plain = world(fault, "frr-8.4", "1.18")
    bfd = world(fault, "frr-8.4", "1.18", bfd={"enabled": True, "controlPlaneIndependent": False})
    assert outage(POD, plain, 1) == 0
    assert outage(POD, bfd, 1) > 20  # down 20 s, then startup and dial


def test_with_a_second_router_dead_a_muting_gobgp_makes_gr_lengthen_an_agent_crash():
    """GoBGP 4.6 sends nothing to the live router until the dead one is Established or 360 s are over (#3431)."""
    crash = {"kind": "agent-crash", "node": "worker-1", "downFor": "20s"}
    windows_s = []
    for enabled in (True, False):
        data = world(crash, "rfc8538", "1.20", enabled=enabled, restart_s=120, routers=2)
        data["routers"][0]["gracefulRestart"] = {"stalePathTimeSeconds": 180}
        data["faults"].insert(0, {"at": "5s", "kind": "router-down", "router": "tor-2"})
        windows_s.append(outage(POD, data, 1, router="tor-1"))
    on_s, off_s = windows_s
    assert off_s < 40  # down 20 + startup 5 + dial
    assert on_s > off_s + 60  # stale until 180 at most; the UPDATEs come at 25 + 360


def test_after_a_reboot_below_the_hold_time_switching_gr_off_costs_the_pods_more():
    """Not permanent: the node is back before its hold time, and without GR the RST takes a working node's routes."""
    reboot = {"kind": "node-down", "node": "worker-1", "downFor": "5s"}  # + 40 s until the kernel forwards: 45 < 60
    lost = Question("lost_traffic_s", prefix=POD)
    on_s, off_s = (asked(lost, world(reboot, "rfc8538", "1.18", enabled=enabled), 1) for enabled in (True, False))
    assert on_s == pytest.approx(45, abs=0.1)
    assert off_s > 45 + 1  # its agent needs 5 s and a dial, and the RST comes with the router's next segment


def test_the_laws_are_about_bfd_that_the_plan_has():
    """A guard: the setting arrives."""
    data = world({"kind": "node-down", "node": "worker-1"}, "frr-8.4", "1.18", bfd={"enabled": True, "interval": "1s"})
    plan = read(data).plan()
    assert plan.routers[0].bfd == replace(BfdPlan(1.0, 3), independent=plan.routers[0].bfd.independent)
