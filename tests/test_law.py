import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simbgp.profiles import Law, format_duration, parse_duration
from simbgp.scenario.schema.base import read_duration, read_law, read_rate, read_share


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("90s", 90),
        ("2m", 120),
        ("1h30m", 5400),
        ("33m26s", 2006),
        ("1.5s", 1.5),
        (".5s", 0.5),
        (7, 7),
        (0.25, 0.25),
        (0, 0),
        ("0s", 0),
        ("10us", 1e-5),
    ],
)
def test_durations_are_seconds_or_kubernetes_strings(text: object, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["90", "", "s", "1 s", "-1s", "1d", "1e3s", -1, math.inf, math.nan, True, None, [1], {"a": 1}]
)
def test_what_is_no_duration_is_told_what_is_allowed(text: object) -> None:
    with pytest.raises(ValueError, match="allowed: "):
        parse_duration(text)


@given(st.integers(0, 10**13))
def test_a_formatted_duration_reads_back_to_the_microsecond(microseconds: int) -> None:
    assert round(parse_duration(format_duration(microseconds / 1e6)) * 1e6) == microseconds


@pytest.mark.parametrize(
    ("written", "oracle"),
    [
        ({"uniform": ["10s", "40s"]}, stats.uniform(10, 30)),
        ({"normal": {"mean": "20s", "sd": "5s"}}, stats.norm(20, 5)),
        ({"lognormal": {"median": "20s", "p99": "90s"}}, stats.lognorm(math.log(4.5) / stats.norm.ppf(0.99), scale=20)),
        ({"exponential": {"mean": "30s"}}, stats.expon(scale=30)),
    ],
    ids=["uniform", "normal", "lognormal", "exponential"],
)
@pytest.mark.parametrize("u", [0.001, 0.25, 0.5, 0.9, 0.99, 0.999])
def test_quantiles_are_those_of_the_distribution(written: dict, oracle: object, u: float) -> None:
    assert Law.parse(written).quantile(u) == pytest.approx(oracle.ppf(u))  # type: ignore[attr-defined]


def test_an_empirical_law_is_linear_between_its_observations() -> None:
    law = Law.parse({"empirical": ["12s", "41s", "13.5s"]})
    assert [law.quantile(u) for u in (0, 0.25, 0.5, 0.75, 1)] == [12, 12.75, 13.5, 27.25, 41]


def test_a_law_is_cut_off_at_zero_and_its_support_may_be_infinite() -> None:
    assert Law.parse({"normal": {"mean": 1, "sd": 5}}).quantile(0.01) == 0.0
    assert Law.parse({"exponential": {"mean": 1}}).support == (0.0, math.inf)
    assert Law.parse({"uniform": [1, 2]}).support == (1.0, 2.0)


@pytest.mark.parametrize(
    "written",
    [
        {"uniform": [40, 10]},
        {"uniform": [1]},
        {"pareto": 1},
        {"uniform": [1, 2], "choice": [1]},
        {},
        {"normal": {"mean": 1}},
        {"lognormal": {"median": 9, "p99": 8}},
        {"exponential": {"mean": 0}},
        {"empirical": []},
        {"choice": "1s"},
    ],
)
def test_what_is_no_distribution_is_refused(written: dict) -> None:
    with pytest.raises(ValueError, match=r"takes|allowed|must"):
        Law.parse(written)


@given(st.floats(0, 1), st.floats(0, 1))
def test_quantiles_never_fall(u: float, v: float) -> None:
    law = Law.parse({"lognormal": {"median": "20s", "p99": "90s"}})
    assert law.quantile(min(u, v)) <= law.quantile(max(u, v))


CENTURY_S = 36525 * 86400


def test_a_scenario_takes_durations_up_to_a_century() -> None:
    assert read_duration(CENTURY_S) == CENTURY_S
    for beyond in (CENTURY_S + 1, "9" * 400 + "s"):
        with pytest.raises(ValueError, match="up to 100 years"):
            read_duration(beyond)
    with pytest.raises(ValueError, match="above 0"):
        read_law({"lognormal": {"median": 1e-300, "p99": 1}})


@pytest.mark.parametrize(
    ("written", "share"), [(0, 0), (1, 1), (0.001, 0.001), ("0.1%", 0.001), ("100%", 1), ("12.5 %", 0.125)]
)
def test_shares_are_numbers_or_percent(written: object, share: float) -> None:
    assert read_share(written) == pytest.approx(share)


@pytest.mark.parametrize("written", [-0.1, 1.1, "101%", "1", "%", True, None, math.nan])
def test_what_is_no_share_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="allowed: a number from 0 to 1, or percent"):
        read_share(written)


@pytest.mark.parametrize(
    ("written", "rate"), [("1/s", 1), ("0.5/s", 0.5), ("10/m", 1 / 6), ("36/h", 0.01), ("2/ms", 2000), (3, 3)]
)
def test_rates_are_per_unit_of_time(written: object, rate: float) -> None:
    assert read_rate(written) == pytest.approx(rate)


@pytest.mark.parametrize("written", ["1", "/s", "1/d", "-1/s", -1, True, None, "9" * 20 + "/s"])
def test_what_is_no_rate_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="allowed: "):
        read_rate(written)
