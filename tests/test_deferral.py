"""Whom a restarted GoBGP 3.10 keeps waiting for 360 s, and whom it passes over.

Seconds after the crash: down 20, dial 2, Established at 22. Measured on 1 December 2026 with GoBGP 3.10 before FRR
8.4.4, BIRD 2.0.12, OpenBGPD 7.7 and GoBGP 3.10 without graceful restart; the rule is GoBGP's pkg/server/server.go.
"""

import pytest
from worlds import AT_S, cluster, fault, fib_log, instant, play, pod_cidr, since_fault, steady

from simbgp.profiles import Law, router
from simbgp.scenario.plan import GracefulRestartPlan, Plan
from simbgp.timeline import RouteChanged

POD = pod_cidr(1)
GR = GracefulRestartPlan(True, 15)
GONE = (0, "withdrawn")
CRASH = fault("agent-crash", 20)
RESET = fault("session-reset", at_s=AT_S + 100, routers=("tor-1",))


def plain(name: str, **changes: object):
    """A router without graceful restart, with its own End-of-RIB and all else without latency."""
    own = router(name)
    kept = {"end_of_rib": own.end_of_rib, "end_of_rib_per_peer_s": own.end_of_rib_per_peer_s}
    return instant(name, **(kept | {"helper": False, "timer_grain_s": 0.0} | changes))


def world(*routers, **changes: object) -> Plan:
    return cluster(routers=routers, speaker=steady("gobgp-3.10", **changes), restart=GR, horizon_s=900)


def routes(plan: Plan, *faults, of: str = "tor-1"):
    facts = [fact for fact in play(plan, CRASH, *faults).of(RouteChanged) if fact.router == of]
    return [(since_fault(f.time_us), f.event) for f in facts if (f.node, f.prefix) == ("worker-1", POD)]


@pytest.mark.parametrize("name", ["bird-2.0", "openbgpd-7.7", "gobgp-3.10"])
def test_who_sends_no_end_of_rib_hears_nothing_for_the_deferral_time(name):
    assert routes(world(plain(name))) == [GONE, (22 + 360, "added")]


def test_who_sends_one_without_graceful_restart_is_passed_over_for_good():
    """FRR's End-of-RIB comes at 22 + 1.05 + 2 x 0.05 and ends the wait, of which the deferral timer then knows."""
    assert routes(world(plain("frr-8.4"))) == [GONE]
    assert routes(world(plain("frr-8.4"), passes_over_plain_peers=False)) == [GONE, (23.15, "added")]
    assert routes(world(plain("frr-8.4", end_of_rib_unasked=False))) == [GONE, (382, "added")]


@pytest.mark.parametrize(("ready_s", "added"), [(3.15, []), (3.151, [(23.151, "added")])])
def test_who_was_passed_over_hears_what_the_process_learns_later(ready_s, added):
    """The process is up at 20 and has its routes so long after; the End-of-RIB is in at 23.15."""
    plan = world(plain("frr-8.4"), routes_ready=Law.constant(ready_s))
    assert routes(plan) == [GONE, *added]


@pytest.mark.parametrize(("outlives", "added_s"), [(True, 22 + 360), (False, 132 + 360)])
def test_a_deferral_timer_is_not_stopped_by_the_loss_of_its_session(outlives, added_s):
    """Reset at 100, Established again at 132 with R still set. Measured with BIRD: 360.0 s after the first time."""
    plan = world(plain("openbgpd-7.7"), deferral_outlives_session=outlives)
    assert routes(plan, RESET) == [GONE, (added_s, "added")]


def test_a_new_process_knows_nothing_of_the_timers_of_the_last():
    """Again down at 100 for 20: Established at 122."""
    again = fault("agent-crash", 20, at_s=AT_S + 100)
    assert fib_log(play(world(plain("openbgpd-7.7")), CRASH, again), POD) == [GONE, (122 + 360, "added")]
