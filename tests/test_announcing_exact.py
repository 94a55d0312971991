"""When a speaker announces, and what: deferral after a restart, the End-of-RIB it waits for, services that come and go.

Times in seconds after the fault. An agent that dies at 0 with its container back at 4 dials at 6 and is Established
then. Sources: RFC 4724 §4.1, and what was measured of each release (profiles/data/speakers).
"""

from dataclasses import replace

import pytest
from rib_worlds import Told, V
from worlds import AT_S, cluster, fault, instant, play, pod_cidr, since_fault, steady

from simbgp.model.cluster.endpoints import Endpoint
from simbgp.profiles import Law
from simbgp.scenario.plan import BackendPlan, GracefulRestartPlan
from simbgp.timeline import RouteChanged

GR = GracefulRestartPlan(True, 60)
POD = pod_cidr(1)
CRASH = fault("agent-crash", 4)


def waiting(end_of_rib_s=0.0, **changes):
    """A router whose End-of-RIB comes so long after Established."""
    return instant("rfc4724", end_of_rib=Law.constant(float(end_of_rib_s)), keepalive_jitter=(1.0, 1.0), **changes)


def path(plan, *faults, router="tor-1"):
    """(second, event) of worker-1's pod range at one router, RIB and FIB."""
    facts = [f for f in play(plan, *faults).of(RouteChanged) if f.router == router]
    return [(since_fault(f.time_us), f.event) for f in facts if (f.node, f.prefix) == ("worker-1", POD)]


STALE = (0, "stale")

# the process has no routes yet


@pytest.mark.parametrize(
    ("dial_s", "expected"),
    [
        # Established at 6, routes at 4 + 5: End-of-RIB alone, and what was stale goes
        (2, [STALE, (6, "withdrawn"), (9, "added")]),
        (4.999999, [STALE, (8.999999, "withdrawn"), (9, "added")]),
        (5, [STALE, (9, "refreshed")]),
        (6, [STALE, (10, "refreshed")]),
    ],
)
def test_a_session_that_is_up_before_the_routes_gets_an_end_of_rib_alone(dial_s, expected):
    speaker = steady(dial_s=dial_s, routes_ready=Law.constant(5.0))
    assert path(cluster(speaker=speaker, restart=GR), CRASH) == expected


def test_updates_take_their_time_and_die_with_the_session():
    slow = steady(update_delay=Law.constant(3.0))
    plan = cluster(speaker=slow, restart=GR)
    assert path(plan, CRASH) == [STALE, (9, "refreshed")]
    # killed at 8, Established again at 9 + 2, UPDATE 3 later; the first one's would have come at 9
    twice = path(plan, CRASH, fault("agent-crash", 1, at_s=AT_S + 8))
    assert twice == [STALE, (8, "stale"), (14, "refreshed")]
    # routes at 4 + 8 = 12: that of the first session finds another one; the second has its own, ready at 9 + 8 = 17
    late = cluster(speaker=steady(routes_ready=Law.constant(8.0)), restart=GR)
    assert path(late, CRASH, fault("agent-crash", 1, at_s=AT_S + 8)) == [STALE, (6, "withdrawn"), (17, "added")]


# deferral (RFC 4724 §4.1)


@pytest.mark.parametrize(
    ("speaker", "end_of_rib_s", "deferral_s", "at_s"),
    [
        ("gobgp-3.10", 0, 360, 6),
        ("gobgp-3.10", 3, 360, 9),
        ("gobgp-3.10", 10, 5, 11),  # Established at 6, deferral 5
        ("gobgp-3.10", 5, 5, 11),
        ("gobgp-3.36", 10, 5, 6),  # waits for no End-of-RIB
    ],
)
def test_a_restarted_speaker_announces_after_end_of_rib_or_its_deferral(speaker, end_of_rib_s, deferral_s, at_s):
    plan = cluster(routers=(waiting(end_of_rib_s),), speaker=steady(speaker, deferral_s=deferral_s), restart=GR)
    assert path(plan, CRASH) == [STALE, (at_s, "refreshed")]


