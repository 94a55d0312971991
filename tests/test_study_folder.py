"""A study in a folder survives any end, and is the same study afterwards."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_runs import cli
from study_worlds import TEXT, scenario

import simbgp
from simbgp.study.folder import FolderError

ROOT = Path(simbgp.__file__).parents[1]
LUCKY = "traffic: [{service: web, connections: 3000, lifetime: {exponential: {mean: 60s}}}]\n"
RUNS = 160


@pytest.fixture
def world(tmp_path):
    path = tmp_path / "world.yaml"
    path.write_text(TEXT + LUCKY)
    return path


def command(world, folder, *more, runs=RUNS):
    line = [sys.executable, "-m", "simbgp", "run", world, "--runs", str(runs), "--to", folder, "--quiet", *more]
    return [str(word) for word in line]


def contents(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def parts(folder):
    return list((folder / "parts").glob("*.json"))


def heeds_sigint():
    """A shell starts what it sends to the background with SIGINT ignored, and all that this starts inherits that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def begun(world, folder, enough=4, runs=RUNS):
    """A study in a process of its own that has kept a few parts."""
    line, pipe = command(world, folder, runs=runs), subprocess.PIPE
    process = subprocess.Popen(line, cwd=ROOT, stdout=pipe, stderr=pipe, preexec_fn=heeds_sigint)
    while len(parts(folder)) < enough:
        assert process.poll() is None
        time.sleep(0.01)
    return process


def test_a_study_that_was_killed_is_resumed_to_the_same_bytes(world, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(command(world, whole), cwd=ROOT, check=True, capture_output=True)
    for enough in (2, 6):
        process = begun(world, killed, enough) if enough == 2 else resumed(world, killed, enough)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert not (killed / "result.json").exists()
    subprocess.run(command(world, killed, "--resume"), cwd=ROOT, check=True, capture_output=True)
    assert contents(killed) == contents(whole)
    assert len(json.loads((whole / "result.json").read_text())["connections"]) == 2 * RUNS


def resumed(world, folder, enough):
    line = command(world, folder, "--resume")
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while len(parts(folder)) < enough:
        assert process.poll() is None
        time.sleep(0.01)
    return process


@pytest.mark.parametrize(("signalled", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_study_in_order_and_keeps_what_was_done(world, tmp_path, signalled, code):
    folder = tmp_path / "study"
    process = begun(world, folder, enough=1, runs=800)
    kept = len(parts(folder))
    process.send_signal(signalled)
    _, said = process.communicate()
    assert process.returncode == code
    assert b"--resume goes on with it" in said
    assert len(parts(folder)) >= kept


def test_a_finished_study_is_read_and_not_played_again(world, tmp_path, monkeypatch):
    arguments = ("run", str(world), "--runs", "6", "--to", str(tmp_path / "study"), "--format", "json")
    first = cli(*arguments)

    def fail(*_):
        raise AssertionError("played again")

    monkeypatch.setattr("simbgp.study.replay.simulate", fail)
    assert cli(*arguments, "--resume").out == first.out
    assert cli("run", str(world), "--runs", "6", "--to", str(tmp_path / "study")).code == 2


def test_what_comes_from_a_folder_is_what_comes_without_one(tmp_path):
    world = scenario(TEXT + LUCKY)
    assert simbgp.run(world, runs=8, to=tmp_path / "study").to_json() == simbgp.run(world, runs=8).to_json()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--seed", "1"), "another seed"),
        (("--set", "cluster.nodes=5"), "another hash"),
        (("--runs", "7"), "another runs"),
    ],
)
def test_a_folder_of_another_study_is_refused(world, tmp_path, more, said):
    folder = str(tmp_path / "study")
    assert cli("run", str(world), "--runs", "6", "--to", folder).code == 0
    done = cli("run", str(world), "--runs", "6", "--to", folder, "--resume", *more)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_folder_of_another_version_is_refused(tmp_path, monkeypatch):
    simbgp.run(scenario(), runs=2, to=tmp_path)
    monkeypatch.setattr("simbgp.study.replicate.__version__", "9.9.9")
    with pytest.raises(FolderError, match="another version"):
        simbgp.run(scenario(), runs=2, to=tmp_path, resume=True)


def test_a_folder_with_something_else_in_it_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(FolderError, match=r"holds something else: thesis\.txt"):
        simbgp.run(scenario(), runs=2, to=tmp_path)
    assert os.listdir(tmp_path) == ["thesis.txt"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match="File exists"):
        simbgp.run(scenario(), runs=2, to=tmp_path / "file")


def test_a_part_that_was_not_finished_is_played_again(tmp_path):
    simbgp.run(scenario(), runs=2, to=tmp_path)
    before, last = contents(tmp_path), parts(tmp_path)[-1]
    last.with_name(last.name + ".unfinished").write_text("[[")
    last.unlink()
    simbgp.run(scenario(), runs=2, to=tmp_path, resume=True)
    assert contents(tmp_path) == before


def test_a_damaged_part_is_named(tmp_path):
    simbgp.run(scenario(), runs=2, to=tmp_path)
    parts(tmp_path)[0].write_text("[[")
    with pytest.raises(FolderError, match="is damaged; delete it and resume"):
        simbgp.run(scenario(), runs=2, to=tmp_path, resume=True)


def test_a_part_with_one_digit_changed_is_no_wrong_number(tmp_path):
    simbgp.run(scenario(), runs=2, to=tmp_path)
    part = parts(tmp_path)[0]
    assert json.loads(part.read_text())["records"]
    part.write_text(part.read_text().replace('"tor-1"', '"tor-2"', 1))
    with pytest.raises(FolderError, match="is damaged; delete it and resume"):
        simbgp.run(scenario(), runs=2, to=tmp_path, resume=True)


def test_a_sweep_keeps_both_tables(world, tmp_path):
    vary = "cluster.timers.holdTimeSeconds=9,90"
    folder = tmp_path / "sweep"
    arguments = ("sweep", str(world), "--vary", vary, "--runs", "6", "--to", str(folder), "--quiet")
    first = cli(*arguments)
    before = contents(folder)
    assert first.code == 0
    assert {"run.json", "values.csv", "summary.csv"} <= set(before)
    assert cli(*arguments, "--resume").out == first.out
    assert contents(folder) == before


def test_resuming_needs_a_folder(world):
    assert "--resume needs the folder" in cli("run", str(world), "--resume").err
