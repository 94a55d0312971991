"""Probes: UDP datagrams from the clients of a router to an address of each prefix, echoed by whichever node gets them.

All sockets are the driver's own, opened inside the namespaces: a node without a process still echoes, as its kernel
still forwards, and a node without power answers nothing, for nothing reaches it.
"""

import ctypes
import os
import selectors
import socket
import struct
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TypeVar

from simbgp.lab.errors import LabError
from simbgp.lab.topology import Target

T = TypeVar("T")
_NEWNET = 0x40000000
_FORM = struct.Struct("!I")
_FREEBIND, _FREEBIND_OF_IPV6 = 15, 78  # IP_FREEBIND, IPV6_FREEBIND, which the socket module has no names for
RATE = 100.0
"""Probes of a prefix per second."""
SERVICE_FLOWS = 8
"""Flows (source ports) of a service's address, in turn; a PodCIDR has one."""


def inside(namespace: str, make: Callable[[], T]) -> T:
    """What ``make`` returns on a thread that has entered the namespace; sockets stay in the one they were made in."""
    found: list[T] = []
    wrong: list[OSError] = []

    def work() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        try:
            with open(f"/var/run/netns/{namespace}") as file:
                if libc.setns(file.fileno(), _NEWNET):
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
                found.append(make())
        except OSError as error:
            wrong.append(error)

    thread = Thread(target=work)
    thread.start()
    thread.join()
    if wrong:
        raise LabError(f"{namespace}: {wrong[0]}")
    return found[0]


@dataclass
class Flow:
    """One flow of probes: when each was sent, in seconds since the epoch, and which were answered."""

    router: str
    prefix: str
    client: socket.socket
    sent_s: list[float] = field(default_factory=list)
    answered: set[int] = field(default_factory=set)


def unanswered(flows: Sequence[Flow]) -> list[tuple[float, float]]:
    """When each lost probe of a prefix was sent, and for how long it stands: until the next one.

    A driver that gets too little CPU sends fewer; counting them would make a hole too short.
    """
    sent = sorted((at, n in flow.answered) for flow in flows for n, at in enumerate(flow.sent_s))
    following = [at for at, _ in sent[1:]] + [sent[-1][0] + 1 / RATE] if sent else []
    return [(at, after - at) for (at, answered), after in zip(sent, following, strict=True) if not answered]


class Prober:
    """Sends and echoes on a thread of its own."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._groups: dict[tuple[str, str], list[Flow]] = {}
        self._stop = Event()
        self._thread: Thread | None = None
        self._sockets: list[socket.socket] = []

    def echo(self, namespace: str, target: Target) -> None:
        """Answer what comes for the target in this namespace."""
        made = inside(namespace, lambda: _bound(target.address, target.port))
        self._sockets.append(made)
        self._selector.register(made, selectors.EVENT_READ, None)

    def aim(self, router: str, namespace: str, target: Target) -> None:
        """Probe the target from this namespace."""
        flows = []
        for _ in range(SERVICE_FLOWS if target.service else 1):
            made = inside(namespace, lambda: _connected(target.address, target.port))
            flow = Flow(router, target.prefix, made)
            self._sockets.append(made)
            self._selector.register(made, selectors.EVENT_READ, flow)
            flows.append(flow)
        self._groups[router, target.prefix] = flows

    @property
    def flows(self) -> dict[tuple[str, str], list[Flow]]:
        """By router and prefix."""
        return self._groups

    def start(self) -> None:
        """Begin to send."""
        self._thread = Thread(target=self._work, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop sending, close everything."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        for each in self._sockets:
            each.close()
        self._selector.close()

    def _work(self) -> None:
        begun, turns = time.monotonic(), 0
        while not self._stop.is_set():
            due = begun + turns / RATE
            now = time.monotonic()
            if now >= due:
                for flows in self._groups.values():
                    _send(flows[turns % len(flows)])
                turns = max(turns + 1, int((now - begun) * RATE) - 10)  # after a stall the missed ones are not made up
            for key, _ in self._selector.select(max(0.0, begun + turns / RATE - time.monotonic())):
                _receive(key.fileobj, key.data)


def _made_for(address: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)


def _bound(address: str, port: int) -> socket.socket:
    made = _made_for(address)
    if made.family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, _FREEBIND_OF_IPV6, 1)
    else:
        made.setsockopt(socket.IPPROTO_IP, _FREEBIND, 1)
    made.bind((address, port))
    return made


def _connected(address: str, port: int) -> socket.socket:
    made = _made_for(address)
    made.connect((address, port))
    return made


def _send(flow: Flow) -> None:
    number = len(flow.sent_s)
    flow.sent_s.append(time.time())
    for _ in range(2):  # the first may only hand over the ICMP error of an earlier probe
        with suppress(OSError):
            flow.client.send(_FORM.pack(number))
            return


def _receive(fileobj: object, flow: Flow | None) -> None:
    assert isinstance(fileobj, socket.socket)
    with suppress(OSError):
        while True:
            if flow is None:
                data, peer = fileobj.recvfrom(64)
                fileobj.sendto(data, peer)
            else:
                data = fileobj.recv(64)
                flow.answered.add(_FORM.unpack(data)[0])
