"""Processes of the lab: started in a namespace, written down, their output read line by line with its time."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Thread

from simbgp.lab.errors import LabError
from simbgp.lab.registry import Registry
from simbgp.lab.shell import within

OnLine = Callable[[float, str], None]
"""Told each line and when it came, in seconds since the epoch."""


class Process:
    """A running process."""

    def __init__(self, popen: "subprocess.Popen[str]", on_line: OnLine) -> None:
        self._popen, self._on_line = popen, on_line
        self.pid = popen.pid
        self.last = ""
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            now = time.time()
            self.last = line.strip() or self.last
            self._on_line(now, line.rstrip("\n"))

    @property
    def ended(self) -> bool:
        """Whether it is no more."""
        return self._popen.poll() is not None

    def read_out(self, patience_s: float) -> None:
        """Wait until the last words of a process that has ended are read."""
        self._reader.join(patience_s)

    def send(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if not self.ended:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def end(self, number: int = signal.SIGKILL, patience_s: float = 5.0) -> None:
        """Send a signal and wait for the end; SIGKILL if that takes too long."""
        self.send(number)
        try:
            self._popen.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait(patience_s)
        self._reader.join(patience_s)
        if not self._reader.is_alive() and self._popen.stdout is not None:
            self._popen.stdout.close()


class Processes:
    """Starts processes for one driver."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._all: list[Process] = []

    def start(self, namespace: str, argv: Sequence[str], on_line: OnLine) -> Process:
        """Start ``argv`` in ``namespace``; output and errors go to ``on_line``, on a thread of their own."""
        try:
            popen = subprocess.Popen(
                within(namespace, *argv),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                bufsize=1,
                start_new_session=True,  # SIGINT at the terminal is the driver's, which ends all in order
            )
        except OSError as error:
            raise LabError(f"{argv[0]}: {error}") from None
        self._registry.add_process(popen.pid)
        process = Process(popen, on_line)
        self._all.append(process)
        return process

    def end(self) -> None:
        """End all of them."""
        for process in self._all:
            process.send(signal.SIGKILL)
        for process in self._all:
            process.end()
