"""Graceful restart: what a helper keeps, for how long, and what a return does. Times in seconds after the fault."""

import pytest
from worlds import AT_S, VIP, cluster, fault, fib_log, first_lost, instant, play, pod_cidr, session_log, steady

from simbgp.profiles import Law
from simbgp.scenario.plan import GracefulRestartPlan
from simbgp.timeline import RouteChanged

POD = pod_cidr(1)
GR = GracefulRestartPlan(True, 15)
GR_NO_N = GracefulRestartPlan(True, 15, notification=False)
GOBGP = instant("gobgp-3.10", helper=True, notification=True)


def rib_log(timeline, prefix=POD):
    return [
        (round(f.time_us / 1e6 - AT_S, 6), f.event)
        for f in timeline.of(RouteChanged)
        if (f.node, f.prefix) == ("worker-1", prefix)
    ]


def test_a_restart_within_the_restart_time_leaves_the_fib_alone():
    """Container back at 4, dial at 6 < 15."""
    log = play(cluster(restart=GR), fault("agent-crash", 4))
    assert rib_log(log) == [(0, "stale"), (6, "refreshed")]


def test_a_restart_beyond_the_restart_time_leaves_a_hole_from_it_to_the_return():
    """15 to 30 + 2."""
    log = play(cluster(restart=GR), fault("agent-crash", 30))
    assert rib_log(log) == [(0, "stale"), (15, "withdrawn"), (32, "added")]


@pytest.mark.parametrize(("back_s", "holes"), [(13.0, []), (13.000001, [(15, "withdrawn"), (15.000001, "added")])])
def test_established_exactly_at_the_restart_time_keeps_the_routes(back_s, holes):
    """The dial follows 2 s after the container: Established at 15 and at 15.000001."""
    assert fib_log(play(cluster(restart=GR), fault("agent-crash", back_s)), POD) == holes


@pytest.mark.parametrize(
    ("profile", "restart", "kept_s"),
    [
        (instant("rfc4724"), GR, 0),  # RFC 4724 §5: hold expiry is no graceful event
        (instant("rfc8538"), GR, 15),  # RFC 8538 §4
        (instant("rfc8538"), GR_NO_N, 0),
        (instant("frr-8.4"), GR, 15),  # measured 27.4 s with hold 9 and restart time 20
        (instant("frr-8.4"), GR_NO_N, 0),  # measured 6.6 s
        (GOBGP, GR_NO_N, 15),  # measured 26.9 s: it ignores N here
    ],
)
def test_a_dead_node_is_routed_to_until_hold_expiry_or_a_restart_time_longer(profile, restart, kept_s):
    log = play(cluster(routers=(profile,), restart=restart), fault("node-down"))
    assert fib_log(log, VIP) == [(pytest.approx(first_lost(log) + kept_s, abs=1e-6), "withdrawn")]


def test_routes_of_a_dead_node_stay_no_longer_than_the_stale_timer():
    """RFC 8538 §4.1 suggests 180 s: a restart time of 300 is cut to it."""
    log = play(cluster(restart=GracefulRestartPlan(True, 300)), fault("node-down"))
    assert fib_log(log, VIP) == [(pytest.approx(first_lost(log) + 180, abs=1e-6), "withdrawn")]


@pytest.mark.parametrize(
    ("speaker", "profile", "restart", "kept_s"),
    [
        ("gobgp-3.36", instant("rfc8538"), GracefulRestartPlan(False), 0),
        ("gobgp-3.36", instant("rfc4724"), GR, 0),  # a NOTIFICATION ends graceful restart, RFC 4724 §4
        ("gobgp-3.36", instant("rfc8538"), GR, 0),  # Hard Reset since GoBGP 3.26
        ("gobgp-4.8", instant("frr-8.4"), GR, 0),
        ("gobgp-3.10", instant("rfc8538"), GR, 15),  # plain 6/3: measured 20.1 s with restart time 20 on FRR
        ("gobgp-3.10", instant("rfc8538"), GR_NO_N, 0),
    ],
)
def test_how_long_routes_stay_after_unlabelling_depends_on_the_release(speaker, profile, restart, kept_s):
    plan = cluster(speaker=steady(speaker), routers=(profile,), restart=restart)
    assert fib_log(play(plan, fault("unlabel")), VIP) == [(kept_s, "withdrawn")]


