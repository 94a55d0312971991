"""When a Linux client sends again and gives up, against measured clients; residual lifetimes against scipy."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from simbgp.profiles import Law
from simbgp.traffic.clients import CLIENTS, linux
from simbgp.traffic.lifetimes import lifetimes, residual_lifetimes

COUNT = 20_000


def rng() -> np.random.Generator:
    return np.random.Generator(np.random.Philox(11))


def test_a_6_5_client_dials_linearly_then_doubles_and_fails_at_131_s() -> None:
    client = CLIENTS["linux-6.5"]
    assert [offset // 10**6 for offset in client.connect_us] == [0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67]
    assert client.connect_gives_up_us == 131_000_000


def test_an_older_client_doubles_from_the_start_and_fails_at_127_s() -> None:
    # ip-sysctl, tcp_syn_retries = 6
    client = linux(syn_linear_timeouts=0)
    assert [offset // 10**6 for offset in client.connect_us] == [0, 1, 3, 7, 15, 31, 63]
    assert client.connect_gives_up_us == 127_000_000


def test_data_are_repeated_after_doubling_times_until_the_gap_is_120_s() -> None:
    # 0.209 * 2^k up to 0.209 * 2^10 = 214.016, the next gap would be 214 s; then every 120 s
    grid = CLIENTS["linux-6.5"].retransmit_us
    assert grid[:11] == tuple(209_000 * 2**k for k in range(11))
    assert grid[11:] == tuple(214_016_000 + 120_000_000 * n for n in range(1, 6))


@pytest.mark.parametrize(("retries2", "measured_s"), [(3, 6.65), (5, 13.44), (6, 26.76)])
def test_giving_up_is_measured_within_1_percent(retries2: int, measured_s: float) -> None:
    # Linux 6.18 with these tcp_retries2
    assert linux(4, retries2).retransmit_gives_up_us / 1e6 == pytest.approx(measured_s, rel=0.01)


def test_fifteen_retries_last_at_least_the_documented_924_6_s() -> None:
    # 924.6 + 0.418 lies between 814.016 and 934.016
    assert CLIENTS["linux-6.5"].retransmit_gives_up_us == 934_016_000


LAWS = {
    "constant": Law.constant(30.0),
    "uniform": Law("uniform", (10.0, 40.0)),
    "exponential": Law("exponential", (30.0,)),
    "lognormal": Law("lognormal", (30.0, 300.0)),
    "empirical": Law("empirical", (12.0, 13.5, 41.0, 90.0)),
    "normal": Law("normal", (10.0, 8.0)),
    "choice": Law("choice", (1.0, 10.0)),
}


@pytest.mark.parametrize("kind", LAWS)
def test_lifetimes_follow_their_law(kind: str) -> None:
    law = LAWS[kind]
    drawn = np.sort(lifetimes(law, rng(), COUNT))
    for u in (0.1, 0.35, 0.62, 0.9):
        # the quantile lies between the order statistics 4 sigma of rank away
        spread = 4 * math.sqrt(u * (1 - u) * COUNT)
        assert drawn[int(u * COUNT - spread)] - 1e-9 <= law.quantile(u) <= drawn[int(u * COUNT + spread)] + 1e-9


def survival(law: Law, at_s: np.ndarray) -> np.ndarray:
    """P(lifetime > at_s) from scipy, not from the project."""
    p = law.parameters
    match law.kind:
        case "constant" | "choice":
            return np.mean([at_s < value for value in p], axis=0)
        case "uniform":
            return stats.uniform(p[0], p[1] - p[0]).sf(at_s)
        case "exponential":
            return stats.expon(scale=p[0]).sf(at_s)
        case "lognormal":
            return stats.lognorm(math.log(p[1] / p[0]) / stats.norm.ppf(0.99), scale=p[0]).sf(at_s)
        case "normal":
            return stats.norm(*p).sf(at_s)
    return 1 - np.interp(at_s, p, np.linspace(0, 1, len(p)))


@pytest.mark.parametrize("kind", LAWS)
def test_what_is_left_of_an_open_connection_has_the_stationary_renewal_law(kind: str) -> None:
    # P(residual <= x) = integral of P(lifetime > y) over y in [0, x], over the mean lifetime
    law, grid = LAWS[kind], np.linspace(0, 3000, 300_001)
    cumulated = integrate.cumulative_trapezoid(survival(law, grid), grid, initial=0)
    drawn = residual_lifetimes(law, rng(), COUNT)
    result = stats.kstest(drawn, lambda x: np.interp(x, grid, cumulated / cumulated[-1]))
    assert result.statistic < 1.95 / math.sqrt(COUNT)  # 0.1 %
