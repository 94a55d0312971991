"""The clients of one router: a program of its own that opens TCP connections, asks on each, and says how it went.

``python -I dial.py FILE``; FILE is JSON, see `Clients`. Those that are open at time 0 dial at once and ask from then
on; it says ``open`` when all are. Time 0 is what the file ``zero`` holds once it is there, in seconds since the epoch.
After the horizon nobody asks anything new; once nobody waits, or has waited as long again (``linger_s`` at most), it
writes a line of JSON for each connection and ``done``. Standard library only.

Whether a client waited for TCP or for a busy machine is told by the kernel: an answer is late only if its request was
retransmitted (tcpi_total_retrans).
"""

import errno
import heapq
import json
import os
import random
import resource
import selectors
import socket
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

_REQUEST = struct.Struct("!I")
_ANSWER = struct.Struct("!II")
_INFO = struct.Struct("8B24I")
"""The head of struct tcp_info (linux/tcp.h), the last field of which is tcpi_total_retrans."""
_LATE_S = 0.15
"""The first retransmission comes after 0.2 s at the earliest."""
_TICK_S = 0.05
_OPENING_S = 2.0
_USER_TIMEOUT = 18  # TCP_USER_TIMEOUT
_MUTED = {errno.EINPROGRESS, 0}


class Connection:
    """One connection; times are monotonic, None before they are known."""

    def __init__(self, place: int, again: int, of: dict[str, Any], ends: float | None) -> None:
        self.place, self.again, self.of, self.ends = place, again, of, ends
        self.socket: socket.socket | None = None
        self.port = 0
        self.dialled: float | None = None
        self.opened: float | None = None
        self.asked: float | None = None
        self.phase = 0.0
        self.backend: int | None = None
        self.retransmitted = 0
        self.waited_s, self.late_opening = 0.0, False
        self.waited_since: float | None = None
        self.end: str | None = None
        self.ended: float | None = None
        self.buffer = bytearray()

    @property
    def waits_since(self) -> float | None:
        """Since when it waits for an answer or to be opened; None if it does not."""
        if self.end is not None:
            return None
        return self.asked if self.opened is not None else self.dialled


