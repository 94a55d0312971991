"""One metric over all runs, for Python: ``result.blackhole_s("web").p99``."""

import math
import re
from collections.abc import Sequence

from simbgp.measure import Estimate, Question, Value, estimate

_STAT = re.compile(r"mean|max|min|p\d{1,2}(\.\d{1,3})?")


class Stats:
    """A metric's value in each run and statistics over them, NaN if what it speaks of never happened.

    ``p50``, ``p99``, ``p99_9`` and so on are attributes as ``mean``, ``max`` and ``min`` are; `estimate` gives the
    interval too. A censored value counts as the lower bound that it is.
    """

    def __init__(self, question: Question, values: Sequence[Value | None], seed: int, exact: bool) -> None:
        self.question = question
        self.values = tuple(values)
        self._seed = seed
        self._exact = exact

    @property
    def mean(self) -> float:
        """The mean over the runs in which it happened."""
        return self._value("mean")

    @property
    def max(self) -> float:
        """The greatest of the runs."""
        return self._value("max")

    @property
    def min(self) -> float:
        """The least of the runs."""
        return self._value("min")

    def __getattr__(self, name: str) -> float:
        if name.startswith("p") and _STAT.fullmatch(stat := name.replace("_", ".")):
            return self._value(stat)
        raise AttributeError(
            f"{type(self).__name__!r} has no statistic {name!r}; allowed: mean, max, min, p50, p99_9 ..."
        )

    def estimate(self, stat: str) -> Estimate | None:
        """``stat`` with its 95 % interval; None if the metric has no value in any run.

        Raises ValueError for a ``stat`` other than ``mean``, ``max``, ``min`` and quantiles like ``p99.9``.
        """
        if not _STAT.fullmatch(stat):
            raise ValueError(f"unknown statistic {stat!r}; allowed: mean, max, min, or a quantile like p99.9")
        happened = [value for value in self.values if value is not None]
        if not happened:
            return None
        purpose = f"{self.question.metric}/{stat}"
        return estimate(stat, happened, seed=self._seed, purpose=purpose, exact=self._exact)

    def _value(self, stat: str) -> float:
        found = self.estimate(stat)
        return math.nan if found is None else found.value

    def __repr__(self) -> str:
        return f"<{self.question.metric} over {len(self.values)} runs: p50 {self.p50:g}, max {self.max:g}>"
