"""The link between a router and a node: what share of its packets vanishes each way, and whether it has carrier."""

from collections.abc import Callable, Hashable

from simbgp.model.clock import Clock
from simbgp.model.network.switch import Switch
from simbgp.model.network.way import Way
from simbgp.profiles.law import Law

RESEND_AFTER_CARRIER = Law("uniform", (0.15, 0.35))
"""From the return of the carrier to the resend of what was waiting, after more than 3 s without it: 0.18 to 0.33 s
measured with FRR and BIRD (November 2026)."""

NEIGHBOUR_PROBES_US = (1_020_000, 2_040_000, 3_060_000)
"""After the loss of the carrier its neighbour entries are asked for anew, a second apart; the first question that is
answered lets through what waits: flaps of 0.2 and 1 s are both heard of 1.02 s after the loss, or a second later
(measured, November 2026)."""


class Link:
    """Packets of both ways, and the carrier, which only a direct link loses.

    ``on_change(resend_us)`` is called after every change, with what `Stream.set_way` wants to know where a dark port
    is lit again; ``on_carrier(up)`` after that, when the carrier went or came.
    """

    def __init__(
        self,
        clock: Clock,
        draw_us: Callable[[Law, int], int],
        on_change: Callable[[int | None], None],
        on_carrier: Callable[[bool], None],
    ) -> None:
        self.to_router = Way()
        self.to_node = Way()
        self.carrier = Switch(self._carrier_changed)
        self._clock = clock
        self._draw_us = draw_us
        self._on_change = on_change
        self._on_carrier = on_carrier
        self._dark_since_us = 0
        self._flaps = 0

    @property
    def lost_share(self) -> float:
        """What is lost of the traffic over it: a request that arrives is of no use if its answer does not."""
        if not self.carrier.up:
            return 1.0
        return 1.0 - (1.0 - self.to_router.lost_share) * (1.0 - self.to_node.lost_share)

    def lose(self, holder: Hashable, share: float, direction: str) -> None:
        """``share`` of the packets vanishes from now on: ``both`` ways, ``to-node`` or ``to-router``."""
        for name, way in (("to-node", self.to_node), ("to-router", self.to_router)):
            if direction in ("both", name):
                way.lose(holder, share)
        self._on_change(None)

    def mend(self, holder: Hashable) -> None:
        """What ``holder`` made vanish passes again."""
        self.to_node.release(holder)
        self.to_router.release(holder)
        self._on_change(None)

    def _carrier_changed(self, up: bool) -> None:
        if not up:
            self._dark_since_us = self._clock.now_us
        self._on_change(self._resend_us() if up else None)
        self._on_carrier(up)

    def _resend_us(self) -> int:
        """From the return of the carrier, now, until what waited for it is sent again."""
        self._flaps += 1
        dark_us = self._clock.now_us - self._dark_since_us
        probe_us = next((probe_us for probe_us in NEIGHBOUR_PROBES_US if probe_us >= dark_us), None)
        return probe_us - dark_us if probe_us is not None else self._draw_us(RESEND_AFTER_CARRIER, self._flaps)
