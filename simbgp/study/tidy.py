"""Results as long tables of plain values: one row for each setting, run and question; one for each summary."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from simbgp.measure import Estimate, Question, wilson
from simbgp.measure.verdict import within
from simbgp.study.result import Result
from simbgp.study.rows import Row

if TYPE_CHECKING:
    from pandas import DataFrame

Setting = Mapping[str, Any]
"""Values by dotted path."""
OF_QUESTION = ("metric", "service", "router", "fault", "prefix", "min_share")
OF_VALUE = ("value", "censored")
OF_SUMMARY = (
    *("stat", "value", "low", "high", "confidence", "censored", "runs", "max", "min", "verdict"),
    *("within", "within_low", "within_high"),
)


def values(settings: Iterable[tuple[Setting, Result]]) -> Iterator[Row]:
    """One row for each setting, question and run; the value is None where what is asked never happened."""
    for setting, result in settings:
        for question in result.questions:
            asked = (*setting.values(), *_asked(question))
            for run, value in enumerate(result.stats(question).values):
                found = (None, None) if value is None else (round(value.value, 6), value.censored)
                yield (*asked, run, *found)


def summaries(settings: Iterable[tuple[Setting, Result]]) -> Iterator[Row]:
    """For each setting a row per SLO and, where no SLO asks, rows with the mean, median and 99 % quantile.

    ``within`` is the share of the runs that are within the SLO's bound, with its Wilson interval.
    """
    for setting, result in settings:
        of_setting = tuple(setting.values())
        judged = set()
        for found in result.slo:
            question = Question.of(found.slo)
            judged.add(question)
            bounds = (found.slo.max_value, found.slo.min_value, str(found.verdict))
            happened = [value for value in result.stats(question).values if value is not None]
            share = wilson(sum(within(found.slo, value) for value in happened), len(happened)) if happened else None
            row = _estimate(found.estimate)
            yield (*of_setting, *_asked(question), found.slo.stat, *row, *bounds, *_share(share))
        for question in (question for question in result.questions if question not in judged):
            for stat in ("mean", "p50", "p99"):
                row = _estimate(result.stats(question).estimate(stat))
                yield (*of_setting, *_asked(question), stat, *row, None, None, None, *_share(None))


def _asked(question: Question) -> Row:
    named = question.metric, question.service, question.router
    fault = None if question.fault is None else str(question.fault)
    return (*named, fault, question.prefix, question.min_share)


def _estimate(found: Estimate | None) -> Row:
    if found is None:
        return (None, None, None, None, None, 0)
    return (*map(_rounded, (found.value, found.low, found.high)), found.confidence, found.censored, found.runs)


def _share(found: Estimate | None) -> Row:
    return (None, None, None) if found is None else tuple(map(_rounded, (found.value, found.low, found.high)))


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 6)


def value_columns(paths: Sequence[str]) -> list[str]:
    """The columns of `values`."""
    return [*paths, *OF_QUESTION, "run", *OF_VALUE]


def summary_columns(paths: Sequence[str]) -> list[str]:
    """The columns of `summaries`."""
    return [*paths, *OF_QUESTION, *OF_SUMMARY]


def csv_text(columns: Sequence[str], rows: Iterable[Row]) -> str:
    """A table as RFC 4180 has it, with plain line ends; None is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()


def parquet_bytes(columns: Sequence[str], rows: Iterable[Row]) -> bytes:
    """A table as Parquet. Raises ModuleNotFoundError without the extra ``parquet``."""
    import pyarrow
    import pyarrow.parquet

    by_column = list(zip(*rows, strict=True)) or [()] * len(columns)
    table = pyarrow.table({name: _arrow(column) for name, column in zip(columns, by_column, strict=True)})
    out = io.BytesIO()
    pyarrow.parquet.write_table(table, out)
    return out.getvalue()


def _arrow(column: Sequence[Any]) -> list[Any]:
    """One type for a column: numbers, or texts if any of it is one."""
    kinds = {type(value) for value in column if value is not None}
    if kinds <= {int, float} or len(kinds) <= 1:
        return [float(value) if kinds == {int, float} and value is not None else value for value in column]
    return [None if value is None else str(value) for value in column]


def frame(columns: Sequence[str], rows: Iterable[Row]) -> "DataFrame":
    """A table for pandas."""
    from pandas import DataFrame  # 1.5 s that only those who want frames should pay

    return DataFrame(list(rows), columns=list(columns))


def write_tidy(write: Callable[[str, str | bytes], None], settings: Sequence[tuple[Setting, Result]]) -> None:
    """Both tables as CSV and, where pyarrow is there, as Parquet."""
    paths = list(settings[0][0])
    tables = {
        "values": (value_columns(paths), values),
        "summary": (summary_columns(paths), summaries),
    }
    for name, (columns, rows) in tables.items():
        write(f"{name}.csv", csv_text(columns, rows(settings)))
        if find_spec("pyarrow") is not None:
            write(f"{name}.parquet", parquet_bytes(columns, rows(settings)))
