"""Studies: many runs of a scenario, measured and judged."""

from simbgp.study.grid import Grid
from simbgp.study.replicate import run
from simbgp.study.result import Result
from simbgp.study.stats import Stats
from simbgp.study.sweep import sweep

__all__ = ["Grid", "Result", "Stats", "run", "sweep"]
