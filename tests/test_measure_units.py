"""Where the decimals of a value change: about three digits that matter, at the powers of ten to the digit."""

import pytest

from simbgp.measure import Estimate
from simbgp.measure.units import count, interval, is_time, of_metric, percent, seconds, with_interval


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.9994, "0.999 s"),  # below 1: three decimals
        (1.0, "1 s"),
        (1.004, "1 s"),  # from 1 on: two
        (1.006, "1.01 s"),
        (9.994, "9.99 s"),
        (10.04, "10 s"),  # from 10 on: one
        (10.06, "10.1 s"),
        (-0.0712, "-0.071 s"),  # by the size, not the sign
        (-9.018, "-9.02 s"),
        (-209.66, "-209.7 s"),
        (1200.0, "1200 s"),  # zeros before the point stay
    ],
)
def test_decimals_of_seconds_change_at_1_and_10(value, text):
    assert seconds(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.00099912, "0.1 %"),  # below 0.1 %: three decimals of a percent, 0.0999 -> 0.100
        (0.00012345, "0.012 %"),
        (0.001004, "0.1 %"),  # from 0.1 % on: two
        (0.001044, "0.1 %"),
        (0.001056, "0.11 %"),
        (0.009944, "0.99 %"),
        (0.010044, "1 %"),  # from 1 % on: one
        (0.010056, "1 %"),
        (0.0106, "1.1 %"),
        (-0.00071, "-0.071 %"),
    ],
)
def test_decimals_of_shares_change_at_a_thousandth_and_a_hundredth(share, text):
    assert percent(share) == text


def test_counts_keep_one_decimal_where_they_have_one():
    assert [count(value) for value in (0.0, 10.0, 10.25, 1000.0, 999.96)] == ["0", "10", "10.2", "1 000", "1 000"]


def found(value, low, high, confidence=0.95, censored=False):
    return Estimate(value, low, high, confidence, 400, censored)


@pytest.mark.parametrize(
    ("metric", "estimate", "text"),
    [
        ("blackhole_s", found(0.5, 0.1234, 0.9), "[0.123, 0.900]"),
        ("blackhole_s", found(1.0, 0.1234, 2.0), "[0.12, 2.00]"),
        ("blackhole_s", found(10.0, 0.1234, 20.0), "[0.1, 20.0]"),
        # a value of 0 has the decimals of its upper end; where that is 0 or missing too, those of 1
        ("blackhole_s", found(0.0, 0.0, 0.0123), "[0.000, 0.012]"),
        ("blackhole_s", found(0.0, 0.0, None), "[0.00, ?]"),
        ("reset_share", found(0.0, 0.0, 0.00951), "[0.00, 0.95]"),
        ("reset_share", found(0.0, 0.0, None), "[0.0, ?]"),
        ("reset_share", found(0.0005, 0.0004, 0.00061), "[0.040, 0.061]"),
        ("peak_node_load", found(0.25, 0.2, 0.3), "[20.0, 30.0]"),
        ("flaps", found(0.25, 0.2, None), "[0.200, ?]"),
        ("flaps", found(2.0, None, 3.0), "[?, 3.00]"),
    ],
)
def test_an_interval_has_the_scale_and_the_decimals_of_its_value(metric, estimate, text):
    assert interval(metric, estimate) == text


def test_an_interval_of_no_width_or_no_confidence_is_not_shown():
    assert interval("blackhole_s", found(15.0, 15.0, 15.0)) == ""
    assert interval("blackhole_s", found(15.0, 9.0, 20.0, confidence=None)) == ""
    assert with_interval("blackhole_s", found(15.0, 9.0, 20.0, censored=True)) == "≥ 15 s [9.0, 20.0]"


def test_a_rate_is_no_time():
    assert [is_time(metric) for metric in ("blackhole_s", "api_patches_per_s", "flaps")] == [True, False, False]
    assert of_metric("api_patches_per_s", 3.0) == "3"
