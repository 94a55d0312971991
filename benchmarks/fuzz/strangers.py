"""What a stranger's pull request can bring beside a scenario and its manifests."""

import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import simbgp
from benchmarks.fuzz import inputs, lines
from benchmarks.fuzz.common import folder, load, refused, study
from simbgp.cli.app import app
from simbgp.scenario import ScenarioError
from simbgp.scenario.importing import import_objects
from simbgp.study.folder import FolderError
from simbgp.study.kept import sealed
from simbgp.testing.plugin import ScenarioFile

_OF_LOG = """\
cluster: {nodes: 3}
routers: [{name: tor-1, profile: frr-8.4}]
failures: {log: {file: log.csv%s}}
"""
_OF_IMPORT = """\
cluster: {from: cluster.yaml}
routers: [{name: tor-1, profile: frr-8.4, asn: 65000, address: 10.0.0.254}]
faults: [{at: 60s, kind: agent-crash, node: all}]
"""


def incidents(number: int) -> None:
    """An incident log, and what rates are taken from it."""
    bounds = (
        f", {key}: '{lines.bound(number)}'" for key, wanted in (("since", 2), ("until", 3)) if number % wanted == 0
    )
    (folder() / "log.csv").write_text(lines.incidents(number), "utf-8", errors="surrogatepass", newline="")
    load(_OF_LOG % "".join(bounds))


@cache
def _imported() -> tuple[str, ...]:
    found = []
    for text in inputs.corpus("manifests"):
        try:
            found.append(import_objects({"m.yaml": text}).text)
        except ScenarioError:
            continue
    return tuple(found)


def cluster(number: int) -> None:
    """A file for ``cluster.from``, changed after it was made."""
    text = inputs.changed_text(_imported(), "cluster", number)
    (folder() / "cluster.yaml").write_text(text, "utf-8", errors="surrogatepass")
    load(_OF_IMPORT)


def backends(number: int) -> None:
    """A file for ``table --backends``: a table, or a line that says what is wrong."""
    file = folder() / "backends"
    file.write_bytes(lines.backends(number))
    done = CliRunner().invoke(app, ["table", "--backends", str(file), "--size", "251"], standalone_mode=False)
    if isinstance(done.exception, click.UsageError):
        refused(done.exception)
    elif done.exception is not None:
        raise done.exception


@cache
def _session() -> pytest.Session:
    config = pytest.Config.fromdictargs({}, ["-p", "no:cacheprovider", str(folder())])
    return pytest.Session.from_config(config)


def tests(number: int) -> None:
    """A ``*.simbgp.yaml`` file: its SLOs are tests, or it is refused as pytest shows it."""
    file = folder() / "x.simbgp.yaml"
    file.write_text(inputs.text("yaml", number), "utf-8", errors="surrogatepass")
    try:
        items = list(ScenarioFile.from_parent(_session(), path=file).collect())
    except pytest.Collector.CollectError as error:
        refused(error)
        return
    for item in items:
        item.nodeid.encode(errors="replace")
        str(item.reportinfo()).encode(errors="replace")


def folders(number: int) -> None:
    """A study's folder that somebody wrote who knows how: its digests hold, what is in it does not."""
    scenario, part, whole = study()
    about = part.parents[1] / "run.json"
    luck = random.Random(f"folders-{number}")
    kept: dict[Path, bytes] = {about: about.read_bytes(), part: whole.encode()}
    try:
        if luck.random() < 0.2:
            about.write_text(inputs.record(kept[about].decode(), number), "utf-8", errors="surrogatepass")
        else:
            records: Any = json.loads(whole)["records"]
            part.write_bytes(sealed(inputs.record(json.dumps(records), number)))
        simbgp.run(scenario, runs=2, to=part.parents[1], resume=True).to_json()
    except FolderError as error:
        refused(error)
    finally:
        for file, content in kept.items():
            file.write_bytes(content)
