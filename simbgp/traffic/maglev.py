"""Cilium's Maglev table, bit for bit (cilium ``pkg/maglev/maglev.go``; Eisenbud et al., NSDI 2016 §3.4)."""

from base64 import b64decode
from collections.abc import Callable, Sequence
from functools import cache
from itertools import cycle, islice
from typing import Any

import mmh3
import numpy as np
from numpy.typing import NDArray

TABLE_SIZE = 16381
HASH_SEED = "JLfvgnHc2kaSUFaI"
_SEED_BYTES = 12
_PLAIN_TABLES = 100
"""So many tables take plain Python about as long as numba takes to import and to load what it compiled (0.5 to 1 s)."""


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

    The first table of a process waits for the compiler, see `Tables` for few of them.
    """
    return _table(_compiled() or _fill_plainly, keys, size, weights, seed)


class Tables:
    """Makes tables like `maglev_table`: the first hundred in plain Python, so that few need not wait for a compiler."""

    def __init__(self) -> None:
        self._made = 0

    def make(
        self, keys: Sequence[str], size: int = TABLE_SIZE, weights: Sequence[int] | None = None, seed: str = HASH_SEED
    ) -> NDArray[np.int32]:
        """One more table."""
        self._made += 1
        fill = _compiled() if self._made > _PLAIN_TABLES else None
        return _table(fill or _fill_plainly, keys, size, weights, seed)


Fill = Callable[[int, Sequence[int], Sequence[int], Sequence[int]], NDArray[np.int32]]
"""Size, starts, skips, weights (none: all alike) -> slot -> backend, in the order of the starts."""


def _table(fill: Fill, keys: Sequence[str], size: int, weights: Sequence[int] | None, seed: str) -> NDArray[np.int32]:
    if weights is not None and len(weights) != len(keys):
        raise ValueError(f"{len(weights)} weights for {len(keys)} keys; allowed: one each, or None")
    if not keys:
        return np.empty(0, dtype=np.int32)
    order = sorted(range(len(keys)), key=keys.__getitem__)
    murmur = seed_words(seed)[0]
    hashes = [mmh3.hash64(keys[index], murmur, x64arch=True, signed=False) for index in order]
    starts = [h1 % size for h1, _ in hashes]
    skips = [h2 % (size - 1) + 1 for _, h2 in hashes]
    heeded = [] if weights is None else _heeded([weights[index] for index in order])
    return np.array(order, dtype=np.int32)[fill(size, starts, skips, heeded)]


def _heeded(weights: list[int]) -> list[int]:
    """Cilium heeds weights only if they sum to at least twice the number of backends; equal ones change nothing."""
    return [] if sum(weights) // len(weights) <= 1 or min(weights) == max(weights) else weights


def _fill_plainly(size: int, starts: Sequence[int], skips: Sequence[int], weights: Sequence[int]) -> NDArray[np.int32]:
    slots, turns = [0] * size, [0] * size
    if weights:
        _weighted_turns(turns, weights, [weight / len(weights) for weight in weights], sum(weights))
    else:
        turns = list(islice(cycle(range(len(starts))), size))
    _draft(slots, bytearray(size), list(starts), skips, turns)
    return np.array(slots, dtype=np.int32)


@cache
def _compiled() -> Fill | None:
    """The same loops compiled; None where numba cannot be imported."""
    try:
        from numba import njit
    except ImportError:
        return None
    try:
        draft, weighted_turns = (njit(cache=True)(loop) for loop in (_draft, _weighted_turns))
    except RuntimeError:  # nowhere to keep what is compiled
        draft, weighted_turns = (njit(loop) for loop in (_draft, _weighted_turns))

    def fill(size: int, starts: Sequence[int], skips: Sequence[int], weights: Sequence[int]) -> NDArray[np.int32]:
        slots, turns = np.empty(size, dtype=np.int32), np.arange(size) % len(starts)
        if weights:
            own = np.array(weights, dtype=np.int64)
            weighted_turns(turns, own, own / len(own), own.sum())
        draft(slots, np.zeros(size, dtype=np.uint8), np.array(starts), np.array(skips), turns)
        return slots

    return fill


def _draft(slots: Any, taken: Any, starts: Any, skips: Any, turns: Any) -> None:
    """Let the backends claim, turn by turn, their next free slot: start, start + skip, ... modulo the size."""
    size = len(slots)
    for turn in turns:
        slot, skip = starts[turn], skips[turn]
        while taken[slot]:
            slot += skip
            if slot >= size:
                slot -= size
        taken[slot] = 1
        slots[slot] = turn
        starts[turn] = (slot + skip) % size


def _weighted_turns(turns: Any, weights: Any, due: Any, total: int) -> None:
    """Whose turn it is, as often as there are slots; ``due`` begins as weight / count."""
    count = len(weights)
    for n in range(len(turns)):
        turn = n % count
        while (n + 1) * weights[turn] < int(due[turn]):
            turn = (turn + 1) % count
        due[turn] += total
        turns[n] = turn
