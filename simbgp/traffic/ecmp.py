"""Next-hop groups: which member of a group a flow's hash belongs to.

Every group has the same face: `NextHopGroup.owners` for many flows, `NextHopGroup.shares` for the exact fractions.
"""

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from simbgp.timeline import require

HASH_BITS = 32


class NextHopGroup(Protocol):
    """An ordered, non-empty list of next hops and a rule that gives every hash to one of them."""

    def owners(self, hashes: NDArray[np.uint32]) -> NDArray[np.int64]:
        """The index of the member that gets each 32-bit hash."""
        ...

    def shares(self) -> tuple[float, ...]:
        """The fraction of all hashes that each member gets: multiples of 2^-32, hence exact; they sum to 1."""
        ...


class HashThreshold:
    """One region of the hash space per member (RFC 2992), bounds and weights as in Linux.

    The kernel compares the upper 31 bits of the flow's hash with the bounds
    ``DIV_ROUND_CLOSEST(2^31 * weight so far, total weight) - 1`` (`nh_hthr_group_rebalance`, `fib_rebalance`).
    """

    def __init__(self, weights: tuple[int, ...]) -> None:
        total = sum(weights)
        self.bounds = ((np.cumsum(weights, dtype=np.int64) << 31) + total // 2) // total - 1
        require(int(self.bounds[-1]) == 2**31 - 1, "the regions of a next-hop group cover the hash space")

    def owners(self, hashes: NDArray[np.uint32]) -> NDArray[np.int64]:
        """The first member whose bound is not below the hash."""
        return np.searchsorted(self.bounds, (hashes >> np.uint32(1)).astype(np.int64))

    def shares(self) -> tuple[float, ...]:
        """The width of each region."""
        return tuple((np.diff(self.bounds, prepend=-1) / 2.0**31).tolist())


class Modulo:
    """The hash modulo the number of places; a member of weight w has w places side by side (RFC 2991, modulo-N)."""

    def __init__(self, weights: tuple[int, ...]) -> None:
        self._places = np.repeat(np.arange(len(weights)), weights)
        self._weights = weights

    def owners(self, hashes: NDArray[np.uint32]) -> NDArray[np.int64]:
        """The member at the place that the remainder names."""
        return np.take(self._places, hashes % np.uint32(len(self._places)))

    def shares(self) -> tuple[float, ...]:
        """How many of the 2^32 hashes leave each remainder; the first remainders have one more."""
        least, more = divmod(2**HASH_BITS, len(self._places))
        hashes = np.full(len(self._places), least)
        hashes[:more] += 1
        return tuple((np.bincount(self._places, hashes) / 2.0**HASH_BITS).tolist())


def next_hop_group(kind: Literal["modulo", "hash-threshold"], weights: tuple[int, ...]) -> NextHopGroup:
    """The group of a router that hashes by ``kind``; ``weights`` are positive, one per member in the group's order."""
    return HashThreshold(weights) if kind == "hash-threshold" else Modulo(weights)