def test_only_a_restart_with_graceful_restart_at_its_own_end_is_deferred():
    waits = steady("gobgp-3.10")
    assert path(cluster(routers=(waiting(10),), speaker=waits), CRASH) == [(0, "withdrawn"), (6, "added")]
    alone = cluster(routers=(waiting(10, helper=False),), speaker=waits, restart=GR)
    assert path(alone, CRASH) == [(0, "withdrawn"), (6 + 360, "added")]  # no End-of-RIB ever comes: the whole deferral
    quiet = cluster(routers=(waiting(10),), speaker=waits, restart=replace(GR, restart_bit=False))
    assert path(quiet, CRASH)[-1] == (6, "refreshed")  # R=0, F=0: flushed, and announced anew at once
    later = replace(quiet, speaker=replace(waits, update_delay=Law.constant(1.0)))
    assert path(later, CRASH) == [STALE, (6, "withdrawn"), (7, "added")]


def test_a_wait_of_an_earlier_session_ends_nothing_for_the_next():
    """End-of-RIB after 10: of the first at 16, of the second, Established at 9 + 2, at 21; deferral 12: 18 and 23."""
    twice = CRASH, fault("agent-crash", 1, at_s=AT_S + 8)
    for deferral_s, at_s in ((360, 21), (9, 20)):
        speaker = steady("gobgp-3.10", deferral_s=deferral_s)
        plan = cluster(routers=(waiting(10, second_loss="rearm"),), speaker=speaker, restart=GR)
        assert path(plan, *twice) == [STALE, (8, "stale"), (at_s, "refreshed")]


def two(first_s=0, second_s=0, speaker="gobgp-3.10", **changes):
    return cluster(
        routers=(waiting(first_s), waiting(second_s)), speaker=steady(speaker, **changes), restart=GR, horizon_s=600
    )


@pytest.mark.parametrize(("first_s", "second_s", "at_s"), [(1, 4, 10), (4, 1, 10), (0, 0, 6)])
def test_all_updates_wait_for_the_last_end_of_rib(first_s, second_s, at_s):
    plan = two(first_s, second_s)
    assert path(plan, CRASH) == path(plan, CRASH, router="tor-2") == [STALE, (at_s, "refreshed")]


SECOND = {"routers": ("tor-2",)}


@pytest.mark.parametrize(
    ("speaker", "at_s"),
    [("gobgp-3.10", 9), ("gobgp-4.8", 9), ("gobgp-3.36", 6)],
)
def test_a_router_that_is_late_holds_back_the_updates_to_the_other(speaker, at_s):
    """tor-2's link is dark until 8.5: of the SYNs at 6, 7, 8, 9 the last one passes."""
    plan = two(speaker=speaker, first_dial_timeout_s=None)
    assert path(plan, CRASH, fault("link-loss", 8.5, **SECOND)) == [STALE, (at_s, "refreshed")]


def test_a_router_that_is_shut_down_holds_back_nothing():
    """It is not configured to come: only peers that are enabled, and restart-capable, are waited for."""
    shut = fault("peer-shutdown", at_s=AT_S - 50, **SECOND)
    assert path(two(), CRASH, shut) == [STALE, (6, "refreshed")]
    plan = two()
    plain = [replace(p, restart=GracefulRestartPlan(False)) if p.router == "tor-2" else p for p in plan.peerings]
    lost = fault("link-loss", at_s=AT_S - 99, **SECOND)
    assert path(replace(plan, peerings=tuple(plain)), CRASH, lost) == [STALE, (6, "refreshed")]
    assert path(plan, CRASH, lost) == [STALE, (366, "refreshed")]  # 6 + 360


