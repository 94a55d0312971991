"""Resilient tables of switching ASICs: a fixed number of entries, rewritten where the next hops change."""

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from simbgp.scenario.plan import EcmpPlan
from simbgp.timeline import require


class FixedTable:
    """A table without timers: entry -> member, by name. Its face is that of `ResilientTable`.

    Entries are dealt to the members in turn. Those of a member that goes are dealt to the others in turn, and nothing
    else moves. One that joins takes its share from the others in turn, from whoever has most, whether the entries are
    in use or not (``addition: at-once``; SONiC doc/ecmp/fine_grained_next_hop_hld.md, EOS `ip hardware fib ecmp
    resilience`), or the table is dealt as if it were new (``rehash``).
    """

    next_upkeep_us: int | None = None

    def __init__(self, ecmp: EcmpPlan, weights: Mapping[str, int], members: tuple[str, ...], now_us: int) -> None:
        self._takes_share = ecmp.addition == "at-once"
        self._weights = weights
        self._owners: list[str | None] = [None] * ecmp.buckets
        self._members: tuple[str, ...] = ()
        self.replace(members, now_us)

    def __len__(self) -> int:
        return len(self._owners)

    def layout(self) -> bytes:
        """Bucket -> place in the group, two bytes each, as `NextHops.table` holds it."""
        places = {member: place for place, member in enumerate(self._members)}
        return np.array([places[owner] for owner in self._owners if owner is not None], dtype=np.uint16).tobytes()

    def see(self, last_us: NDArray[np.int64]) -> None:
        """Whether entries are in use makes no difference."""

    def upkeep(self, now_us: int) -> None:
        """There is none."""

    def replace(self, members: tuple[str, ...], now_us: int) -> None:
        """Rewrite what the change of the next hops asks for."""
        require(len(members) > 0, "a resilient group has members")
        joins = set(members) - set(self._members)
        if joins and not self._takes_share:
            self._owners = [None] * len(self._owners)
        self._members = members
        self._owners = [owner if owner in members else None for owner in self._owners]
        wants = self._wants()
        if joins and None not in self._owners:
            self._vacate(wants)
        self._fill(wants)

    def _wants(self) -> dict[str, int]:
        """How many entries each member is to have, in whole numbers that sum to the table."""
        total, weight, before, wants = sum(self._weights[member] for member in self._members), 0, 0, {}
        for member in self._members:
            weight += self._weights[member]
            bound = (len(self._owners) * weight + total // 2) // total
            wants[member], before = bound - before, bound
        return wants

    def _vacate(self, wants: Mapping[str, int]) -> None:
        """Take from each what it has too much, its last entries."""
        over = Counter(owner for owner in self._owners if owner is not None)
        over.subtract(wants)
        for entry in range(len(self._owners) - 1, -1, -1):
            owner = self._owners[entry]
            if owner is not None and over[owner] > 0:
                over[owner] -= 1
                self._owners[entry] = None

    def _fill(self, wants: Mapping[str, int]) -> None:
        """Deal the free entries to the members in turn, each up to what it is to have."""
        lacks = Counter(wants)
        lacks.subtract(owner for owner in self._owners if owner is not None)
        turns = self._turns(lacks)
        for entry, owner in enumerate(self._owners):
            if owner is None:
                self._owners[entry] = next(turns)

    def _turns(self, lacks: Counter[str]) -> Iterator[str]:
        while True:
            for member in self._members:
                if lacks[member] > 0:
                    lacks[member] -= 1
                    yield member
