"""Values in the unit of their metric, rounded to what matters, as people read them."""

from simbgp.measure.intervals import Estimate


def seconds(value: float) -> str:
    """Seconds with about three digits that matter: ``0.071 s``, ``9.02 s``, ``209.7 s``."""
    return f"{_short(value, _decimals(value))} s"


def percent(share: float) -> str:
    """A share in percent with about three digits that matter: ``0.071 %``, ``6.2 %``, ``100 %``."""
    return f"{_short(share * 100, _decimals_of_percent(share))} %"


def count(value: float) -> str:
    """A number in groups of three digits, with a decimal only where it has one."""
    return f"{value:,.1f}".removesuffix(".0").replace(",", " ")


def of_metric(metric: str, value: float) -> str:
    """``value`` in the unit of ``metric``."""
    if is_time(metric):
        return seconds(value)
    return percent(value) if _is_share(metric) else count(value)


def with_interval(metric: str, found: Estimate) -> str:
    """A value with its interval: ``209.7 s [209.4, 209.9]``; without one where there is none or nothing varies."""
    value = ("≥ " if found.censored else "") + of_metric(metric, found.value)
    ends = interval(metric, found)
    return f"{value} {ends}" if ends else value


def interval(metric: str, found: Estimate) -> str:
    """The interval alone, with the decimals of its value and without a unit; ``?`` for an end that does not exist."""
    if found.confidence is None or found.low == found.high:
        return ""
    scale = 100 if _is_share(metric) else 1
    size = found.value or found.high or 1.0
    decimals = _decimals_of_percent(size) if _is_share(metric) else _decimals(size)
    low, high = ("?" if end is None else f"{end * scale:.{decimals}f}" for end in (found.low, found.high))
    return f"[{low}, {high}]"


def is_time(metric: str) -> bool:
    """Whether a metric is one of seconds."""
    return metric.endswith("_s") and not metric.endswith("_per_s")


def _is_share(metric: str) -> bool:
    return metric.endswith(("_share", "_load"))


def _decimals(value: float) -> int:
    return 3 if abs(value) < 1 else 2 if abs(value) < 10 else 1


def _decimals_of_percent(share: float) -> int:
    return 3 if 0 < abs(share) < 0.001 else 2 if 0 < abs(share) < 0.01 else 1


def _short(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".") or "0"
