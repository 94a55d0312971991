"""When the connections of a population last sent something: what resilient groups see of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simbgp.traffic.clients import TcpClient
from simbgp.traffic.datapath import Ints
from simbgp.traffic.flows import Flows
from simbgp.traffic.luck import Luck, Purpose
from simbgp.traffic.resilient import LONG_AGO_US, Usage
from simbgp.traffic.routing import Stay


class Waits(NamedTuple):
    """Rows of connection, lost send and end of the wait, in order of time for each connection."""

    who: Ints
    since_us: Ints
    until_us: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Packets:
    """What a population sent.

    One row per connection: ``attempts`` is how many SYNs it may send at most, ``opened_us`` when it opened (-1: open
    since before time 0), ``last_us`` until when it sends requests. Within ``waits`` retransmissions alone are sent.
    """

    flows: Flows
    client: TcpClient
    interval_us: int
    poisson: bool
    luck: Luck
    attempts: Ints
    opened_us: Ints
    last_us: Ints
    waits: Waits

    def last_sent(self, at_us: int) -> Ints:
        """When each connection last sent something."""
        sent = np.where(self.opened_us <= at_us, self._requests(at_us), self._attempts(at_us))
        who, since_us, until_us = self.waits
        held = (since_us <= at_us) & (sent[who] >= since_us) & (sent[who] < until_us)
        grid = np.array([0, *self.client.retransmit_us])
        waited_us = np.minimum(at_us, until_us[held]) - since_us[held]
        sent[who[held]] = since_us[held] + grid[np.searchsorted(grid, waited_us, side="right") - 1]
        return sent

    def _requests(self, at_us: int) -> Ints:
        """Periodic: the last of the beat, that before time 0 included. Poisson: the age of the last is exponential."""
        until_us = np.minimum(at_us, self.last_us)
        opened_us = np.where(self.opened_us < 0, LONG_AGO_US, self.opened_us)
        if self.poisson:
            everybody = np.arange(len(self.flows))
            ages = self.luck.exponential(everybody, np.full(len(self.flows), at_us), Purpose.AGE) * self.interval_us
            until_us = until_us - ages.astype(np.int64)
        else:
            first_us = np.maximum(self.opened_us, 0) + self.flows.phases_us
            until_us = first_us + (until_us - first_us) // self.interval_us * self.interval_us
        sent: Ints = np.maximum(until_us, opened_us)
        return sent

    def _attempts(self, at_us: int) -> Ints:
        """The last SYN of those that have not opened yet."""
        offsets = np.array(self.client.connect_us)
        dialled_us = np.maximum(self.flows.dialled_us, 0)
        tried = np.searchsorted(offsets, at_us - dialled_us, side="right")
        last = offsets[np.clip(np.minimum(tried, self.attempts) - 1, 0, None)]
        return np.where(tried > 0, dialled_us + last, LONG_AGO_US)


class Met:
    """What of it a group met that gets all of it: `resilient.Usage`. ``hashes`` are the flows' at its router."""

    def __init__(self, packets: Packets, hashes: NDArray[np.uint32]) -> None:
        self._packets, self._hashes = packets, hashes

    def last(self, buckets: int, at_us: int) -> Ints:
        """When a packet last met each of so many buckets, at or before a moment."""
        used = np.full(buckets, LONG_AGO_US)
        np.maximum.at(used, _buckets(self._hashes, buckets), self._packets.last_sent(at_us))
        return used


class Through:
    """What of it a group met below a spine, which sends other flows there at other times: `resilient.Usage`."""

    def __init__(self, packets: Packets, hashes: NDArray[np.uint32], stays: list[Stay]) -> None:
        self._packets, self._hashes, self._stays = packets, hashes, stays

    def last(self, buckets: int, at_us: int) -> Ints:
        """When a packet last met each of so many buckets, at or before a moment."""
        used = np.full(buckets, LONG_AGO_US)
        for begin_us, end_us, flows in self._stays:
            if begin_us <= at_us:
                sent_us = self._packets.last_sent(min(at_us, end_us - 1))[flows]
                there = (sent_us >= begin_us) | (begin_us < 0)
                np.maximum.at(used, _buckets(self._hashes[flows[there]], buckets), sent_us[there])
        return used


def _buckets(hashes: NDArray[np.uint32], buckets: int) -> Ints:
    return (hashes >> np.uint32(1)).astype(np.int64) % buckets


class Merged:
    """What several populations sent through one group."""

    def __init__(self, parts: Sequence[Usage]) -> None:
        self._parts = parts

    def last(self, buckets: int, at_us: int) -> Ints:
        """When a packet of any of them last met each bucket."""
        used = np.full(buckets, LONG_AGO_US)
        for part in self._parts:
            used = np.maximum(used, part.last(buckets, at_us))
        return used
