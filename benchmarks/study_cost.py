"""What studies cost by where they are played: ``python -m benchmarks.study_cost``, or a part of it by name.

CPU seconds are no fixed price: two processes that run at once share caches, memory and, where a core is two threads,
the core itself, and each takes longer for the same instructions. So each measurement has a control beside it: the same
work in two processes that know nothing of each other, against one alone. What two workers cost beyond that is theirs.

Whatever else runs on a machine only adds to what is measured: each side is played in turn, `ROUNDS` times, and of each
the cheapest counts.
"""

import argparse
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.studies import ROOT, contents, sweep, sweep_line, swept

MOST = 1.15
"""CPU seconds of more workers, or of another engine, for one."""
ROUNDS = 3
MOST_PARENT_MB, MOST_GROWTH = 1000.0, 1.1


def workers(runs: int = 200) -> bool:
    """The CPU seconds of a sweep by two workers against one, and of two lone processes against one."""
    cheap = True
    with tempfile.TemporaryDirectory() as folder:
        for file in swept(Path(folder))[:2]:
            one, two, lone = _cheapest_s(
                partial(sweep, file, runs, "--jobs", "1"),
                partial(sweep, file, runs, "--jobs", "2"),
                partial(_at_once, file, runs),
            )
            lone /= 2
            print(
                f"  {file.stem:<14} 96 settings x {runs} runs: CPU {one:.1f} s by 1 worker, {two:.1f} s by 2: "
                f"{two / one:.3f} (asked at most {MOST}); two lone processes at once {lone / one:.3f} of one alone, "
                f"so the workers' own {two / lone:.3f}",
                flush=True,
            )
            cheap &= two <= MOST * one
    return cheap


def dask(runs: int = 200) -> bool:
    """The CPU seconds of a sweep by two workers of Dask against two here."""
    cheap = True
    with tempfile.TemporaryDirectory() as folder, _cluster(Path(folder)) as (address, servers):
        for file in swept(Path(folder))[:2]:
            here, there = _cheapest_s(
                partial(sweep, file, runs, "--jobs", "2"), partial(sweep, file, runs, "--engine", address), of=servers
            )
            print(
                f"  {file.stem:<14} 96 settings x {runs} runs: CPU {here:.1f} s by 2 workers, {there:.1f} s by Dask "
                f"({there / here:.3f}; asked at most {MOST})",
                flush=True,
            )
            cheap &= there <= MOST * here
    return cheap


def lost(times: int = 3, runs: int = 200) -> bool:
    """Kill a worker of Dask so often during a study; its files are then those of a study here that nobody disturbed."""
    line = [sys.executable, "-m", "simbgp", "run", "scenarios/node-down.yaml", "--runs", str(runs), "--quiet"]
    with tempfile.TemporaryDirectory() as folder, _cluster(Path(folder)) as (address, servers):
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"
        subprocess.run([*line, "--to", str(whole)], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
        quiet = subprocess.DEVNULL
        study = subprocess.Popen([*line, "--engine", address, "--to", str(killed)], cwd=ROOT, stdout=quiet)
        for count in range(1, times + 1):
            while study.poll() is None and len(list(killed.glob("parts/*.json"))) < 3 * count:
                time.sleep(0.01)
            victim = servers.pop()
            victim.kill()
            victim.wait()
            servers.append(_worker(address, Path(folder)))
        study.wait()
        same = contents(killed) == contents(whole)
    print(f"  a study that lost {times} workers has {'the bytes' if same else 'OTHER bytes'} of an undisturbed one")
    return same


def memory(few: int = 1_000, many: int = 10_000) -> bool:
    """The largest process of many runs: with all rows of the shipped agent crash, and by two workers without rows."""
    crash = _peak_mb("run", "scenarios/agent-crash.yaml", "--runs", str(many), "--format", "json")
    print(f"  agent-crash, {many} runs with all rows: {crash:.0f} MB; asked under {MOST_PARENT_MB:.0f} MB")
    light = ["run", "scenarios/agent-crash.yaml", "--rows", "none", "--format", "json", "--jobs", "2"]
    light += ["--set", "traffic=[]", "--set", "slo=[]"]
    peaks = [_peak_mb(*light, "--runs", str(runs)) for runs in (few, many, 10 * many)]
    print(
        f"  by 2 workers without rows: {', '.join(f'{peak:.0f}' for peak in peaks)} MB for {few}, {many}, {10 * many}"
    )
    return crash < MOST_PARENT_MB and peaks[-1] <= MOST_GROWTH * peaks[0]


def _peak_mb(*words: str) -> float:
    """The most memory that any one process of a command had."""
    probe = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    line = [sys.executable, "-c", probe, sys.executable, "-m", "simbgp", *words, "--quiet"]
    return int(subprocess.run(line, cwd=ROOT, capture_output=True, check=True).stdout) / 1e3


def _at_once(file: Path, runs: int) -> None:
    processes = [
        subprocess.Popen(sweep_line(file, runs, "--jobs", "1"), cwd=ROOT, stdout=subprocess.DEVNULL) for _ in range(2)
    ]
    for process in processes:
        process.wait()


def _cheapest_s(*works: Callable[[], None], of: Sequence[Any] = ()) -> list[float]:
    """What each costs at least, in processes that it starts and in ``of``, which were there before."""
    spent: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, each in zip(works, spent, strict=True):
            before_s = _used_s(of)
            work()
            each.append(_used_s(of) - before_s)
    return [min(each) for each in spent]


def _used_s(servers: Sequence[Any]) -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime + sum(sum(server.cpu_times()[:2]) for server in servers)


@contextmanager
def _cluster(folder: Path) -> Iterator[tuple[str, list[Any]]]:
    """A Dask scheduler and two workers of one thread each on the loopback: its address and its processes."""
    from distributed import Client

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    scheduler = _server("dask_scheduler", "--host", "127.0.0.1", "--no-dashboard", "--port", address.rpartition(":")[2])
    servers = [scheduler, _worker(address, folder), _worker(address, folder)]
    try:
        with Client(address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        yield address, servers
    finally:
        for server in reversed(servers):
            server.terminate()
            server.wait()


def _worker(address: str, folder: Path) -> Any:
    own = ["--nthreads", "1", "--no-nanny", "--local-directory", str(folder)]
    return _server("dask_worker", address, "--host", "127.0.0.1", "--no-dashboard", *own)


def _server(module: str, *words: str) -> Any:
    import psutil  # of Dask, which only this needs

    quiet = subprocess.DEVNULL
    return psutil.Popen(
        [sys.executable, "-m", f"distributed.cli.{module}", *words], cwd=ROOT, stdout=quiet, stderr=quiet
    )


_ALL: dict[str, Callable[[], bool]] = {"workers": workers, "dask": dask, "lost": lost, "memory": memory}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", nargs="*", choices=[*_ALL, []], default=[])
    results = []
    for name in parser.parse_args().which or _ALL:
        print(name, flush=True)
        results.append(_ALL[name]())
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
