"""simbgp: what failures of a BGP-announced Kubernetes cluster cost its traffic.

Everything here is loaded when it is first used, so that ``import simbgp`` costs next to nothing.
"""

from typing import TYPE_CHECKING

from simbgp._lazy import lazy
from simbgp._version import __version__

if TYPE_CHECKING:
    from simbgp.scenario import Scenario, load
    from simbgp.study import Grid, Result, run, sweep
    from simbgp.study.advise import Advised, advise
    from simbgp.traffic import maglev_slot, maglev_table

_HOME = {
    "Advised": "simbgp.study.advise",
    "Grid": "simbgp.study",
    "Result": "simbgp.study",
    "Scenario": "simbgp.scenario",
    "advise": "simbgp.study.advise",
    "load": "simbgp.scenario",
    "maglev_slot": "simbgp.traffic",
    "maglev_table": "simbgp.traffic",
    "run": "simbgp.study",
    "sweep": "simbgp.study",
}

__all__ = [
    "Advised",
    "Grid",
    "Result",
    "Scenario",
    "__version__",
    "advise",
    "load",
    "maglev_slot",
    "maglev_table",
    "run",
    "sweep",
]

__getattr__, __dir__ = lazy(globals(), _HOME)
