"""A study: one scenario, many runs, one result."""

from collections.abc import Collection
from pathlib import Path

from simbgp._version import __version__
from simbgp.scenario import Scenario
from simbgp.study.command import run_command
from simbgp.study.engines import engine_at
from simbgp.study.folder import Folder
from simbgp.study.result import Result
from simbgp.study.rows import COLUMNS, Wanted
from simbgp.study.studies import Effort, Progress, questions_of, results_of, study_of
from simbgp.study.tidy import write_tidy


def run(
    scenario: Scenario,
    runs: int | None = None,
    seed: int = 0,
    jobs: int = 1,
    *,
    rows: Wanted = "all",
    tables: Collection[str] = tuple(COLUMNS),
    precision: float | None = None,
    engine: str = "local",
    to: str | Path | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Play ``scenario`` ``runs`` times and measure what its SLOs ask.

    Args:
        scenario: What to play.
        runs: How often; by default once if nothing is random, else 400 times. With ``precision`` the most.
        seed: Of all luck; equal seeds give equal results for any number of ``jobs`` and on any ``engine``.
        jobs: Processes to use. Above 1 the calling module must be importable (``if __name__ == "__main__":``).
        rows: Which rows to keep: ``all``, ``faults`` (those a fault touches) or ``none``.
        tables: The tables to make at all.
        precision: Play until half the interval of each SLO's statistic is this fraction of its value: 0.02.
        engine: ``local``, or the address of a Dask scheduler.
        to: A folder that keeps what is played as it comes, and the result.
        resume: Go on with the study in that folder.
        progress: Called with the runs done and to do.

    Raises:
        ValueError: ``runs`` or ``jobs`` below 1, ``precision`` not above 0, or an unknown table.
        EngineError: The engine is not there, or lost.
        FolderError: The folder holds another study, or one that is not to be resumed.
        BrokenInvariantError: A run contradicts itself.
    """
    check_effort(runs, jobs, precision)
    if unknown := sorted(set(tables) - set(COLUMNS)):
        raise ValueError(f"unknown tables {', '.join(unknown)}; allowed: {', '.join(COLUMNS)}")
    study = study_of(scenario, seed, questions_of(scenario.plan()), tables, rows)
    about = _about(scenario, runs, seed, precision) | {"rows": rows, "tables": sorted(tables)}
    folder = None if to is None else Folder(to, about, resume=resume)
    with engine_at(engine, jobs) as ready:
        result = results_of([study], Effort(runs, precision), ready, folder, progress)[0]
    if folder is not None:
        folder.write("result.json", result.to_json() + "\n")
        write_tidy(folder.write, [({}, result)])
    return result


def check_effort(runs: int | None, jobs: int, precision: float | None = None) -> None:
    """Raise ValueError for numbers with which nothing can be played."""
    if runs is not None and runs < 1:
        raise ValueError(f"runs must be 1 or more, not {runs}")
    if jobs < 1:
        raise ValueError(f"jobs must be 1 or more, not {jobs}")
    if precision is not None and not precision > 0:
        raise ValueError(f"precision must be above 0, not {precision}")


def _about(scenario: Scenario, runs: int | None, seed: int, precision: float | None) -> dict[str, object]:
    return {
        "version": __version__,
        "hash": scenario.hash,
        "seed": str(seed),
        "runs": runs,
        "precision": precision,
        "command": run_command(scenario, runs, seed),
        "scenario": scenario.data,
    }
