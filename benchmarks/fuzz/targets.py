"""What is fed: each target takes the number of an input and raises what a user would see as a traceback."""

import io
import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import simbgp
from benchmarks.fuzz import inputs
from simbgp.cli.options import moment
from simbgp.profiles import parse_duration
from simbgp.report.cilium.asked import Asked
from simbgp.report.cilium.from_dump import table_of_dump
from simbgp.scenario import ScenarioError, loads
from simbgp.scenario.importing import import_objects
from simbgp.scenario.schema.base import read_duration, read_law, read_rate, read_share
from simbgp.study.folder import FolderError

_FRAME = """\
cluster: {nodes: 3, manifests: ["m.yaml"]}
routers: [{name: tor-1, profile: frr-8.4, asn: 65000}]
faults: [{at: 60s, kind: agent-crash, node: all}]
"""
_BASE = """\
cluster:
  nodes: 3
  gracefulRestart: {enabled: true, restartTimeSeconds: 120}
routers: [{name: tor-1, profile: frr-8.4}]
services: [{name: web, vip: 192.0.2.10, backends: 4}]
traffic: [{service: web, connections: 100, lifetime: 30s}]
faults: [{at: 60s, kind: agent-crash, node: worker-1, downFor: 20s}]
slo: [{metric: blackhole_s, stat: max, max: 1s}]
"""
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


def _refused(error: Exception) -> None:
    """A message can be printed, and is not endless."""
    text = str(error)
    text.encode(errors="replace")
    if not text.strip():
        raise AssertionError("an error without a word")
    if longest := [line for line in text.splitlines() if len(line) > 20_000]:
        raise AssertionError(f"a message of {len(longest[0])} signs")


def _yaml(number: int) -> None:
    _load(inputs.text("yaml", number))


def _load(text: str, overrides: tuple[str, ...] = ()) -> None:
    try:
        _used(loads(text, "fuzz.yaml", _folder(), overrides))
    except ScenarioError as error:
        _refused(error)


@cache
def _folder() -> Path:
    """A folder of this process's own, removed with it."""
    holder = tempfile.TemporaryDirectory(prefix="simbgp-fuzz-")
    _holders.append(holder)
    return Path(holder.name)


_holders: list[Any] = []


def _manifests(number: int) -> None:
    text = inputs.text("manifests", number)
    if number % 5 == 0:  # it reads the same text once more
        try:
            import_objects({"m.yaml": text})
        except ScenarioError as error:
            _refused(error)
    (_folder() / "m.yaml").write_text(text, "utf-8", errors="surrogatepass")
    _load(_FRAME)


def _set(number: int) -> None:
    _load(_BASE, (inputs.assignment(number),))


def _duration(number: int) -> None:
    value = inputs.duration(number)
    for read in (parse_duration, read_duration, read_law, read_rate, read_share):
        try:
            found = read(value)
            str(found)
        except ValueError as error:
            _refused(error)
    if isinstance(value, str):
        try:
            moment(value)
        except Exception as error:
            if type(error).__name__ != "UsageError":
                raise


_SHOWN = (("peers", ()), ("routes", ()), ("route-policies", ()), ("status", ()), ("metrics", ()))


def _dump(number: int) -> None:
    try:
        data = json.load(io.StringIO(inputs.dump(number)))
    except (ValueError, RecursionError):
        return
    for what, arguments in _SHOWN:
        for tool in (None, "cilium", "cilium-dbg", "shell"):
            try:
                table_of_dump(Asked(what, arguments, tool), data).encode(errors="replace")
            except ValueError as error:
                _refused(error)


@cache
def _study() -> tuple[simbgp.Scenario, Path, str]:
    scenario, folder = loads(_SHORT, "study.yaml"), _folder() / "study"
    simbgp.run(scenario, runs=2, to=folder)
    part = next((folder / "parts").iterdir())
    return scenario, part, part.read_text("utf-8")


def _record(number: int) -> None:
    """A part of a study's folder, which is what a timeline leaves on disk."""
    scenario, part, whole = _study()
    part.write_text(inputs.record(whole, number), "utf-8", errors="surrogatepass")
    try:
        simbgp.run(scenario, runs=2, to=part.parents[1], resume=True).to_json()
    except FolderError as error:
        _refused(error)


TARGETS: dict[str, Callable[[int], None]] = {
    "yaml": _yaml,
    "manifests": _manifests,
    "set": _set,
    "durations": _duration,
    "dumps": _dump,
    "timelines": _record,
}
