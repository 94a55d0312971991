"""Resilient next-hop groups: a table of buckets that changes only where it must, as Linux keeps it."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simbgp.scenario.plan import EcmpPlan
from simbgp.timeline import require
from simbgp.traffic.ecmp import NextHops
from simbgp.traffic.fixed_table import FixedTable
from simbgp.traffic.steps import Steps

Ints = NDArray[np.int64]
LONG_AGO_US = -(2**61)
_UPKEEP_LEAST_US = 500_000
"""NH_RES_UPKEEP_DW_MINIMUM_INTERVAL: upkeep of a group out of balance runs at most every half second."""
_LATE_US = 1
"""Delayed work never runs early; the unbalanced timer acts once it lies in the past."""


class Usage(Protocol):
    """What is known of the packets of one prefix at one router."""

    def last(self, buckets: int, at_us: int) -> Ints:
        """When a packet last met each of so many buckets, at or before a moment; `LONG_AGO_US`: never."""
        ...


class ResilientTable:
    """A resilient next-hop group (net/ipv4/nexthop.c ``nh_res_*``): bucket -> member, by name.

    Upkeep goes through the buckets in order. One without a member is migrated; one of a member that has more than it
    wants is if it was idle for the idle timer, not used since it was last migrated, or if the group has been out of
    balance for longer than the unbalanced timer. The member that wants more and stands last in the group is served
    first.
    """

    def __init__(self, ecmp: EcmpPlan, weights: Mapping[str, int], members: tuple[str, ...], now_us: int) -> None:
        self._idle_us, self._unbalanced_us = round(ecmp.idle_s * 1e6), round(ecmp.unbalanced_s * 1e6)
        self._weights = weights
        self._numbers: dict[str, int] = {}
        """A member keeps its number; bucket owners are numbers, -1: none."""
        self._owners = np.full(ecmp.buckets, -1)
        self._used_us = np.full(ecmp.buckets, now_us)
        self._migrated_us = self._used_us.copy()
        self._members: tuple[str, ...] = ()
        self._wants: dict[int, int] = {}
        self._counts: dict[int, int] = {}
        self._hungry: list[int] = []
        self._unbalanced_since_us = now_us
        self._seen_since_us = now_us
        self.next_upkeep_us: int | None = None
        self.replace(members, now_us)

    def __len__(self) -> int:
        return len(self._owners)

    def layout(self) -> bytes:
        """Bucket -> place in the group, two bytes each, as `NextHops.table` holds it."""
        places = np.zeros(len(self._numbers), dtype=np.uint16)
        for place, member in enumerate(self._members):
            places[self._numbers[member]] = place
        return bytes(places[self._owners])

    def see(self, last_us: Ints) -> None:
        """Take note of when a packet last met each bucket; a group of one member is not looked up at all."""
        if len(self._members) > 1:
            seen = last_us > self._seen_since_us
            self._used_us[seen] = np.maximum(self._used_us, last_us)[seen]

    def replace(self, members: tuple[str, ...], now_us: int) -> None:
        """Edit the group in place: buckets of members that stay are kept (``replace_nexthop_grp_res``)."""
        require(len(members) > 0, "a resilient group has members")
        if len(members) > 1 and len(self._members) == 1:
            self._seen_since_us = now_us
        for member in members:
            self._numbers.setdefault(member, len(self._numbers))
        self._members = members
        present = [self._numbers[member] for member in members]
        self._owners[~np.isin(self._owners, present)] = -1
        self._counts = {number: int((self._owners == number).sum()) for number in present}
        was_hungry, since_us = bool(self._hungry), self._unbalanced_since_us
        self._rebalance(now_us)
        if was_hungry and self._hungry:
            self._unbalanced_since_us = since_us
        self.upkeep(now_us)

    def upkeep(self, now_us: int) -> None:
        """Migrate what may go, and say when to look again (``nh_res_table_upkeep``)."""
        idle_at_us = np.where(self._used_us == self._migrated_us, now_us, self._used_us + self._idle_us)
        forced_at_us = self._unbalanced_since_us + self._unbalanced_us
        forced = bool(self._unbalanced_us) and now_us > forced_at_us
        heavy = np.isin(self._owners, [n for n, count in self._counts.items() if count > self._wants[n]])
        ready = (self._owners < 0) | heavy & (forced | (idle_at_us <= now_us))
        for bucket in np.flatnonzero(ready).tolist():
            self._migrate(bucket, now_us)
        points = [now_us + (self._unbalanced_us or self._idle_us)]
        if (heavy & ~ready).any():
            points.append(int(idle_at_us[heavy & ~ready].min()))
            points += [forced_at_us] * bool(self._unbalanced_us)
        later_us = max(min(points), now_us + _UPKEEP_LEAST_US) + _LATE_US
        self.next_upkeep_us = later_us if self._hungry else None

    def _rebalance(self, now_us: int) -> None:
        """What each member wants, and who lacks some (``nh_res_group_rebalance``)."""
        self._hungry = []
        total = sum(self._weights[member] for member in self._members)
        weight = before = 0
        for member in self._members:
            number = self._numbers[member]
            weight += self._weights[member]
            bound = (len(self._owners) * weight + total // 2) // total
            self._wants[number], before = bound - before, bound
            if self._counts[number] < self._wants[number]:
                if not self._hungry:
                    self._unbalanced_since_us = now_us
                self._hungry.insert(0, number)

    def _migrate(self, bucket: int, now_us: int) -> None:
        """Give one bucket to the first that lacks some, unless its member has no more than it wants by now."""
        giver = int(self._owners[bucket])
        if giver >= 0 and self._counts[giver] <= self._wants[giver]:
            return
        if giver >= 0:
            self._counts[giver] -= 1
        taker = self._hungry[0]
        self._owners[bucket] = taker
        self._counts[taker] += 1
        self._used_us[bucket] = self._migrated_us[bucket] = now_us
        if self._counts[taker] == self._wants[taker]:
            del self._hungry[0]


def deal(
    groups: Steps[NextHops], ecmp: EcmpPlan, weights: Mapping[str, int], usage: Usage | None, horizon_us: int
) -> Steps[NextHops]:
    """The groups of a router that hashes resiliently, each with its table; one that had no member is begun anew.

    Without ``usage`` every bucket counts as met by a packet at all times.
    """
    table: ResilientTable | FixedTable | None = None
    kind = ResilientTable if ecmp.addition == "idle" else FixedTable
    dealt = Steps(groups.values[0])
    ends = [*groups.times[1:], horizon_us + 1]
    for time_us, hops, end_us in zip(groups.times, groups.values, ends, strict=True):
        if not hops.members:
            table = None
            dealt.set(time_us, hops)
            continue
        if table is None or ecmp.on_change == "new-group":
            table = kind(ecmp, weights, hops.members, LONG_AGO_US if time_us < 0 else time_us)
        else:
            table.see(_last(usage, table, time_us))
            table.replace(hops.members, time_us)
        dealt.set(time_us, hops._replace(table=table.layout()))
        while table.next_upkeep_us is not None and table.next_upkeep_us < end_us:
            now_us = table.next_upkeep_us
            table.see(_last(usage, table, now_us))
            table.upkeep(now_us)
            dealt.set(now_us, hops._replace(table=table.layout()))
    return dealt


def _last(usage: Usage | None, table: ResilientTable | FixedTable, at_us: int) -> Ints:
    return np.full(len(table), at_us) if usage is None else usage.last(len(table), at_us)