@pytest.mark.parametrize(
    ("speaker", "expected"), [("gobgp-3.36", [(9, "withdrawn"), (10, "added")]), ("gobgp-4.8", [(10, "refreshed")])]
)
def test_after_the_first_synchronisation_a_3_36_has_r_and_f_clear_towards_the_second(speaker, expected):
    """Measured, 7 of 7: the second router, Established at 9, flushes at once; its UPDATE comes a second later."""
    plan = two(speaker=speaker, update_delay=Law.constant(1.0))
    dark = fault("link-loss", 2.5, at_s=AT_S + 6, **SECOND)
    assert path(plan, CRASH, dark, router="tor-2") == [STALE, *expected]


def test_a_session_lost_while_it_waits_is_waited_for_no_more():
    """tor-1's End-of-RIB would come at 16; it dies at 7, refusing, and tor-2's alone is waited for: 6 + 4."""
    plan = two(10, 4, waits_for_unestablished=False)
    refusing = fault("router-down", at_s=AT_S + 7, options={"host": "refusing"})
    assert path(plan, CRASH, refusing, router="tor-2") == [STALE, (10, "refreshed")]


# stalls that overlap


def stall(at_s, for_s):
    return fault("stall", for_s, at_s=AT_S + at_s)


@pytest.mark.parametrize(
    ("stalls", "gone_s"),
    [
        ([stall(0, 5), stall(3, 8)], [7]),  # to 11 without a break: the last keepalive left at -2, 9 s hold time
        ([stall(0, 11), stall(3, 2)], [7]),
        ([stall(0, 5), stall(5.5, 5)], []),  # one at 5 between them: 14 is later than 10.5
        ([stall(0, 5), stall(5.5, 9)], [14]),
    ],
)
def test_stalls_that_overlap_are_one(stalls, gone_s):
    plan = cluster(nodes=1, timers=(9, 3), cold=True)
    log = play(plan, *stalls)
    lost = [f for f in log if getattr(f, "side", "") == "router" and f.from_state == "established"]
    assert [since_fault(f.time_us) for f in lost] == gone_s


def test_a_process_that_is_not_there_cannot_stall_and_one_that_dies_stalls_no_more():
    plan = cluster(nodes=1, timers=(9, 3), cold=True)
    for faults, back_s in (((CRASH, stall(2, 10)), 6), ((stall(0, 20), fault("agent-crash", 3, at_s=AT_S + 5)), 10)):
        assert path(plan, *faults)[-1] == (back_s, "added")
        assert len([f for f in play(plan, *faults) if getattr(f, "from_state", "") == "established"]) == 2


# services

OWN, OTHER = ("web-1", "worker-1"), ("web-2", "worker-2")


def seen(policy, listed, before=(OWN, OTHER), wanted=(V,), speaker=None, **changes):
    """What becomes of V when worker-1 sees ``listed`` at 1, a second before its UPDATE; ``before`` was at the start."""
    speaker = speaker or steady("1.19", reconcile=Law.constant(1.0))
    told = Told(nodes=2)
    plan = told.world.plan
    late = changes.pop("late", False)
    pods = tuple(BackendPlan(name, node, name, late) for name, node in before)
    service = replace(plan.services[0], policy=policy, backends=pods, **changes)
    at_start = not service.added and (
        policy == "Cluster" or (not late and any(node == "worker-1" for _, node in before))
    )
    peerings = [p if at_start else replace(p, prefixes=(POD,)) for p in plan.peerings if p.node == "worker-1"]
    told.world.plan = replace(plan, speaker=speaker)
    told.world.node("worker-1").profile = speaker
    told.session.peering = peerings[0]
    told.world.index.start  # noqa: B018  the FIB as it was
    actor = told.world.node("worker-1").speaker
    endpoints = tuple(Endpoint(name, node, *phase) for name, node, *phase in listed)
    told.at(1, actor.service_seen, service, endpoints, wanted)
    return told


