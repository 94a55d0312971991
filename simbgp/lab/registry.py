"""What the lab has on the machine, written down before it is made, so that the next start finds what a kill left.

One JSON file per driver: its process, its namespaces, its folders, and the processes that it started. A process is its
id *and* the moment of its start, for ids are given again. Whatever runs inside one of our namespaces is ours too.
"""

import json
import os
import shutil
import signal
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from time import monotonic, sleep

from simbgp.lab.shell import tried

PREFIX = "simbgp-lab-"
"""Every namespace of the lab begins so; the process id of its driver follows."""
HOME = Path("/run/simbgp-lab")
_PATIENCE_S = 5.0


@dataclass
class Registry:
    """The list of one driver. `close` takes all of it away."""

    driver: int = field(default_factory=os.getpid)
    home: Path = HOME
    namespaces: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    processes: dict[int, int] = field(default_factory=dict)
    started: int | None = None

    _lock: Lock = field(default_factory=Lock, repr=False)

    def __post_init__(self) -> None:
        if self.started is None:
            self.started = started_at(self.driver)

    @property
    def file(self) -> Path:
        """Where it is kept."""
        return self.home / f"{self.driver}.json"

    def name(self, short: str) -> str:
        """The full name of a namespace."""
        return f"{PREFIX}{self.driver}-{short}"

    def write(self) -> None:
        """Keep it, all or nothing; threads one after the other."""
        keys = ("driver", "started", "namespaces", "folders", "processes")
        with self._lock:
            self.home.mkdir(mode=0o755, parents=True, exist_ok=True)
            fresh = self.file.with_suffix(".new")
            fresh.write_text(json.dumps({key: getattr(self, key) for key in keys}))
            fresh.replace(self.file)

    def add_process(self, pid: int) -> None:
        """A process was started."""
        started = started_at(pid)
        if started is not None:
            with self._lock:
                self.processes[pid] = started
            self.write()

    def close(self) -> None:
        """End the processes, remove namespaces and folders, and the list itself."""
        _kill(pid for pid, started in self.processes.items() if started_at(pid) == started)
        for namespace in self.namespaces:
            remove_namespace(namespace)
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)
        for file in (self.file, self.file.with_suffix(".new")):
            file.unlink(missing_ok=True)


def remove_leftovers(home: Path = HOME) -> list[str]:
    """Remove what drivers left that no longer run; the names of the namespaces that were found."""
    found: list[str] = []
    for registry in list(_dead(home)):
        found += [name for name in registry.namespaces if name in namespaces()]
        registry.close()
    for name in [name for name in namespaces() if not _lives(_driver_of(name))]:
        found.append(name)
        remove_namespace(name)
    return list(dict.fromkeys(found))


def namespaces() -> list[str]:
    """The lab's namespaces that exist, whoever made them."""
    said = tried(["ip", "netns", "list"]) or ""
    return [line.split()[0] for line in said.splitlines() if line.startswith(PREFIX)]


def remove_namespace(name: str) -> None:
    """End what runs in it and remove it, if it is there; its interfaces, rules and routes go with it."""
    inside = tried(["ip", "netns", "pids", name])
    if inside is None:
        return
    _kill(int(pid) for pid in inside.split())
    tried(["ip", "netns", "delete", name])


def started_at(pid: int) -> int | None:
    """When a process started, in clock ticks since boot (proc(5), field 22); None if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(text.rpartition(")")[2].split()[19])


def _dead(home: Path) -> Iterator[Registry]:
    for file in home.glob("*.json"):
        try:
            said = json.loads(file.read_text())
            processes = {int(pid): int(at) for pid, at in said["processes"].items()}
            registry = Registry(
                said["driver"], home, list(said["namespaces"]), list(said["folders"]), processes, said["started"]
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
        if registry.started is None or started_at(registry.driver) != registry.started:
            yield registry


def _driver_of(namespace: str) -> int | None:
    text = namespace.removeprefix(PREFIX).partition("-")[0]
    return int(text) if text.isdigit() else None


def _lives(driver: int | None) -> bool:
    """Whether a driver of that id is listed and runs; one that is not listed made nothing."""
    return driver is not None and (HOME / f"{driver}.json").exists() and started_at(driver) is not None


def _kill(pids: Iterable[int]) -> None:
    """End processes and wait until they have gone."""
    waited = list(pids)
    for pid in waited:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until = monotonic() + _PATIENCE_S
    while monotonic() < until and any(runs(pid) for pid in waited):
        for pid in waited:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        sleep(0.02)


def runs(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"
