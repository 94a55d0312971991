"""The lab's own programs, which real TCP of this machine answers: what a client calls a reset, and a pod's number."""

import json
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from simbgp.lab.dataplane import dial, echo

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER 0: close() sends RST
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="tcp_info is Linux's")


@contextmanager
def _server(breaks: Event | None = None) -> Iterator[int]:
    """Echoes; the second connection is reset at its first request after ``breaks``."""
    waiting = echo.listening("127.0.0.1", 0)
    waiting.setblocking(True)

    def serve(client: socket.socket, number: int) -> None:
        with client:
            while data := client.recv(4):
                if number == 1 and breaks is not None and breaks.is_set():
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    return
                client.sendall(data + struct.pack("!I", 7))

    def accept() -> None:
        for number in count():
            try:
                client, _ = waiting.accept()
            except OSError:
                return
            client.setblocking(True)
            Thread(target=serve, args=(client, number), daemon=True).start()

    Thread(target=accept, daemon=True).start()
    yield waiting.getsockname()[1]
    waiting.close()


def _play(
    folder: Path, port: int, connections: list[Any], then: Callable[[], None] = lambda: None, **changes: Any
) -> list[dict[str, Any]]:
    group = {"target": ["127.0.0.1", port], "service": "web", "interval_s": 0.1, "poisson": False}
    group |= {"connect_s": None, "request_s": None, "user_s": None, "reconnects": True} | changes
    said = {"address": "127.0.0.1", "zero": str(folder / "zero"), "horizon_s": 2.0, "linger_s": 1.0, "seed": "0"}
    file = folder / "clients.json"
    file.write_text(json.dumps(said | {"groups": [group], "connections": connections}))
    with subprocess.Popen([sys.executable, "-I", dial.__file__, str(file)], stdout=subprocess.PIPE, text=True) as done:
        assert done.stdout is not None
        assert done.stdout.readline() == "open\n"
        (folder / "zero").write_text(repr(time.time()))
        then()
        *lines, last = done.stdout.read().splitlines()
    assert last == "done"
    return [json.loads(line) for line in lines]


def test_a_reset_is_a_reset_and_its_client_dials_again(tmp_path: Path):
    breaks = Event()

    def break_soon() -> None:
        time.sleep(0.4)  # until it knows of time 0, for what was before that is forgotten
        breaks.set()

    with _server(breaks) as port:
        rows = _play(tmp_path, port, [[0, None, 60, 0.0], [0, None, 60, 0.0], [0, 0.5, 60, 0.0]], break_soon)
    first = {row["place"]: row for row in rows if not row["again"]}
    assert [first[n]["end"] for n in range(3)] == [None, "reset", None]
    assert 0.3 < first[1]["ended_s"] < 2.0
    assert first[0]["backend"] == 7
    assert 0.5 <= first[2]["dialled_s"] < 2.0
    (again,) = [row for row in rows if row["again"]]
    assert (again["place"], again["again"], again["end"]) == (1, 1, None)
    assert again["port"] != first[1]["port"]
    assert not any(row["waited_s"] or row["late_opening"] for row in rows)  # nothing was retransmitted


def test_who_is_not_answered_times_out_when_its_patience_ends(tmp_path: Path):
    waiting = socket.create_server(("127.0.0.1", 0))  # the kernel accepts, and nobody answers
    (row,) = _play(tmp_path, waiting.getsockname()[1], [[0, 0.2, 60, 0.0]], request_s=0.5, reconnects=False)
    waiting.close()
    assert (row["end"], row["asked_s"] >= 0.2) == ("timed_out", True)
    assert row["ended_s"] - row["asked_s"] >= 0.5


def test_where_nobody_listens_a_client_is_refused(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (row,) = _play(tmp_path, port, [[0, 0.1, 60, 0.0]])
    assert (row["end"], row["opened_s"]) == ("refused", None)


def test_a_life_that_ends_is_closed(tmp_path: Path):
    with _server() as port:
        (row,) = _play(tmp_path, port, [[0, 0.1, 0.35, 0.0]])
    # asks at 0.1, 0.2, 0.3 and 0.4 s; at 0.5 s its 0.35 s are over
    assert (row["end"], row["ended_s"] - row["opened_s"] >= 0.35) == ("closed", True)
