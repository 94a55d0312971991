"""kill -9 of the lab's driver in the middle, again and again: ``python -m benchmarks.lab_kill``.

Each driver is killed later than the one before it, from the making of the namespaces to the middle of the faults. What
the machine then has of it (namespaces, processes, interfaces and rules in them, folders, its list) is counted; the
next start must take all of it away, and touch nothing else. Exit code 0 if nothing is left. Needs what the lab needs.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass, fields
from pathlib import Path

from simbgp import scenario
from simbgp.lab.needs import lacking
from simbgp.lab.registry import HOME, namespaces, remove_leftovers, runs
from simbgp.lab.shell import run, tried, within

SCENARIO = Path(__file__).resolve().parent.parent / "scenarios" / "lab" / "node-down.yaml"
_FIRST_S, _STEP_S = 1.0, 2.2
"""The first is killed while it builds; the tenth, 20 s later, in the middle of its fault."""


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


def killed_after(seconds: float) -> tuple[int, dict[str, list[str]]]:
    """Start a driver, kill it after so many seconds; its process id and what it had listed by then."""
    command = [sys.executable, "-m", "simbgp", "lab", "run", str(SCENARIO), "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as driver:
        file, until = HOME / f"{driver.pid}.json", time.monotonic() + 180
        while not file.exists() and time.monotonic() < until and driver.poll() is None:
            time.sleep(0.02)  # what Python needs to start is no part of it
        time.sleep(seconds)
        listed = json.loads(file.read_text()) if file.exists() else {}
        driver.kill()
        driver.wait()
    return driver.pid, listed


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--times", type=int, default=10)
    times = ask.parse_args().times
    missing = lacking(scenario.load(str(SCENARIO)).plan())
    if missing:
        print(f"skipped, nothing was killed: {'; '.join(missing)}")
        return 0
    before, drivers, worst = host(), dict[int, dict[str, list[str]]](), False
    for n in range(times):
        after_s = _FIRST_S + n * _STEP_S
        pid, listed = killed_after(after_s)
        earlier = [left_of(each, had) for each, had in drivers.items()]
        drivers[pid] = listed
        worst |= not all(left.is_nothing for left in earlier)
        print(f"killed after {after_s:4.1f} s: {left_of(pid, listed)}; of the {n} before it: {_sum(earlier)}")
    removed = remove_leftovers()  # what a driver does first
    end = [left_of(each, had) for each, had in drivers.items()]
    print(f"after the next start, which removed {len(removed)} namespaces: {_sum(end)}")
    same = host() == before
    print(f"the host's own addresses, routes and rules: {'as before' if same else 'CHANGED'}")
    return 0 if same and not worst and all(left.is_nothing for left in end) else 1


def _sum(found: list[Left]) -> str:
    """All of them together, in words."""
    sums = Left(*(sum(getattr(left, field.name) for left in found) for field in fields(Left)))
    return "nothing" if sums.is_nothing else str(sums)


if __name__ == "__main__":
    sys.exit(main())
