"""What a connection last sent, and numbers that look drawn: by hand, and against the published generator."""

from dataclasses import replace

import numpy as np
import pytest

from simbgp.traffic.clients import linux
from simbgp.traffic.flows import Flows
from simbgp.traffic.luck import Luck
from simbgp.traffic.mixing import mix, uniform
from simbgp.traffic.packets import Packets, Through
from simbgp.traffic.resilient import LONG_AGO_US
from simbgp.traffic.routing import Stay

S = 1_000_000
FAR_US = 10**15


def packets(dialled_s=-1, opened_s=-1, phase_s=3, last_s=100, waits=(), attempts=8):
    """One connection that makes a request every 10 s, from 3 s after it opened."""
    opened_us = FAR_US if opened_s is None else opened_s * S if opened_s >= 0 else -1
    dialled_us = dialled_s * S if dialled_s >= 0 else -1
    keys = np.array([7], dtype=np.uint64)
    flows = Flows(keys, *(np.array([us]) for us in (dialled_us, phase_s * S, FAR_US)))
    who, since_us, until_us = (np.array([wait[i] for wait in waits], dtype=np.int64) for i in range(3))
    return Packets(
        flows, linux(0), 10 * S, False, Luck(keys), np.array([attempts]), np.array([opened_us]),
        np.array([last_s * S]), (who, since_us, until_us),
    )  # fmt: skip


@pytest.mark.parametrize(("at_s", "sent_s"), [(2.9, -7), (3, 3), (12.9, 3), (13, 13), (99, 93), (100, 93), (1000, 93)])
def test_requests_are_on_the_beat_that_began_before_time_0(at_s, sent_s):
    assert packets().last_sent(round(at_s * S)).tolist() == [sent_s * S]


def test_what_opened_in_the_run_sent_nothing_before():
    found = packets(dialled_s=20, opened_s=20)
    assert [found.last_sent(at_s * S)[0] for at_s in (19, 20, 22, 23, 33)] == [
        LONG_AGO_US,
        20 * S,
        20 * S,
        23 * S,
        33 * S,
    ]


@pytest.mark.parametrize(
    ("at_s", "sent_s"),
    [(12, 3), (13, 13), (13.208, 13), (13.209, 13.209), (13.417, 13.209), (13.418, 13.418), (14.0, 13.836),
     (14.672, 14.672), (15.9, 14.672), (16, 14.672), (23, 23)],
)  # fmt: skip
def test_a_lost_request_is_sent_again_until_it_is_answered(at_s, sent_s):
    # lost at 13: again after 0.209 s and each power of two of it, 0.418, 0.836, 1.672; answered at 16
    found = packets(waits=((0, 13 * S, 16 * S),))
    assert found.last_sent(round(at_s * S)).tolist() == [round(sent_s * S)]


@pytest.mark.parametrize(("attempts", "sent_s"), [(8, [5, 6, 8, 12, 20]), (2, [5, 6, 6, 6, 6]), (1, [5] * 5)])
def test_syns_are_repeated_after_1_3_7_and_15_s_and_as_often_as_they_may(attempts, sent_s):
    found = packets(dialled_s=5, opened_s=None, attempts=attempts)
    assert [found.last_sent(at_s * S)[0] for at_s in (5, 6, 8, 12, 20)] == [second * S for second in sent_s]
    assert found.last_sent(5 * S - 1)[0] == LONG_AGO_US


def test_a_request_in_time_and_one_too_late_of_another_connection():
    # the second connection waits; the first goes on as if nothing were
    one = packets(waits=((1, 13 * S, FAR_US),))
    both = replace(
        one,
        flows=Flows(*(np.repeat(array, 2) for array in (one.flows.keys, one.flows.dialled_us, one.flows.phases_us,
                                                        one.flows.lives_us))),
        luck=Luck(np.repeat(one.flows.keys, 2)),
        attempts=np.repeat(one.attempts, 2), opened_us=np.repeat(one.opened_us, 2), last_us=np.repeat(one.last_us, 2),
    )  # fmt: skip
    assert both.last_sent(24 * S).tolist() == [23 * S, 13 * S + 209_000 * 32]  # 6.688 of 11 s; the next is 13.376


def test_mixing_is_the_published_splitmix64():
    # Vigna, splitmix64.c, seed 1234567: the first five outputs
    reference = [
        6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821,
    ]  # fmt: skip
    found = mix(np.full(5, 1234567, dtype=np.uint64), np.arange(5))
    assert found.tolist() == reference
    # the upper 53 bits as a fraction
    assert uniform(np.full(5, 1234567, dtype=np.uint64), np.arange(5)).tolist() == [
        n // 2**11 / 2**53 for n in reference
    ]


def test_the_last_of_poisson_requests_is_as_old_as_a_wait_is_long():
    """Waits are exponential, 10 s in the mean, and have no memory: of 20 000, 10 s +- 4 * 10 / sqrt(20 000) = 0.28."""
    keys, zeros = np.arange(20_000, dtype=np.uint64), np.zeros(20_000, dtype=np.int64)
    flows = Flows(keys, zeros - 1, zeros, zeros + FAR_US)
    nobody = (zeros[:0], zeros[:0], zeros[:0])
    sent = Packets(flows, linux(0), 10 * S, True, Luck(keys), zeros + 8, zeros - 1, zeros + 100 * S, nobody)
    ages_s = (50 * S - sent.last_sent(50 * S)) / S
    assert ages_s.min() >= 0
    assert ages_s.mean() == pytest.approx(10, abs=0.28)


@pytest.mark.parametrize(("begins_us", "met_s"), [(-1, -7), (0, None)])
def test_a_router_met_what_a_spine_sent_it_from_the_stays_begin_on(begins_us, met_s):
    """Asked at -7 and at 3 s: who was there before time 0 has met both, who came at time 0 the second alone."""
    through = Through(packets(), np.zeros(1, dtype=np.uint32), [Stay(begins_us, FAR_US, np.array([0]))])
    assert through.last(1, 2 * S).tolist() == [LONG_AGO_US if met_s is None else met_s * S]
    assert through.last(1, 3 * S).tolist() == [3 * S]
