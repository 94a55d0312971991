"""Studies: many runs of a scenario, measured and judged. Names are loaded when they are first used."""

from typing import TYPE_CHECKING

from simbgp._lazy import lazy

if TYPE_CHECKING:
    from simbgp.study.grid import Grid
    from simbgp.study.replicate import run
    from simbgp.study.result import Result
    from simbgp.study.stats import Stats
    from simbgp.study.sweeping import sweep

_HOME = {
    "Grid": "simbgp.study.grid",
    "Result": "simbgp.study.result",
    "Stats": "simbgp.study.stats",
    "run": "simbgp.study.replicate",
    "sweep": "simbgp.study.sweeping",
}

__all__ = ["Grid", "Result", "Stats", "run", "sweep"]

__getattr__, __dir__ = lazy(globals(), _HOME)
