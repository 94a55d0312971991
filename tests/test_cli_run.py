import json
import os
import pty
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from cli_runs import cli
from study_worlds import EXACT, TEXT

import simbgp
from simbgp.timeline import BrokenInvariantError

ROOT = Path(simbgp.__file__).parents[1]
MET = "slo: [{metric: blackhole_s, stat: max, max: 1s}]\n"
BREACHED = 'slo: [{metric: blackhole_s, stat: max, max: 1s, prefix: "10.244.1.0/24"}]\n'
INCONCLUSIVE = 'slo: [{metric: blackhole_s, stat: max, max: 500s, prefix: "10.244.1.0/24"}]\n'
NOT_APPLICABLE = "slo: [{metric: reset_share, stat: mean, max: 1%}]\n"


@pytest.fixture
def world(tmp_path):
    def write(text=EXACT, name="world.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


@pytest.mark.parametrize(
    ("slo", "verdict", "code"),
    [
        ("", "NO_SLO", 0),
        (MET, "MET", 0),
        (BREACHED, "BREACHED", 1),
        (INCONCLUSIVE, "INCONCLUSIVE", 4),
        (NOT_APPLICABLE, "NOT_APPLICABLE", 4),
    ],
)
def test_the_exit_code_is_that_of_the_verdict(world, slo, verdict, code):
    done = cli("run", world(EXACT + slo), "--format", "json")
    assert (json.loads(done.out)["verdict"], done.code) == (verdict, code)


def test_several_files_give_an_array_and_the_worst_code(world):
    paths = [
        world(EXACT + slo, f"{place}.yaml") for place, slo in enumerate([MET, INCONCLUSIVE, BREACHED, NOT_APPLICABLE])
    ]
    done = cli("run", *paths, "--format", "json")
    assert [found["verdict"] for found in json.loads(done.out)] == ["MET", "INCONCLUSIVE", "BREACHED", "NOT_APPLICABLE"]
    assert done.code == 1
    assert cli("run", paths[0], paths[1]).code == 4


def test_several_files_in_text_are_reports_apart(world):
    done = cli("run", world(EXACT + MET, "a.yaml"), world(EXACT + MET, "b.yaml"))
    assert done.out.count("VERDICT  MET") == 2
    assert "\n\nworld  hold" in done.out


def test_no_run_is_an_answer_of_its_own(world):
    done = cli("run", world(), "--runs", "0")
    assert (done.code, done.out, done.err) == (5, "", "simbgp: nothing ran, as --runs 0 asks\n")


def test_every_problem_of_every_file_is_named_before_anything_runs(world):
    broken = TEXT.replace("worker-1", "worker-9").replace("horizon", "horizont")
    first, second = world(broken, "a.yaml"), world("name: [", "b.yaml")
    done = cli("run", first, second, world(EXACT, "c.yaml"))
    assert done.code == 2
    assert done.out == ""
    assert f"{first}:9:" in done.err
    assert f"{second}:1:" in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["run", "x.yaml", "--runs", "-1"],
        ["run", "x.yaml", "--seed", "a"],
        ["run", "/no/such/file.yaml"],
        ["walk"],
        [],
    ],
)
def test_bad_usage_exits_2_without_a_traceback(arguments):
    done = cli(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert "Traceback" not in done.err
    assert done.err


def test_a_changed_value_is_in_the_line_that_reproduces_it(world):
    path = world(EXACT + BREACHED)
    change = "cluster.gracefulRestart.restartTimeSeconds=60"
    first = cli("run", path, "--seed", "9", "--set", change, "--format", "json")
    line = json.loads(first.out)["reproduce"]
    assert line == f"simbgp run {path} --runs 1 --seed 9 --set {change}"
    assert cli(*shlex.split(line)[1:], "--format", "json").out == first.out
    assert json.loads(first.out)["windows"][0]["since_fault_s"] == 60.0


def test_rows_can_be_left_out(world):
    path = world()
    whole = json.loads(cli("run", path, "--format", "json").out)
    none = json.loads(cli("run", path, "--format", "json", "--rows", "none").out)
    tables = ("windows", "sessions", "routes", "connections", "load")
    assert none["rows_left_out"] == sum(len(whole[table]) for table in tables) > 0
    assert all(none[table] == [] for table in tables)


def test_warnings_go_to_standard_error_unless_quiet(world):
    path = world(TEXT.replace("cluster:", "cluster:\n  loadBalancer: {algorithm: maglev, mode: snat}"))
    assert "simbgp: warning: " in cli("run", path, "--runs", "1").err
    assert cli("run", path, "--runs", "1", "--quiet").err == ""


def test_a_broken_invariant_names_seed_scenario_and_command(world, monkeypatch):
    def contradict(*_):
        raise BrokenInvariantError("a window ends after it starts")

    monkeypatch.setattr("simbgp.study.replay.simulate", contradict)
    path = world()
    done = cli("run", path, "--seed", "3")
    said, where = done.err.splitlines()
    assert done.code == 3
    assert said == "simbgp: broken invariant: a window ends after it starts"
    assert where == f"simbgp: seed 3, scenario {simbgp.load(path).hash}, command: simbgp run {path} --seed 3"


def test_an_internal_error_is_one_line_and_where_to_report_it(world, monkeypatch):
    def fail(*_):
        raise TypeError("two\nlines")

    monkeypatch.setattr("simbgp.study.replay.simulate", fail)
    done = cli("run", world())
    assert done.code == 3
    assert done.err.splitlines()[0] == "simbgp: internal error: TypeError: two lines"
    assert "report" in done.err
    monkeypatch.setenv("SIMBGP_DEBUG", "1")
    assert "Traceback" in cli("run", world()).err


def test_an_interrupt_is_no_error_of_the_program(world, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("simbgp.study.replay.simulate", interrupt)
    done = cli("run", world())
    assert (done.code, done.err) == (130, "\nsimbgp: interrupted\n")


def test_a_closed_pipe_ends_quietly(world):
    run = shlex.join(
        [sys.executable, "-m", "simbgp", "run", world(TEXT), "--runs", "300", "--format", "json", "--quiet"]
    )
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = ["bash", "-c", f"{run} | head -c 10; echo ${{PIPESTATUS[0]}}"]
    done = subprocess.run(command, cwd=ROOT, env=buffered, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ('{"simbgp":141\n', "")


@pytest.mark.parametrize(("more", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colour_is_for_terminals_that_want_it(world, more, coloured):
    terminal, end = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | more
    command = [sys.executable, "-m", "simbgp", "run", world(EXACT + MET)]
    subprocess.run(command, cwd=ROOT, env=environment, stdout=end, check=True)
    os.close(end)
    assert (b"\x1b[" in os.read(terminal, 100_000)) == coloured
    os.close(terminal)


def test_text_in_a_file_has_no_colour(world):
    assert "\x1b" not in cli("run", world(EXACT + MET)).out


def test_an_old_terminal_gets_what_it_can_show(world):
    command = [sys.executable, "-m", "simbgp", "run", world(EXACT + MET)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONIOENCODING": "latin-1"}, capture_output=True, check=True
    )
    assert b"? blackhole_s max ? 1 s  0 s  met with 1 s to spare" in done.stdout


def test_json_is_ascii_whatever_the_names(world):
    done = cli("run", world(EXACT.replace("name: world", "name: Größe")), "--format", "json")
    assert done.out.isascii()
    assert json.loads(done.out)["scenario"] == "Größe"
