"""A rollout as a table for a terminal: what is left to forward to, the further it gets."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from simbgp.report.numbers import columns, count, seconds
from simbgp.study.result import Result
from simbgp.study.rows import COLUMNS, Row

_OF = {name: column for column, name in enumerate(COLUMNS["progress"])}
_PHASES = 10
"""A rollout has so many lines, and one for all nodes; a smaller one a line for each node."""


@dataclass(slots=True)
class _Phase:
    """The steps that make one line, of all routers, prefixes and runs."""

    ends_s: dict[int, float] = field(default_factory=dict)
    """The latest end in each run, from the beginning of the rollout."""
    next_hops: dict[str, int] = field(default_factory=dict)
    """The least of each service."""
    sessions: list[int] = field(default_factory=list)
    last: bool = False
    """Whether it lasts to the horizon."""

    def take(self, row: Row, began_s: float, last: bool) -> None:
        run, service = row[_OF["run"]], row[_OF["service"]]
        self.ends_s[run] = max(self.ends_s.get(run, 0.0), row[_OF["end_s"]] - began_s)
        self.next_hops[service] = min(self.next_hops.get(service, row[_OF["nodes"]]), row[_OF["min_next_hops"]])
        self.sessions.append(row[_OF["min_sessions"]])
        self.last |= last


def progress_lines(result: Result) -> list[str]:
    """`progress_tables` as lines."""
    return [line for rows in progress_tables(result) for line in columns(rows, right=frozenset(range(1, len(rows[0]))))]


def progress_tables(result: Result) -> list[list[tuple[str, ...]]]:
    """Of each rollout, under a head, the least next hops and sessions for every tenth of its nodes, and until when."""
    by_fault: dict[str | int, list[Row]] = defaultdict(list)
    for row in result.rows("progress"):
        by_fault[row[_OF["fault"]]].append(row)
    horizon_s = result.plan.horizon_us / 1e6
    return [_table(fault, rows, horizon_s) for fault, rows in by_fault.items()]


def _table(fault: str | int, rows: list[Row], horizon_s: float) -> list[tuple[str, ...]]:
    nodes: int = rows[0][_OF["nodes"]]
    phases: dict[tuple[bool, int], _Phase] = defaultdict(_Phase)
    for falling, began_s, row in _placed(rows):
        part = row[_OF["upgraded"]] * min(_PHASES, nodes) // nodes
        phases[falling, -part if falling else part].take(row, began_s, row[_OF["end_s"]] == horizon_s)
    services = list(dict.fromkeys(row[_OF["service"]] for row in rows))
    name = fault if isinstance(fault, str) else f"agent-upgrade ({fault})"
    head: tuple[str, ...] = (
        f"upgraded by {name}",
        "until",
        *(f"least next hops of {each}" for each in services),
        "least sessions",
    )
    return [head] + [
        (_label(abs(part), nodes, falling), *_cells(phases[falling, part], services))
        for falling, part in sorted(phases)
    ]


def _placed(rows: list[Row]) -> Iterator[tuple[bool, float, Row]]:
    """Each row with the beginning of its rollout, and whether that is being rolled back by then."""
    began_s: dict[int, float] = {}
    most: dict[tuple[int, str, str], int] = {}
    for row in rows:
        place, upgraded = (row[_OF["run"]], row[_OF["router"]], row[_OF["prefix"]]), row[_OF["upgraded"]]
        start_s = began_s.setdefault(place[0], row[_OF["start_s"]])
        most[place] = max(most.get(place, 0), upgraded)
        yield upgraded < most[place], start_s, row


def _label(part: int, nodes: int, falling: bool) -> str:
    """``50 to 99 of 500``; in parts of one node ``2 of 4``."""
    parts = min(_PHASES, nodes)
    low, high = -(-part * nodes // parts), min(nodes, -(-(part + 1) * nodes // parts) - 1)
    numbers = count(low) if low == high else f"{count(low)} to {count(high)}"
    return f"{numbers} of {count(nodes)}" + (", rolled back" if falling else "")


def _cells(phase: _Phase, services: list[str]) -> list[str]:
    until = "horizon" if phase.last else f"+{seconds(median(phase.ends_s.values()))}"
    hops = [count(phase.next_hops[service]) if service in phase.next_hops else "" for service in services]
    return [until, *hops, count(min(phase.sessions))]
