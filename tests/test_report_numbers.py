import pytest

from simbgp.measure import Estimate
from simbgp.report.numbers import columns, count, listed, of_metric, percent, plural, seconds, span, with_interval


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0 s"), (0.0712, "0.071 s"), (9.018, "9.02 s"), (90.0, "90 s"), (209.66, "209.7 s"), (3600.0, "3600 s")],
)
def test_seconds_have_about_three_digits(value, text):
    assert seconds(value) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0 %"), (0.00071, "0.071 %"), (0.0012, "0.12 %"), (0.0625, "6.2 %"), (1.0, "100 %")]
)
def test_shares_are_percent(share, text):
    assert percent(share) == text


def test_counts_are_in_groups_of_three():
    assert (count(1234567.0), count(2.5), count(7)) == ("1 234 567", "2.5", "7")


@pytest.mark.parametrize(
    ("metric", "text"),
    [("blackhole_s", "0.25 s"), ("reset_share", "25 %"), ("peak_node_load", "25 %"), ("flaps", "0.2")],
)
def test_a_metric_says_its_unit_by_its_name(metric, text):
    assert of_metric(metric, 0.25) == text


def found(value, low, high, confidence=0.95, censored=False):
    return Estimate(value, low, high, confidence, 400, censored)


def test_an_interval_has_the_decimals_of_its_value():
    assert with_interval("blackhole_s", found(209.66, 209.0, 209.94)) == "209.7 s [209.0, 209.9]"
    assert with_interval("reset_share", found(0.0625, 0.061, 0.064)) == "6.2 % [6.1, 6.4]"


def test_an_end_that_does_not_exist_is_a_question_mark():
    assert with_interval("blackhole_s", found(89.1, 88.9, None)) == "89.1 s [88.9, ?]"


def test_what_has_no_interval_shows_none():
    assert with_interval("blackhole_s", found(15.0, 15.0, 15.0, confidence=None)) == "15 s"


def test_a_censored_value_is_shown_as_the_bound_it_is():
    assert with_interval("blackhole_s", found(540.0, 540.0, None, confidence=None, censored=True)) == "≥ 540 s"


def test_lists_and_spans_are_short():
    assert listed(["a", "b", "c"]) == "a, b, c"
    assert listed(["a", "b", "c", "d"]) == "a, b and 2 more"
    assert (span([90, 90]), span([9, 90])) == ("90", "9-90")
    assert (plural(1, "router"), plural(2, "router")) == ("1 router", "2 routers")


def test_columns_are_aligned():
    assert columns([("a", "1"), ("bbb", "22")], right=frozenset({1})) == ["  a     1", "  bbb  22"]