@pytest.mark.parametrize(("speaker", "kept_s"), [("gobgp-3.10", 15), ("gobgp-3.36", 0), ("gobgp-4.8", 15)])
def test_an_administrative_shutdown_is_a_hard_reset_in_gobgp_3_36_alone(speaker, kept_s):
    """Measured on FRR and GoBGP routers: 3.10 and 4.8 send plain 6/2, 3.36 converts it."""
    plan = cluster(speaker=steady(speaker), restart=GR)
    assert fib_log(play(plan, fault("peer-shutdown")), POD) == [(kept_s, "withdrawn")]


@pytest.mark.parametrize(
    ("speaker", "restart", "holes"),
    [
        ("1.18", GR, []),
        ("1.20", GR, []),  # cilium/cilium#45952: no NOTIFICATION where graceful restart was negotiated
        ("gobgp-3.36", GR, [(0, "withdrawn"), (6, "added")]),  # gobgpd's own SIGTERM: 6/3 as Hard Reset
        ("1.18", GracefulRestartPlan(False), [(0, "withdrawn"), (6, "added")]),
    ],
)
def test_what_sigterm_costs_depends_on_who_stops(speaker, restart, holes):
    plan = cluster(speaker=steady(speaker), restart=restart)
    assert fib_log(play(plan, fault("agent-restart", 4)), POD) == holes


def test_a_crash_followed_by_power_loss_changes_nothing_for_the_stale_routes():
    """R runs from the first TCP close: measured 20.06 with power-off at 5."""
    log = play(cluster(restart=GR), fault("agent-crash"), fault("node-down", at_s=AT_S + 5))
    assert fib_log(log, POD) == [(15, "withdrawn")]


def test_a_second_loss_before_end_of_rib_purges_what_was_still_stale():
    """RFC 4724 §4.2. GoBGP 3.10 waits 10 s for the router's End-of-RIB and is killed before that, at 8."""
    slow = instant("rfc4724", end_of_rib=Law.constant(10.0))
    plan = cluster(routers=(slow,), speaker=steady("gobgp-3.10"), restart=GR)
    log = play(plan, fault("agent-crash", 4), fault("agent-crash", at_s=AT_S + 8))
    assert fib_log(log, POD) == [(8, "withdrawn")]


def test_gobgp_as_router_keeps_all_for_another_restart_time_after_a_second_loss():
    """Measured: t2 + 10.0 with restart time 10. Its 5 s of idling are over when the node dials at 6."""
    slow = instant("gobgp-3.10", helper=True, notification=True, end_of_rib=Law.constant(10.0))
    plan = cluster(routers=(slow,), speaker=steady("gobgp-3.10"), restart=GR)
    log = play(plan, fault("agent-crash", 4), fault("agent-crash", at_s=AT_S + 8))
    assert fib_log(log, POD) == [(8 + 15, "withdrawn")]


def test_gobgp_3_10_announces_only_after_the_routers_end_of_rib():
    """Beyond the restart time of 15: dial at 22, End-of-RIB 1.5 s later."""
    slow = instant("frr-8.4", end_of_rib=Law.constant(1.5))
    gobgp = cluster(routers=(slow,), speaker=steady("gobgp-3.10"), restart=GR)
    assert fib_log(play(gobgp, fault("agent-crash", 20)), POD) == [(15, "withdrawn"), (23.5, "added")]
    later = cluster(routers=(slow,), speaker=steady("gobgp-3.36"), restart=GR)
    assert fib_log(play(later, fault("agent-crash", 20)), POD) == [(15, "withdrawn"), (22, "added")]


@pytest.mark.parametrize(("speaker", "gap"), [("gobgp-4.8", True), ("gobgp-3.10", True), ("gobgp-3.36", False)])
def test_a_dead_second_router_mutes_the_restarted_speaker_for_its_deferral_time(speaker, gap):
    """FRR drops stale routes 360 s after the loss, the speaker announces 360 s after Established at 4 + 2.

    Measured with the agent back at 2 and 3.8 s to Established: the live router has no route from 360.07 to 363.85.
    """
    plan = cluster(speaker=steady(speaker), routers=(instant("frr-8.4"), instant("frr-8.4")), restart=GR)
    log = play(plan, fault("link-loss", at_s=AT_S - 99, routers=("tor-2",)), fault("agent-crash", 4))
    assert session_log(log)[1] == (6, "up")
    assert fib_log(log, POD) == ([(360, "withdrawn"), (366, "added")] if gap else [])


