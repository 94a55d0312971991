"""Files that a stranger's pull request brings beside a scenario: each fault is a line, soon, and no figure."""

import json
import time

import pytest
from cli_runs import cli
from study_worlds import scenario

import simbgp
from simbgp.scenario import ScenarioError, load
from simbgp.scenario.schema_of_files import did_you_mean
from simbgp.study.folder import FolderError
from simbgp.study.kept import sealed

LOG = """\
cluster: {nodes: 3}
routers: [{name: tor-1, profile: frr-8.4}]
failures: {log: {file: log.csv, since: 2024-01-01, until: '%s'}}
"""


def said_of_log(tmp_path, rows: str, until: str = "2026-01-01") -> list[str]:
    (tmp_path / "log.csv").write_text(rows)
    (tmp_path / "s.yaml").write_text(LOG % until)
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "s.yaml")
    return str(caught.value).splitlines()


@pytest.mark.parametrize("weight", ["9" * 5000, "123456789", "0", "65536", "²"])
def test_a_weight_of_any_length_is_a_line(tmp_path, weight: str) -> None:
    """int() refuses more than 4 300 digits with an exception of its own."""
    (tmp_path / "b").write_text(f"a\nb {weight}\n")
    done = cli("table", "--backends", str(tmp_path / "b"), "--size", "251")
    assert done.code == 2
    assert f"{tmp_path / 'b'}:2: allowed: a key, and after it a weight from 1 to 65535" in done.err


@pytest.mark.parametrize("moment", ["9999-12-31", "0001-01-01", "9999-12-31T23:00:00-05:00"])
def test_a_moment_at_the_end_of_the_calendar_is_none(tmp_path, moment: str) -> None:
    """A day after 9999-12-31 is in no calendar of Python's."""
    rows = "at,kind\n2025-01-01,node-down\n"
    (line,) = said_of_log(tmp_path, rows, moment)
    assert f"failures.log.until: '{moment}' is no moment; allowed: like 2025-01-31" in line
    (line,) = said_of_log(tmp_path, f"at,kind\n{moment},node-down\n")
    assert f"log.csv:2:1: at: '{moment}' is no moment" in line


def test_a_log_of_faults_alone_is_left_after_a_hundred_of_them(tmp_path) -> None:
    """30 000 rows of an unknown kind; of the hundredth, in line 101, it says that it is the last."""
    began = time.process_time()
    said = said_of_log(tmp_path, "at,kind\n" + "2025-01-01,x\n" * 30_000)
    assert time.process_time() - began < 5
    assert len(said) == 101
    assert any("log.csv:101:1: 100 faults up to here; the rest of the log is not read" in line for line in said)


def test_nobody_meant_one_of_thousands() -> None:
    names = [f"worker-{i}x" for i in range(1001)]
    assert did_you_mean("worker-5x ", names[:1000]) != ""
    assert did_you_mean("worker-5x ", names) == ""


def changed(records: list, how: str) -> object:
    """Some records with one thing in them as it cannot be."""
    first = records[0][0]
    match how:
        case "a job more":
            return [*records, records[0]]
        case "a run less":
            return [records[0][:-1]]
        case "an answer more":
            first[0].append([1.0, False])
        case "text for a number":
            first[0][0] = ["1", False]
        case "no number":
            first[0][0] = [float("nan"), False]
        case "a table less":
            first[1].pop("routes")
        case "a cell less":
            first[1]["sessions"][0].pop()
        case "a name that moves the cursor":
            first[1]["sessions"][0][3] = "\x1b[2J"
        case "another run":
            first[1]["sessions"][0][0] = 7
        case "a negative count":
            first[2] = -1
        case "no object":
            return 1
    return records


@pytest.mark.parametrize(
    "how",
    ["a job more", "a run less", "an answer more", "text for a number", "no number", "a table less", "a cell less",
     "a name that moves the cursor", "another run", "a negative count", "no object"],
)  # fmt: skip
def test_a_part_with_a_right_digest_and_wrong_records_is_damaged(tmp_path, how: str) -> None:
    world = scenario()
    folder = tmp_path / "study"
    before = simbgp.run(world, runs=2, to=folder).to_json()
    part = next((folder / "parts").iterdir())
    kept = part.read_bytes()
    part.write_bytes(sealed(json.dumps(changed(json.loads(kept)["records"], how))))
    with pytest.raises(FolderError, match="is damaged; delete it and resume"):
        simbgp.run(world, runs=2, to=folder, resume=True)
    part.unlink()
    assert simbgp.run(world, runs=2, to=folder, resume=True).to_json() == before
