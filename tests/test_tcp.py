"""Linux TCP's instants against measurements on Linux 6.18 (November 2026, network namespaces, RTT 0.1 ms)."""

from itertools import pairwise

import pytest

from simbgp.model.network.tcp import RETRANSMISSIONS_US, SYN_RETRIES_US, retransmission_at_or_after

MEASURED_S = (0.21, 0.42, 0.84, 1.67, 3.34, 6.78, 13.4)
"""Sends after the first of a segment that is never answered (tail-loss probe, then RTO doubling)."""


@pytest.mark.parametrize(("instant_us", "measured_s"), list(zip(RETRANSMISSIONS_US, MEASURED_S, strict=False)))
def test_retransmissions_lie_where_they_were_measured(instant_us, measured_s):
    assert instant_us / 1e6 == pytest.approx(measured_s, rel=0.02)


def test_steps_between_retransmissions_never_exceed_rto_max():
    steps = [b - a for a, b in pairwise(RETRANSMISSIONS_US)]
    assert max(steps) == 120_000_000
    assert steps[-1] == 120_000_000


@pytest.mark.parametrize(
    ("healed_s", "heard_s"),
    [(0.0, 0.0), (0.209, 0.209), (0.2091, 0.418), (3.344, 3.344), (3.3441, 6.688), (10.0, 13.376)],
)
def test_a_lost_segment_is_heard_at_the_first_instant_after_the_repair(healed_s, heard_s):
    """Instants are a, 2a, 4a, ... with a = 0.209 s: 16a = 3.344, 32a = 6.688, 64a = 13.376."""
    sent_us = 7_000_000
    assert retransmission_at_or_after(sent_us, sent_us + round(healed_s * 1e6)) == sent_us + round(heard_s * 1e6)


def test_far_out_the_ladder_goes_on_in_steps_of_rto_max():
    last_us = RETRANSMISSIONS_US[-1]
    assert retransmission_at_or_after(0, last_us + 1) == last_us + 120_000_000
    assert retransmission_at_or_after(0, last_us + 240_000_000) == last_us + 240_000_000


def test_syn_retries_are_linear_first_since_linux_6_5():
    """tcp_syn_linear_timeouts=4: 1, 2, 3, 4 s after the first, then doubling steps 1, 2, 4, 8, 16, 32 s."""
    assert [us // 1_000_000 for us in SYN_RETRIES_US] == [1, 2, 3, 4, 5, 7, 11, 19, 35, 67]
