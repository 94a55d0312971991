"""What the Linux kernel's TCP does underneath a BGP session, as arithmetic on instants."""

from bisect import bisect_left

TAIL_LOSS_PROBE_US = 209_000
"""First retransmission after the send: 0.2 s + RTT + timer slack. Measured on Linux 6.18, 0.2046 to 0.2115 s; the
tail-loss probe takes the first slot (net/ipv4/tcp_output.c tcp_schedule_loss_probe)."""

RTO_MAX_US = 120_000_000
"""include/net/tcp.h TCP_RTO_MAX."""

SYN_RETRIES_US = tuple(s * 1_000_000 for s in (1, 2, 3, 4, 5, 7, 11, 19, 35, 67))
"""SYN retransmissions after the first, Linux 6.5 and later: tcp_syn_linear_timeouts=4, tcp_syn_retries=6."""

NEIGHBOUR_PROBES_US = 3_000_000
"""A dial to a host without a neighbour entry fails after three unanswered probes, a second apart (net/ipv4/arp.c
mcast_solicit; in SYN_SENT the error is final, net/ipv4/tcp_ipv4.c tcp_v4_err)."""


def _ladder() -> tuple[int, ...]:
    instants = [TAIL_LOSS_PROBE_US]
    while len(instants) < 16:
        instants.append(instants[-1] + min(instants[-1], RTO_MAX_US))
    return tuple(instants)


RETRANSMISSIONS_US = _ladder()
"""Retransmissions after the send of a lost segment: a, 2a, 4a, ... with steps of at most `RTO_MAX_US`."""


def retransmission_at_or_after(sent_us: int, time_us: int) -> int:
    """The first instant at or after ``time_us`` at which a segment first sent at ``sent_us`` is on the wire."""
    if time_us <= sent_us:
        return sent_us
    place = bisect_left(RETRANSMISSIONS_US, time_us - sent_us)
    if place < len(RETRANSMISSIONS_US):
        return sent_us + RETRANSMISSIONS_US[place]
    beyond = time_us - sent_us - RETRANSMISSIONS_US[-1]
    return sent_us + RETRANSMISSIONS_US[-1] + -(-beyond // RTO_MAX_US) * RTO_MAX_US


def nth_copy_us(lost: int) -> int:
    """When, after the send, the copy leaves that follows ``lost`` lost ones."""
    if lost == 0:
        return 0
    place = min(lost, len(RETRANSMISSIONS_US)) - 1
    return RETRANSMISSIONS_US[place] + max(0, lost - len(RETRANSMISSIONS_US)) * RTO_MAX_US
