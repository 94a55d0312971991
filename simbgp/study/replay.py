"""One run: a draw of the plan, played, and measured."""

from dataclasses import dataclass

from simbgp.measure import Observed, Value, value_of
from simbgp.measure.observed import Question
from simbgp.model import simulate
from simbgp.scenario import Plan, draw
from simbgp.study.rows import Rows, Wanted, rows_of
from simbgp.study.shared import Shared, effect_of
from simbgp.timeline import Timeline


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


def played(plan: Plan, seed: int, run: int) -> tuple[Timeline, bool]:
    """The same, and whether anything in it was drawn."""
    trial = draw(plan, seed, run)
    return simulate(trial), trial.tape.used


def record(job: Job, run: int, shared: Shared | None = None, world: int = 0) -> Record:
    """Play one run and keep what ``job`` asks for; ``shared`` knows what other jobs of the run and ``world`` did, None
    where there is no other."""
    plan = job.plan
    happened, drawn = played(plan, job.seed, run)
    effect = shared.effect(plan, world, happened) if shared else effect_of(plan, happened, job.seed, run)
    observed = Observed(plan, happened, effect.windows, effect.outcomes, job.seed, run)
    values = tuple(value_of(observed, question) for question in job.questions)
    rows = rows_of(run, observed, job.tables, job.wanted)
    asks_agents = plan.counts_patches or any(question.metric.startswith("api_") for question in job.questions)
    return Record(run, values, rows, used_luck=drawn or bool(plan.traffic) or asks_agents)
