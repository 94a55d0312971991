"""Which loss of a session keeps the peer's paths, how long the router closes connections, and when its FIB follows.

The oracle for what is kept: RFC 4724 §4.2 and §5 (``gr``), RFC 8538 §4 with the N bit of both ends (``notification``),
RFC 9494 with both capabilities (``long_lived``). Every kind of loss has a time of its own here, so that none can be
taken for another.
"""

from dataclasses import replace

import pytest
from rib_worlds import GR, GR_N, LONG, Told
from worlds import instant

from simbgp.model.bgp.bfd import Bfd
from simbgp.model.bgp.messages import BFD_DOWN, FIN, HARD_RESET, HOLD_EXPIRED, SHUTDOWN
from simbgp.profiles import Law
from simbgp.scenario.plan import BfdPlan, GracefulRestartPlan
from simbgp.timeline import SessionChanged

NONE = GracefulRestartPlan(False)
IDLE_S = {"tcp_closed": 1, "hold_expired": 2, "peer_expired": 3, "cease": 4, "hard_reset": 5, "link_down": 6}
LOSSES = {
    "tcp_closed": lambda peer: peer.closed(FIN),
    "hold_expired": lambda peer: peer.hold_expired(),
    "peer_expired": lambda peer: peer.closed(HOLD_EXPIRED),
    "cease": lambda peer: peer.closed(SHUTDOWN),
    "hard_reset": lambda peer: peer.closed(HARD_RESET),
    "link_down": lambda peer: peer.carrier_lost(),
    "bfd_down": lambda peer: peer.bfd_down(),
}
REASONS = {
    "tcp_closed": FIN.reason.name,
    "hold_expired": "HOLD_EXPIRED",
    "peer_expired": "HOLD_EXPIRED_SENT",
    "cease": "SHUTDOWN",
    "hard_reset": "HARD_RESET",
    "link_down": "INTERFACE_DOWN",
    "bfd_down": "BFD_DOWN",
}


def keeping(**rules):
    """A router that keeps paths by ``rules`` alone, watches its ports, and has a time of its own for each loss."""
    base = instant(long_lived=True, fast_fallover=True)
    times = {name: Law.constant(float(value)) for name, value in IDLE_S.items()}
    bfd = rules.pop("bfd_down", "never")
    stale = replace(base.keeps_stale, **(dict.fromkeys(IDLE_S, "never") | rules))
    fib = {"fib_withdraw": 0.1, "fib_hold": 0.2, "fib_link": 0.3, "fib_expire": 0.4}
    return replace(
        base,
        keeps_stale=stale,
        bfd_keeps_stale=bfd,
        idle_after=replace(base.idle_after, **times),
        **{name: Law.constant(value) for name, value in fib.items()},
    )


def lose(kind, profile, restart):
    told = Told(profile, restart)
    return told.at(1, LOSSES[kind], told.router)


def steps(told):
    told.run()
    facts = [f for f in told.world.timeline.of(SessionChanged) if f.side == "router"]
    return [(f.time_us / 1e6, f.to_state, f.reason.name) for f in facts]


@pytest.mark.parametrize("kind", LOSSES)
def test_what_no_rule_keeps_leaves_the_fib_in_the_time_of_its_kind(kind):
    gone_s = {"hold_expired": 1.2, "link_down": 1.3}.get(kind, 1.1)
    for restart in (NONE, GR_N, LONG):
        assert lose(kind, keeping(), restart).path() == [(gone_s, "withdrawn")]


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize(
    ("rule", "kept_by"), [("gr", (GR, GR_N, LONG)), ("notification", (GR_N, LONG)), ("long_lived", (LONG,))]
)
def test_a_rule_keeps_the_paths_of_its_own_kind_where_both_ends_agreed_on_it(kind, rule, kept_by):
    """Stale at 1; out at 1 + 15 + 0.4, or 100 later where that was agreed."""
    for restart in (NONE, GR, GR_N, LONG):
        found = lose(kind, keeping(**{kind: rule}), restart).path()
        assert (found[0] == (1, "stale")) == (restart in kept_by), restart
        if restart in kept_by:
            assert found[1:] == [(116.4 if restart is LONG else 16.4, "withdrawn")]


@pytest.mark.parametrize("kind", LOSSES)
def test_a_rule_of_another_kind_keeps_nothing(kind):
    others = {name: "gr" for name in LOSSES if name != kind}
    assert lose(kind, keeping(**others), GR_N).path()[0][1] == "withdrawn"


@pytest.mark.parametrize("kind", LOSSES)
def test_the_router_is_idle_for_the_time_of_its_kind(kind):
    """BFD is an expiry like another; a dark port's time begins with its light."""
    idle_s = IDLE_S["hold_expired" if kind == "bfd_down" else kind]
    told = lose(kind, keeping(), GR_N)
    told.at(10, told.router.carrier_back)
    ready_s = 10 + idle_s if kind == "link_down" else 1 + idle_s
    found = steps(told)
    assert found[0] == (1, "idle", REASONS[kind])
    assert found[1] == (ready_s, "active", "IDLE_HOLD_OVER")


