"""Windows as a reader counts them: one for each cause of an outage, however its share changes on the way."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from simbgp.study.rows import COLUMNS, Row

_OF = {name: column for column, name in enumerate(COLUMNS["windows"])}
_SAME = ("run", "router", "prefix", "outage", "cause")


@dataclass(frozen=True, slots=True)
class Span:
    """Touching windows of one prefix at one router and one cause; ``share`` is the greatest of them."""

    run: int
    fault: str | int | None
    router: str
    prefix: str
    service: str | None
    outage: int
    cause: str
    start_s: float
    end_s: float | None
    duration_s: float
    share: float


def spans(rows: Iterable[Row]) -> Iterator[Span]:
    """The spans of rows of the table ``windows``, in which windows of one prefix at one router follow each other."""
    for _, group in groupby(rows, key=lambda row: tuple(row[_OF[name]] for name in _SAME)):
        windows = list(group)
        first, last = windows[0], windows[-1]
        yield Span(
            run=first[_OF["run"]],
            fault=first[_OF["fault"]],
            router=first[_OF["router"]],
            prefix=first[_OF["prefix"]],
            service=first[_OF["service"]],
            outage=first[_OF["outage"]],
            cause=first[_OF["cause"]],
            start_s=first[_OF["start_s"]],
            end_s=last[_OF["end_s"]],
            duration_s=sum(window[_OF["duration_s"]] for window in windows),
            share=max(window[_OF["share"]] for window in windows),
        )