def test_a_reboot_below_the_hold_time_leaves_the_routes_in_place_with_graceful_restart():
    """Traffic falls into the booting node, and no route is ever withdrawn."""
    log = play(cluster(restart=GR, node_s=0, agent_s=5), fault("node-down", 20))
    assert fib_log(log, POD) == []


def test_a_reboot_below_the_hold_time_without_graceful_restart_withdraws_a_working_node():
    """The second window: the route leaves when the old session is reset, after the node forwards again at 20."""
    log = play(cluster(node_s=0, agent_s=30), fault("node-down", 20))
    (left_s, _), (back_s, _) = fib_log(log, POD)
    assert 20 <= left_s < 20 + 32
    assert back_s >= 52


def test_graceful_restart_once_negotiated_is_remembered_by_gobgp_as_router():
    """37 of 38 measured: a bare restart bit of 0 changes nothing; it keeps routes for the next loss too."""
    plan = cluster(routers=(GOBGP,), restart=GracefulRestartPlan(True, 15, restart_bit=False))
    log = play(plan, fault("agent-crash", 4), fault("agent-crash", at_s=AT_S + 50))
    assert fib_log(log, POD) == [(50 + 15, "withdrawn")]


@pytest.mark.parametrize(
    ("name", "out_s"), [("frr-8.4", 15), ("bird-2.0", 15), ("openbgpd-7.7", 15), ("gobgp-3.10", 8.5)]
)
def test_a_connection_that_dies_before_established_costs_a_gobgp_router_its_stale_routes(name, out_s):
    """Container at 6, dial at 8, killed in the OPEN exchange at 8.5. Measured: the others wait for the restart time."""
    profile = instant(name, helper=True, notification=True, timer_grain_s=0.0)
    plan = cluster(routers=(profile,), restart=GR, speaker=steady(open_exchange=Law.constant(1.0)))
    log = play(plan, fault("agent-crash", 6), fault("agent-crash", at_s=AT_S + 8.5))
    assert fib_log(log, POD) == [(out_s, "withdrawn")]


@pytest.mark.parametrize(
    ("update_s", "then"), [(0.5, [(0.5, "refreshed")]), (1.5, [(1.0, "withdrawn"), (1.5, "added")])]
)
def test_what_is_flushed_and_announced_again_before_the_fib_follows_is_no_longer_stale(update_s, then):
    """The link is dark for longer than the hold time; F is not set at the return, so all that is stale is flushed.

    The FIB follows a second later: an UPDATE half a second after the return finds the path in it, one after 1.5 s does
    not.
    """
    router = instant(fib_withdraw=Law.constant(1.0))
    speaker = steady(update_delay=Law.constant(update_s))
    plan = cluster(routers=(router,), speaker=speaker, timers=(3, 1), restart=GracefulRestartPlan(True, 60))
    log = play(plan, fault("link-loss", 11))
    up_s = next(time_s for time_s, what in session_log(log) if what == "up")
    assert rib_log(log) == [(first_lost(log), "stale"), *((round(up_s + at_s, 6), what) for at_s, what in then)]


@pytest.mark.parametrize(("dial_s", "then"), [(4.9, []), (5.1, [(5.0, "withdrawn"), (5.6, "added")])])
def test_without_graceful_restart_a_session_that_is_back_before_the_fib_follows_changes_no_route(dial_s, then):
    """The RIB is empty at the crash, and its next hops are to go from the FIB 5 s later.

    A router programs a prefix once it comes to it in its queue, by what the RIB then holds: a path that is back after
    4.9 s is found there, so nothing was ever gone and nothing is added; one of 5.1 s was gone, and is back in the FIB
    half a second after the UPDATE.
    """
    router = instant(fib_withdraw=Law.constant(5.0), fib_install=Law.constant(0.5))
    plan = cluster(routers=(router,), speaker=steady(dial_s=dial_s), agent_s=0.0)
    log = play(plan, fault("agent-crash", 0))
    assert [what for _, what in session_log(log)].count("up") == 1
    assert rib_log(log) == then
