"""What a study found: tables, statistics, a verdict, and the line that finds it again."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Protocol

from simbgp.measure import METRICS, ClosedForm, Question, SloResult, Value, Verdict, closed_forms, judge, overall
from simbgp.profiles import RouterProfile, SpeakerProfile
from simbgp.scenario import Plan, Scenario
from simbgp.study.alternatives import Otherwise, dispute, sentences, undisputed
from simbgp.study.as_dict import as_dict
from simbgp.study.command import run_command
from simbgp.study.rows import COLUMNS, Row
from simbgp.study.stats import Stats
from simbgp.timeline import Timeline

if TYPE_CHECKING:
    from pandas import DataFrame

Answers = Mapping[Question, Sequence[Value | None]]
"""The value of each question in each run."""


class Replays(Protocol):
    """Plays runs of the same study again; they come out the same."""

    def timeline(self, run: int) -> Timeline:
        """The facts of one run."""

    def answers(self, questions: Sequence[Question]) -> Answers:
        """Further metrics of all runs."""


class _Metric(partial[Stats]):
    """A metric that waits for what narrows it; a failed assertion shows its name."""

    def __repr__(self) -> str:
        return str(self.args[0])


class Result:
    """The outcome of ``runs`` runs of one scenario; made by `simbgp.run`.

    Every metric of the SLOs is a method that gives its `Stats`: ``result.blackhole_s("web").p99``.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int,
        runs: int,
        exact: bool,
        tables: Mapping[str, list[Row]],
        rows_left_out: int,
        answers: Answers,
        replays: Replays,
        otherwise: Sequence[Otherwise] = (),
    ) -> None:
        self.scenario = scenario
        self.plan: Plan = scenario.plan()
        self.seed = seed
        self.runs = runs
        self.exact = exact
        self.rows_left_out = rows_left_out
        self._tables = tables
        self._answers = dict(answers)
        self._replays = replays
        self.otherwise = tuple(otherwise)
        """The same runs with what the profiles leave open set another way."""

    def rows(self, table: str) -> list[Row]:
        """The rows of ``windows``, ``sessions``, ``routes``, ``connections``, ``load``, ``progress`` or ``patches`` as
        plain tuples.

        Raises LookupError if the study was told not to make that table.
        """
        if table not in self._tables:
            raise LookupError(f"this result was made without the table {table!r}")
        return self._tables[table]

    def has(self, table: str) -> bool:
        """Whether the study was told to make that table."""
        return table in self._tables

    @cached_property
    def windows(self) -> "DataFrame":
        """Outages: one row per window of one prefix at one router and one cause."""
        return self._frame("windows")

    @cached_property
    def sessions(self) -> "DataFrame":
        """Changes of BGP session state, each end its own."""
        return self._frame("sessions")

    @cached_property
    def routes(self) -> "DataFrame":
        """Changes of routes at the routers."""
        return self._frame("routes")

    @cached_property
    def load(self) -> "DataFrame":
        """Shares of the service traffic per node, a row for each change."""
        return self._frame("load")

    @cached_property
    def progress(self) -> "DataFrame":
        """Rollouts step by step: while ``upgraded`` of ``nodes`` agents were available with the new release, from
        ``start_s`` to ``end_s``, the least next hops of each service prefix at each router, and its least sessions."""
        return self._frame("progress")

    @cached_property
    def patches(self) -> "DataFrame":
        """Status patches that the API server got from the agents, second by second; none where there were none, or
        where the scenario does not say ``cluster.statusReport``."""
        return self._frame("patches")

    @cached_property
    def connections(self) -> "DataFrame":
        """Outcomes of connections; the quantiles of a delay are columns, such as ``delay_s_p99``."""
        frame = self._frame("connections")
        for delay in ("delay_s", "connect_delay_s"):
            summaries = frame.pop(delay)
            for quantile in ("p50", "p90", "p99", "max"):
                values = [None if summary is None else summary[quantile] for summary in summaries]
                frame[f"{delay}_{quantile}"] = values
                frame[f"{delay}_{quantile}"] = frame[f"{delay}_{quantile}"].astype(float)
        return frame

    @cached_property
    def slo(self) -> tuple[SloResult, ...]:
        """Each SLO of the scenario, judged; INCONCLUSIVE where that hangs on what a profile leaves open."""
        return tuple(
            undisputed(found, [other.slo[place] for other in self.otherwise])
            for place, found in enumerate(self._slo_as_taken)
        )

    @cached_property
    def disputes(self) -> tuple[str | None, ...]:
        """For each SLO how its verdict hangs on what a profile leaves open, None if it does not."""
        return tuple(
            dispute(found, [(other.choices, other.slo[place]) for other in self.otherwise])
            for place, found in enumerate(self._slo_as_taken)
        )

    @cached_property
    def _slo_as_taken(self) -> tuple[SloResult, ...]:
        """Each SLO, judged with every profile as it is taken to be."""
        return tuple(
            judge(slo, self.stats(Question.of(slo)).values, seed=self.seed, exact=self.exact) for slo in self.plan.slo
        )

    @property
    def verdict(self) -> Verdict:
        """The verdict of all SLOs together."""
        return overall([found.verdict for found in self.slo])

    @cached_property
    def closed_forms(self) -> tuple[ClosedForm, ...]:
        """What paper and pencil say of this scenario."""
        return closed_forms(self.plan)

    @property
    def reproduce(self) -> str:
        """The command line that finds the same."""
        return run_command(self.scenario, self.runs, self.seed)

    @property
    def profiles(self) -> tuple[SpeakerProfile | RouterProfile, ...]:
        """The profiles in play, the speaker's first."""
        routers = {router.profile.name: router.profile for router in self.plan.routers}
        return self.plan.speaker, *routers.values()

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What had to be taken for granted: by the scenario and by its profiles; what is open, played every way."""
        unknowns = [unknown for profile in self.profiles for unknown in profile.unknowns]
        return tuple(dict.fromkeys([*self.plan.assumptions, *unknowns, *self._both_ways()]))

    def _both_ways(self) -> list[str]:
        if not self.otherwise:
            return []
        outage = self.stats(Question("blackhole_s")).estimate("p99")
        return list(sentences(Otherwise((), self._slo_as_taken, outage), self.otherwise))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the numbers must know."""
        stamps = [
            f"profile {p.name} is uncalibrated: no measurement of it" for p in self.profiles if p.calibrated is None
        ]
        return tuple(dict.fromkeys([*self.scenario.warnings, *self.plan.warnings, *stamps]))

    @property
    def questions(self) -> tuple[Question, ...]:
        """The metrics that were measured in every run."""
        return tuple(self._answers)

    def timeline(self, run: int = 0) -> Timeline:
        """The facts of one run, played again. Raises IndexError if there was no such run."""
        if not 0 <= run < self.runs:
            raise IndexError(f"no run {run}; there are {self.runs}, counted from 0")
        return self._replays.timeline(run)

    def stats(self, question: Question) -> Stats:
        """A metric over the runs; one that was not asked for before plays them again."""
        if question not in self._answers:
            self._answers.update(self._replays.answers([question]))
        return Stats(question, self._answers[question], self.seed, self.exact)

    def __getattr__(self, name: str) -> Callable[..., Stats]:
        if name in METRICS:
            return _Metric(self._metric, name)
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}; metrics: {', '.join(METRICS)}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *METRICS]

    def _metric(self, metric: str, service: str | None = None, **narrowing: Any) -> Stats:
        """``metric`` narrowed by ``service``, ``router``, ``fault``, ``prefix`` and ``min_share``."""
        question = Question(metric, service, **narrowing)
        for kind, name, allowed in (
            ("service", question.service, [service.name for service in self.plan.services]),
            ("router", question.router, [router.name for router in self.plan.routers]),
            ("fault", question.fault, self.plan.fault_names),
        ):
            if name is not None and name not in allowed:
                raise ValueError(f"unknown {kind} {name!r}; allowed: {', '.join(map(str, allowed)) or 'none'}")
        return self.stats(question)

    def _frame(self, table: str) -> "DataFrame":
        from pandas import DataFrame  # 1.5 s that only those who want frames should pay

        return DataFrame(self.rows(table), columns=list(COLUMNS[table]))

    def to_dict(self) -> dict[str, Any]:
        """The result as the JSON object, times in seconds to the sixth decimal. Tables that were not made are empty;
        ``progress`` is there if the scenario has a rollout, ``patches`` if it speaks of the status report."""
        return as_dict(self, self._tables)

    def to_json(self) -> str:
        """`to_dict` as text: the same bytes for the same scenario, seed and version."""
        return json.dumps(self.to_dict(), allow_nan=False)

    def _repr_html_(self) -> str:
        from simbgp.study.html import html_of

        return html_of(self)

    def __repr__(self) -> str:
        return f"<Result of {self.scenario.name}: {self.runs} runs, seed {self.seed}, {self.verdict}>"
