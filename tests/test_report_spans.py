from simbgp.report.spans import spans


def window(start_s, end_s, share, cause="dead-next-hop", outage=0, prefix="192.0.2.10/32"):
    until_s = 600.0 if end_s is None else end_s
    lost = share * (until_s - start_s)
    return (
        0,
        0,
        "tor-1",
        prefix,
        "web",
        cause,
        outage,
        start_s,
        end_s,
        until_s - start_s,
        0.0,
        share,
        lost,
        end_s is None,
    )


def test_a_share_that_changes_makes_no_new_span():
    (span,) = spans([window(60.0, 110.0, 0.4375), window(110.0, 111.0, 0.375), window(111.0, 150.0, 0.25)])
    assert (span.start_s, span.end_s, span.duration_s, span.share) == (60.0, 150.0, 90.0, 0.4375)


def test_another_cause_outage_or_prefix_does():
    first = window(60.0, 70.0, 1.0)
    for other in (window(70.0, 80.0, 1.0, cause="no-route"), window(75.0, 80.0, 1.0, outage=1)):
        assert len(list(spans([first, other]))) == 2
    assert len(list(spans([first, window(70.0, 80.0, 1.0, prefix="10.244.1.0/24")]))) == 2


def test_a_span_open_at_the_horizon_has_no_end():
    (span,) = spans([window(60.0, 70.0, 0.5), window(70.0, None, 0.25)])
    assert (span.end_s, span.duration_s) == (None, 540.0)
