"""What the status report costs the API server, as a line for a terminal."""

from collections import defaultdict
from statistics import median

from simbgp.report.numbers import columns, count
from simbgp.study.result import Result


def api_lines(result: Result) -> list[str]:
    """Patches of a run in all and in its busiest second; nothing if the scenario does not speak of the report."""
    if not result.plan.counts_patches:
        return []
    of_runs: dict[int, list[int]] = defaultdict(list)
    for run, _, patches in result.rows("patches"):
        of_runs[run].append(patches)
    totals = [sum(of_runs.get(run, ())) for run in range(result.runs)]
    busiest = [max(of_runs.get(run, ()), default=0) for run in range(result.runs)]
    state = "on" if result.plan.status_report else "off"
    row = (f"status patches (report {state})", f"in all {_over(totals)}", f"busiest second {_over(busiest)}")
    return columns([row])


def _over(values: list[int]) -> str:
    middle, most = median(values), max(values)
    return count(most) if min(values) == most else f"p50 {count(middle)}, max {count(most)}"
