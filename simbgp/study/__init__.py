"""Studies: many runs of a scenario, measured and judged."""

from simbgp.study.replicate import run
from simbgp.study.result import Result
from simbgp.study.stats import Stats

__all__ = ["Result", "Stats", "run"]