class Clients:
    """All clients of a router. The file's keys: ``address`` (own), ``zero``, ``horizon_s``, ``linger_s``, ``seed``,
    ``groups`` (``target`` [address, port], ``interval_s``, ``poisson``, ``connect_s``, ``request_s``, ``user_s``,
    ``reconnects``) and ``connections``: [group, time of the dial or None, life in seconds, phase in seconds]."""

    def __init__(self, said: dict[str, Any]) -> None:
        self._said = said
        self._luck = random.Random(said["seed"])
        self._ports = self._luck.sample(range(1024, 65000), 63000)
        self._selector = selectors.DefaultSelector()
        self._due: list[tuple[float, int, Callable[[Connection, float], None], Connection]] = []
        self._turn = count()
        self._zero: float | None = None
        self._open = self._waiting_to_open = 0
        self._until: float | None = None
        self.all: list[Connection] = []

    def run(self) -> None:
        """Until all is said."""
        now = time.monotonic()
        olds = [each for each in enumerate(self._said["connections"]) if each[1][1] is None]
        self._waiting_to_open = len(olds)
        for turn, (place, (group, _, _, phase)) in enumerate(olds):
            made = self._made(place, group, phase)
            self._at(now + _OPENING_S * turn / len(olds), self._dial, made)
        if not olds:
            print("open", flush=True)
        while not self._over(time.monotonic()):
            self._step()
        self._report()

    def _made(self, place: int, group: int, phase: float) -> Connection:
        made = Connection(place, 0, self._said["groups"][group], None)
        made.phase = phase
        self.all.append(made)
        return made

    def _at(self, when: float, act: Callable[[Connection, float], None], who: Connection) -> None:
        heapq.heappush(self._due, (when, next(self._turn), act, who))

    def _step(self) -> None:
        if self._zero is None and os.path.exists(self._said["zero"]):
            self._begin(float(Path(self._said["zero"]).read_text()))
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            _, _, act, who = heapq.heappop(self._due)
            act(who, now)
        wait = min(_TICK_S, self._due[0][0] - now if self._due else _TICK_S)
        for key, mask in self._selector.select(max(0.0, wait)):
            self._event(key.data, mask, time.monotonic())

    def _begin(self, zero: float) -> None:
        """Time 0 is known: lives count from there, what was before is forgotten, who arrives later is awaited."""
        self._zero = time.monotonic() - time.time() + zero
        for each in self.all:
            each.ends = self._zero + self._said["connections"][each.place][2]
            each.waited_s, each.waited_since, each.late_opening = 0.0, None, False
            if each.end is not None:  # it dials then
                each.end = each.ended = each.opened = None
                self._at(self._zero, self._dial, each)
        for place, (group, at, _, phase) in enumerate(self._said["connections"]):
            if at is not None:
                self._at(self._zero + at, self._dial, self._made(place, group, phase))

    @property
    def _horizon(self) -> float:
        return float("inf") if self._zero is None else self._zero + float(self._said["horizon_s"])

    def _over(self, now: float) -> bool:
        if now < self._horizon:
            return False
        waiting = [now - since for each in self.all if (since := each.waits_since) is not None]
        if self._until is None:  # what waited so long is retransmitted within as long again
            self._until = now + min(max(waiting, default=0.0) + 1, float(self._said["linger_s"]))
        return not waiting or now >= self._until

    def _dial(self, who: Connection, now: float) -> None:
        if now >= self._horizon:
            return
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if who.of["user_s"] is not None:
            made.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, int(who.of["user_s"] * 1000))
        who.socket, who.port, who.dialled = made, self._bound(made), now
        self._selector.register(made, selectors.EVENT_WRITE, who)
        wrong = made.connect_ex(tuple(who.of["target"]))
        if wrong not in _MUTED:
            self._lost(who, wrong, now)
        elif who.of["connect_s"] is not None:
            self._at(now + who.of["connect_s"], self._connect_timeout, who)

    def _bound(self, made: socket.socket) -> int:
        """A port of its own, which nobody had before: the next hop and Maglev's slot hang on it."""
        while True:
            port = self._ports.pop()
            with suppress(OSError):
                made.bind((self._said["address"], port))
                return port

    def _connect_timeout(self, who: Connection, now: float) -> None:
        if who.end is None and who.opened is None and now - (who.dialled or now) >= who.of["connect_s"]:
            self._ends(who, "not_opened", now)

    def _event(self, who: Connection, mask: int, now: float) -> None:
        if who.socket is None:
            return
        if who.opened is None:
            wrong = who.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if wrong:
                self._lost(who, wrong, now)
            else:
                self._opened(who, now)
        elif mask & selectors.EVENT_READ:
            self._read(who, now)

    def _opened(self, who: Connection, now: float) -> None:
        assert who.socket is not None
        assert who.dialled is not None
        who.opened, who.retransmitted = now, _retransmitted(who.socket)
        who.late_opening = now - who.dialled > _LATE_S and who.retransmitted > 0
        self._selector.modify(who.socket, selectors.EVENT_READ, who)
        if who.ends is None and self._zero is not None:
            who.ends = now + self._said["connections"][who.place][2]
        if self._zero is None:
            self._count_open()
        self._at(now + who.phase, self._ask, who)

    def _count_open(self) -> None:
        self._open += 1
        if self._open == self._waiting_to_open:
            print("open", flush=True)

    def _ask(self, who: Connection, now: float) -> None:
        """The next request, unless one is not answered yet, which others wait for."""
        if who.end is not None or who.socket is None or now >= self._horizon:
            return
        if who.ends is not None and now > who.ends:
            if who.asked is None:
                self._ends(who, "closed", now)
            return
        if who.asked is None:
            who.asked = now
            try:
                who.socket.send(_REQUEST.pack(len(self.all) & 0xFFFF))
            except OSError as error:
                self._lost(who, error.errno or 0, now)
                return
            if who.of["request_s"] is not None:
                self._at(now + who.of["request_s"], self._request_timeout, who)
        self._at(now + self._gap(who, now), self._ask, who)

    def _gap(self, who: Connection, now: float) -> float:
        """Until the next request: of a clock of its own, so that late ones do not push those after."""
        interval = float(who.of["interval_s"])
        if who.of["poisson"]:
            return self._luck.expovariate(1 / interval)
        assert who.opened is not None
        gone = now - who.opened - who.phase
        return interval * (int(gone / interval + 0.5) + 1) - gone

    def _request_timeout(self, who: Connection, now: float) -> None:
        if who.end is None and who.asked is not None and now - who.asked >= who.of["request_s"]:
            self._ends(who, "timed_out", now)

    def _read(self, who: Connection, now: float) -> None:
        assert who.socket is not None
        try:
            data = who.socket.recv(4096)
        except BlockingIOError:
            return
        except OSError as error:
            self._lost(who, error.errno or 0, now)
            return
        if not data:
            self._ends(who, "reset", now)
            return
        who.buffer += data
        if len(who.buffer) >= _ANSWER.size:
            _, who.backend = _ANSWER.unpack_from(who.buffer)
            who.buffer.clear()
            self._answered(who, now)

    def _answered(self, who: Connection, now: float) -> None:
        assert who.socket is not None
        if who.asked is not None and now - who.asked > _LATE_S:
            sent = _retransmitted(who.socket)
            if sent > who.retransmitted and now - who.asked > who.waited_s:
                who.waited_s, who.waited_since = now - who.asked, who.asked
            who.retransmitted = sent
        who.asked = None
        if who.ends is not None and now > who.ends:
            self._ends(who, "closed", now)

    def _lost(self, who: Connection, wrong: int, now: float) -> None:
        """The kernel's word for the end."""
        if who.opened is None:
            self._ends(who, "refused" if wrong in (errno.ECONNREFUSED, errno.ECONNRESET) else "not_opened", now)
        else:
            self._ends(who, "timed_out" if wrong == errno.ETIMEDOUT else "reset", now)

    def _ends(self, who: Connection, how: str, now: float) -> None:
        assert who.socket is not None
        who.end, who.ended = how, now
        self._selector.unregister(who.socket)
        who.socket.close()
        who.socket = None
        if self._zero is None and who.opened is None:
            self._count_open()
        if how in ("reset", "timed_out") and who.of["reconnects"] and self._zero is not None and now < self._horizon:
            after = Connection(who.place, who.again + 1, who.of, max(now, who.ends or now))
            self.all.append(after)
            self._dial(after, now)

    def _report(self) -> None:
        assert self._zero is not None
        for each in self.all:
            print(json.dumps(self._row(each)))
        print("done", flush=True)

    def _row(self, each: Connection) -> dict[str, Any]:
        def since_zero(at: float | None) -> float | None:
            return None if at is None or self._zero is None else round(at - self._zero, 6)

        return {
            "service": each.of["service"],
            "target": each.of["target"][0],
            "place": each.place,
            "again": each.again,
            "port": each.port,
            "dialled_s": since_zero(each.dialled),
            "opened_s": since_zero(each.opened),
            "backend": each.backend,
            "late_opening": each.late_opening,
            "waited_s": round(each.waited_s, 6),
            "waited_since_s": since_zero(each.waited_since),
            "asked_s": since_zero(each.asked),
            "end": each.end,
            "ended_s": since_zero(each.ended),
        }


def _retransmitted(of: socket.socket) -> int:
    """How many segments the kernel has sent again on a connection."""
    found: int = _INFO.unpack(of.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size))[-1]
    return found


def main(file: str) -> None:
    """Play the clients of a file."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    Clients(json.loads(Path(file).read_text())).run()


if __name__ == "__main__":
    main(sys.argv[1])
