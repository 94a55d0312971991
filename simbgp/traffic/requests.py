"""When open connections make their requests, and which of these vanish."""

import numpy as np

from simbgp.scenario.plan import TrafficPlan
from simbgp.traffic.datapath import Ints
from simbgp.traffic.flows import Flows
from simbgp.traffic.luck import Floats, Luck, Purpose

_FAR_US = 2.0**61


class Requests:
    """The requests of one population: periodic from the first, or with exponential gaps.

    ``opened_us`` is when each connection was opened, filled in as they are.
    """

    def __init__(self, traffic: TrafficPlan, flows: Flows, luck: Luck, opened_us: Ints) -> None:
        self._flows, self._luck, self._opened_us = flows, luck, opened_us
        self.interval_us = max(1, round(traffic.request_interval_s * 1e6))
        self.poisson = traffic.poisson_requests

    def next(self, who: Ints, since_us: Ints) -> Ints:
        """When each sends for the first time at or after a moment."""
        if self.poisson:
            return since_us + (self._luck.exponential(who, since_us, Purpose.GAP) * self.interval_us).astype(np.int64)
        first_us = np.maximum(self._opened_us[who], 0) + self._flows.phases_us[who]
        gaps = np.maximum(0, -((first_us - since_us) // self.interval_us))
        next_us: Ints = first_us + gaps * self.interval_us
        return next_us

    def next_loss(self, who: Ints, since_us: Ints, lost_shares: Floats) -> Ints:
        """When each sends for the first time something that vanishes."""
        first_us, gaps = self.next(who, since_us), self._luck.passes(who, since_us, lost_shares)
        if self.poisson:  # a geometric number of exponential gaps is one, longer in the mean
            some = (gaps > 0) & (gaps < np.inf)
            longer = self._luck.exponential(who[some], since_us[some], Purpose.LOSS_GAP)
            gaps[some] = longer / lost_shares[some]
        return first_us + np.minimum(gaps * self.interval_us, _FAR_US).astype(np.int64)
