"""When a client's TCP sends again what was lost, and when it gives up: the schedules of a Linux kernel."""

from dataclasses import dataclass
from functools import cache

_SYN_RETRIES = 6
_RTO_MIN_S = 0.2
_RTO_MAX_S = 120.0
_PROBE_US = 209_000
"""First retransmission after a lost send: 0.2 s, the round trip and timer slack (tail-loss probe; measured)."""


@dataclass(frozen=True, slots=True)
class TcpClient:
    """Offsets in microseconds from the first transmission: of all attempts to connect, the first at 0, and of all
    retransmissions of data; after ``..._gives_up_us`` the connection ends with ETIMEDOUT."""

    connect_us: tuple[int, ...]
    connect_gives_up_us: int
    retransmit_us: tuple[int, ...]
    retransmit_gives_up_us: int


@cache
def linux(syn_linear_timeouts: int, retries2: int = 15, user_timeout_s: float | None = None) -> TcpClient:
    """The client of a kernel with these sysctls (``tcp_syn_linear_timeouts`` exists since Linux 6.5; 0 before).

    SYNs are repeated each second as often as the first says, then after 1, 2, 4, ... s. Data are repeated after
    a·2^k until the gap would exceed TCP_RTO_MAX of 120 s, then every 120 s. With TCP_USER_TIMEOUT the connection ends
    that long after the first of the repetitions that the retransmission timer sends, whatever ``retries2`` says
    (`tcp_clamp_rto_to_user_timeout`).
    """
    doubling = [syn_linear_timeouts + 2**k - 1 for k in range(_SYN_RETRIES + 2)]
    connect_s = [*range(syn_linear_timeouts), *doubling]
    if user_timeout_s is None:
        *grid, gives_up_us = _retransmissions(_gives_up_model_us(retries2) + 2 * _PROBE_US)
    else:
        gives_up_us = round(user_timeout_s * 1e6) + 2 * _PROBE_US
        grid = [at_us for at_us in _retransmissions(gives_up_us) if at_us < gives_up_us]
    return TcpClient(
        connect_us=tuple(second * 1_000_000 for second in connect_s[:-1]),
        connect_gives_up_us=connect_s[-1] * 1_000_000,
        retransmit_us=tuple(grid),
        retransmit_gives_up_us=gives_up_us,
    )


def _gives_up_model_us(retries2: int) -> int:
    """``tcp_model_timeout``: the exponential backoff of ``retries2`` retransmissions, from the first of them."""
    doublings = min(retries2, 9)
    model_s = _RTO_MIN_S * ((2 << doublings) - 1) + _RTO_MAX_S * (retries2 - doublings)
    return round(model_s * 1e6)


def _retransmissions(at_least_us: int) -> tuple[int, ...]:
    """Retransmission instants up to the first that is not below ``at_least_us``; at that one the kernel gives up."""
    instants = [_PROBE_US]
    while instants[-1] < at_least_us:
        instants.append(instants[-1] + min(instants[-1], round(_RTO_MAX_S * 1e6)))
    return tuple(instants)


SYN_LINEAR_TIMEOUTS = {"linux-6.5": 4, "linux-6.4": 0}
"""By the name of the client profile: ``linux-6.5`` stands for 6.5 and later, ``linux-6.4`` for all before."""
CLIENTS = {name: linux(timeouts) for name, timeouts in SYN_LINEAR_TIMEOUTS.items()}
