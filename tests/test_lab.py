"""The lab on real daemons, where this machine can: against the arithmetic of RFC 4271 and RFC 4724, and its safety."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

import pytest

from simbgp.lab.registry import HOME, namespaces, remove_leftovers, runs
from tests.cli_runs import cli
from tests.lab_worlds import text, why_not

WHY_NOT = why_not("frr-8.4", "gobgp-3.10") if os.environ.get("SIMBGP_LAB") else "SIMBGP_LAB is not set"
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=f"no lab: {WHY_NOT}")
NOISE_S = 0.4
"""What a busy machine may add."""


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    with open("/run/simbgp-lab.tests", "w") as lock:  # one at a time: a driver takes away what a killed one left
        flock(lock, LOCK_EX)
        yield
    assert _mine() == []


def _mine() -> list[str]:
    """Namespaces of this process; others may measure at the same time."""
    return [name for name in namespaces() if name.startswith(f"simbgp-lab-{os.getpid()}-")]


def _write(folder: Path, fault: str, **settings: Any) -> str:
    file = folder / "cell.yaml"
    file.write_text(text(fault, **settings))
    return str(file)


def _first(rows: list[dict[str, object]], **wanted: object) -> float:
    return next(float(str(row["since_fault_s"])) for row in rows if wanted.items() <= row.items())


def test_frr_keeps_routes_for_the_restart_time(tmp_path: Path):
    # RFC 4724 §4.2: killed at 2 s for good, restart time 5 s: the FIB loses the node 5 s after the loss
    file = _write(tmp_path, "{at: 2s, kind: agent-crash, node: worker-1}", restart_s=5)
    done = cli("lab", "run", file, "--format", "json", "--quiet")
    assert done.code == 0, done.err
    said = json.loads(done.out)
    lost = _first(said["sessions"], side="router", from_state="established", node="worker-1")
    gone = _first(said["routes"], event="withdrawn", prefix="10.244.1.0/24", node="worker-1")
    assert 0 <= lost <= NOISE_S
    assert 5 <= gone - lost <= 5 + NOISE_S
    probes = {row["prefix"]: row for row in said["probes"]}
    assert probes["192.0.2.10/32"]["lost_s"] <= 0.05  # its other node answers
    # the kernel forwards until the withdrawal at 7 s; from then to the horizon at 12 s there is no route
    assert probes["10.244.1.0/24"]["lost_s"] == pytest.approx(12 - 2 - gone, abs=0.3)


def test_gobgp_loses_a_silent_node_at_its_hold_time(tmp_path: Path):
    # RFC 4271 §6.5: hold 3 less the age of the last keepalive, at most 1
    file = _write(tmp_path, "{at: 2s, kind: node-down, node: worker-1}", profile="gobgp-3.10")
    done = cli("lab", "compare", file, "--format", "json", "--quiet", "--runs", "100")
    said = json.loads(done.out)
    figures = {figure["figure"]: figure for figure in said["figures"]}
    assert 2 - NOISE_S <= figures["session_loss_s"]["measured"][0] <= 3 + NOISE_S
    assert figures["blackhole_s"]["measured"][0] == pytest.approx(figures["withdrawn_s"]["measured"][0], abs=0.3)
    assert said["verdict"] == ("AGREES" if said["inside"] == said["values"] == 6 else "DIFFERS")


def _driver(file: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "simbgp", "lab", "run", file]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _theirs(pid: int) -> list[str]:
    return [name for name in namespaces() if name.startswith(f"simbgp-lab-{pid}-")]


def _wait_for_namespaces(driver: "subprocess.Popen[str]", count: int) -> None:
    until = time.monotonic() + 60
    while len(_theirs(driver.pid)) < count and time.monotonic() < until:
        assert driver.poll() is None
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_driver_leaves_nothing(tmp_path: Path, number: signal.Signals):
    with _driver(_write(tmp_path, "{at: 2s, kind: agent-crash, node: worker-1}")) as driver:
        _wait_for_namespaces(driver, 5)
        driver.send_signal(number)
        driver.wait(60)
        assert driver.returncode == 128 + number
    assert _theirs(driver.pid) == []
    assert not (HOME / f"{driver.pid}.json").exists()


def test_the_next_start_removes_what_a_killed_driver_left(tmp_path: Path):
    with _driver(_write(tmp_path, "{at: 2s, kind: agent-crash, node: worker-1}")) as driver:
        _wait_for_namespaces(driver, 5)
        time.sleep(2)  # daemons run by now
        driver.kill()
        driver.wait(60)
    assert len(_theirs(driver.pid)) == 5
    listed = json.loads((HOME / f"{driver.pid}.json").read_text())
    assert listed["processes"]
    assert set(_theirs(driver.pid)) <= set(remove_leftovers())
    assert _theirs(driver.pid) == []
    assert not (HOME / f"{driver.pid}.json").exists()
    assert [pid for pid in listed["processes"] if runs(int(pid))] == []
    assert [folder for folder in listed["folders"] if Path(folder).exists()] == []
