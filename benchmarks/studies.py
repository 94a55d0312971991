"""What many runs cost and whether their intervals hold: ``python -m benchmarks.studies``, or a part of it by name."""

import argparse
import random
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from simbgp.measure import Value, estimate, wilson

ROOT = Path(__file__).parents[1]
STUDIES, RUNS = 1_000, 400
MOST = 1.15
"""CPU seconds of more workers, or of another engine, for one."""
HOLD = "cluster.timers.holdTimeSeconds=3,6,9,15,30,60,90,180"
RESTART = "cluster.gracefulRestart.restartTimeSeconds=5,10,15,20,30,45,60,90,120,150,180,240"


def coverage() -> bool:
    """Repeat small studies of a known law, detection uniform in 60 to 90 s, and count intervals that hold the truth."""
    samples = np.random.default_rng(0).uniform(60, 90, (STUDIES, RUNS))
    good = True
    for stat, truth, least, most in (("mean", 75.0, 0.93, 0.97), ("p50", 75.0, 0.94, 1.0), ("p99", 89.7, 0.94, 1.0)):
        held = sum(_holds(stat, sample, study, truth) for study, sample in enumerate(samples)) / STUDIES
        good &= _say(f"{stat} of {RUNS} runs", held, least, most)
    shares = [wilson(int((sample < 66).sum()), RUNS) for sample in samples]
    held = sum((each.low or 0) <= 0.2 <= (each.high or 1) for each in shares) / STUDIES
    return _say(f"share of {RUNS} runs", held, 0.93, 0.97) and good


def _holds(stat: str, sample: Sequence[float], study: int, truth: float) -> bool:
    found = estimate(stat, [Value(float(value)) for value in sample], seed=study, purpose=stat)
    low, high = (-np.inf if found.low is None else found.low), (np.inf if found.high is None else found.high)
    return bool(low <= truth <= high)


def _say(what: str, held: float, least: float, most: float) -> bool:
    print(f"  {what:<22} {held:6.1%}  of {STUDIES} intervals hold the truth; asked {least:.0%} to {most:.0%}")
    return least <= held <= most


def kill(times: int = 20) -> bool:
    """Kill a study at random moments, resume it each time, and compare its files with those of an undisturbed one."""
    chance, quiet = random.Random(0), subprocess.DEVNULL
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"
        line = [sys.executable, "-m", "simbgp", "run", "scenarios/node-down.yaml", "--runs", "200", "--quiet"]
        began = time.monotonic()
        subprocess.run([*line, "--to", str(whole)], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
        lasts_s = time.monotonic() - began
        same = 0
        for _ in range(times):
            shutil.rmtree(killed, ignore_errors=True)
            process = subprocess.Popen(
                [*line, "--jobs", "2", "--to", str(killed)], cwd=ROOT, stdout=quiet, stderr=quiet
            )
            time.sleep(chance.uniform(0, lasts_s))
            process.kill()
            process.wait()
            again = [*line, "--to", str(killed), "--resume"]
            subprocess.run(again, cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
            same += _contents(killed) == _contents(whole)
    print(f"  {same} of {times} killed and resumed studies have the bytes of an undisturbed one")
    return same == times


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def speed(runs: int = 200) -> bool:
    """Sweep 8 hold times and 12 restart times on two cores, for the loss of a node and for an agent that restarts."""
    fast = True
    with tempfile.TemporaryDirectory() as folder:
        for file in _swept(Path(folder)):
            began = time.monotonic()
            _sweep(file, runs, "--jobs", "2")
            took_s = time.monotonic() - began
            print(f"  {file.stem:<16} 96 settings x {runs} runs: {took_s:5.0f} s; asked under 180 s for 200 runs")
            fast &= took_s < 180 * runs / 200
    return fast


def engines(runs: int = 40) -> bool:
    """The CPU seconds of the same sweeps: of two workers against one, and of two workers of Dask against two here."""
    cheap = True
    with tempfile.TemporaryDirectory() as folder, _cluster(Path(folder)) as (address, servers):
        for file in _swept(Path(folder)):
            one, two = (_cpu_s(file, runs, ("--jobs", jobs), []) for jobs in ("1", "2"))
            dask = _cpu_s(file, runs, ("--engine", address), servers)
            print(
                f"  {file.stem:<16} 96 settings x {runs} runs: CPU {one:.1f} s by 1, {two:.1f} s by 2 "
                f"({two / one:.3f}), {dask:.1f} s by Dask ({dask / two:.3f}); asked at most 1.15 each"
            )
            cheap &= two <= MOST * one and dask <= MOST * two
    return cheap


def _swept(folder: Path) -> list[Path]:
    restart = folder / "agent-restart.yaml"
    text = (ROOT / "scenarios/agent-crash-gr.yaml").read_text().replace("agent-crash", "agent-restart")
    restart.write_text(text)
    return [ROOT / "scenarios/node-down.yaml", restart, ROOT / "scenarios/node-down-gr.yaml"]


def _sweep(file: Path, runs: int, *more: str) -> None:
    line = [sys.executable, "-m", "simbgp", "sweep", str(file), "--vary", HOLD, "--vary", RESTART]
    subprocess.run([*line, "--runs", str(runs), "--quiet", *more], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)


def _cpu_s(file: Path, runs: int, where: Sequence[str], servers: Sequence[Any]) -> float:
    """What a sweep costs in processes that it starts, and in ``servers`` that were there before."""
    before_s = _used_s(servers)
    _sweep(file, runs, *where)
    return _used_s(servers) - before_s


def _used_s(servers: Sequence[Any]) -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime + sum(sum(server.cpu_times()[:2]) for server in servers)


@contextmanager
def _cluster(folder: Path) -> Iterator[tuple[str, list[Any]]]:
    """A Dask scheduler and two workers of one thread each on the loopback: its address and its processes."""
    import psutil  # of Dask, which only this needs
    from distributed import Client

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    at = ["--host", "127.0.0.1", "--no-dashboard"]
    own = ["--nthreads", "1", "--no-nanny", "--local-directory", str(folder)]
    lines = [["dask_scheduler", *at, "--port", address.rpartition(":")[2]]] + [["dask_worker", address, *at, *own]] * 2
    quiet = subprocess.DEVNULL
    servers = [
        psutil.Popen(
            [sys.executable, "-m", f"distributed.cli.{line[0]}", *line[1:]], cwd=ROOT, stdout=quiet, stderr=quiet
        )
        for line in lines
    ]
    try:
        with Client(address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        yield address, servers
    finally:
        for server in reversed(servers):
            server.terminate()
            server.wait()


_ALL: dict[str, Callable[[], bool]] = {"coverage": coverage, "kill": kill, "speed": speed, "engines": engines}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", nargs="*", choices=[*_ALL, []], default=[])
    results = []
    for name in parser.parse_args().which or _ALL:
        print(name)
        results.append(_ALL[name]())
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
