"""What is asked: scenarios, their checks, their plans, and single draws of them."""

from simbgp.scenario.errors import Problem, ScenarioError
from simbgp.scenario.examples import init
from simbgp.scenario.json_schema import json_schema
from simbgp.scenario.plan import Plan, Trial
from simbgp.scenario.reader import load, loads
from simbgp.scenario.scenario import Scenario
from simbgp.scenario.tape import Tape
from simbgp.scenario.trial import draw

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
