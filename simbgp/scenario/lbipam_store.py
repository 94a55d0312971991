"""The ranges of LB-IPAM as they are looked for: by address, and by the Service that they may serve."""

import heapq
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import itemgetter

from simbgp.scenario.k8s import ServiceObject
from simbgp.scenario.label_index import LabelIndex
from simbgp.scenario.lbipam_pools import Range
from simbgp.scenario.lbipam_requests import Address, labels_of


class RangeStore:
    """Ranges that give something: not disabled, and so apart from each other; ``services`` are those that ask."""

    def __init__(self, ranges: Sequence[Range], services: Sequence[tuple[str, ServiceObject]]) -> None:
        self._ranges = [entry for entry in ranges if not entry.disabled]
        self._sorted = {v: sorted(e.ends for e in self._ranges if e.first.version == v) for v in (4, 6)}
        self._place = {(entry.first.version, entry.ends): place for place, entry in enumerate(self._ranges)}
        self._for_all: list[int] = []
        self._for: dict[str, dict[int, None]] = {}
        """The places of the ranges that select a Service."""
        labelled = LabelIndex((labels_of(name, service), name) for name, service in services)
        chosen: dict[int, list[str]] = {}
        for place, entry in enumerate(self._ranges):
            selector = entry.pool.spec.service_selector
            if selector is None:
                self._for_all.append(place)
                continue
            if id(entry.pool) not in chosen:
                chosen[id(entry.pool)] = list(labelled.selected(selector))
            for name in chosen[id(entry.pool)]:
                self._for.setdefault(name, {})[place] = None

    def holding(self, address: Address, name: str) -> Range | bool:
        """The range that has an address for a Service, else whether any pool has it at all."""
        ends = self._sorted[address.version]
        at = bisect_right(ends, int(address), key=itemgetter(0)) - 1
        if at < 0 or int(address) > ends[at][1]:
            return False
        place = self._place[address.version, ends[at]]
        entry = self._ranges[place]
        selects = entry.pool.spec.service_selector is None or place in self._for.get(name, {})
        return entry if selects else True

    def serving(self, name: str) -> Iterator[Range]:
        """The ranges that are for a Service, in their order."""
        return (self._ranges[place] for place in heapq.merge(self._for_all, self._for.get(name, {})))
