"""A real scheduler and real workers, on the loopback."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_runs import cli
from study_worlds import TEXT, scenario

import simbgp
from simbgp.study.batch import Batch
from simbgp.study.engines import EngineError, engine_at
from simbgp.study.replay import Job

Client = pytest.importorskip("distributed", reason="the extra 'distributed' is not installed").Client
pytestmark = pytest.mark.filterwarnings("ignore")

ROOT = Path(simbgp.__file__).parents[1]
TRAFFIC = "traffic: [{service: web, connections: 2000, lifetime: {exponential: {mean: 60s}}}]\n"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def started(*arguments):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def worker(address, folder):
    of = ["--no-nanny", "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder)]
    return started("distributed.cli.dask_worker", address, *of)


@pytest.fixture(scope="module")
def scheduler():
    port = free_port()
    process = started("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield f"tcp://127.0.0.1:{port}"
    process.kill()
    process.wait()


@pytest.fixture
def workers(scheduler, tmp_path):
    processes = [worker(scheduler, tmp_path), worker(scheduler, tmp_path)]
    with Client(scheduler, timeout=120, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=120)  # on a busy machine they start slower than a study has patience
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def test_workers_give_the_bytes_that_this_process_gives(scheduler, workers):
    world = scenario(TEXT + TRAFFIC)
    assert simbgp.run(world, runs=20, engine=scheduler).to_json() == simbgp.run(world, runs=20).to_json()


def test_workers_that_are_killed_cost_no_run(scheduler, workers, tmp_path):
    job = Job(scenario(TEXT + TRAFFIC).plan(), 0, tables=frozenset({"connections"}))
    batch = Batch((job,), (96,))
    parts = batch.parts(range(96))
    with engine_at(scheduler, 1) as engine:
        found = []
        for place, part in enumerate(engine.map(batch, parts)):
            found.append(part)
            if place in (1, 4, 7):
                os.kill(workers.pop(0).pid, signal.SIGKILL)
                workers.append(worker(scheduler, tmp_path))
    with engine_at("local", 1) as here:
        alone = list(here.map(batch, parts))
    assert [record.rows for part in found for record in part[0]] == [r.rows for part in alone for r in part[0]]


def test_an_absent_scheduler_is_a_clear_error(tmp_path, monkeypatch):
    monkeypatch.setattr("simbgp.study.distributed._PATIENCE_S", 1)
    (tmp_path / "world.yaml").write_text(TEXT)
    address = f"tcp://127.0.0.1:{free_port()}"
    done = cli("run", str(tmp_path / "world.yaml"), "--engine", address, "--quiet")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"simbgp: no scheduler answers at {address}")
    assert len(done.err.splitlines()) == 1


def test_a_scheduler_without_workers_is_a_clear_error(scheduler, monkeypatch):
    monkeypatch.setattr("simbgp.study.distributed._PATIENCE_S", 1)
    with pytest.raises(EngineError, match="has no workers"):
        engine_at(scheduler, 1)
