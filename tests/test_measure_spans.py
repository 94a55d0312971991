"""Seconds from a least to a greatest, put together by hand."""

import math

import pytest

from simbgp.measure.spans import Span, greatest, span_of
from simbgp.profiles import Law

A, B = Span(2.0, 10.0, "a"), Span(5.0, 8.0, "b")


def test_spans_add_and_subtract_end_by_end():
    assert A.plus(B) == Span(7.0, 18.0, "a, + b")
    assert A.less(B) == Span(0.0, 5.0, "a, - b")  # 2 - 8 is none left; 10 - 5
    assert Span(20.0, 30.0, "c").less(B) == Span(12.0, 25.0, "c, - b")


def test_the_later_of_two():
    assert A.or_later(B) == Span(5.0, 10.0, "the later of a, and b")
    assert B.or_later(A) == Span(5.0, 10.0, "the later of b, and a")
    before, after = Span(0.0, 2.0, "before"), Span(10.0, 12.0, "after")
    assert A.or_later(before) == A
    assert before.or_later(A) == A
    assert A.or_later(after) == after
    assert after.or_later(A) == after


def test_the_earlier_of_two():
    assert A.or_earlier(B) == Span(2.0, 8.0, "the earlier of a, and b")
    assert B.or_earlier(A) == Span(2.0, 8.0, "the earlier of b, and a")
    before, after = Span(0.0, 2.0, "before"), Span(10.0, 12.0, "after")
    assert A.or_earlier(before) == before
    assert before.or_earlier(A) == before
    assert A.or_earlier(after) == A
    assert after.or_earlier(A) == A


def test_the_greatest_of_a_law_without_an_end_is_what_a_millionth_exceeds():
    # exponential with mean 10: exp(-x / 10) = 1e-6 at x = 10 ln 1e6
    assert greatest(Law.parse({"exponential": {"mean": "10s"}})) == pytest.approx(10 * math.log(1e6))
    assert greatest(Law.parse({"uniform": ["1s", "4s"]})) == 4.0
    assert greatest(Law.constant(3.0)) == 3.0


def test_a_law_is_named_with_its_ends():
    assert span_of(Law.constant(3.0), "dial") == Span(3.0, 3.0, "dial 3")
    assert span_of(Law.parse({"uniform": ["1s", "4.5s"]}), "dial") == Span(1.0, 4.5, "dial 1-4.5")
