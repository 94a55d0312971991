"""How many flows two next-hop groups in a row give to each pair of members, if both read the same hash."""

from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simbgp.traffic.ecmp import ALL_HASHES, Bands, Cycle, NextHopGroup

Ints = NDArray[np.int64]
_ONE_BY_ONE = 2**22


def joint(upper: NextHopGroup, place: int, lower: NextHopGroup, members: int) -> list[int] | None:
    """How many of the 2^32 hashes ``upper`` gives to its member at ``place`` and ``lower`` to each of its members.

    None if either scatters its hashes, so that the two have nothing to do with each other. Exact, but for two cycles
    of a common length above 2^22, where whole cycles stand for all: wrong by less than one length in 2^32.
    """
    above, below = upper.shape(), lower.shape()
    match above, below:
        case Bands(), Bands():
            return _whole(_bands(above, place, below, members))
        case Bands(), Cycle():
            starts = np.concatenate([[0], above.ends[:-1]])[above.owners == place]
            ends = above.ends[above.owners == place]
            parts = [_before(below.owners, end, members) for end in ends.tolist()]
            parts += [-_before(below.owners, start, members) for start in starts.tolist()]
            return _whole(np.sum([np.zeros(members, dtype=np.int64), *parts], axis=0))
        case Cycle(), Bands():
            is_here = (above.owners == place).astype(np.int64)
            reached = np.array([0, *(int(_before(is_here, end, 2)[1]) for end in below.ends.tolist())])
            return _whole(np.bincount(below.owners, np.diff(reached), minlength=members))
        case Cycle(), Cycle():
            return _cycles(above.owners == place, below.owners, members)
    return None


def _whole(counts: NDArray[Any]) -> list[int]:
    return [int(count) for count in counts.tolist()]


def _bands(above: Bands, place: int, below: Bands, members: int) -> Ints:
    ends = np.union1d(above.ends, below.ends)
    widths = np.diff(ends, prepend=0)
    starts = ends - widths
    here = above.owners[np.searchsorted(above.ends, starts, side="right")] == place
    owners = below.owners[np.searchsorted(below.ends, starts, side="right")]
    return np.bincount(owners[here], widths[here], minlength=members).astype(np.int64)


def _before(owners: Ints, end: int, members: int) -> Ints:
    """How many of the hashes below ``end`` each member of a cycle has."""
    whole, more = divmod(end, len(owners))
    counts: Ints = np.bincount(owners, minlength=members) * whole + np.bincount(owners[:more], minlength=members)
    return counts


def _cycles(is_here: NDArray[np.bool_], owners: Ints, members: int) -> list[int]:
    """Every pair of remainders that agree by the common divisor occurs once in the common length."""
    divisor = gcd(len(is_here), len(owners))
    length = len(is_here) // divisor * len(owners)
    if length <= _ONE_BY_ONE:
        hashes = np.arange(length)
        both = np.where(is_here[hashes % len(is_here)], owners[hashes % len(owners)], members)
        return _whole(_before(both, ALL_HASHES, members + 1))[:members]
    here = np.bincount(np.flatnonzero(is_here) % divisor, minlength=divisor)
    of_members = np.zeros((members, divisor), dtype=np.int64)
    np.add.at(of_members, (owners, np.arange(len(owners)) % divisor), 1)
    return [int(count) * ALL_HASHES // length for count in of_members @ here]
