"""Outage bounds as tests: what the pytest plugin (``simbgp.testing.plugin``) is made of, and assertions of one's own.

A failed assertion tells the worst run moment by moment, and the command that shows it again.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simbgp.study import Result

__all__ = ["assert_at_least", "assert_at_most", "assert_slo", "story"]


def assert_slo(result: "Result") -> None:
    """All SLOs of the scenario are met. Raises AssertionError with those that are not, INCONCLUSIVE ones too."""
    from simbgp.testing.verdicts import failures

    found = failures(result)
    if found:
        raise AssertionError("\n".join([*found, "", story(result)]))


def assert_at_most(result: "Result", metric: str, most: float, stat: str = "p99", **narrowing: Any) -> None:
    """``stat`` of a metric is ``most`` or less, and so is the worse end of its interval where there is one.

    Args:
        result: What was played.
        metric: A name of the SLOs, such as ``blackhole_s``.
        most: The bound, in seconds or as a share.
        stat: ``mean``, ``max`` or a quantile like ``p99``.
        **narrowing: ``service``, ``router``, ``fault``, ``prefix``, ``min_share``.

    Raises AssertionError if it is more, if the runs cannot tell, or if what it speaks of never happened.
    """
    _assert(result, metric, stat, narrowing, most=most)


def assert_at_least(result: "Result", metric: str, least: float, stat: str = "min", **narrowing: Any) -> None:
    """``stat`` of a metric is ``least`` or more, and so is the worse end of its interval. See `assert_at_most`."""
    _assert(result, metric, stat, narrowing, least=least)


def _assert(
    result: "Result",
    metric: str,
    stat: str,
    narrowing: dict[str, Any],
    least: float | None = None,
    most: float | None = None,
) -> None:
    from simbgp.testing.verdicts import failure

    said = failure(result, metric, stat, narrowing, least, most)
    if said is not None:
        raise AssertionError("\n".join([said, "", story(result)]))


def story(result: "Result") -> str:
    """The worst run of a result moment by moment, and the command that shows it."""
    import click

    from simbgp.report.text import story_lines

    return click.unstyle("\n".join([*story_lines(result), "", f"  reproduce: {result.reproduce}"]))