@pytest.mark.parametrize(
    ("policy", "listed", "expected"),
    [
        ("Local", (OWN, OTHER), []),
        ("Local", (OWN,), []),
        ("Local", (OTHER,), [(2, "withdrawn")]),
        ("Local", (), [(2, "withdrawn")]),
        ("Local", ((*OWN, "unready"), OTHER), [(2, "withdrawn")]),
        ("Cluster", (OTHER,), []),
        ("Cluster", (), []),
    ],
)
def test_a_local_service_is_announced_by_nodes_with_a_ready_pod_of_their_own(policy, listed, expected):
    speaker = steady("1.20", reconcile=Law.parse({"uniform": [0.999999, 1.000001]}))
    told = seen(policy, listed, speaker=speaker)
    assert [(round(at_s, 3), event) for at_s, event in told.path("V")] == expected
    assert told.world.tape.used == bool(expected)  # news that changes nothing is no work


def test_the_addresses_that_a_service_has_are_those_that_are_announced():
    """Its address is taken away, then given back at 5: a reconcile each time; the same news twice is none."""
    told = seen("Cluster", (OWN,), wanted=())
    speaker, service = told.world.node("worker-1").speaker, told.world.plan.services[0]
    for at_s in (5, 7):
        told.at(at_s, speaker.service_seen, service, (Endpoint(*OWN),), (V,))
    assert told.path("V") == [(2, "withdrawn"), (6, "added")]
    assert told.session.withheld == told.session.gained == {}


def test_a_cluster_service_is_announced_without_a_pod_of_the_nodes_own():
    told = seen("Cluster", (OTHER,), (OTHER,), speaker=steady("1.19", reconcile=Law.parse({"uniform": [1, 2]})))
    assert told.path("V") == []
    assert not told.world.tape.used  # and that is no news


def test_a_session_that_is_down_keeps_no_other_from_its_updates():
    """All pods of a Local service are gone at 0; tor-1, the first router, is shut down: tor-2 hears a second later,
    when the endpoints have reached the agent."""
    plan = cluster(routers=(instant(), instant()), speaker=steady("1.20", reconcile=Law.constant(0.0)))
    plan = replace(plan, services=(replace(plan.services[0], policy="Local"),))
    log = play(plan, fault("peer-shutdown", at_s=AT_S - 50, routers=("tor-1",)), fault("backends-down"))
    gone = [(f.router, f.node, since_fault(f.time_us)) for f in log.of(RouteChanged) if f.prefix == V]
    assert ("tor-2", "worker-1", 1) in gone
    assert ("tor-2", "worker-2", 1) in gone


def test_what_is_withheld_is_not_announced_to_a_session_that_comes_up():
    told = seen("Local", (OTHER,))
    told.run(3)
    assert told.session.prefixes() == (POD,)
    told.at(4, told.rib.announced, told.session.prefixes())
    assert told.path("V") == [(2, "withdrawn")]


@pytest.mark.parametrize(
    ("policy", "before", "listed", "changes", "expected"),
    [
        ("Local", (OTHER,), (OWN, OTHER), {}, [(2, "added")]),
        ("Local", (OTHER,), (OTHER,), {}, []),
        ("Local", (OWN,), (), {"late": True}, []),  # the pod of a node that has yet to join was never announced
        ("Local", (OWN,), (OWN,), {"late": True}, [(2, "added")]),
        ("Cluster", (OWN,), (OWN,), {"added": True}, [(2, "added")]),  # created during the run
        ("Local", (OWN,), (OWN,), {"added": True}, [(2, "added")]),
        ("Local", (OWN,), (), {"added": True}, []),
    ],
)
def test_what_was_not_announced_at_the_start_is_when_it_may_be(policy, before, listed, changes, expected):
    told = seen(policy, listed, before, **changes)
    assert told.path("V") == expected
    assert (V in told.session.prefixes()) == bool(expected)


