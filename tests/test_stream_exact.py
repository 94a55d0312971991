"""One direction of a session's TCP connection, alone: what its two ends hear, to the microsecond.

The sender's keepalives leave at 0, 3, 6, ... s, the receiver's hold time is 9 s. A segment that is not acknowledged is
repeated a, 2a, 4a, 8a, 16a, 32a, ... after it was sent (a = 0.209 s, `test_tcp`): 0.209, 0.418, 0.836, 1.672, 3.344,
6.688, 13.376. What a fault does at one instant comes before the packets and timers of that instant.
"""

from functools import partial

import pytest

from simbgp.model.bgp.messages import FIN, HOLD_EXPIRED
from simbgp.model.bgp.stream import Stream
from simbgp.model.clock import Clock, Order
from simbgp.model.network.keepalives import Keepalives

CLEAR, DARK, UNANSWERED, LOSSY = (0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.5, 0.5)
WAYS = {"clear": CLEAR, "dark": DARK, "unanswered": UNANSWERED, "lossy": LOSSY, "half": (0.5, 0.0)}


def heard(*steps, luck=()):
    """What the ends hear when ``steps``, (second, way or method, arguments), happen: (second, what)."""
    clock, log = Clock(), []
    numbers = iter(luck)

    def note(what, then):
        log.append((clock.now_us / 1e6, what))
        then()

    stream = Stream(
        clock,
        Keepalives(lambda: 0, 3_000_000),
        lambda: 9_000_000,
        lambda: next(numbers),
        lambda: note("hold", stream.forget),
        lambda closing: note(closing.reason.name, stream.drop),
        lambda closing: note(f"sender: {closing.reason.name}", stream.drop),
    )
    for at_s, what, *arguments in steps:
        act = partial(stream.set_way, *WAYS[what], *arguments) if what in WAYS else getattr(stream, what)
        call = act if what in WAYS else partial(act, *arguments)
        clock.at(round(at_s * 1e6), call, Order.FAULT)
    clock.run(200_000_000)
    assert next(numbers, None) is None, "luck that nobody asked for"
    return log


