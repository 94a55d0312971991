"""A study: one scenario, many runs, one result."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from simbgp.measure import Question, closed_forms
from simbgp.measure.metrics import NARROWED_BY
from simbgp.scenario import Plan, Problem, Scenario, ScenarioError
from simbgp.study.local import records
from simbgp.study.replay import Job, Record, timeline
from simbgp.study.result import Answers, Result
from simbgp.study.rows import COLUMNS, Row, Wanted
from simbgp.timeline import Timeline

DEFAULT_RUNS = 400
_NARROWING = ("service", "router", "fault", "prefix")
Progress = Callable[[int, int], None]
"""Told how many runs are done, of how many."""


def run(
    scenario: Scenario,
    runs: int | None = None,
    seed: int = 0,
    jobs: int = 1,
    *,
    rows: Wanted = "all",
    tables: Collection[str] = tuple(COLUMNS),
    progress: Progress | None = None,
) -> Result:
    """Play ``scenario`` ``runs`` times and measure what its SLOs ask.

    Args:
        scenario: What to play.
        runs: How often; by default once if nothing is random, else 400 times.
        seed: Of all luck; equal seeds give equal results for any number of ``jobs``.
        jobs: Processes to use. Above 1 the calling module must be importable (``if __name__ == "__main__":``).
        rows: Which rows to keep: ``all``, ``faults`` (those a fault touches) or ``none``.
        tables: The tables to make at all.
        progress: Called after every run.

    Raises:
        ScenarioError: An SLO narrows its metric to what that does not know.
        ValueError: ``runs`` or ``jobs`` below 1, or an unknown table.
        BrokenInvariantError: A run contradicts itself.
    """
    _check(runs, jobs, tables)
    plan = scenario.plan()
    if problems := list(_narrowed_in_vain(scenario)):
        raise ScenarioError(problems)
    job = Job(plan, seed, _questions(plan), frozenset(tables), rows)
    first = next(records(job, range(1)))
    total = runs or (DEFAULT_RUNS if first.used_luck else 1)
    gathered = _Gathered(job)
    for done, record in enumerate(_all(first, job, total, jobs), 1):
        gathered.add(record)
        if progress is not None:
            progress(done, total)
    return Result(
        scenario,
        seed=seed,
        runs=total,
        exact=not first.used_luck,
        tables=gathered.tables,
        rows_left_out=gathered.left_out,
        answers=gathered.answers(),
        replays=_Replays(job, total, jobs),
    )


def _check(runs: int | None, jobs: int, tables: Collection[str]) -> None:
    if runs is not None and runs < 1:
        raise ValueError(f"runs must be 1 or more, not {runs}")
    if jobs < 1:
        raise ValueError(f"jobs must be 1 or more, not {jobs}")
    if unknown := sorted(set(tables) - set(COLUMNS)):
        raise ValueError(f"unknown tables {', '.join(unknown)}; allowed: {', '.join(COLUMNS)}")


def _narrowed_in_vain(scenario: Scenario) -> Iterator[Problem]:
    """SLOs that narrow a metric to something that it would ignore."""
    for place, slo in enumerate(scenario.plan().slo):
        given = {name for name in _NARROWING if getattr(slo, name) is not None} | (
            {"min_share"} if slo.min_share else set()
        )
        for name in sorted(given - NARROWED_BY[slo.metric]):
            allowed = ", ".join(sorted(NARROWED_BY[slo.metric]))
            text = f"{slo.metric} cannot be narrowed to this; allowed: {allowed}"
            yield Problem(scenario.file, 1, 1, f"slo.{place}.{name}", text)


def _questions(plan: Plan) -> tuple[Question, ...]:
    """What every study answers: its SLOs, the closed forms, and the outage of each service."""
    asked = [Question.of(slo) for slo in plan.slo]
    asked += [form.question for form in closed_forms(plan)]
    asked += [Question("blackhole_s"), *(Question("blackhole_s", service.name) for service in plan.services)]
    return tuple(dict.fromkeys(asked))


def _all(first: Record, job: Job, total: int, jobs: int) -> Iterator[Record]:
    yield first
    yield from records(job, range(1, total), jobs)


class _Gathered:
    """The records of a study so far."""

    def __init__(self, job: Job) -> None:
        self.questions = job.questions
        self.tables: dict[str, list[Row]] = {table: [] for table in COLUMNS if table in job.tables}
        self.left_out = 0
        self._values: list[tuple[object, ...]] = []

    def add(self, record: Record) -> None:
        """Take over one run; the first comes first."""
        for table, rows in record.rows.tables.items():
            self.tables[table] += rows
        self.left_out += record.rows.left_out
        self._values.append(record.values)

    def answers(self) -> Answers:
        """The values by question."""
        return dict(zip(self.questions, zip(*self._values, strict=True), strict=True))


@dataclass(frozen=True, slots=True)
class _Replays:
    """The same runs once more."""

    job: Job
    runs: int
    jobs: int

    def timeline(self, run: int) -> Timeline:
        """The facts of one run."""
        return timeline(self.job.plan, self.job.seed, run)

    def answers(self, questions: Sequence[Question]) -> Answers:
        """Metrics that the first pass did not ask for."""
        gathered = _Gathered(replace(self.job, questions=tuple(questions), tables=frozenset()))
        for record in records(
            replace(self.job, questions=tuple(questions), tables=frozenset()), range(self.runs), self.jobs
        ):
            gathered.add(record)
        return gathered.answers()
