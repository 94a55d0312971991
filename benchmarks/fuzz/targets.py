"""What is fed: each target takes the number of an input and raises what a user would see as a traceback."""

import io
import json
from collections.abc import Callable

import simbgp
from benchmarks.fuzz import inputs, strangers
from benchmarks.fuzz.common import folder, load, refused, study
from simbgp.cli.options import moment
from simbgp.profiles import parse_duration
from simbgp.report.cilium.asked import Asked
from simbgp.report.cilium.from_dump import table_of_dump
from simbgp.scenario import ScenarioError
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


def _yaml(number: int) -> None:
    load(inputs.text("yaml", number))


def _manifests(number: int) -> None:
    text = inputs.text("manifests", number)
    if number % 5 == 0:  # it reads the same text once more
        try:
            import_objects({"m.yaml": text})
        except ScenarioError as error:
            refused(error)
    (folder() / "m.yaml").write_text(text, "utf-8", errors="surrogatepass")
    load(_FRAME)


def _set(number: int) -> None:
    load(_BASE, (inputs.assignment(number),))


def _duration(number: int) -> None:
    value = inputs.duration(number)
    for read in (parse_duration, read_duration, read_law, read_rate, read_share):
        try:
            found = read(value)
            str(found)
        except ValueError as error:
            refused(error)
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
                refused(error)


def _record(number: int) -> None:
    """A part of a study's folder, which is what a timeline leaves on disk."""
    scenario, part, whole = study()
    part.write_text(inputs.record(whole, number), "utf-8", errors="surrogatepass")
    try:
        simbgp.run(scenario, runs=2, to=part.parents[1], resume=True).to_json()
    except FolderError as error:
        refused(error)


TARGETS: dict[str, Callable[[int], None]] = {
    "yaml": _yaml,
    "manifests": _manifests,
    "set": _set,
    "durations": _duration,
    "dumps": _dump,
    "timelines": _record,
    "incidents": strangers.incidents,
    "clusters": strangers.cluster,
    "backends": strangers.backends,
    "tests": strangers.tests,
    "folders": strangers.folders,
}
