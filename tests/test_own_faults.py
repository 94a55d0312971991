"""A full disk, a place that may not be written, a signal, a reader that leaves: a line, an exit code, no half file.

Disks are full by RLIMIT_FSIZE, which needs no root: a write beyond it fails (EFBIG) as one to a full disk does, in
part or whole. What a worker's death costs is in tests/test_study_engines.py, what a kill costs in
tests/test_study_folder.py.
"""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from study_worlds import TEXT

import simbgp
from simbgp.study.whole import write_whole

ROOT = Path(simbgp.__file__).parents[1]
LUCKY = TEXT + "traffic: [{service: web, connections: 3000, lifetime: {exponential: {mean: 60s}}}]\n"


@pytest.fixture
def world(tmp_path):
    path = tmp_path / "world.yaml"
    path.write_text(LUCKY)
    return str(path)


def started(*arguments, most=None, out=subprocess.PIPE):
    def prepare():
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background has it ignored
        if most is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    line = [sys.executable, "-m", "simbgp", *map(str, arguments)]
    return subprocess.Popen(line, cwd=ROOT, stdout=out, stderr=subprocess.PIPE, preexec_fn=prepare)


def done(*arguments, **how):
    process = started(*arguments, **how)
    out, err = process.communicate()
    return process.returncode, out, err.decode()


def test_a_disk_that_is_full_in_the_middle_of_a_study_keeps_what_was_written(world, tmp_path):
    folder = tmp_path / "study"
    code, _, said = done("run", world, "--runs", 40, "--quiet", "--to", folder, "--rows", "none", most=4_000)
    assert code == 2
    assert said.count("\n") == 1
    assert "cannot be written: File too large; what was done is kept, --resume goes on with it" in said
    assert list(folder.rglob("*.unfinished")) == []
    kept = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    code, out, _ = done("run", world, "--runs", 40, "--quiet", "--to", folder, "--resume", "--rows", "none")
    assert (code, out != b"") == (0, True)
    assert {file: file.read_bytes() for file in kept} == kept


@pytest.mark.parametrize("arguments", [("--report", "page.html"), ("--junit", "x.xml")])
def test_a_page_that_does_not_fit_leaves_the_old_one(world, tmp_path, arguments):
    option, name = arguments
    target = tmp_path / name
    target.write_text("old")
    code, _, said = done("run", world, "--runs", 1, "--quiet", option, target, most=200)
    assert code == 2
    assert "File too large" in said
    assert "Traceback" not in said
    assert target.read_text() == "old"
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(["world.yaml", name])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("form", ["text", "json"])
def test_output_to_a_full_disk_is_a_line(world, form):
    with open("/dev/full", "wb") as full:
        code, _, said = done("run", world, "--runs", 1, "--quiet", "--format", form, out=full)
    assert (code, said) == (2, "simbgp: the output: No space left on device\n")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc")
@pytest.mark.parametrize(
    "arguments", [("--report", "/proc/page.html"), ("--to", "/proc/study"), ("--junit", "/proc/x.xml")]
)
def test_a_place_that_cannot_be_written_is_a_line(world, arguments):
    code, _, said = done("run", world, "--runs", 1, "--quiet", *arguments)
    assert code == 2
    assert arguments[1] in said
    assert "Traceback" not in said
    assert "internal error" not in said


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_all_workers_and_leaves_whole_files(world, tmp_path, sent, code):
    folder = tmp_path / "study"
    process = started("run", world, "--runs", 400, "--jobs", 2, "--quiet", "--to", folder)
    while len(list((folder / "parts").glob("*.json"))) < 1:
        assert process.poll() is None
        time.sleep(0.02)
    workers = children(process.pid)
    process.send_signal(sent)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert b"--resume goes on with it" in said
    assert b"Traceback" not in said
    assert list(folder.rglob("*.unfinished")) == []
    for _ in range(200):
        if not any(alive(worker) for worker in workers):
            break
        time.sleep(0.05)
    assert [worker for worker in workers if alive(worker)] == []


def children(pid):
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in found.read_text().split()] if found.exists() else []


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_reader_that_leaves_ends_the_program_without_a_word(world):
    for arguments in (["schema"], ["run", world, "--runs", "1", "--format", "json", "--quiet"]):
        process = started(*arguments)
        process.stdout.close()
        said = process.stderr.read()
        process.stderr.close()
        assert (process.wait(), said) == (141, b"")


def test_a_file_is_whole_or_not_there_and_devices_stay_devices(tmp_path):
    target = tmp_path / "x"
    write_whole(target, "one")
    link = tmp_path / "link"
    link.symlink_to(target)
    write_whole(link, b"two")
    assert (link.is_symlink(), target.read_text()) == (True, "two")
    write_whole("/dev/null", "gone")
    assert not Path("/dev/null").is_file()
    with pytest.raises(OSError, match="Is a directory") as caught:
        write_whole(tmp_path, "x")
    assert caught.value.filename == str(tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["link", "x"]
