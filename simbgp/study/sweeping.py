"""A sweep: one scenario with every combination of some values."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from simbgp._version import __version__
from simbgp.measure import Question
from simbgp.scenario import Plan, Problem, Scenario, ScenarioError
from simbgp.study.command import sweep_command
from simbgp.study.engines import engine_at
from simbgp.study.folder import Folder
from simbgp.study.grid import Grid
from simbgp.study.replicate import check_effort
from simbgp.study.studies import Effort, Progress, results_of, study_of
from simbgp.study.tidy import Setting, write_tidy


def sweep(
    scenario: Scenario,
    vary: Mapping[str, Iterable[Any]],
    runs: int | None = None,
    seed: int = 0,
    jobs: int = 1,
    *,
    engine: str = "local",
    to: str | Path | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> Grid:
    """Play ``scenario`` with every combination of values at dotted paths, the last path varying fastest.

    Args:
        scenario: What to play.
        vary: The values to try at each dotted path: ``{"cluster.timers.holdTimeSeconds": [9, 30, 90]}``.
        runs: How often each; by default once if nothing is random, else 400 times.
        seed: Of all luck; settings share it, run by run.
        jobs: Processes to use. Above 1 the calling module must be importable (``if __name__ == "__main__":``).
        engine: ``local``, or the address of a Dask scheduler.
        to: A folder that keeps what is played as it comes, and both tables.
        resume: Go on with the sweep in that folder.
        progress: Called with the runs done and to do.

    Raises:
        ValueError: Nothing to vary, ``runs`` or ``jobs`` below 1.
        ScenarioError: A setting is not allowed, with the problems of all settings.
        EngineError: The engine is not there, or lost.
        FolderError: The folder holds another study, or one that is not to be resumed.
        BrokenInvariantError: A run contradicts itself.
    """
    lists = {path: list(values) for path, values in vary.items()}
    if not lists or not all(lists.values()):
        raise ValueError("a sweep needs a path to vary, and values for each")
    command = sweep_command(scenario, lists, runs, seed)
    settings = combined(lists, lambda setting: scenario.with_(**setting))
    return play_grid(settings, command, runs, seed, jobs, engine=engine, to=to, resume=resume, progress=progress)


def combined(lists: Mapping[str, Sequence[Any]], make: Callable[[Setting], Scenario]) -> list[tuple[Setting, Scenario]]:
    """Every combination of the values in ``lists`` with its scenario.

    Raises ScenarioError with the problems of all of them.
    """
    settings: list[tuple[Setting, Scenario]] = []
    problems: list[Problem] = []
    for values in product(*lists.values()):
        setting = dict(zip(lists, values, strict=True))
        try:
            settings.append((setting, make(setting)))
        except ScenarioError as error:
            problems += [_of_setting(problem, setting) for problem in error.problems]
    if problems:
        raise ScenarioError(problems)
    return settings


def _of_setting(problem: Problem, setting: Setting) -> Problem:
    """The problem with the values under which it occurs, where it does not name a value itself."""
    if problem.path in setting:
        return replace(problem, message=f"{setting[problem.path]}: {problem.message}")
    return problem


def play_grid(
    settings: Sequence[tuple[Setting, Scenario]],
    command: str,
    runs: int | None,
    seed: int,
    jobs: int,
    *,
    engine: str,
    to: str | Path | None,
    resume: bool,
    progress: Progress | None,
) -> Grid:
    """Play the scenario of each setting; ``command`` is the line that does the same. See `sweep`."""
    check_effort(runs, jobs)
    asked = tuple(dict.fromkeys(question for _, scenario in settings for question in _questions(scenario.plan())))
    studies = [study_of(scenario, seed, asked) for _, scenario in settings]
    folder = None if to is None else Folder(to, _about(settings, command, runs, seed), resume=resume)
    with engine_at(engine, jobs) as ready:
        results = results_of(studies, Effort(runs), ready, folder, progress)
    found = [(setting, result) for (setting, _), result in zip(settings, results, strict=True)]
    if folder is not None:
        write_tidy(folder.write, found)
    return Grid(found, seed=seed, reproduce=command)


def _questions(plan: Plan) -> tuple[Question, ...]:
    """The SLOs' metrics, the longest outage and, with traffic, the share of broken connections, if no SLO has them."""
    asked = [Question.of(slo) for slo in plan.slo]
    counted = any(question.metric.startswith("broken_") for question in asked)
    return (*asked, Question("blackhole_s"), *([Question("broken_share")] if plan.traffic and not counted else []))


def _about(
    settings: Sequence[tuple[Setting, Scenario]], command: str, runs: int | None, seed: int
) -> dict[str, object]:
    return {
        "version": __version__,
        "hash": [scenario.hash for _, scenario in settings],
        "seed": str(seed),
        "runs": runs,
        "command": command,
        "settings": [dict(setting) for setting, _ in settings],
        "scenario": settings[0][1].data,
    }
