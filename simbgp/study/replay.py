"""One run: a draw of the plan, played, and measured."""

from dataclasses import dataclass

from simbgp.measure import Observed, Value, value_of
from simbgp.measure.observed import Question
from simbgp.model import simulate
from simbgp.scenario import Plan, draw
from simbgp.study.rows import Rows, Wanted, rows_of
from simbgp.timeline import Timeline
from simbgp.traffic import outcomes, windows


@dataclass(frozen=True, slots=True)
class Job:
    """What to do in each run of a study."""

    plan: Plan
    seed: int
    questions: tuple[Question, ...] = ()
    tables: frozenset[str] = frozenset()
    wanted: Wanted = "all"


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of one run. ``used_luck`` is False if nothing in it was drawn."""

    run: int
    values: tuple[Value | None, ...]
    rows: Rows
    used_luck: bool


def timeline(plan: Plan, seed: int, run: int) -> Timeline:
    """The facts of one run."""
    return simulate(draw(plan, seed, run))


def record(job: Job, run: int) -> Record:
    """Play one run and keep what ``job`` asks for."""
    plan, trial = job.plan, draw(job.plan, job.seed, run)
    happened = simulate(trial)
    observed = Observed(plan, happened, windows(plan, happened), outcomes(plan, happened, job.seed, run))
    values = tuple(value_of(observed, question) for question in job.questions)
    used_luck = trial.tape.used or bool(plan.traffic)
    return Record(run, values, rows_of(run, observed, job.tables, job.wanted), used_luck)
