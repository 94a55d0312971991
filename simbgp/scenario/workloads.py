"""Lifetimes of connections by the name of a published workload."""

from functools import cache

import numpy as np

from simbgp.profiles import Law

WEB_SEARCH_BYTES_PER_S = 1e6
"""The web-search workload is one of sizes; a connection that sends at this rate lives so long."""
_POINTS = 4001

_HADOOP = (
    (0.001, 0.293), (0.002, 0.378), (0.003, 0.406), (0.009, 0.452), (0.025, 0.476), (0.31, 0.502),
    (10.28, 0.548), (10.44, 0.76), (22.9, 0.899), (36.4, 0.928), (100.7, 0.948), (214.0, 0.958), (228.0, 0.998),
    (603.0, 1.0),
)  # fmt: skip
"""Seconds and share of flows not longer, in steps: Facebook's Hadoop, ``hadoop_cdf.txt`` of anchorhash/jetlb."""
_WEB_SEARCH = (
    (0.0, 0.0), (10e3, 0.15), (20e3, 0.2), (30e3, 0.3), (50e3, 0.4), (80e3, 0.53), (200e3, 0.6), (1e6, 0.7), (2e6, 0.8),
    (5e6, 0.9), (10e6, 0.97), (30e6, 1.0),
)  # fmt: skip
"""Bytes and share of flows not larger: DCTCP's web search, ``WebSearch_distribution.txt`` of HPCC."""
_BELOW = (0.0, *(share for _, share in _HADOOP[:-1]))
WORKLOADS = {
    "hadoop": tuple((s, p) for (s, high), low in zip(_HADOOP, _BELOW, strict=True) for p in (low, high)),
    "web-search": tuple((size / WEB_SEARCH_BYTES_PER_S, share) for size, share in _WEB_SEARCH),
}
"""Name -> points of the distribution function of lifetimes in seconds, linear between them."""


@cache
def workload(name: str) -> Law:
    """The law of a workload's lifetimes: equally likely steps so small that the mean is within 0.1 %."""
    seconds, shares = zip(*WORKLOADS[name], strict=True)
    quantiles = np.interp(np.linspace(0.0, 1.0, _POINTS), shares, seconds)
    return Law("empirical", tuple(quantiles.tolist()))
