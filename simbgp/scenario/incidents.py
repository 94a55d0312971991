"""``failures.log``: the user's own incidents as CSV, of which rates and durations are taken."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path as FilePath
from typing import TypeVar

from simbgp.profiles import parse_duration
from simbgp.scenario.beneath import file_beneath
from simbgp.scenario.errors import Path, Problem, ScenarioError
from simbgp.scenario.schema import FailuresBase
from simbgp.scenario.schema.processes import MIX, IncidentLog
from simbgp.scenario.schema_of_files import did_you_mean, listed
from simbgp.scenario.yaml_tree import Tree, read_file

T = TypeVar("T")
_NEEDED = ("at", "kind")
_COLUMNS = (*_NEEDED, "node", "router", "duration", "note")
_MOST_PROBLEMS = 100
_YEAR = timedelta(days=365.25)
_PATH: Path = ("failures", "log")


@dataclass(frozen=True, slots=True)
class Incident:
    """One row: what struck, when, and how long it lasted if that was written down."""

    name: str
    at: datetime
    lasts_s: float | None


@dataclass(frozen=True)
class IncidentBook:
    """A log: its rows, how many years it covers, and what is wrong with it. Without a log it is empty."""

    file: str = ""
    incidents: tuple[Incident, ...] = ()
    years: float = 0.0
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str) -> list[Incident]:
        """The incidents of one entry of the mix."""
        return [incident for incident in self.incidents if incident.name == name]


def read_incidents(
    failures: FailuresBase | None, tree: Tree, folder: FilePath | None, nodes: Sequence[str], routers: Sequence[str]
) -> IncidentBook:
    """The log that a scenario names, beneath ``folder``; every bad row is a problem with its line."""
    log = None if failures is None else failures.log
    if log is None:
        return IncidentBook()
    shown = log.file if folder is None else str(folder / log.file)
    try:
        text = read_file((folder or FilePath()) / file_beneath(log.file, folder), shown)
    except ValueError as error:
        return IncidentBook(shown, problems=(tree.problem((*_PATH, "file"), str(error)),))
    except ScenarioError as error:
        wrong = [tree.problem((*_PATH, "file"), f"{shown}: {problem.message}") for problem in error.problems]
        return IncidentBook(shown, problems=tuple(wrong))
    problems: list[Problem] = []
    since, until = (_bound(log, key, tree, problems) for key in ("since", "until"))
    reader = _Reader(shown, nodes, routers, since, until)
    incidents = list(reader.rows(text))
    problems += reader.problems
    if not problems and not incidents and (since is None or until is None):
        problems.append(tree.problem(_PATH, "the log has no rows; allowed: since and until, between which nothing was"))
    years, notes = (0.0, ()) if problems else _covered(log, since, until, incidents)
    if not problems and years <= 0:
        problems.append(tree.problem(_PATH, "the log covers no time; allowed: since and until, days apart"))
    return IncidentBook(shown, tuple(incidents), years, tuple(problems), notes, {log.file: text})


def _bound(log: IncidentLog, key: str, tree: Tree, problems: list[Problem]) -> datetime | None:
    text: str | None = getattr(log, key)
    if text is None:
        return None
    try:
        found = _moment(text)
    except ValueError as error:
        problems.append(tree.problem((*_PATH, key), str(error)))
        return None
    return found + timedelta(days=1) if key == "until" and len(text) == len("2025-01-31") else found


def _moment(text: str) -> datetime:
    """A moment in ISO 8601; one without a zone is taken as UTC. ValueError otherwise."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        found = datetime.min
    if not datetime.min.year < found.year < datetime.max.year:  # some zone is in no year then
        raise ValueError(f"{text!r} is no moment; allowed: like 2025-01-31 or 2025-01-31T08:30:00Z")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _covered(
    log: IncidentLog, since: datetime | None, until: datetime | None, incidents: Sequence[Incident]
) -> tuple[float, tuple[str, ...]]:
    """Years between the bounds; where one is not written the outermost row stands for it, which is noted."""
    moments = [incident.at for incident in incidents]
    first, last = since or min(moments), until or max(moments)
    missing = [key for key, bound in (("since", since), ("until", until)) if bound is None]
    note = f"{log.file} is taken to cover {first:%Y-%m-%d} to {last:%Y-%m-%d}, its outermost rows: rates come out high"
    return (last - first) / _YEAR, (f"{note}; write {' and '.join(missing)}",) if missing else ()


