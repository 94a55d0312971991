"""What becomes of a peer's paths by the calls of its session and by their timers, to the microsecond.

Restart time 15, long-lived stale time 100, counted from the loss at 1 unless said: RFC 4724 §4.2, RFC 8538 §4.1,
RFC 9494 §4.2. P is announced by the node alone, V by others too. The FIB follows at once.
"""

import pytest
from rib_worlds import P, Told, V, s
from worlds import instant

from simbgp.model.clock import Order
from simbgp.profiles import Law
from simbgp.timeline import BrokenInvariantError

LASTING = instant(stale_path_s=None)
"""No upper bound on stale paths but the restart time."""


def lost(profile=LASTING, long_lived_s=0, at_s=1, **settings):
    told = Told(profile, **settings)
    return told.at(at_s, told.rib.keep, s(15), s(long_lived_s))


def both(at_s, event):
    return [(at_s, "P", event), (at_s, "V", event)]


def test_what_is_not_announced_again_within_the_restart_time_goes():
    assert lost().routes() == both(1, "stale") + both(16, "withdrawn")


def test_what_is_announced_at_its_very_end_stays_and_end_of_rib_takes_the_rest():
    told = lost()
    told.at(16, told.rib.announced, (P,))
    assert told.routes() == [*both(1, "stale"), (16, "P", "refreshed"), (16, "V", "withdrawn")]


@pytest.mark.parametrize(("until", "gone"), [("established", []), ("end_of_rib", both(16, "withdrawn"))])
def test_the_return_of_the_session_stops_the_restart_timer_or_does_not(until, gone):
    """RFC 4724 §4.2; OpenBGPD: only End-of-RIB does."""
    told = lost(instant(stale_path_s=None, restart_timer_until=until))
    told.at(10, told.rib.session_is_back)
    assert told.routes() == both(1, "stale") + gone


@pytest.mark.parametrize(("stale_path_s", "back_s", "gone_s"), [(20, 10, 21), (20, None, 16), (10, None, 11)])
def test_the_stale_timer_counts_from_the_loss_and_outlives_the_return(stale_path_s, back_s, gone_s):
    told = lost(instant(stale_path_s=stale_path_s))
    if back_s:
        told.at(back_s, told.rib.session_is_back)
    assert told.routes() == both(1, "stale") + both(gone_s, "withdrawn")


def test_end_of_rib_stops_all_timers():
    told = lost(instant(stale_path_s=20, restart_timer_until="end_of_rib"))
    told.at(10, told.rib.announced, (P, V))
    assert told.routes() == both(1, "stale") + both(10, "refreshed")


@pytest.mark.parametrize(
    ("second_loss", "expected"),
    [
        ("purge", [(7, "V", "withdrawn"), (7, "P", "stale"), (22, "P", "withdrawn")]),  # RFC 4724 §4.2
        ("rearm", [(7, "P", "stale"), (7, "V", "stale"), (22, "P", "withdrawn"), (22, "V", "withdrawn")]),  # RFC 8538
    ],
)
def test_a_second_loss_takes_what_was_still_stale_or_not(second_loss, expected):
    """P is announced at 6, End-of-RIB is not; lost again at 7: 7 + 15."""
    told = lost(instant(stale_path_s=None, second_loss=second_loss))
    told.at(5, told.rib.session_is_back).at(6, told.rib.updated, (P,), ()).at(7, told.rib.keep, s(15))
    assert sorted(told.routes()) == sorted([*both(1, "stale"), (6, "P", "refreshed"), *expected])


# long-lived


def test_a_path_that_is_alone_stays_for_the_long_lived_stale_time_more():
    """1 + 15 + 100; V goes to the other node at 16 (RFC 9494 §4.3: least preferred)."""
    assert lost(long_lived_s=100).path("P") == [(1, "stale"), (116, "withdrawn")]
    two = lost(long_lived_s=100, nodes=2)
    assert two.routes() == [*both(1, "stale"), (16, "V", "withdrawn"), (116, "P", "withdrawn")]
    assert two.rib.paths == {}


def test_it_is_refreshed_by_an_announcement_and_no_longer_least_preferred():
    told = lost(long_lived_s=100, nodes=2)
    told.at(50, told.rib.announced, (P, V))
    expected = [*both(1, "stale"), (16, "V", "withdrawn"), *both(50, "refreshed"), (50, "V", "added")]
    assert sorted(told.routes()) == sorted(expected)
    assert told.rib.paths == {P: "fresh", V: "fresh"}


