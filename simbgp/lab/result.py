"""A measurement as the rows that a prediction has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from simbgp._version import __version__
from simbgp.lab.dataplane.schedule import DEFAULT_CONNECTIONS, scaled
from simbgp.lab.driver import Measured, measure
from simbgp.lab.needs import versions
from simbgp.lab.probes import unanswered
from simbgp.measure import Observed
from simbgp.scenario import Plan, Scenario, draw
from simbgp.study.rows import COLUMNS, Row, rows_of
from simbgp.traffic import windows

TABLES = ("windows", "sessions", "routes", "connections")
PROBES = ("run", "router", "prefix", "sent", "unanswered", "lost_s", "first_lost_s", "last_lost_s")
"""Columns of the table of probes: a lost one stands for the time until the next."""


@dataclass(frozen=True)
class LabResult:
    """What real daemons did with a scenario, once or several times."""

    scenario: Scenario
    plan: Plan
    """What was played of it: no more connections than the lab takes."""
    seed: int
    repetitions: tuple[Measured, ...]
    versions: Mapping[str, str]
    date: str

    @property
    def runs(self) -> int:
        """How often it was measured."""
        return len(self.repetitions)

    def rows(self, table: str) -> list[Row]:
        """The rows of ``windows``, ``sessions``, ``routes``, ``connections`` or ``probes``."""
        if table == "probes":
            return [row for run, of in enumerate(self.repetitions) for row in _probes(run, of)]
        return [row for run, of in enumerate(self.repetitions) for row in _rows(run, of, self.seed, table)]

    def to_dict(self) -> dict[str, Any]:
        """The JSON object; tables have the columns that ``run`` gives them."""
        return {
            "simbgp": __version__,
            "scenario": self.scenario.name,
            "seed": str(self.seed),
            "runs": self.runs,
            "measured": self.date,
            "versions": dict(self.versions),
            "up_s": [round(each.up_s, 3) for each in self.repetitions],
        } | {
            table: [dict(zip(columns, row, strict=True)) for row in self.rows(table)]
            for table, columns in [*((name, COLUMNS[name]) for name in TABLES), ("probes", PROBES)]
        }


def play(
    scenario: Scenario, repeat: int, seed: int, say: Any = print, connections: int = DEFAULT_CONNECTIONS
) -> LabResult:
    """Measure a scenario ``repeat`` times, run k with the faults and clients of run k. Raises LabError.

    ``connections`` is how many are open at time 0 at most; more in the scenario are scaled down, arrivals likewise.
    """
    plan = scaled(scenario.plan(), connections)
    played = []
    for run in range(repeat):
        if repeat > 1:
            say(f"repetition {run + 1} of {repeat}")
        played.append(measure(draw(plan, seed, run), say, seed))
    return LabResult(scenario, plan, seed, tuple(played), versions(plan), datetime.now(UTC).date().isoformat())


def _rows(run: int, of: Measured, seed: int, table: str) -> list[Row]:
    plan = replace(of.plan, traffic=())
    observed = Observed(plan, of.timeline, windows(plan, of.timeline, seed, run), of.outcomes, seed, run)
    return rows_of(run, observed, [table], "all").tables[table]


def _probes(run: int, of: Measured) -> Sequence[Row]:
    """One row for each router and prefix, all flows of it together."""
    found: list[Row] = []
    for router, prefix in dict.fromkeys((flow.router, flow.prefix) for flow in of.flows):
        flows = [flow for flow in of.flows if (flow.router, flow.prefix) == (router, prefix)]
        lost = unanswered(flows)
        first, last = (round(lost[0][0], 6), round(lost[-1][0], 6)) if lost else (None, None)
        lost_s = sum(length_s for _, length_s in lost)
        sent = sum(len(flow.sent_s) for flow in flows)
        found.append((run, router, prefix, sent, len(lost), round(lost_s, 6), first, last))
    return found
