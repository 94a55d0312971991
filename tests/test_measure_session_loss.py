"""What one router makes of one fault of one node, by hand: which loss it is, when, and for how long the routes stay."""

from dataclasses import replace

import pytest
from worlds import VIP, cluster, instant, pod_cidr, steady

from simbgp.measure.session_loss import SessionLoss
from simbgp.profiles import Law
from simbgp.scenario.plan import FaultPlan, GracefulRestartPlan

NO_RESTART = GracefulRestartPlan(False)


def fault(kind, down_s=None):
    return FaultPlan(0, kind, Law.constant(60.0), ("worker-1",), ("tor-1",), down_s and Law.constant(down_s))


def loss(kind="node-down", router=None, speaker=None, restart=NO_RESTART, timers=(90, 30), down_s=None, prefixes=None):
    """Of worker-1 of two; ``prefixes[node]`` are what it announces instead of its PodCIDR and the VIP."""
    profile = instant(**(router or {}))
    plan = cluster(routers=(profile,), speaker=steady(**(speaker or {})), restart=restart, timers=timers)
    peerings = tuple(replace(p, prefixes=(prefixes or {}).get(p.node, p.prefixes)) for p in plan.peerings)
    return SessionLoss(replace(plan, peerings=peerings), fault(kind, down_s), peerings[0], profile)


def keeping(**rules):
    return {"keeps_stale": replace(instant().keeps_stale, **rules)}


def gr(seconds=120, **changes):
    return GracefulRestartPlan(True, seconds, **changes)


@pytest.mark.parametrize("kind", ["node-down", "link-loss"])
def test_silence_is_seen_by_the_hold_timer(kind):
    assert loss(kind).loss() == "hold_expired"


@pytest.mark.parametrize(
    ("kind", "speaker", "restart", "seen"),
    [
        ("agent-crash", {}, gr(), "tcp_closed"),
        # what SIGTERM says hangs on the release and on whether graceful restart was negotiated
        ("agent-restart", {"sigterm_restart": "close", "sigterm_plain": "cease"}, gr(), "tcp_closed"),
        ("agent-restart", {"sigterm_restart": "close", "sigterm_plain": "cease"}, NO_RESTART, "cease"),
        ("agent-restart", {"sigterm_restart": "cease", "sigterm_plain": "close"}, NO_RESTART, "tcp_closed"),
        # RFC 4486 §3: 2 administrative shutdown, 3 peer de-configured; RFC 8538 §3.1: as a Hard Reset between N bits
        ("agent-restart", {"sigterm_restart": "cease", "hard_reset": (3,)}, gr(), "hard_reset"),
        ("agent-restart", {"sigterm_restart": "cease", "hard_reset": (2,)}, gr(), "cease"),
        ("peer-shutdown", {"hard_reset": (2,)}, gr(), "hard_reset"),
        ("peer-shutdown", {"hard_reset": (3,)}, gr(), "cease"),
        ("unlabel", {"hard_reset": (3,)}, gr(), "hard_reset"),
        ("unlabel", {"hard_reset": (2,)}, gr(), "cease"),
        ("unlabel", {"hard_reset": (3,)}, gr(notification=False), "cease"),
        ("unlabel", {"hard_reset": (3,)}, NO_RESTART, "cease"),
        ("unlabel", {"hard_reset": ()}, gr(), "cease"),
    ],
)
def test_what_the_router_sees_of_a_living_node(kind, speaker, restart, seen):
    assert loss(kind, speaker=speaker, restart=restart).loss() == seen


@pytest.mark.parametrize(
    ("kind", "span"),
    [
        ("agent-crash", (0, 0, "the connection is closed at once")),
        ("agent-restart", (0, 0, "the connection is closed at once")),
        ("peer-shutdown", (0, 0, "the connection is closed at once")),
        ("unlabel", (0.25, 0.25, "the speaker removes the peer 0.25")),
        ("node-down", (60, 90, "hold 90 - keepalive 30 .. hold 90")),
    ],
)
def test_when_it_is_lost(kind, span):
    found = loss(kind, speaker={"unlabel": Law.constant(0.25)}).lost()
    assert (found.low, found.high, found.text) == span


