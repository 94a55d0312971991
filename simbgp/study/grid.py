"""What a sweep found: every setting with its result, as tables."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simbgp._version import __version__
from simbgp.measure import Verdict
from simbgp.study.result import Result
from simbgp.study.tidy import (
    Setting,
    csv_text,
    frame,
    parquet_bytes,
    summaries,
    summary_columns,
    value_columns,
    values,
)
from simbgp.study.whole import write_whole

if TYPE_CHECKING:
    from pandas import DataFrame

_BEST_FIRST = (Verdict.MET, Verdict.NO_SLO, Verdict.NOT_APPLICABLE, Verdict.INCONCLUSIVE, Verdict.BREACHED)


class Grid:
    """The results of a sweep; made by `simbgp.sweep`. Iterating gives ``(setting, result)`` pairs.

    All settings share their luck, run by run, so that what differs between them hangs on the settings.
    """

    def __init__(self, settings: Sequence[tuple[Setting, Result]], *, seed: int, reproduce: str) -> None:
        self._settings = tuple(settings)
        self.paths = tuple(self._settings[0][0])
        """The dotted paths that were varied."""
        self.seed = seed
        self.reproduce = reproduce
        """The command line that finds the same."""

    def __iter__(self) -> Iterator[tuple[Setting, Result]]:
        return iter(self._settings)

    def __len__(self) -> int:
        return len(self._settings)

    @property
    def verdict(self) -> Verdict:
        """That of the best setting: a sweep looks for one that passes."""
        return min((result.verdict for _, result in self), key=_BEST_FIRST.index)

    @cached_property
    def frame(self) -> "DataFrame":
        """One row for each setting, metric and run: a column per varied path, what was asked, ``run``, ``value``."""
        return frame(value_columns(self.paths), values(self))

    @cached_property
    def summary(self) -> "DataFrame":
        """One row for each setting and SLO (or metric and statistic), with intervals and verdicts."""
        return frame(summary_columns(self.paths), summaries(self))

    def csv(self) -> str:
        """`frame` as CSV, without need of pandas."""
        return csv_text(value_columns(self.paths), values(self))

    def to_csv(self, path: str | Path) -> None:
        """Write `csv` to a file."""
        write_whole(path, self.csv())

    def to_parquet(self, path: str | Path) -> None:
        """Write `frame` as Parquet. Raises ModuleNotFoundError without the extra ``parquet``."""
        write_whole(path, parquet_bytes(value_columns(self.paths), values(self)))

    def to_dict(self) -> dict[str, Any]:
        """The settings and their summaries as a JSON object."""
        columns = summary_columns(self.paths)[len(self.paths) :]
        return {
            "simbgp": __version__,
            "seed": str(self.seed),
            "verdict": str(self.verdict),
            "reproduce": self.reproduce,
            "settings": [
                {
                    "set": dict(setting),
                    "runs": result.runs,
                    "exact": result.exact,
                    "verdict": str(result.verdict),
                    "summary": [dict(zip(columns, row, strict=True)) for row in summaries([({}, result)])],
                }
                for setting, result in self
            ],
        }

    def __repr__(self) -> str:
        return f"<Grid of {len(self)} settings of {', '.join(self.paths)}>"