@pytest.mark.parametrize("kind", ["hold_expired", "peer_expired", "cease"])
def test_where_long_lived_restart_makes_it_graceful_it_is_no_more_than_a_closed_connection(kind):
    """BIRD: no NOTIFICATION, and no wait after an error."""
    assert steps(lose(kind, keeping(**{kind: "long_lived"}), LONG))[1][0] == 1 + IDLE_S["tcp_closed"]
    assert steps(lose(kind, keeping(**{kind: "long_lived"}), GR_N))[1][0] == 1 + IDLE_S[kind]
    assert steps(lose(kind, keeping(**{kind: "gr"}), LONG))[1][0] == 1 + IDLE_S[kind]


@pytest.mark.parametrize(
    ("rules", "restart", "heard"),
    [
        ({}, GR_N, "HOLD_EXPIRED_SENT"),
        ({"hold_expired": "gr"}, LONG, "HOLD_EXPIRED_SENT"),
        ({"hold_expired": "long_lived"}, LONG, "TCP_CLOSED"),
        ({"hold_expired": "long_lived"}, GR_N, "HOLD_EXPIRED_SENT"),
    ],
)
def test_what_the_node_hears_of_an_expiry(rules, restart, heard):
    told = lose("hold_expired", keeping(**rules), restart)
    told.routes()
    first = next(f for f in told.world.timeline.of(SessionChanged) if f.side == "node")
    assert (first.time_us, first.reason.name) == (1_000_000, heard)


@pytest.mark.parametrize("kind", LOSSES)
def test_only_what_a_timer_leaves_waits_for_the_daemon_to_wake(kind):
    """BIRD: the hold timer is one, 1 + 3; all else is a packet, or the kernel's word."""
    at_s = {"hold_expired": 4, "link_down": 1.3}.get(kind, 1.1)
    assert lose(kind, replace(keeping(), late_wake_s=3.0), NONE).path() == [(at_s, "withdrawn")]


@pytest.mark.parametrize(("kind", "heard"), [("bfd_down", BFD_DOWN.reason), ("link_down", FIN.reason)])
def test_what_the_node_hears_of_the_routers_other_reasons(kind, heard):
    """RFC 9384: Cease 6/10; of a dark port's socket only the FIN, here past a switch that is not dark."""
    told = lose(kind, keeping(), GR_N)
    told.routes()
    first = next(f for f in told.world.timeline.of(SessionChanged) if f.side == "node")
    assert (first.time_us, first.reason) == (1_000_000, heard)


def test_a_router_that_does_not_watch_its_port_does_nothing_when_it_is_dark():
    told = Told(replace(keeping(), fast_fallover=False))
    told.at(1, told.router.carrier_lost).at(10, told.router.carrier_back)
    assert steps(told) == []
    assert told.routes() == []


@pytest.mark.parametrize(
    ("ends", "independent", "gone"),
    [("always", False, True), ("if_independent", True, True), ("if_independent", False, False), ("never", True, False)],
)
def test_bfd_ends_a_restart_that_it_does_not_share_the_fate_of(ends, independent, gone):
    """RFC 5882 §4.3: lost at 1 and stale, BFD down at 5."""
    told = lose("tcp_closed", replace(keeping(tcp_closed="gr"), bfd_ends_restart=ends), GR_N)
    told.session.bfd = Bfd(told.session, BfdPlan(0.3, 3, independent))
    told.at(5, told.router.bfd_down)
    assert told.path() == [(1, "stale"), (5.1 if gone else 16.4, "withdrawn")]


@pytest.mark.parametrize(
    ("jitter", "grain_s", "low_s", "high_s"), [((0.75, 1.0), 0.0, 67.5, 90), ((1.0, 1.0), 1.0, 89, 90)]
)
def test_a_hold_timer_is_set_anew_within_its_law(jitter, grain_s, low_s, high_s):
    """BIRD: 75 to 100 % of 90; OpenBGPD: up to one second short. Of 400 draws the ends are near the law's."""
    told = Told(instant(hold_jitter=jitter, timer_grain_s=grain_s))
    seen = [told.router.hold_us() / 1e6 for _ in range(400)]
    width_s = high_s - low_s
    assert low_s <= min(seen) < low_s + width_s / 40
    assert high_s - width_s / 40 < max(seen) <= high_s
    assert len(set(seen)) == 400


def test_a_hold_timer_without_jitter_is_the_hold_time():
    assert Told(instant()).router.hold_us() == 90_000_000
    assert Told(instant(hold_s=9)).router.hold_us() == 9_000_000  # the lower of both, RFC 4271 §4.2


def test_a_restart_timer_of_whole_seconds_is_up_to_one_short():
    gone = set()
    for at_s in range(1, 41):
        told = Told(instant(timer_grain_s=1.0), GR_N)
        [told.router.hold_us() for _ in range(at_s)]  # each setting has a number of its own
        told.at(1, LOSSES["tcp_closed"], told.router)
        gone.add(told.path()[-1][0])
    assert 15 <= min(gone) < 15.1
    assert 15.9 < max(gone) <= 16
