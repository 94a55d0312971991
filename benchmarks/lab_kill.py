"""kill -9 of the lab's driver in the middle, again and again: ``python -m benchmarks.lab_kill``.

Seven drivers are killed each later in its life than the one before, from the making of the namespaces on, three in the
middle of their fault, which lasts until then. What
the machine then has of it (namespaces, processes, interfaces and rules in them, folders, its list) is counted; the
next start must take all of it away, and touch nothing else. Exit code 0 if nothing is left. Needs what the lab needs.
Ten take 2 to 3 minutes; a machine on which no driver gets going is given up after half a minute a driver.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

from simbgp import scenario
from simbgp.lab.needs import lacking
from simbgp.lab.registry import HOME, namespaces, remove_leftovers, runs
from simbgp.lab.shell import run, tried, within

SCENARIO = Path(__file__).resolve().parent.parent / "scenarios" / "lab" / "node-down.yaml"
_HORIZON = "horizon=120s"
"""So long that no driver ends by itself."""
_FIRST_S, _STEP_S = 1.0, 1.6
"""The first is killed while it builds; the seventh while sessions come up."""
_IN_FAULT = 3
"""So many of ten are killed while packets are dropped, each a second later than the one before."""
_STARTS_S, _FAULT_S = 30.0, 60.0
"""How long the list of a driver, and its fault, are waited for."""


@dataclass(frozen=True)
class Left:
    """What a driver has on the machine."""

    namespaces: int
    processes: int
    interfaces: int
    rules: int
    files: int

    def __str__(self) -> str:
        return ", ".join(f"{count} {name}" for name, count in vars(self).items())

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing at all."""
        return not any(vars(self).values())


def left_of(driver: int, listed: dict[str, list[str]]) -> Left:
    """What there is of ``driver``, by its names and by what it had listed."""
    names = [name for name in namespaces() if name.startswith(f"simbgp-lab-{driver}-")]
    inside = {pid for name in names for pid in (tried(["ip", "netns", "pids", name]) or "").split()}
    alive = inside | {pid for pid in listed.get("processes", []) if runs(int(pid))}
    interfaces = [line for name in names for line in (tried(["ip", "-n", name, "-o", "link"]) or "").splitlines()]
    rules = [line for name in names for line in (tried(within(name, "nft", "list", "ruleset")) or "").splitlines()]
    kept = [*listed.get("folders", []), str(HOME / f"{driver}.json")]
    return Left(len(names), len(alive), len(interfaces), len(rules), sum(Path(path).exists() for path in kept))


def host() -> str:
    """The host's own interfaces, routes and rules, which nothing of this may change."""
    return run(["ip", "-o", "addr"]) + run(["ip", "route"]) + (tried(["nft", "list", "ruleset"]) or "")


def killed_after(seconds: float, in_fault: bool) -> tuple[int, dict[str, list[str]]]:
    """Start a driver, kill it so many seconds later, ``in_fault`` of its fault's beginning; its process id and what it
    had listed by then."""
    command = [sys.executable, "-m", "simbgp", "lab", "run", str(SCENARIO), "--set", _HORIZON, "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as driver:
        file = HOME / f"{driver.pid}.json"
        _wait(lambda: file.exists() or driver.poll() is not None, _STARTS_S)  # until then Python starts, and it cleans
        if in_fault:
            _wait(lambda: drops(driver.pid) or driver.poll() is not None, _FAULT_S)
        time.sleep(seconds)
        listed = json.loads(file.read_text()) if file.exists() else {}
        driver.kill()
        driver.wait()
    return driver.pid, listed


def drops(driver: int) -> bool:
    """Whether packets are dropped for a driver's fault."""
    return bool(tried(within(f"simbgp-lab-{driver}-sw", "nft", "list", "ruleset")))


def _wait(done: Callable[[], bool], patience_s: float) -> None:
    until = time.monotonic() + patience_s
    while not done() and time.monotonic() < until:
        time.sleep(0.02)


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--times", type=int, default=10)
    times = ask.parse_args().times
    missing = lacking(scenario.load(str(SCENARIO)).plan())
    if missing:
        print(f"skipped, nothing was killed: {'; '.join(missing)}")
        return 0
    before, drivers, worst = host(), dict[int, dict[str, list[str]]](), False
    alive = 0
    begun = time.monotonic()
    for n in range(times):
        late = n - (times - min(_IN_FAULT, times // 2))
        after_s = float(late) if late >= 0 else _FIRST_S + n * _STEP_S
        pid, listed = killed_after(after_s, in_fault=late >= 0)
        earlier = [left_of(each, had) for each, had in drivers.items()]
        drivers[pid] = listed
        worst |= not all(left.is_nothing for left in earlier)
        when = f"{after_s:4.1f} s {'into its fault' if late >= 0 else 'after its start'}"
        left = left_of(pid, listed)
        alive += not left.is_nothing
        print(f"killed {when}: {left}; of the {n} before it: {_sum(earlier)}", flush=True)
    removed = remove_leftovers()  # what a driver does first
    end = [left_of(each, had) for each, had in drivers.items()]
    print(f"after the next start, which removed {len(removed)} namespaces: {_sum(end)}")
    print(f"{alive} of {times} were killed alive; {time.monotonic() - begun:.0f} s")
    same = host() == before
    print(f"the host's own addresses, routes and rules: {'as before' if same else 'CHANGED'}")
    return 0 if same and alive == times and not worst and all(left.is_nothing for left in end) else 1


def _sum(found: list[Left]) -> str:
    """All of them together, in words."""
    sums = Left(*(sum(getattr(left, field.name) for left in found) for field in fields(Left)))
    return "nothing" if sums.is_nothing else str(sums)


if __name__ == "__main__":
    sys.exit(main())
