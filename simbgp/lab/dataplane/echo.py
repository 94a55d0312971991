"""The pods: a program of its own that listens in the namespaces of all of them and echoes.

``python -I echo.py FILE``; FILE is JSON, a list of [namespace, address, port, number]. A request is four bytes, the
answer the same four and the number of the pod. Standard library only: it starts in no time. Says ``ready`` once it
listens.
"""

import ctypes
import json
import os
import resource
import selectors
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path

_NEWNET = 0x40000000
REQUEST = struct.Struct("!I")
ANSWER = struct.Struct("!II")


def enter(namespace: str) -> None:
    """Make sockets in a namespace from now on."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/var/run/netns/{namespace}") as file:
        if libc.setns(file.fileno(), _NEWNET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), namespace)


def listening(address: str, port: int) -> socket.socket:
    """A socket that takes connections."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    made.listen(4096)
    return made


def more_files() -> None:
    """Open as many sockets as the system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main(file: str) -> None:
    """Listen and echo until killed."""
    more_files()
    selector = selectors.DefaultSelector()
    for namespace, address, port, number in json.loads(Path(file).read_text()):
        enter(namespace)
        selector.register(listening(address, port), selectors.EVENT_READ, (None, number))
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            rest, number = key.data
            assert isinstance(key.fileobj, socket.socket)
            if rest is None:
                _accept(selector, key.fileobj, number)
            elif not _echo(key.fileobj, rest, number):
                selector.unregister(key.fileobj)
                key.fileobj.close()


def _accept(selector: selectors.BaseSelector, waiting: socket.socket, number: int) -> None:
    with suppress(OSError):
        while True:
            made, _ = waiting.accept()
            made.setblocking(False)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(made, selectors.EVENT_READ, (bytearray(), number))


def _echo(client: socket.socket, rest: bytearray, number: int) -> bool:
    """Answer what is there; False once the client has gone."""
    try:
        data = client.recv(65536)
        rest += data
        whole = len(rest) // REQUEST.size * REQUEST.size
        answers = [ANSWER.pack(*REQUEST.unpack_from(rest, at), number) for at in range(0, whole, REQUEST.size)]
        del rest[:whole]
        if answers:
            client.send(b"".join(answers))
    except BlockingIOError:
        return True
    except OSError:
        return False
    return bool(data)


if __name__ == "__main__":
    main(sys.argv[1])
