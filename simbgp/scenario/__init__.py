"""What is asked: scenarios, their checks, their plans, and single draws of them.

Names are loaded when they are first used: who plays plans, a worker, needs nothing of what reads scenarios.
"""

from typing import TYPE_CHECKING

from simbgp._lazy import lazy

if TYPE_CHECKING:
    from simbgp.scenario.errors import Problem, ScenarioError
    from simbgp.scenario.examples import init
    from simbgp.scenario.plan import Plan, Trial
    from simbgp.scenario.reader import load, loads
    from simbgp.scenario.scenario import Scenario
    from simbgp.scenario.schema_of_files import json_schema
    from simbgp.scenario.tape import Tape
    from simbgp.scenario.trial import draw

_HOME = {
    "Plan": "simbgp.scenario.plan",
    "Problem": "simbgp.scenario.errors",
    "Scenario": "simbgp.scenario.scenario",
    "ScenarioError": "simbgp.scenario.errors",
    "Tape": "simbgp.scenario.tape",
    "Trial": "simbgp.scenario.plan",
    "draw": "simbgp.scenario.trial",
    "init": "simbgp.scenario.examples",
    "json_schema": "simbgp.scenario.schema_of_files",
    "load": "simbgp.scenario.reader",
    "loads": "simbgp.scenario.reader",
}

__all__ = [
    "Plan",
    "Problem",
    "Scenario",
    "ScenarioError",
    "Tape",
    "Trial",
    "draw",
    "init",
    "json_schema",
    "load",
    "loads",
]

__getattr__, __dir__ = lazy(globals(), _HOME)
