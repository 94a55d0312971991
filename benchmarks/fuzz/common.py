"""What the targets share: a folder of the process's own, a scenario as a user would load it, a study on disk."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import simbgp
from simbgp.scenario import ScenarioError, loads

_SHORT = """\
horizon: 5s
cluster: {nodes: 2}
routers: [{name: tor-1, profile: rfc8538}]
services: [{name: web, vip: 192.0.2.10, backends: 2}]
traffic: [{service: web, connections: 5, lifetime: 30s}]
faults: [{at: 1s, kind: agent-crash, node: worker-1, downFor: 1s}]
slo: [{metric: blackhole_s, stat: max, max: 1s}]
"""


def _used(scenario: simbgp.Scenario) -> None:
    """What ``validate`` and the head of ``run`` ask of a scenario."""
    scenario.plan()
    for said in (*scenario.warnings, scenario.hash, *scenario.overrides, scenario.name):
        said.encode()


def refused(error: Exception) -> None:
    """A message can be printed, and is not endless."""
    text = str(error)
    text.encode(errors="replace")
    if not text.strip():
        raise AssertionError("an error without a word")
    if longest := [line for line in text.splitlines() if len(line) > 20_000]:
        raise AssertionError(f"a message of {len(longest[0])} signs")


def load(text: str, overrides: tuple[str, ...] = ()) -> None:
    try:
        _used(loads(text, "fuzz.yaml", folder(), overrides))
    except ScenarioError as error:
        refused(error)


@cache
def folder() -> Path:
    """A folder of this process's own, removed with it."""
    holder = tempfile.TemporaryDirectory(prefix="simbgp-fuzz-")
    _holders.append(holder)
    return Path(holder.name)


_holders: list[Any] = []


@cache
def study() -> tuple[simbgp.Scenario, Path, str]:
    """A short scenario, a part of its study on disk, and what that part holds."""
    scenario, place = loads(_SHORT, "study.yaml"), folder() / "study"
    simbgp.run(scenario, runs=2, to=place)
    part = next((place / "parts").iterdir())
    return scenario, part, part.read_text("utf-8")
