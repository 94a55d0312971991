"""Scenarios played together: what to play of each, for how many runs, and the results."""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from simbgp.measure import Question, closed_forms, estimate, judge
from simbgp.scenario import Plan, Scenario
from simbgp.scenario.metrics import OF_CONNECTIONS
from simbgp.study.alternatives import Otherwise, Way, other_ways
from simbgp.study.batch import Batch, Part, play
from simbgp.study.engines import Engine
from simbgp.study.folder import Folder
from simbgp.study.gathered import Gathered
from simbgp.study.local import records
from simbgp.study.replay import Job, timeline
from simbgp.study.result import Answers, Result
from simbgp.study.rows import Wanted
from simbgp.study.stats import Stats
from simbgp.timeline import Timeline

DEFAULT_RUNS = 400
FIRST_LOOK, MOST_RUNS = 100, 100_000
"""With a precision: the runs after which it is looked at first, and the most unless told otherwise."""
_GROWTH = 1.5
Progress = Callable[[int, int], None]
"""Told how many runs are done, of how many."""


@dataclass(frozen=True, slots=True)
class Study:
    """A scenario and what is played of it: its own job first, then that of each other way."""

    scenario: Scenario
    ways: tuple[Way, ...]
    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to play: ``runs`` of each, or until intervals are ``precision`` narrow, or as luck needs.

    ``alike``: as often as the luckiest of them needs, all of them.
    """

    runs: int | None
    precision: float | None = None
    alike: bool = False


def study_of(
    scenario: Scenario, seed: int, questions: Sequence[Question], tables: Collection[str] = (), rows: Wanted = "none"
) -> Study:
    """What to play of ``scenario`` to answer ``questions``."""
    plan = scenario.plan()
    job = Job(plan, seed, tuple(dict.fromkeys(questions)), frozenset(tables), rows)
    ways = tuple(other_ways(plan))
    return Study(scenario, ways, (job, *(_other(job, way) for way in ways)))


def questions_of(plan: Plan) -> tuple[Question, ...]:
    """What every study answers: its SLOs, the closed forms, and the outage of each service."""
    asked = [Question.of(slo) for slo in plan.slo]
    asked += [form.question for form in closed_forms(plan)]
    asked += [Question("blackhole_s"), *(Question("blackhole_s", service.name) for service in plan.services)]
    return tuple(dict.fromkeys(asked))


def _other(job: Job, way: Way) -> Job:
    """The job of another way, without tables, and without traffic where no SLO asks for its connections."""
    asked = {slo.metric for slo in way.plan.slo} & OF_CONNECTIONS
    return replace(job, plan=way.plan if asked else replace(way.plan, traffic=()), tables=frozenset())


def results_of(
    studies: Sequence[Study],
    effort: Effort,
    engine: Engine,
    folder: Folder | None = None,
    progress: Progress | None = None,
) -> list[Result]:
    """Play all ``studies`` run by run, so that they share luck and work; their results in the same order."""
    played = _Played(studies, effort, engine, folder, progress)
    played.play()
    return [_result(study, gathered) for study, gathered in zip(studies, played.by_study(), strict=True)]


class _Played:
    """Studies as they are played."""

    def __init__(
        self,
        studies: Sequence[Study],
        effort: Effort,
        engine: Engine,
        folder: Folder | None,
        progress: Progress | None,
    ) -> None:
        self._studies, self._effort, self._engine, self._folder = studies, effort, engine, folder
        self._jobs = tuple(job for study in studies for job in study.jobs)
        self._gathered = [Gathered(job) for job in self._jobs]
        self._progress = progress
        self._done = self._total = 0

    def by_study(self) -> Iterator[list[Gathered]]:
        """What the jobs of each study gave."""
        rest = iter(self._gathered)
        return ([next(rest) for _ in study.jobs] for study in self._studies)

    def play(self) -> None:
        """Play as much as the effort asks."""
        if self._effort.runs is None or self._effort.precision is not None:
            firsts = play(Batch(self._jobs, (1,) * len(self._jobs)), range(1))
            most = self._effort.runs or (DEFAULT_RUNS if self._effort.precision is None else MOST_RUNS)
            lucky = list(self._lucky(firsts))
            runs = tuple(most if each or (self._effort.alike and any(lucky)) else 1 for each in lucky)
            if max(runs) == 1 and self._folder is None:
                self._add(firsts)
                self._total = len(self._jobs)
                self._tick(len(self._jobs))
                return
        else:
            runs = (self._effort.runs,) * len(self._jobs)
        batch, reached = Batch(self._jobs, runs), 0
        for stop in self._stops(max(runs)):
            self._play(batch, range(reached, stop))
            reached = stop
            if self._is_narrow():
                return

    def _lucky(self, firsts: Part) -> Iterator[bool]:
        """For each job whether it is random, by its first run; a way also where the scenario itself is."""
        used = iter(records[0].used_luck for records in firsts)
        for study in self._studies:
            own = next(used)
            yield own
            yield from (next(used) or own for _ in study.ways)

    def _stops(self, most: int) -> Iterator[int]:
        """Numbers of runs at which to look; the last is ``most``."""
        stop = most if self._effort.precision is None else FIRST_LOOK
        while stop < most:
            yield stop
            stop = math.ceil(stop * _GROWTH)
        yield most

    def _play(self, batch: Batch, runs: range) -> None:
        self._total = sum(min(runs.stop, most) for most in batch.runs)
        parts = batch.parts(runs)
        if self._folder is None:
            found = self._engine.map(batch, parts, self._tick)
        else:
            found = self._folder.played(batch, parts, self._engine, self._tick)
        for part in found:
            self._add(part)

    def _add(self, part: Part) -> None:
        for gathered, records_of_job in zip(self._gathered, part, strict=True):
            gathered.add(records_of_job)

    def _tick(self, more: int) -> None:
        self._done += more
        if self._progress is not None:
            self._progress(self._done, self._total)

    def _is_narrow(self) -> bool:
        precision = self._effort.precision
        own = (gathered[0] for gathered in self.by_study())
        return precision is not None and all(
            is_narrow(study.jobs[0], gathered.answers, precision)
            for study, gathered in zip(self._studies, own, strict=True)
        )


def is_narrow(job: Job, answers: Answers, precision: float) -> bool:
    """Whether half the interval of each SLO's statistic is at most ``precision`` of its value.

    Without an SLO it is that of the mean outage. What has no interval, an extreme or what the horizon cuts off, or
    never happened, gets none by more runs and is left out.
    """
    asked = {(Question.of(slo), slo.stat) for slo in job.plan.slo} or {(Question("blackhole_s"), "mean")}
    for question, stat in asked:
        values = [value for value in answers[question] if value is not None]
        if not values or stat in ("max", "min"):
            continue
        found = estimate(stat, values, seed=job.seed, purpose=f"{question.metric}/{stat}")
        if found.censored:
            continue
        if found.low is None or found.high is None or found.high - found.low > 2 * precision * abs(found.value):
            return False
    return True


def _result(study: Study, gathered: Sequence[Gathered]) -> Result:
    own, others = gathered[0], gathered[1:]
    seed, exact = study.jobs[0].seed, not own.used_luck
    return Result(
        study.scenario,
        seed=seed,
        runs=own.runs,
        exact=exact,
        tables=own.tables,
        rows_left_out=own.left_out,
        answers=own.answers,
        replays=_Replays(study.jobs[0], own.runs),
        otherwise=[_otherwise(way, other, seed, exact) for way, other in zip(study.ways, others, strict=True)],
    )


def _otherwise(way: Way, other: Gathered, seed: int, exact: bool) -> Otherwise:
    exact = exact and not other.used_luck
    slo = tuple(judge(slo, other.answers[Question.of(slo)], seed=seed, exact=exact) for slo in way.plan.slo)
    outage = Question("blackhole_s")
    return Otherwise(way.choices, slo, Stats(outage, other.answers[outage], seed, exact).estimate("p99"))


@dataclass(frozen=True, slots=True)
class _Replays:
    """The same runs once more."""

    job: Job
    runs: int

    def timeline(self, run: int) -> Timeline:
        """The facts of one run."""
        return timeline(self.job.plan, self.job.seed, run)

    def answers(self, questions: Sequence[Question]) -> Answers:
        """Metrics that the first pass did not ask for."""
        job = replace(self.job, questions=tuple(questions), tables=frozenset())
        gathered = Gathered(job)
        gathered.add(records(job, range(self.runs)))
        return gathered.answers
