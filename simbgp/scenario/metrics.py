"""The names that an SLO may use, and how its bound is written."""

import re
from collections.abc import Mapping
from typing import Literal

from simbgp.scenario.scalars import is_number
from simbgp.scenario.schema.base import read_duration, read_share

Unit = Literal["duration", "share", "count"]
METRICS: dict[str, Unit] = {
    "blackhole_s": "duration",
    "lost_traffic_s": "duration",
    "zero_next_hop_s": "duration",
    "min_next_hops": "count",
    "peak_node_load": "share",
    "detection_s": "duration",
    "reestablish_s": "duration",
    "procedure_s": "duration",
    "flaps": "count",
    "reset_share": "share",
    "broken_share": "share",
    "delayed_share": "share",
    "timed_out_share": "share",
    "reset_count": "count",
    "broken_count": "count",
}
OF_CONNECTIONS = frozenset(name for name in METRICS if name.endswith(("_share", "_count")))
"""The metrics that need traffic."""
_STATE = frozenset({"service", "router", "fault", "prefix"})
NARROWED_BY: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(METRICS, _STATE),
    **dict.fromkeys(("blackhole_s", "lost_traffic_s", "zero_next_hop_s"), _STATE | {"min_share"}),
    "procedure_s": frozenset({"fault"}),
    **dict.fromkeys(OF_CONNECTIONS, frozenset({"service", "fault"})),
}
"""What each metric can be narrowed to: an outcome is of a connection, whatever routers and prefixes it used."""
NARROWING = ("service", "router", "fault", "prefix", "min_share")
"""The keys that narrow a metric."""
STATS = "mean, max, min, or a quantile from p50 to p99.9"
_QUANTILE = re.compile(r"p(\d{2}(?:\.\d{1,3})?)")


def is_stat(text: str) -> bool:
    """Whether ``text`` is one of `STATS`."""
    match = _QUANTILE.fullmatch(text)
    return text in ("mean", "max", "min") or (match is not None and 50 <= float(match[1]) <= 99.9)


def read_bound(metric: str, value: object) -> float:
    """A bound on ``metric`` in seconds, as a share or as a number. ValueError with what is allowed."""
    unit = METRICS[metric]
    if unit == "duration":
        return read_duration(value)
    if unit == "share":
        return read_share(value)
    if not is_number(value) or value < 0:  # type: ignore[operator]
        raise ValueError(f"{value!r} is not a bound on {metric}; allowed: a number, 0 or more")
    return float(value)  # type: ignore[arg-type]