def test_what_may_pass_or_never_comes_has_no_time():
    assert loss("node-down", down_s=10.0).lost() is None  # it may be back before the hold timer
    assert loss("link-down").lost() is None
    assert loss("node-down", {"hold_s": 0}).lost() is None  # RFC 4271 §4.2: no hold timer at all
    assert loss("node-down", {"hold_s": 0}).withdrawn() is None
    assert loss("node-down", timers=(1, 1)).lost() is not None


@pytest.mark.parametrize(
    ("timers", "router", "span"),
    [
        ((90, 30), {}, (60, 90)),
        ((90, 10), {}, (80, 90)),  # its own keepalive interval, as its own hold time counts
        ((180, 10), {}, (60, 90)),  # lowered to the router's 90: then a third of it
        ((180, 60), {"hold_s": 9}, (6, 9)),
        ((90, 30), {"hold_jitter": (0.75, 1.0)}, (37.5, 90)),  # 90 * .75 - 30
        ((90, 30), {"timer_grain_s": 1.0}, (59, 90)),  # up to a second early
    ],
)
def test_silence_is_noticed_between_hold_less_keepalive_and_hold(timers, router, span):
    found = loss(router=router, timers=timers).lost()
    assert (found.low, found.high) == span


@pytest.mark.parametrize(
    ("rule", "router", "restart", "keeps"),
    [
        ("gr", {}, gr(), True),
        ("gr", {}, NO_RESTART, False),
        ("gr", {"helper": False}, gr(), False),
        ("never", {}, gr(), False),
        ("notification", {}, gr(), True),
        ("notification", {}, gr(notification=False), False),
        ("notification", {"notification": False}, gr(), False),
        ("long_lived", {"long_lived": True}, gr(long_lived_s=1), True),
        ("long_lived", {"long_lived": True}, gr(), False),
        ("long_lived", {}, gr(long_lived_s=60), False),
        ("notification", {"long_lived": True}, gr(notification=False, long_lived_s=60), False),
    ],
)
def test_which_rule_keeps_the_routes(rule, router, restart, keeps):
    assert loss(router=router | keeping(hold_expired=rule), restart=restart).keeps() is keeps


@pytest.mark.parametrize(
    ("stale_s", "grain_s", "span"),
    [
        (None, 0.0, (120, 120, "restart 120")),
        (180, 0.0, (120, 120, "restart 120")),
        (120, 0.0, (120, 120, "restart 120")),
        (119, 0.0, (119, 119, "stale path 119")),
        (180, 1.0, (119, 120, "restart 120")),
    ],
)
def test_kept_for_the_lesser_of_restart_and_stale_path_time(stale_s, grain_s, span):
    found = loss(router={"stale_path_s": stale_s, "timer_grain_s": grain_s}, restart=gr()).kept()
    assert (found.low, found.high, found.text) == span


@pytest.mark.parametrize(
    ("router", "restart", "seconds"),
    [
        ({"long_lived": True, "stale_path_s": None}, gr(long_lived_s=60), 60),
        ({"long_lived": True, "stale_path_s": 120}, gr(long_lived_s=60), 60),
        # the stale-path time deletes them before the restart time could make them long-lived
        ({"long_lived": True, "stale_path_s": 119}, gr(long_lived_s=60), 0),
        ({"long_lived": False}, gr(long_lived_s=60), 0),
        ({"long_lived": True, "helper": False}, gr(long_lived_s=60), 0),
        ({"long_lived": True}, gr(), 0),
    ],
)
def test_long_lived_where_it_was_negotiated_and_begins(router, restart, seconds):
    assert loss(router=router, restart=restart).long_lived_s() == seconds