@pytest.mark.parametrize(("until", "gone"), [("established", []), ("end_of_rib", [(116, "withdrawn")])])
def test_the_return_of_the_session_stops_the_long_lived_timer_or_does_not(until, gone):
    told = lost(instant(stale_path_s=None, long_lived_until=until), 100)
    told.at(60, told.rib.session_is_back)
    assert told.path() == [(1, "stale"), *gone]
    assert told.rib.is_long_lived == (not gone)


def test_a_loss_while_the_long_lived_timer_runs_leaves_it_alone_and_all_paths_join():
    """RFC 9494 §4.2: P announced at 50 and lost at 60 goes with the others at 116."""
    told = lost(instant(stale_path_s=None, long_lived_until="end_of_rib"), 100)
    told.at(40, told.rib.session_is_back).at(50, told.rib.updated, (P,), ()).at(60, told.rib.keep, s(15), s(100))
    assert told.path("P") == [(1, "stale"), (50, "refreshed"), (60, "stale"), (116, "withdrawn")]
    assert told.path("V") == [(1, "stale"), (116, "withdrawn")]


def test_a_restart_timer_that_finds_all_fresh_begins_no_long_lived_time():
    """Announced at 10, no End-of-RIB: nothing is stale at 16. Lost again at 50: 50 + 15 + 100."""
    told = lost(instant(stale_path_s=None, restart_timer_until="end_of_rib"), 100)
    told.at(10, told.rib.updated, (P, V), ()).at(50, told.rib.keep, s(15), s(100))
    assert told.path() == [(1, "stale"), (10, "refreshed"), (50, "stale"), (165, "withdrawn")]


def test_a_restart_given_up_becomes_long_lived_at_once_where_that_was_agreed():
    for long_lived_s, gone_s in ((100, 105), (0, 5)):
        told = lost(long_lived_s=long_lived_s)
        told.at(5, told.rib.restart_failed, Law.constant(0.0))
        assert told.path() == [(1, "stale"), (gone_s, "withdrawn")]
    twice = lost(long_lived_s=100)  # a second time changes nothing
    twice.at(5, twice.rib.restart_failed, Law.constant(0.0)).at(50, twice.rib.restart_failed, Law.constant(0.0))
    assert twice.path() == [(1, "stale"), (105, "withdrawn")]


def test_an_agreement_on_long_lived_time_ends_with_the_restart():
    """End-of-RIB at 10; the next session agrees on none: 50 + 15."""
    told = lost(long_lived_s=100)
    told.at(10, told.rib.announced, (P, V)).at(50, told.rib.keep, s(15))
    assert told.path() == [(1, "stale"), (10, "refreshed"), (50, "stale"), (65, "withdrawn")]


# the FIB's delays


def laws(**seconds):
    return instant(stale_path_s=None, **{name: Law.constant(value) for name, value in seconds.items()})


def test_each_way_into_and_out_of_the_fib_takes_its_own_time():
    told = lost(laws(fib_expire=3.0, fib_install=2.0, fib_withdraw=5.0, fib_end_of_rib=7.0, fib_hold=11.0))
    told.at(50, told.rib.announced, (P, V)).at(60, told.rib.updated, (), (P, "no such")).at(70, told.rib.keep, s(15))
    told.at(71, told.rib.announced, ())
    assert told.path("P") == [(1, "stale"), (19, "withdrawn"), (52, "added"), (65, "withdrawn")]
    assert told.path("V") == [(1, "stale"), (19, "withdrawn"), (52, "added"), (70, "stale"), (78, "withdrawn")]


def test_prefixes_follow_one_after_the_other():
    told = lost(instant(stale_path_s=None, fib_per_prefix_s=0.25))
    told.at(50, told.rib.announced, (V, P))
    assert [row for row in told.routes() if row[2] != "stale"] == [
        *((16, "P", "withdrawn"), (16.25, "V", "withdrawn")),
        *((50, "V", "added"), (50.25, "P", "added")),
    ]


SLEEPER = instant(stale_path_s=None, late_wake_s=3.0)


@pytest.mark.parametrize(
    ("profile", "long_lived_s", "woken_s", "gone_s"),
    [
        (SLEEPER, 0, None, 19),  # nothing else wakes it: 16 + 3
        (SLEEPER, 0, 17, 17),
        (SLEEPER, 0, 20, 19),
        (SLEEPER, 100, None, 119),
        (instant(stale_path_s=10, late_wake_s=3.0), 0, None, 14),
        (instant(stale_path_s=None, late_wake_s=3.0, fib_expire=Law.constant(1.0)), 0, None, 19),  # while it sleeps
        (instant(stale_path_s=None, late_wake_s=3.0, fib_expire=Law.constant(5.0)), 0, None, 21),
    ],
)
def test_a_daemon_that_sleeps_does_what_a_timer_left_when_it_wakes(profile, long_lived_s, woken_s, gone_s):
    """BIRD's io_loop: measured 3.005 s late when alone."""
    told = lost(profile, long_lived_s)
    if woken_s:
        told.at(woken_s, told.rib.wake)
    assert told.path() == [(1, "stale"), (gone_s, "withdrawn")]


