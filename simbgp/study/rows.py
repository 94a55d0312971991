"""One run as rows of plain values, in the columns that the JSON and the data frames have."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from simbgp.measure import Observed, progress
from simbgp.timeline import RouteChanged, SessionChanged
from simbgp.traffic import ServiceOutcome, Window, load, summarise
from simbgp.traffic.lifetimes import Seconds

Row = tuple[Any, ...]
Wanted = Literal["none", "faults", "all"]
"""Which rows to keep: none, those that a fault touches, or all."""

_WINDOW = (
    "run fault router prefix service cause outage start_s end_s duration_s since_fault_s share lost_traffic_s censored"
)
_SESSION = "run time_s since_fault_s router node side from_state to_state reason"
_ROUTE = "run time_s since_fault_s router prefix node event"
_CONNECTION = (
    "run fault service total moved unaffected delayed reset timed_out not_opened refused delay_s connect_delay_s "
    "reconnected elsewhere broken_again"
)
_LOAD = "run time_s router node share"
_PROGRESS = "run fault router prefix service upgraded nodes start_s end_s min_next_hops min_sessions"
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "windows": tuple(_WINDOW.split()),
    "sessions": tuple(_SESSION.split()),
    "routes": tuple(_ROUTE.split()),
    "connections": tuple(_CONNECTION.split()),
    "load": tuple(_LOAD.split()),
    "progress": tuple(_PROGRESS.split()),
}
"""The tables of a result and their columns."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The kept rows of one run by table, and how many of these tables were left out."""

    tables: Mapping[str, list[Row]]
    left_out: int


def rows_of(run: int, observed: Observed, tables: Collection[str], wanted: Wanted) -> Rows:
    """The rows of one run in the ``tables`` asked for."""
    kept: dict[str, list[Row]] = {}
    left_out = 0
    for table in COLUMNS:
        if table in tables:
            rows = [(run, *row) for row in _READERS[table](observed)]
            kept[table] = [row for row in rows if _is_wanted(table, row, observed, wanted)]
            left_out += len(rows) - len(kept[table])
    return Rows(kept, left_out)


def seconds(time_us: float | None) -> float | None:
    """Microseconds as seconds, to the sixth decimal."""
    return None if time_us is None else round(time_us / 1e6, 6)


def _is_wanted(table: str, row: Row, observed: Observed, wanted: Wanted) -> bool:
    if wanted != "faults":
        return wanted == "all"
    if "since_fault_s" in COLUMNS[table]:
        return row[COLUMNS[table].index("since_fault_s")] is not None
    if table == "load":  # the initial shares say nothing of a fault
        return any(fault.time_us / 1e6 <= row[1] for fault in observed.faults.began[:1])
    return True


def _windows(observed: Observed) -> Iterable[Row]:
    return (_window(window) for window in observed.windows)


def _window(window: Window) -> Row:
    return (
        window.fault,
        window.router,
        window.prefix,
        window.service,
        window.cause,
        window.outage,
        seconds(window.start_us),
        seconds(window.end_us),
        seconds(window.duration_us),
        seconds(window.since_fault_us),
        round(window.share, 6),
        seconds(window.lost_traffic_us),
        window.censored,
    )


def _sessions(observed: Observed) -> Iterable[Row]:
    for fact in observed.timeline.of(SessionChanged):
        since = seconds(observed.faults.since_us(fact.time_us, fact.router, fact.node))
        states = fact.side, fact.from_state, fact.to_state, str(fact.reason)
        yield seconds(fact.time_us), since, fact.router, fact.node, *states


def _routes(observed: Observed) -> Iterable[Row]:
    owners = {prefix: service.name for service in observed.plan.services for prefix in service.prefixes}
    for fact in observed.timeline.of(RouteChanged):
        service = owners.get(fact.prefix)
        since = seconds(observed.faults.since_us(fact.time_us, fact.router, fact.node, service=service))
        yield seconds(fact.time_us), since, fact.router, fact.prefix, fact.node, fact.event


def _connections(observed: Observed) -> Iterable[Row]:
    return (_connection(outcome) for outcome in observed.outcomes)


def _connection(outcome: ServiceOutcome) -> Row:
    return (
        outcome.fault,
        outcome.service,
        outcome.total,
        outcome.moved,
        outcome.unaffected,
        outcome.delayed,
        outcome.reset,
        outcome.timed_out,
        outcome.not_opened,
        outcome.refused,
        _summary(outcome.delay_s),
        _summary(outcome.connect_delay_s),
        outcome.reconnected,
        outcome.elsewhere,
        outcome.broken_again,
    )


def _summary(delays_s: Seconds) -> dict[str, float] | None:
    summary = summarise(delays_s)
    return None if summary is None else {name: round(value, 6) for name, value in summary.items()}


def _load(observed: Observed) -> Iterable[Row]:
    for row in load(observed.plan, observed.timeline, observed.seed, observed.run):
        yield seconds(row.time_us), row.router, row.node, round(row.share, 6)


def _progress(observed: Observed) -> Iterable[Row]:
    for row in progress(observed):
        place = row.fault, row.router, row.prefix, row.service
        times = seconds(row.start_us), seconds(row.end_us)
        yield *place, row.upgraded, row.nodes, *times, row.min_next_hops, row.min_sessions


_READERS: Mapping[str, Callable[[Observed], Iterable[Row]]] = {
    "windows": _windows,
    "sessions": _sessions,
    "routes": _routes,
    "connections": _connections,
    "load": _load,
    "progress": _progress,
}