HOLD_18 = [(18, "hold")]
TOO_LATE = [(18, "hold"), (18.688, "sender: TCP_RESET")]
"""12 + 32a: the receiver does not know the connection any more, and its host says so."""


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], []),  # while packets pass nothing runs out
        ([(10, "dark")], HOLD_18),  # the last one was sent at 9: 9 + 9
        ([(9, "dark")], [(15, "hold")]),  # the one of 9 is lost: 6 + 9
        ([(9.000001, "dark")], HOLD_18),
        ([(10, "dark"), (11, "clear")], []),  # nothing was lost
        ([(10, "dark"), (12, "clear")], []),
        ([(10, "dark"), (12, "clear"), (50, "dark")], [(57, "hold")]),  # and all is as before: 48 + 9
        ([(10, "dark"), (11, "clear"), (11.5, "dark")], HOLD_18),
        ([(10, "dark"), (12.000001, "clear")], []),  # repeated at 12.209
        ([(10, "dark"), (15.344, "clear")], []),  # 12 + 16a
        ([(10, "dark"), (15.344001, "clear")], TOO_LATE),
        ([(10, "dark"), (30, "clear"), (60, "dark")], [(18, "hold"), (38.752, "sender: TCP_RESET")]),  # 12 + 128a
    ],
)
def test_silence_ends_a_session_unless_a_repetition_comes_before_the_hold_timer(steps, expected):
    assert heard(*steps) == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        # healed at 15, the keepalive of 12 comes at 15.344; dark again before that: nothing had come since 9
        ([(10, "dark"), (15, "clear"), (15.2, "dark")], HOLD_18),
        ([(10, "dark"), (15, "clear"), (15.2, "dark"), (15.3, "clear")], []),  # still 15.344
        ([(10, "dark"), (15, "clear"), (15.2, "dark"), (16, "clear")], TOO_LATE),
        # dark again after it: heard at 15.344, later than the keepalive of 15 was due: 15.344 + 9
        ([(10, "dark"), (15, "clear"), (15.5, "dark")], [(24.344, "hold")]),
        ([(10, "dark"), (15, "clear"), (18.5, "dark")], [(27, "hold")]),  # that of 18 is later still
    ],
)
def test_a_second_silence_counts_from_what_was_last_heard(steps, expected):
    assert heard(*steps) == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(10, "unanswered")], [(21, "hold")]),  # the one of 12 comes through, and blocks the queue: 12 + 9
        ([(12, "unanswered")], [(21, "hold")]),
        ([(12.5, "unanswered")], [(24, "hold")]),
        ([(10, "unanswered"), (11, "clear")], []),
        ([(10, "unanswered"), (13, "clear")], []),  # 12 + 8a = 13.672
        ([(10, "unanswered"), (13, "clear"), (14, "dark")], [(22.672, "hold")]),  # heard then, nothing after
        ([(10, "unanswered"), (20.7, "clear")], [(21, "hold"), (25.376, "sender: TCP_RESET")]),  # 12 + 64a
        ([(10, "unanswered"), (11, "dark")], HOLD_18),  # now the one of 12 is lost too: 9 + 9
        ([(10, "unanswered"), (12, "dark")], HOLD_18),
        ([(10, "unanswered"), (13, "dark")], [(21, "hold")]),  # it was heard
        ([(10, "dark"), (11, "unanswered")], [(21, "hold")]),  # it is heard after all
        ([(10, "dark"), (14, "unanswered")], [(24.344, "hold")]),  # its repetition of 15.344 is, then nothing new
        ([(10, "dark"), (16, "unanswered")], HOLD_18),  # 18.688 is too late, and the reset is lost
        ([(10, "dark"), (16, "unanswered"), (20, "clear")], [(18, "hold"), (25.376, "sender: TCP_RESET")]),
    ],
)
def test_without_acknowledgements_one_keepalive_comes_through(steps, expected):
    """Measured with four daemons: the sender repeats that segment, and all later ones wait behind it."""
    assert heard(*steps) == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(10, "close", FIN)], [(10, "TCP_CLOSED")]),
        ([(10, "close", FIN), (11, "dark")], [(10, "TCP_CLOSED")]),  # and nothing after it
        # into the dark: it is the first segment unless a keepalive waits before it
        ([(10, "dark"), (11, "close", FIN), (11, "clear")], [(11, "TCP_CLOSED")]),
        ([(10, "dark"), (11, "close", FIN), (14, "clear")], [(14.344, "TCP_CLOSED")]),  # 11 + 16a
        ([(10, "dark"), (12, "close", FIN), (14, "clear")], [(15.344, "TCP_CLOSED")]),  # 12 + 16a
        ([(10, "dark"), (13, "close", FIN), (14, "clear")], [(15.344, "TCP_CLOSED")]),  # behind that of 12
        ([(10, "dark"), (11, "close", FIN)], HOLD_18),
        # healed, and the repetition of 12 is not out yet: the end comes with it, at 15.344
        ([(10, "dark"), (15, "clear"), (15.1, "close", FIN)], [(15.344, "TCP_CLOSED")]),
        # acknowledgements are missing: it passes unless a keepalive waits for its own
        ([(10, "unanswered"), (11, "close", FIN)], [(11, "TCP_CLOSED")]),
        ([(10, "unanswered"), (12, "close", FIN)], [(12, "TCP_CLOSED")]),
        ([(10, "unanswered"), (13, "close", HOLD_EXPIRED)], [(21, "hold")]),
        ([(10, "unanswered"), (13, "close", FIN), (15, "clear")], [(15.344, "TCP_CLOSED")]),
    ],
)
def test_the_end_of_a_connection_is_heard_with_the_next_segment_that_passes(steps, expected):
    assert heard(*steps) == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(10, "dark"), (10, "forget"), (11, "clear")], [(12, "sender: TCP_RESET")]),  # the next keepalive
        ([(10, "dark"), (10, "forget"), (20, "clear")], [(25.376, "sender: TCP_RESET")]),  # 12 + 64a
        ([(10, "dark"), (10, "forget"), (20, "clear", 300_000)], [(20.3, "sender: TCP_RESET")]),
        ([(10, "dark"), (10, "forget")], []),  # nobody is there whose timer could run out
        ([(10, "dark"), (11, "forget"), (13, "close", FIN), (20, "clear")], []),  # the sender has left too
        ([(10, "dark"), (11, "drop"), (20, "clear")], []),
        ([(10, "drop"), (11, "dark"), (20, "clear")], []),
        ([(10, "dark"), (15, "clear"), (15.2, "drop")], []),
    ],
)
def test_a_host_that_does_not_know_the_connection_answers_with_a_reset(steps, expected):
    """RFC 9293 §3.10.7.1: to the first segment that reaches it, so long as somebody sends."""
    assert heard(*steps) == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(10, "silence")], HOLD_18),
        ([(10, "silence"), (11, "dark"), (12, "clear")], HOLD_18),  # nobody is there who would repeat
        ([(10, "dark"), (11, "silence"), (14, "clear")], HOLD_18),
        ([(10, "dark"), (13, "silence"), (14, "clear")], HOLD_18),
        ([(10, "dark"), (11, "close", FIN), (12, "silence"), (14, "clear")], HOLD_18),  # the FIN is gone with it
        ([(10, "dark"), (15, "clear"), (15.2, "silence")], HOLD_18),  # before the repetition of 15.344
        ([(10, "dark"), (15, "clear"), (15.4, "silence")], [(24.344, "hold")]),
        ([(10, "unanswered"), (11, "silence")], HOLD_18),  # before the keepalive of 12
        ([(10, "unanswered"), (13, "silence")], [(21, "hold")]),
        ([(10, "forget"), (11, "silence")], []),
    ],
)
def test_a_sender_whose_host_is_gone_is_silent_for_good(steps, expected):
    assert heard(*steps) == expected