def test_a_service_that_no_advertisement_covers_is_never_announced():
    told = seen("Cluster", (OWN,), added=True)
    told.session.peering = replace(told.session.peering, announcements=())
    assert told.path("V") == []
    assert told.session.prefixes() == (POD,)


# routers without graceful restart, towards a speaker that has it (GoBGP pkg/server/server.go of each release)

PLAIN = {"helper": False}


def beside(speaker, *routers, **changes):
    """A router for each; those with ``helper=False`` have no graceful restart. Their End-of-RIBs take 0, 2, 4, ..."""
    profiles = tuple(waiting(2 * place, **router) for place, router in enumerate(routers))
    return cluster(routers=profiles, speaker=steady(speaker, **changes), restart=GR, horizon_s=900)


GONE = (0, "withdrawn")


@pytest.mark.parametrize(
    ("speaker", "unasked", "expected"),
    [
        ("gobgp-3.10", False, [GONE, (6 + 360, "added")]),  # no End-of-RIB: the deferral time, and then all
        ("gobgp-3.10", True, [GONE]),  # End-of-RIB ends the wait, and those without graceful restart are passed over
        ("gobgp-3.36", True, [GONE, (6, "added")]),
        ("gobgp-4.8", True, [GONE, (6, "added")]),
    ],
)
def test_a_router_without_graceful_restart_alone(speaker, unasked, expected):
    assert path(beside(speaker, PLAIN | {"end_of_rib_unasked": unasked}), CRASH) == expected


@pytest.mark.parametrize(
    ("speaker", "unasked", "plain", "helper"),
    [
        ("gobgp-3.10", False, [GONE, (366, "added")], [STALE, (366, "refreshed")]),  # both wait for what never comes
        ("gobgp-3.10", True, [GONE], [STALE, (8, "refreshed")]),  # the later End-of-RIB at 6 + 2
        ("gobgp-3.36", True, [GONE, (6, "added")], [STALE, (6, "refreshed")]),
        ("gobgp-4.8", True, [GONE, (6, "added")], [STALE, (6, "refreshed")]),
    ],
)
def test_a_router_without_graceful_restart_beside_one_that_has_it(speaker, unasked, plain, helper):
    plan = beside(speaker, PLAIN | {"end_of_rib_unasked": unasked}, {})
    assert path(plan, CRASH) == plain
    assert path(plan, CRASH, router="tor-2") == helper


@pytest.mark.parametrize(
    ("speaker", "at_s"),
    [("gobgp-3.10", 366), ("gobgp-4.8", 366), ("gobgp-3.36", 6)],
)
def test_a_dead_router_holds_back_the_updates_to_one_without_graceful_restart_too(speaker, at_s):
    """Whether the dead one would have graceful restart nobody knows before its OPEN; 3.36 waits for nobody that is
    not there."""
    plan = beside(speaker, PLAIN, PLAIN)
    dead = fault("link-loss", at_s=AT_S - 99, **SECOND)
    assert path(plan, CRASH, dead) == [GONE, (at_s, "added")]


def test_every_router_has_a_deferral_of_its_own():
    """tor-2's link is dark until 8.5: its session comes at 9, its routes 360 later, those of tor-1 at 6 + 360."""
    plan = beside("gobgp-3.10", PLAIN, PLAIN, first_dial_timeout_s=None)
    faults = CRASH, fault("link-loss", 8.5, **SECOND)
    assert path(plan, *faults)[-1] == (366, "added")
    assert path(plan, *faults, router="tor-2")[-1] == (369, "added")


def test_who_was_passed_over_hears_all_in_a_new_session():
    plan = beside("gobgp-3.10", PLAIN | {"end_of_rib_unasked": True})
    reset = fault("session-reset", at_s=AT_S + 100)
    assert path(plan, CRASH, reset) == [GONE, (132, "added")]  # 100 + 30 idle + a dial of 2: no restart any more
