"""What is hashed of a flow: by routers, and by Cilium's datapath (``bpf/lib/hash.h``, ``bpf/lib/jhash.h``)."""

from ipaddress import ip_address
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simbgp.traffic.maglev import HASH_SEED, TABLE_SIZE, seed_words
from simbgp.traffic.mixing import mix

_PROTOCOLS = {"TCP": 6, "UDP": 17, "SCTP": 132}
_INITVAL = 0xDEADBEEF
_WORD = 0xFFFFFFFF
_OF_ROUTERS = 2**60
"""Sets the salts of routers' seeds apart from all others."""


def router_hashes(flow_keys: NDArray[np.uint64], seed: int) -> NDArray[np.uint32]:
    """The flow hash of a router with this seed: the upper half of the flow's key for 0, else one of its own."""
    mixed = mix(flow_keys, np.full(1, _OF_ROUTERS + seed)) if seed else flow_keys
    return (mixed >> np.uint64(32)).astype(np.uint32)


def maglev_slot(
    client: str,
    client_port: int,
    service_port: int,
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP",
    size: int = TABLE_SIZE,
    seed: str = HASH_SEED,
    session_affinity: bool = False,
) -> int:
    """The slot of a flow in a table of ``size`` slots.

    The service's address is not hashed; with session affinity the client's port counts as 0. Raises ValueError for
    an address or a seed that is none, KeyError for another protocol.
    """
    packed = ip_address(client).packed
    words = [int.from_bytes(packed[at : at + 4], "little") for at in range(0, len(packed), 4)]
    ports = _network_order(service_port) << 16 | (0 if session_affinity else _network_order(client_port))
    _, seed4, seed6 = seed_words(seed)
    number = _PROTOCOLS[protocol]
    if len(words) == 1:
        start = _INITVAL + 12 + seed4  # jhash_3words: 3 words of 4 bytes
        return _final(words[0] + start, ports + start, number + start) % size
    a, b, c = _mix(words[0], words[1], words[2])
    a, b, c = _mix(a + words[3], b + ports, c + number)
    return _final(a + seed6, b, c) % size


def _network_order(port: int) -> int:
    return int.from_bytes(port.to_bytes(2, "big"), "little")


def _rol(word: int, bits: int) -> int:
    word &= _WORD
    return (word << bits | word >> (32 - bits)) & _WORD


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    """``__jhash_mix``: Bob Jenkins' lookup3, reversible."""
    for bits in ((4, 6, 8), (16, 19, 4)):
        a, c = (a - c ^ _rol(c, bits[0])) & _WORD, c + b & _WORD
        b, a = (b - a ^ _rol(a, bits[1])) & _WORD, a + c & _WORD
        c, b = (c - b ^ _rol(b, bits[2])) & _WORD, b + a & _WORD
    return a, b, c


def _final(a: int, b: int, c: int) -> int:
    """``__jhash_final``, its third word."""
    for first, second, third in ((14, 11, 25), (16, 4, 14)):
        c = ((c ^ b) - _rol(b, first)) & _WORD
        a = ((a ^ c) - _rol(c, second)) & _WORD
        b = ((b ^ a) - _rol(a, third)) & _WORD
    return ((c ^ b) - _rol(b, 24)) & _WORD