def test_a_path_that_becomes_the_last_choice_leaves_when_the_daemon_wakes():
    """Keepalives of the other node are 20 min apart, so nothing wakes it for 3 s."""
    slow = instant(stale_path_s=None, late_wake_s=3.0, hold_s=3600, keepalive_s=1200)
    told = lost(slow, 100, nodes=2, timers=(3600, 1200))
    assert told.path("V", 30) == [(1, "stale"), (19, "withdrawn")]


def test_what_a_packet_brings_needs_no_waking():
    told = lost(SLEEPER)
    told.at(10, told.rib.announced, (P,))
    assert told.routes() == [*both(1, "stale"), (10, "P", "refreshed"), (10, "V", "withdrawn")]
    assert not told.rib.is_asleep


def test_it_is_asleep_until_it_wakes():
    for woken_s in (None, 17):
        told = lost(SLEEPER)
        seen = []
        for at_s in (15, 16, 16.5, 17, 18.999999, 19):
            told.at(at_s, lambda told=told, seen=seen: seen.append(told.rib.is_asleep), order=Order.OBSERVE)
        if woken_s:
            told.at(woken_s, told.rib.wake)
        told.routes()
        assert seen == [False, True, True, woken_s is None, woken_s is None, False]


@pytest.mark.parametrize(
    ("profile", "long_lived_s", "expected"),
    [
        (LASTING, 0, [(1, "stale"), (30, "withdrawn")]),
        (instant(stale_path_s=10), 0, [(1, "stale"), (30, "withdrawn")]),
        (LASTING, 14, [(1, "stale"), (44, "withdrawn")]),  # begun at 30
    ],
)
def test_a_stalled_daemon_gets_to_its_timers_when_it_wakes(profile, long_lived_s, expected):
    told = lost(profile, long_lived_s)
    told.at(5, told.world.router("tor-1").stall, s(30))
    assert told.path() == expected
    if not long_lived_s:
        told = lost(LASTING, 14)  # begun at 16, due at 30
        told.at(20, told.world.router("tor-1").stall, s(40))
        assert told.path() == [(1, "stale"), (40, "withdrawn")]


# the end of the daemon


def test_stale_marks_die_with_the_daemon_and_the_kernel_keeps_what_it_has():
    told = lost(long_lived_s=100, nodes=2)
    told.at(20, told.rib.daemon_is_gone)
    assert told.routes() == [*both(1, "stale"), (16, "V", "withdrawn")]
    assert told.rib.paths == {P: "fresh"}  # V was no next hop any more
    told.rib.check(established=False)


def test_what_a_new_daemon_finds_is_kept_for_a_while():
    told = Told(instant(fib_kept_s=60.0))
    told.at(1, told.rib.keep_over_own_restart)
    assert told.routes() == both(1, "stale") + both(61, "withdrawn")
    none = Told(instant(fib_kept_s=60.0))
    none.at(1, none.rib.forget).at(2, none.rib.keep_over_own_restart).at(3, none.rib.updated, (P,), ())
    assert none.routes() == []  # the FIB had it all the time, and no timer runs
    assert none.rib.paths == {P: "fresh"}


@pytest.mark.parametrize("how", ["flush", "purge"])
def test_all_go_or_those_that_are_stale(how):
    told = lost(laws(fib_hold=2.0))
    told.at(5, told.rib.updated, (V,), ()).at(8, getattr(told.rib, how), Law.constant(2.0))
    assert told.path("P") == [(1, "stale"), (10, "withdrawn")]
    assert told.path("V") == [(1, "stale"), (5, "refreshed"), *([(10, "withdrawn")] if how == "flush" else [])]


def test_a_stale_path_without_a_reason_to_go_is_a_fault_of_the_program():
    told = lost(long_lived_s=100)
    told.rib.check(established=False)
    for until_s in (10, 20):  # the restart timer runs, then the long-lived one
        told.routes(until_s)
        told.rib.check(established=False)
    told.rib.stop_timers()
    told.rib.check(established=True)
    with pytest.raises(BrokenInvariantError, match="worker-1>tor-1: stale routes without a timer"):
        told.rib.check(established=False)
