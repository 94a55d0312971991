"""Cilium's Maglev table, bit for bit (cilium ``pkg/maglev/maglev.go``; Eisenbud et al., NSDI 2016 §3.4)."""

from base64 import b64decode
from collections.abc import Iterator, Sequence

import mmh3
import numpy as np
from numpy.typing import NDArray

TABLE_SIZE = 16381
HASH_SEED = "JLfvgnHc2kaSUFaI"
_SEED_BYTES = 12


def seed_words(seed: str) -> tuple[int, int, int]:
    """The seeds of murmur3, of the IPv4 and of the IPv6 flow hash in ``bpf-lb-maglev-hash-seed``.

    Raises ValueError unless ``seed`` is base64 of 12 bytes.
    """
    raw = b64decode(seed, validate=True)
    if len(raw) != _SEED_BYTES:
        raise ValueError(f"{seed!r} holds {len(raw)} bytes; allowed: base64 of {_SEED_BYTES} bytes")
    return int.from_bytes(raw[:4], "big"), int.from_bytes(raw[4:8], "big"), int.from_bytes(raw[8:], "big")


def maglev_table(
    keys: Sequence[str], size: int = TABLE_SIZE, weights: Sequence[int] | None = None, seed: str = HASH_SEED
) -> NDArray[np.int32]:
    """The lookup table of ``size`` slots (a prime): slot -> index into ``keys`` as given.

    A key is a backend as Cilium hashes it, ``[10.0.0.1:8080/TCP,State:active]``. The order of the keys does not
    matter: Cilium sorts them as strings. With more keys than slots the last in that order get none. Empty without
    keys. Raises ValueError for a wrong seed or as many weights as there are not keys.
    """
    if weights is not None and len(weights) != len(keys):
        raise ValueError(f"{len(weights)} weights for {len(keys)} keys; allowed: one each, or None")
    if not keys:
        return np.empty(0, dtype=np.int32)
    order = sorted(range(len(keys)), key=keys.__getitem__)
    murmur = seed_words(seed)[0]
    hashes = [mmh3.hash64(keys[index], murmur, x64arch=True, signed=False) for index in order]
    starts = [h1 % size for h1, _ in hashes]
    skips = [h2 % (size - 1) + 1 for _, h2 in hashes]
    turns = _turns(size, [1] * len(keys) if weights is None else [weights[index] for index in order])
    return np.array(order, dtype=np.int32)[_fill(size, starts, skips, turns)]


def _fill(size: int, starts: list[int], skips: list[int], turns: Iterator[int]) -> NDArray[np.int32]:
    """Let the backends claim, turn by turn, their next free slot: start, start + skip, ... modulo the size."""
    slots = [0] * size
    taken = bytearray(size)
    for turn in turns:
        slot, skip = starts[turn], skips[turn]
        while taken[slot]:
            slot += skip
            if slot >= size:
                slot -= size
        taken[slot] = 1
        slots[slot] = turn
        starts[turn] = (slot + skip) % size
    return np.array(slots, dtype=np.int32)


def _turns(size: int, weights: list[int]) -> Iterator[int]:
    """Whose turn it is, ``size`` times: round and round, unless weights differ.

    Cilium heeds weights only if they sum to at least twice the number of backends; equal ones change nothing.
    """
    count, total = len(weights), sum(weights)
    if total // count <= 1 or min(weights) == max(weights):
        yield from (n % count for n in range(size))
        return
    due = [weight / count for weight in weights]
    for n in range(size):
        turn = n % count
        while (n + 1) * weights[turn] < int(due[turn]):
            turn = (turn + 1) % count
        due[turn] += total
        yield turn
