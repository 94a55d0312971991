"""Who talks to a service: connections open at time 0 and those that arrive, drawn from streams of their own."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

from simbgp.scenario.plan import TrafficPlan
from simbgp.traffic.datapath import Ints
from simbgp.traffic.lifetimes import Seconds, lifetimes, residual_lifetimes
from simbgp.traffic.lookup import rows_where

_FOREVER_US = 2**62
_MOST_KEPT = 2**20
"""Connections that are kept for other settings of the run: 32 MB."""
_SLICE_US = 75_000_000
_LEAST_SLICES, _MOST_SLICES = 8, 4096
"""Finer slices spare connections that nobody needs, coarser ones calls."""


_WORD = np.dtype("<u8")


class _Key(ISeedSequence):
    """A Philox key as a seed: ``Philox(key=...)`` is the same stream, but first asks the system for entropy that it
    then does not use, and that takes longer than all else here."""

    def __init__(self, name: bytes) -> None:
        digest = blake2b(name, digest_size=16).digest()
        self._words = np.frombuffer(digest[::-1], dtype=_WORD)  # the name's number, big-endian, the other way round

    def generate_state(self, n_words: int, dtype: object = np.uint64) -> NDArray[np.uint64]:
        """The two words of the key, the lower first."""
        return self._words


def stream(seed: int, run: int, service: str, purpose: str) -> np.random.Generator:
    """A Philox stream that depends on its name alone, never on what was drawn elsewhere."""
    name = f"{seed}\x1f{run}\x1f{service}\x1f{purpose}".encode()
    return np.random.Generator(np.random.Philox(_Key(name)))  # type: ignore[arg-type]  # NumPy documents that it may


@dataclass(frozen=True, slots=True)
class Counts:
    """Connections by the router and prefix at which they enter: open at time 0, and arriving within the horizon."""

    open: tuple[int, ...]
    arriving: tuple[int, ...]


def counts(
    traffic: TrafficPlan, span_us: tuple[int, int], shares: list[float], seed: int, run: int, added: bool = False
) -> Counts:
    """How many connections there are at entries with these shares, arriving between the ends of ``span_us``.

    A service that is ``added`` during the run has none open at time 0.
    """
    rng = stream(seed, run, traffic.service, "counts")
    present = 0 if added else traffic.connections
    arriving = int(rng.poisson(traffic.arrivals_per_s * (span_us[1] - span_us[0]) / 1e6))
    if not shares:
        return Counts((present,), (arriving,))
    return Counts(
        tuple(rng.multinomial(present, shares).tolist()),
        tuple(rng.multinomial(arriving, shares).tolist()),
    )


@dataclass(frozen=True, slots=True)
class Flows:
    """One row per connection. The upper half of ``keys`` is the router's hash, the lower the Maglev hash.

    ``dialled_us`` is -1 for those open at time 0; ``phases_us`` is when they send first. A connection makes requests
    for ``lives_us`` from its opening, or from time 0. ``clients`` are keys of the clients' addresses, None where
    nothing depends on these.
    """

    keys: NDArray[np.uint64]
    dialled_us: Ints
    phases_us: Ints
    lives_us: Ints
    clients: NDArray[np.uint64] | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def before(self, time_us: int) -> "Flows":
        """Those that dial earlier."""
        return self.only(rows_where(self.dialled_us < time_us))

    def only(self, rows: Ints) -> "Flows":
        """Those in these rows."""
        clients = None if self.clients is None else self.clients[rows]
        return Flows(self.keys[rows], self.dialled_us[rows], self.phases_us[rows], self.lives_us[rows], clients)


def draw(
    traffic: TrafficPlan,
    entry: str,
    open_now: int,
    arriving: int,
    until_us: int,
    span_us: tuple[int, int],
    seed: int,
    run: int,
) -> Flows:
    """The connections of one entry: all that are open at time 0, those that arrive before ``until_us``, and some after.

    ``arriving`` is how many arrive between the ends of ``span_us``. That span is drawn in slices of equal length, each
    from a stream of its own, and no slice that begins later is drawn at all: so who arrives when depends on nothing
    that happens in the run, and settings that ask for more of it share what they both ask for.
    """
    begun = bisect_left(_bounds(span_us)[:-1], until_us)
    name = traffic, entry, open_now, arriving, begun, span_us
    return _latest.of((seed, run), name, lambda: _draw(*name, seed, run))


def _draw(
    traffic: TrafficPlan,
    entry: str,
    open_now: int,
    arriving: int,
    slices: int,
    span_us: tuple[int, int],
    seed: int,
    run: int,
) -> Flows:
    bounds, service = _bounds(span_us), traffic.service
    parts = [_open(traffic, open_now, stream(seed, run, service, f"open/{entry}"))]
    many = len(bounds) - 1
    sizes = stream(seed, run, service, f"arrivals/{entry}").multinomial(arriving, np.full(many, 1 / many))
    for number in rows_where(sizes[:slices] > 0).tolist():
        rng = stream(seed, run, service, f"arrivals/{entry}/{number}")
        parts.append(_arriving(traffic, int(sizes[number]), bounds[number : number + 2], rng))
    return Flows(*map(np.concatenate, zip(*parts, strict=True)))


def _open(traffic: TrafficPlan, count: int, rng: np.random.Generator) -> tuple[NDArray[np.uint64], Ints, Ints, Ints]:
    """Keys, moments, phases and lives of those that are open at time 0."""
    keys = _keys(rng, count)
    phases_us = (rng.random(count) * (traffic.request_interval_s * 1e6)).astype(np.int64)
    return keys, np.full(count, -1), phases_us, _microseconds(residual_lifetimes(traffic.lifetime, rng, count))


def _arriving(
    traffic: TrafficPlan, count: int, span_us: tuple[int, ...], rng: np.random.Generator
) -> tuple[NDArray[np.uint64], Ints, Ints, Ints]:
    """The same of those that arrive within one slice."""
    keys, (begin_us, end_us) = _keys(rng, count), span_us
    dialled_us = begin_us + (rng.random(count) * (end_us - begin_us)).astype(np.int64)
    return keys, dialled_us, np.zeros(count, np.int64), _microseconds(lifetimes(traffic.lifetime, rng, count))


@lru_cache(maxsize=16)
def _bounds(span_us: tuple[int, int]) -> tuple[int, ...]:
    """Where the slices of a span begin, and where the last ends."""
    first_us, end_us = span_us
    length_us = end_us - first_us
    many = min(max(-(-length_us // _SLICE_US), _LEAST_SLICES), _MOST_SLICES)
    return tuple(first_us + length_us * number // many for number in range(many + 1))


class _Latest:
    """What was drawn for one run; other settings and rounds of the run draw the same. Another run begins anew."""

    def __init__(self) -> None:
        self._run: tuple[int, int] | None = None
        self._drawn: dict[object, Flows] = {}

    def of(self, run: tuple[int, int], name: object, make: Callable[[], Flows]) -> Flows:
        """The connections of this name in this run."""
        if run != self._run:
            self._run, self._drawn = run, {}
        flows = self._drawn.get(name)
        if flows is None:
            flows = make()
            if len(flows) + sum(map(len, self._drawn.values())) <= _MOST_KEPT:
                self._drawn[name] = flows
        return flows


_latest = _Latest()


def _keys(rng: np.random.Generator, count: int) -> NDArray[np.uint64]:
    """In order, for neighbours then go the same way and are found at the same place; all else is drawn apart."""
    keys: NDArray[np.uint64] = rng.bit_generator.random_raw(count)  # what `integers` gives for all 64 bits
    keys.sort()
    return keys


def _microseconds(seconds: Seconds) -> Ints:
    return np.minimum(seconds * 1e6, float(_FOREVER_US)).astype(np.int64)
