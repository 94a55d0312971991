"""How Go prints: ``time.Duration``, times, slices."""

from collections.abc import Iterable
from datetime import datetime, timedelta

SECOND_NS = 1_000_000_000


def duration(seconds: int) -> str:
    """Whole seconds as ``time.Duration.String`` has them: ``33m26s``, ``1h2m3s``, ``0s``."""
    sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    if hours:
        return f"{sign}{hours}h{minutes}m{rest}s"
    return f"{sign}{minutes}m{rest}s" if minutes else f"{sign}{rest}s"


def rounded(ns: int) -> str:
    """``Duration.Round(time.Second)``: half a second goes away from zero."""
    seconds = (abs(ns) + SECOND_NS // 2) // SECOND_NS
    return duration(seconds if ns >= 0 else -seconds)


def truncated(ns: int) -> str:
    """``Duration.Truncate(time.Second)``: towards zero."""
    return duration(abs(ns) // SECOND_NS * (1 if ns >= 0 else -1))


def rfc3339(time_zero: datetime, us: int) -> str:
    """``time.RFC3339`` in UTC of the moment ``us`` microseconds after ``time_zero``, whole seconds."""
    return f"{time_zero + timedelta(microseconds=us):%Y-%m-%dT%H:%M:%SZ}"


def rfc3339_nano(time_zero: datetime, us: int) -> str:
    """``time.RFC3339Nano``: the fraction without the zeros at its end."""
    whole, fraction = rfc3339(time_zero, us)[:-1], f"{us % 1_000_000:06}".rstrip("0")
    return f"{whole}.{fraction}Z" if fraction else f"{whole}Z"


def slice_text(items: Iterable[str]) -> str:
    """A slice as ``%v`` prints it: ``[a b]``."""
    return f"[{' '.join(items)}]"