def test_the_sender_of_a_port_without_carrier_does_not_back_off():
    """What could not be put on the wire goes out when the port says so, 0.25 s after 16: nothing doubles."""
    assert heard((10, "dark"), (16, "clear", 250_000), (17, "dark")) == [(25.25, "hold")]  # 16.25 + 9
    assert heard((10, "dark"), (16, "clear")) == TOO_LATE


ALL_LOST = (0.1,) * 100
"""No copy of a segment comes in the time that anybody waits: two hours' worth of them."""


@pytest.mark.parametrize(
    ("luck", "expected"),
    [
        (ALL_LOST, HOLD_18),
        # 12 at once, acknowledged; 15 with its third copy, at 15 + 2a, acknowledged; 18 never: 15.418 + 9
        ((0.9, 0.9, 0.1, 0.1, 0.9, 0.9, *ALL_LOST), [(24.418, "hold")]),
        # 12 at once, but five acknowledgements are lost, the sixth comes 16a later: only then the next, and no more
        ((0.9, *[0.1] * 5, 0.9, 0.9, 0.9, *ALL_LOST), [(24.344, "hold")]),
        # 12 with its third copy, 2a later; the answers to that and to those of 4a and 8a are lost: the next at 12 + 16a
        ((0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9, *ALL_LOST), [(24.344, "hold")]),
        ((0.5, 0.5, *ALL_LOST), [(21, "hold")]),  # a number below the share is a loss, 0.5 is none
    ],
)
def test_on_a_lossy_way_each_copy_has_its_own_luck_and_one_segment_waits_for_another(luck, expected):
    assert heard((10, "lossy"), luck=luck) == expected


