"""What each end of one TCP connection hears when the other leaves, vanishes or stalls, to the microsecond.

Both ends send keepalives at 0, 3, 6, ... s, with a hold time of 9 s; segments are repeated as in `test_stream_exact`.
An end whose hold timer is over leaves with NOTIFICATION 4/0 (RFC 4271 §8.2.2, event 10).
"""

from functools import partial

import pytest

from simbgp.model.bgp.connection import Connection, End
from simbgp.model.bgp.messages import FIN, HOLD_EXPIRED, SHUTDOWN
from simbgp.model.clock import Clock, Order
from simbgp.model.network.keepalives import Keepalives


def heard(*steps, md5=False):
    """What the ends hear when ``steps``, (second, method of the connection, arguments), happen: (second, end, what)."""
    clock, log = Clock(), []

    def end(name, leave):
        def expired():
            log.append((clock.now_us / 1e6, name, "hold"))
            leave()

        def closed(closing):
            log.append((clock.now_us / 1e6, name, closing.reason.name))

        return End(Keepalives(lambda: 0, 3_000_000), lambda: 9_000_000, lambda: 0.0, expired, closed)

    node = end("node", lambda: connection.node_leaves(HOLD_EXPIRED))
    router = end("router", lambda: connection.router_leaves())
    connection = Connection(clock, node, router, md5)
    for at_s, what, *arguments in steps:
        clock.at(round(at_s * 1e6), partial(getattr(connection, what), *arguments), Order.FAULT)
    clock.run(200_000_000)
    return log


DARK, CLEAR = ("set_way", 1.0, 1.0), ("set_way", 0.0, 0.0)
OTHER = {"node": "router", "router": "node"}


@pytest.mark.parametrize("who", OTHER)
def test_an_end_that_leaves_is_heard_once_and_hears_nothing_more(who):
    other, leaves = OTHER[who], f"{who}_leaves"
    assert heard((10, leaves, FIN)) == [(10, other, "TCP_CLOSED")]
    assert heard((10, leaves, SHUTDOWN)) == [(10, other, "SHUTDOWN")]
    assert heard((10, leaves, FIN), (11, *DARK)) == [(10, other, "TCP_CLOSED")]  # nobody waits for keepalives any more
    # into the dark: the other's timer is 9 + 9, and what that one says finds nobody
    assert heard((10, *DARK), (11, leaves, FIN), (30, *CLEAR)) == [(18, other, "hold")]
    # with the repetition of 11 + 16a; the other's keepalive of 12, repeated at 15.344, is answered by nobody
    assert heard((10, *DARK), (11, leaves, FIN), (14, *CLEAR)) == [(14.344, other, "TCP_CLOSED")]


def test_a_router_that_says_nothing_else_says_that_its_hold_timer_is_over():
    assert heard((10, "router_leaves")) == [(10, "node", "HOLD_EXPIRED_SENT")]


def test_both_ends_of_a_dark_way_expire_together_and_hear_nothing_of_each_other():
    assert heard((10, *DARK), (30, *CLEAR)) == [(18, "router", "hold"), (18, "node", "hold")]


@pytest.mark.parametrize(
    ("to_router", "to_node", "deaf", "other"), [(1.0, 0.0, "router", "node"), (0.0, 1.0, "node", "router")]
)
def test_the_end_that_hears_lives_a_keepalive_longer_than_the_deaf_one(to_router, to_node, deaf, other):
    """Measured: 3.00 s. Its NOTIFICATION waits behind the keepalive of 12, which nobody acknowledges: 12 + 9."""
    assert heard((10, "set_way", to_router, to_node)) == [(18, deaf, "hold"), (21, other, "hold")]


@pytest.mark.parametrize("who", OTHER)
def test_a_host_that_is_back_answers_with_a_reset_unless_segments_are_signed(who):
    """The other's keepalive of 12 is repeated at 12 + 8a = 13.672; with MD5 (RFC 2385 §2) its timer decides: 9 + 9."""
    steps = (10, f"{who}_vanishes"), (10, *DARK), (13, *CLEAR)
    assert heard(*steps) == [(13.672, OTHER[who], "TCP_RESET")]
    assert heard(*steps, md5=True) == [(18, OTHER[who], "hold")]
    assert heard(*steps[:2]) == [(18, OTHER[who], "hold")]
    assert heard(*steps[:1]) == [(18, OTHER[who], "hold")]


def test_a_port_that_is_lit_again_lets_both_ends_resend_at_once():
    """At 16 + 0.25, where the repetitions of 12 alone would come at 18.688; dark again at 17: 16.25 + 9."""
    lit = "set_way", 0.0, 0.0, 250_000
    assert heard((10, *DARK), (16, *lit)) == []
    assert heard((10, *DARK), (16, *lit), (17, *DARK)) == [(25.25, "router", "hold"), (25.25, "node", "hold")]


@pytest.mark.parametrize("who", OTHER)
def test_a_stalled_end_is_dropped_by_the_other_and_finds_that_out_when_it_wakes(who):
    """The other's timer: 9 + 9. It wakes at 20 with its own, of 9 + 9, over: it looks at that, or reads first."""
    stalls, wakes = f"{who}_stalls", f"{who}_wakes"
    dropped = (18, OTHER[who], "hold")
    assert heard((10, stalls)) == [dropped]
    assert heard((10, stalls), (20, wakes, False)) == [dropped, (20, who, "hold")]
    assert heard((10, stalls), (20, wakes, True)) == [dropped, (20, who, "HOLD_EXPIRED_SENT")]
    assert heard((10, stalls), (17, wakes, False)) == []
    # awake at 17 it reads the keepalives of 12 and 15, and the other hears its own of 17: both 17 + 9
    both = [(26, end, "hold") for end in ("node", "router")]
    assert sorted(heard((10, stalls), (17, wakes, False), (17.5, *DARK))) == both


def test_nobody_knows_a_dropped_connection():
    assert heard((10, "drop"), (11, *DARK), (15, *CLEAR)) == []
    assert heard((10, *DARK), (11, "drop"), (15, *CLEAR)) == []