def test_alone_is_kept_for_the_long_lived_time_too():
    # 120 s and then 60: routes that another node announces leave after 120 (RFC 9494 §4.3: least preferred)
    helps = {"long_lived": True, "timer_grain_s": 1.0}
    alone = loss(router=helps, restart=gr(long_lived_s=60)).kept_alone()
    assert (alone.low, alone.high, alone.text) == (119 + 59, 180, "restart 120, + long-lived 60")
    assert loss(router=helps, restart=gr()).kept_alone() == loss(router=helps, restart=gr()).kept()


@pytest.mark.parametrize(
    ("kind", "restart", "removal_s"),
    [
        ("node-down", NO_RESTART, 0.2 + 5 + 0.02),
        ("agent-crash", NO_RESTART, 0.1 + 5 + 0.02),
        ("node-down", gr(), 0.4 + 5 + 0.02),
    ],
)
def test_the_kernel_follows_with_the_delay_of_the_loss(kind, restart, removal_s):
    # two prefixes of 10 ms, and up to 5 s until something wakes the daemon
    late = {"fib_withdraw": Law.constant(0.1), "fib_hold": Law.constant(0.2), "fib_expire": Law.constant(0.4)}
    found = loss(kind, late | {"late_wake_s": 5.0, "fib_per_prefix_s": 0.01}, restart=restart)
    assert found.removal_s() == pytest.approx(removal_s)
    assert found.per_prefix_s() == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("prefixes", "restart", "span"),
    [
        ({}, NO_RESTART, (60, 90.5)),
        ({}, gr(100), (160, 190.5)),
        # its PodCIDR is its own: the long-lived time counts; what the other node announces too leaves without it
        ({}, gr(100, long_lived_s=60), (220, 250.5)),
        ({"worker-1": (VIP,)}, gr(100, long_lived_s=60), (160, 190.5)),
        ({"worker-1": (VIP, pod_cidr(1)), "worker-2": (VIP, pod_cidr(1))}, gr(100, long_lived_s=60), (160, 190.5)),
    ],
)
def test_withdrawn_is_lost_then_kept_then_late(prefixes, restart, span):
    late = {"long_lived": True, "fib_hold": Law.constant(0.5), "fib_expire": Law.constant(0.5)}
    found = loss(router=late, restart=restart, prefixes=prefixes).withdrawn()
    assert (found.low, found.high) == span
    assert found.text.endswith(", + FIB at most 0.5")


def test_only_nodes_at_the_same_router_stand_in_for_one():
    # both announce the same, but to two routers: at its own the node stands alone
    same = (VIP,)
    plan = cluster(routers=(instant(long_lived=True),) * 2, restart=gr(100, long_lived_s=60))
    peerings = tuple(
        replace(p, prefixes=same)
        for p in plan.peerings
        if (p.node, p.router) in (("worker-1", "tor-1"), ("worker-2", "tor-2"))
    )
    here = SessionLoss(replace(plan, peerings=peerings), fault("node-down"), peerings[0], plan.routers[0].profile)
    assert here.withdrawn().high == 90 + 100 + 60


@pytest.mark.parametrize(
    ("third", "own_s", "timers", "router_hold_s", "keepalive_s"),
    [
        ("always", 1, (90, 30), 90, 30),
        ("always", 1, (9, 3), 90, 3),
        ("capped", 10, (90, 30), 90, 10),
        ("capped", 60, (90, 30), 90, 30),
        ("if_lowered", 10, (90, 30), 90, 10),  # the negotiated 90 is its own
        ("if_lowered", 10, (60, 20), 90, 20),  # lowered by the node
        ("if_lowered", 10, (180, 60), 90, 10),
    ],
)
def test_a_neighbour_entry_fails_after_its_time_and_its_probes(third, own_s, timers, router_hold_s, keepalive_s):
    # net/ipv4/arp.c: valid for U[15, 45] + 5 s after the last keepalive, 3 probes; up to 2 s of timer slack
    found = loss(
        router={"keepalive_third": third, "keepalive_s": own_s, "hold_s": router_hold_s}, timers=timers
    ).neighbour_fails()
    least = max(0, 20 - keepalive_s) + 3
    assert (found.low, found.high) == (least, keepalive_s + 55)
    assert found.text == f"neighbour entry fails {least}-{keepalive_s + 55}"