@pytest.mark.parametrize(
    ("steps", "luck", "expected"),
    [
        ([(10, "lossy"), (12.3, "clear")], (0.1, 0.1, 0.9), []),  # comes with the next copy, 12 + 2a
        ([(10, "lossy"), (12.3, "clear"), (12.4, "dark")], (0.1, 0.1, 0.9), HOLD_18),
        ([(10, "lossy"), (12.3, "clear"), (12.5, "dark")], (0.1, 0.1, 0.9), [(21.418, "hold")]),
        ([(10, "lossy"), (11, "clear"), (12.5, "dark")], (0.1, 0.9), [(21, "hold")]),  # that of 12 was not lost
        ([(10, "lossy"), (12.3, "dark")], (0.1, 0.1, 0.9), HOLD_18),
        ([(10, "lossy"), (11, "dark")], (0.9,), HOLD_18),
        ([(10, "lossy"), (14, "dark")], (0.9, 0.9, 0.9), [(21, "hold")]),  # 12 was heard, 15 is not
        ([(10, "dark"), (14, "lossy")], (0.9, *ALL_LOST), [(24.344, "hold")]),  # what waited comes, then nothing
        ([(10, "dark"), (15, "clear"), (15.2, "lossy")], (0.9, *ALL_LOST), [(24.344, "hold")]),
        ([(10, "lossy"), (11, "half")], (0.1, 0.9, 0.0, *ALL_LOST), [(21.209, "hold")]),  # no answer is lost by 0.0
        ([(10, "lossy"), (11, "close", FIN)], (0.9, 0.1, 0.9), [(11.209, "TCP_CLOSED")]),  # copies of its own
        ([(10, "lossy"), (12.2, "close", FIN)], (0.1, 0.1, 0.9), [(12.418, "TCP_CLOSED")]),  # behind that of 12
    ],
)
def test_a_lossy_way_that_changes_takes_along_what_waits(steps, luck, expected):
    assert heard(*steps, luck=luck) == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(10, "sender_stalls")], HOLD_18),
        ([(10, "sender_stalls"), (18, "sender_wakes")], []),  # with a keepalive, in time
        ([(10, "sender_stalls"), (17, "sender_wakes"), (17.5, "dark")], [(26, "hold")]),  # that of 17
        ([(10, "sender_stalls"), (17, "sender_wakes"), (18.5, "dark")], [(27, "hold")]),
        ([(10, "close", FIN), (11, "sender_stalls")], [(10, "TCP_CLOSED")]),
        # on a dark way: what was written before is repeated by the kernel, what was not is not
        ([(10, "sender_stalls"), (11, "dark"), (15, "clear")], HOLD_18),
        ([(10, "dark"), (11, "sender_stalls"), (15, "clear")], HOLD_18),
        ([(10, "dark"), (12, "sender_stalls"), (15, "clear")], HOLD_18),
        ([(10, "dark"), (13, "sender_stalls"), (15, "clear")], [(24.344, "hold")]),
        ([(10, "dark"), (15, "clear"), (15.2, "sender_stalls")], [(24.344, "hold")]),
        # awake on a dark way: the keepalive of 13 comes at 13 + 16a
        ([(10, "dark"), (11, "sender_stalls"), (13, "sender_wakes"), (15, "clear")], []),
        (
            [(10, "dark"), (11, "sender_stalls"), (13, "sender_wakes"), (15, "clear"), (16.4, "dark")],
            [(25.344, "hold")],
        ),
        # awake before what its kernel repeats came through: nothing goes past that
        (
            [(10, "dark"), (13, "sender_stalls"), (14, "sender_wakes"), (15, "clear"), (15.5, "dark")],
            [(24.344, "hold")],
        ),
        ([(10, "unanswered"), (11, "sender_stalls")], HOLD_18),
        ([(10, "unanswered"), (13, "sender_stalls")], [(21, "hold")]),
        ([(10, "unanswered"), (11, "sender_stalls"), (13, "sender_wakes")], [(22, "hold")]),
        ([(10, "unanswered"), (11, "sender_stalls"), (13, "sender_wakes"), (19, "clear")], []),  # 13 + 32a = 19.688
        (
            [(10, "dark"), (11, "sender_stalls"), (13, "close", FIN), (15, "clear")],
            [(16.344, "TCP_CLOSED")],
        ),  # 13 + 16a
        ([(10, "sender_stalls"), (13, "close", FIN)], [(13, "TCP_CLOSED")]),  # killed asleep: its kernel closes
        ([(10, "sender_stalls"), (11, "silence")], HOLD_18),
        ([(10, "dark"), (11, "sender_stalls"), (16, "silence")], HOLD_18),
    ],
)
def test_a_sender_that_gets_no_cpu_writes_nothing_while_its_kernel_repeats(steps, expected):
    assert heard(*steps) == expected