class _Reader:
    """Reads the rows of one file and collects what is wrong with them."""

    def __init__(
        self, file: str, nodes: Sequence[str], routers: Sequence[str], since: datetime | None, until: datetime | None
    ) -> None:
        self.problems: list[Problem] = []
        self._file, self._nodes, self._routers = file, nodes, routers
        self._since, self._until = since, until
        self._line, self._cells, self._heads = 1, [""], [""]

    def rows(self, text: str) -> Iterator[Incident]:
        """The sound rows."""
        rows = csv.reader(io.StringIO(text), strict=True)
        try:
            self._heads = self._cells = [head.strip().lower() for head in next(rows, [])]
            if not self._heads_are_sound():
                return
            for self._cells in rows:
                self._line = rows.line_num
                if any(cell.strip() for cell in self._cells) and (found := self._row()) is not None:
                    yield found
                if len(self.problems) >= _MOST_PROBLEMS:
                    self._fail("", f"{_MOST_PROBLEMS} faults up to here; the rest of the log is not read")
                    return
        except csv.Error as error:
            self.problems.append(Problem(self._file, rows.line_num, 1, "", f"not CSV: {error}"))

    def _heads_are_sound(self) -> bool:
        allowed = f"allowed: {', '.join(_COLUMNS)}"
        for head in self._heads:
            if head not in _COLUMNS:
                self._fail(head, f"unknown column {head!r}{did_you_mean(head, _COLUMNS)}; {allowed}")
            elif self._heads.count(head) > 1:
                self._fail(head, f"the column {head!r} comes twice; {allowed}")
        missing = [head for head in _NEEDED if head not in self._heads]
        if missing:
            self._fail("", f"the first line lacks {' and '.join(missing)}; {allowed}, by commas")
        return not self.problems

    def _row(self) -> Incident | None:
        before = len(self.problems)
        if len(self._cells) != len(self._heads):
            self._fail("", f"{len(self._cells)} cells; allowed: {len(self._heads)}, as in the first line")
            return None
        at = self._read("at", self._at)
        name, lasts_s = self._read("kind", self._name), self._read("duration", _lasts_s)
        self._known("node", self._nodes)
        self._known("router", self._routers)
        if len(self.problems) > before or at is None or name is None:
            return None
        return Incident(name, at, lasts_s)

    def _read(self, head: str, read: Callable[[str], T]) -> T | None:
        try:
            return read(self._cell(head))
        except ValueError as error:
            self._fail(head, str(error))
            return None

    def _cell(self, head: str) -> str:
        return self._cells[self._heads.index(head)].strip() if head in self._heads else ""

    def _at(self, text: str) -> datetime:
        found = _moment(text)
        if (self._since and found < self._since) or (self._until and found >= self._until):
            raise ValueError(f"{text} is outside since and until of failures.log; allowed: between them")
        return found

    def _name(self, text: str) -> str:
        name = "router-stall" if text == "stall" and self._cell("router") and not self._cell("node") else text
        if name not in MIX:
            raise ValueError(f"unknown kind {text!r}{did_you_mean(text, MIX)}; allowed: {', '.join(MIX)}")
        return name

    def _known(self, head: str, names: Sequence[str]) -> None:
        name = self._cell(head)
        if name and name not in names:
            self._fail(
                head, f"unknown {head} {name!r}{did_you_mean(name, names)}; allowed: {listed(names)}, or nothing"
            )

    def _fail(self, head: str, message: str) -> None:
        place = self._heads.index(head) if head in self._heads else 0
        column = 1 + sum(len(cell) + 1 for cell in self._cells[:place])
        self.problems.append(Problem(self._file, self._line, column, head, message))


def _lasts_s(text: str) -> float | None:
    """Seconds, None if nothing is written; a bare number is one of seconds. ValueError otherwise."""
    if not text:
        return None
    try:
        return parse_duration(float(text) if text.replace(".", "", 1).isdigit() else text)
    except ValueError as error:
        raise ValueError(f"{error}, or nothing") from None
