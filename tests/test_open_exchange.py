"""What becomes of a connection on which an end is lost before Established. Times in seconds after the fault.

The cluster of `session_steps`, with an OPEN exchange of 1 s: crash at 0, container back at 6, dial at 8, Established
at 9; everything else happens at 8.5. What the node sent at 8 is repeated at 8 + 2^k x 0.209: 8.836, 9.672, 11.344,
14.688, 21.376, 34.752, 61.504, ... In OpenSent the hold time is 240 s (RFC 4271 §8.2.2).
"""

import pytest
from session_steps import CRASHED, path, stalled, starts, steps, up, world
from worlds import AT_S, fault, instant, steady

from simbgp.profiles import Law
from simbgp.scenario.plan import GracefulRestartPlan

SLOW = steady(open_exchange=Law.constant(1.0))
CRASH = fault("agent-crash", 6)
GOBGP = instant("gobgp-3.10", helper=True, notification=True)
BEFORE = [
    "0 node: established > idle, SPEAKER_KILLED",
    "0 router: established > idle, TCP_CLOSED",
    "0 router: idle > active, READY",
    "0 path: withdrawn",
    "6 node: idle > active, SPEAKER_STARTED",
    *up(8)[:2],
]


def after(*faults, profile="rfc8538", **settings):
    """What follows on `BEFORE`."""
    found = steps(world(profile, speaker=SLOW, **settings), CRASH, *faults)
    assert found[: len(BEFORE)] == BEFORE
    return found[len(BEFORE) :]


def later(kind, down_s=None, at_s=8.5):
    return fault(kind, down_s, at_s=AT_S + at_s)


def again(idle_s):
    """Idle hold of 5, dial 2, OPEN exchange 1."""
    return [f"{idle_s + 5:g} node: idle > active, IDLE_HOLD_OVER", *up(idle_s + 7, open_s=idle_s + 8)]


def test_nothing_happens_and_the_session_is_up_a_second_after_the_dial():
    assert after() == up(8, open_s=9)[2:]


@pytest.mark.parametrize(
    ("kind", "why", "expected"),
    [
        ("agent-crash", "SPEAKER_KILLED", ["18.5 node: idle > active, SPEAKER_STARTED", *up(20.5, open_s=21.5)]),
        ("agent-restart", "SPEAKER_STOPPED", ["18.5 node: idle > active, SPEAKER_STARTED", *up(20.5, open_s=21.5)]),
        ("peer-shutdown", "SHUTDOWN", again(18.5)),
    ],
)
def test_a_node_that_leaves_is_heard_at_once(kind, why, expected):
    """And is back at 18.5."""
    assert after(later(kind, 10)) == [
        f"8.5 node: open_sent > idle, {why}",
        "8.5 router: open_sent > active, HALF_OPEN_LOST",
        *expected,
    ]


def test_a_gobgp_router_drops_what_is_stale_with_it():
    """Measured: a connection that dies before Established ends the peer's restart."""
    plan = world(GOBGP, speaker=SLOW, restart=GracefulRestartPlan(True, 15))
    assert steps(plan, CRASH, later("agent-crash"))[-3:] == [
        "8.5 node: open_sent > idle, SPEAKER_KILLED",
        "8.5 router: open_sent > active, HALF_OPEN_LOST",
        "8.5 path: withdrawn",
    ]


def test_a_router_whose_daemon_ends_is_heard_at_once():
    assert after(later("router-restart", 5)) == [
        "8.5 router: open_sent > idle, TCP_CLOSED",
        "8.5 node: open_sent > idle, TCP_CLOSED",
        "13.5 router: idle > active, ROUTER_STARTED",
        *again(8.5),
    ]


@pytest.mark.parametrize(
    ("kind", "profile", "why", "back"),
    [
        ("router-down", "rfc8538", "ROUTER_LOST_POWER", "ROUTER_STARTED"),
        ("link-down", "frr-8.4", "INTERFACE_DOWN", "READY"),
    ],
)
def test_a_router_that_is_gone_in_silence_answers_with_a_reset_when_it_is_back(kind, profile, why, back):
    """Back at 13.5: the node's next copy leaves at 14.688."""
    assert after(later(kind, 5), profile=profile, own_port=kind == "link-down") == [
        f"8.5 router: open_sent > idle, {why}",
        f"13.5 router: idle > active, {back}",
        "14.688 node: open_sent > idle, TCP_RESET",
        *again(14.688),
    ]


def test_a_node_that_lost_power_answers_with_a_reset_when_it_is_back():
    """Back at 13.5; its agent, 4 s later, dials at 19.5. The container of the crash is back at 2 for that."""
    plan = world(speaker=SLOW, agent_s=4)
    found = steps(plan, fault("agent-crash", 2), later("node-down", 5))
    assert found[len(BEFORE) :] == [
        "8.5 node: open_sent > idle, NODE_LOST_POWER",
        "14.688 router: open_sent > active, HALF_OPEN_LOST",
        "17.5 node: idle > active, SPEAKER_STARTED",
        *up(19.5, open_s=20.5),
    ]


def test_a_node_that_dials_before_that_finds_the_old_connection_given_up():
    """Dark from 8.2 to 28.2, killed at 8.5, back at 11.5: SYNs at 13.5 + 1, 2, 3, 4, 5, 7, 11, 19; that of 32.5 passes,
    the old connection's copy of 34.752 would have come later."""
    assert after(later("link-loss", 20, at_s=8.2), later("agent-crash", 3)) == [
        "8.5 node: open_sent > idle, SPEAKER_KILLED",
        "11.5 node: idle > active, SPEAKER_STARTED",
        up(32.5)[0],
        "32.5 router: open_sent > active, HALF_OPEN_LOST",
        *up(32.5, open_s=33.5)[1:],
    ]


@pytest.mark.parametrize(("dark_s", "up_s"), [(3, 14.688), (2.843, 11.344), (2.845, 14.688), (100, 115.008)])
def test_a_dark_link_delays_it_to_the_first_copy_that_passes(dark_s, up_s):
    """Dark from 8.5: 8 + 16a = 11.344, 8 + 32a = 14.688, 8 + 512a = 115.008."""
    assert after(later("link-loss", dark_s)) == up(8, open_s=up_s)[2:]


def test_after_240_s_both_ends_give_up():
    """8 + 240; the copies after 8 + 1024a = 222.016 leave in steps of 120."""
    assert after(later("link-loss", 239)) == [
        "248 router: open_sent > active, HALF_OPEN_LOST",
        "248 node: open_sent > idle, NO_OPEN",
        *again(248),
    ]


@pytest.mark.parametrize(
    ("lost", "expected"),
    [
        (fault("agent-crash", 10, at_s=AT_S + 7), ["7 node: open_sent > idle, SPEAKER_KILLED", 17]),
        (fault("node-down", 30, at_s=AT_S + 7), ["7 node: open_sent > idle, NODE_LOST_POWER", 37]),
    ],
)
def test_a_stalled_router_that_wakes_does_not_take_up_a_connection_that_is_gone(lost, expected):
    """Dial at 6 into a router that is stalled from 3 to 9; the node is lost at 7, and dials 2 s after its return."""
    told, back_s = expected
    assert steps(world(), fault("agent-crash", 4), stalled(3, 6), lost) == [
        *(*CRASHED, path(0), starts(4, "SPEAKER_STARTED"), up(6)[0], told),
        *(starts(back_s, "SPEAKER_STARTED"), *up(back_s + 2)),
    ]