def test_a_stalled_sender_of_a_lossy_way_sends_again_when_it_wakes():
    """12 heard and acknowledged at once; stalled before 15 is due; awake at 16, that one is lost for good: 12 + 9."""
    steps = (10, "lossy"), (14, "sender_stalls"), (16, "sender_wakes")
    assert heard(*steps, luck=(0.9, 0.9, 0.9, *ALL_LOST)) == [(21, "hold")]
    # the copy of 12 that comes is 12.418; by then it is stalled, and nothing follows
    assert heard((10, "lossy"), (12.1, "sender_stalls"), luck=(0.1, 0.1, 0.9)) == [(21.418, "hold")]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(10, "receiver_stalls"), (18, "receiver_wakes", False)], []),  # its timer, of the keepalive of 9, is not over
        ([(10, "receiver_stalls"), (18.000001, "receiver_wakes", False)], [(18.000001, "hold")]),
        ([(10, "receiver_stalls"), (18.000001, "receiver_wakes", True)], []),  # it reads the keepalive of 12 first
        ([(10, "receiver_stalls"), (20, "receiver_wakes", True), (21.5, "dark")], [(30, "hold")]),
        # its end came meanwhile
        ([(10, "receiver_stalls"), (11, "close", FIN), (15, "receiver_wakes", False)], [(15, "TCP_CLOSED")]),
        ([(10, "receiver_stalls"), (11, "close", FIN), (20, "receiver_wakes", False)], [(20, "hold")]),
        ([(10, "receiver_stalls"), (11, "close", FIN), (20, "receiver_wakes", True)], [(20, "TCP_CLOSED")]),
        # nothing came meanwhile
        ([(10, "receiver_stalls"), (10.5, "dark"), (20, "receiver_wakes", True)], [(20, "hold")]),
        ([(10, "dark"), (11, "receiver_stalls"), (16, "receiver_wakes", False)], HOLD_18),
        ([(10, "dark"), (11, "receiver_stalls"), (19, "receiver_wakes", True)], [(19, "hold")]),
        ([(10, "forget"), (11, "receiver_stalls"), (30, "receiver_wakes", False)], []),
        ([(10, "receiver_stalls"), (11, "forget"), (30, "receiver_wakes", False)], []),
        ([(10, "receiver_wakes", False)], []),
        # what came in before the way went dark is read at the wake, and the timer starts anew then: 16 + 9, 20 + 9
        ([(10, "receiver_stalls"), (13, "dark"), (16, "receiver_wakes", False)], [(25, "hold")]),
        ([(10, "receiver_stalls"), (13, "dark"), (20, "receiver_wakes", True)], [(29, "hold")]),
        ([(10, "receiver_stalls"), (13, "dark"), (22, "receiver_wakes", True)], [(31, "hold")]),
        ([(10, "receiver_stalls"), (13, "dark"), (20, "receiver_wakes", False)], [(20, "hold")]),
        ([(10, "receiver_stalls"), (20, "receiver_wakes", True), (20.5, "dark")], [(29, "hold")]),
        ([(10, "receiver_stalls"), (16, "receiver_wakes", False), (16.5, "dark")], [(25, "hold")]),
        ([(10, "receiver_stalls"), (13, "silence"), (16, "receiver_wakes", False)], [(25, "hold")]),
        ([(10, "receiver_stalls"), (11, "silence"), (16, "receiver_wakes", False)], HOLD_18),
        ([(10, "receiver_stalls"), (13, "sender_stalls"), (16, "receiver_wakes", False)], [(25, "hold")]),
        ([(10, "receiver_stalls"), (11, "sender_stalls"), (20, "receiver_wakes", True)], [(20, "hold")]),
        # the one of 15 comes through: read at 16; awake at 14 it reads that of 12, and that of 15 on time
        ([(10, "receiver_stalls"), (13, "unanswered"), (16, "receiver_wakes", False)], [(25, "hold")]),
        ([(10, "receiver_stalls"), (13, "unanswered"), (14, "receiver_wakes", False)], [(24, "hold")]),
        ([(10, "receiver_stalls"), (13, "unanswered"), (15.5, "dark"), (16, "receiver_wakes", False)], [(25, "hold")]),
        # 12 is lost; repeated at 12 + 32a = 18.688 and 12 + 64a = 25.376
        (
            [(10, "receiver_stalls"), (10.5, "dark"), (19, "clear"), (19.5, "receiver_wakes", True)],
            [(19.5, "hold"), (25.376, "sender: TCP_RESET")],
        ),
        ([(10, "receiver_stalls"), (10.5, "dark"), (18, "clear"), (19.5, "receiver_wakes", True)], []),
        (
            [(10, "receiver_stalls"), (10.5, "dark"), (18, "clear"), (19.5, "receiver_wakes", True), (20, "dark")],
            [(28.5, "hold")],
        ),
        # a second stall begins with what was known then: at 16 the keepalives of 12 and 15 were read, 16 + 9
        (
            [
                (10, "receiver_stalls"),
                (16, "receiver_wakes", False),
                (17, "receiver_stalls"),
                (25.000001, "receiver_wakes", False),
            ],
            [(25.000001, "hold")],
        ),
        (
            [
                (10, "receiver_stalls"),
                (16, "receiver_wakes", False),
                (17, "receiver_stalls"),
                (25, "receiver_wakes", False),
            ],
            [],
        ),
    ],
)
def test_a_receiver_that_gets_no_cpu_finds_its_timer_over_or_its_socket_full(steps, expected):
    assert heard(*steps) == expected
