"""Which setting: the front of those that no other beats in both currencies, and the knee where a price for one in the
other is met.

Lost traffic and broken connections are two currencies: the same restart time that keeps an agent's connections keeps
the traffic of a dead node in the dark. The front shows what can be had. Where to stand on it is a matter of what a
broken connection is worth: going along the front from few broken connections to many, each saves some lost traffic, and
the knee is the last at which a broken connection saves more seconds of lost traffic than the price. That is the setting
with the least lost + price × broken, and on the front's convex hull it stays the answer between two prices.

For restart times the answer has a closed form, against which the tests hold this. Let agents come back after an
exponential time of mean m, r restarts a year; let k connections break when the routes go, which they do if the restart
is longer than the restart time R. Let n nodes a year die, each of which loses c connections for the hold time D and
for R (RFC 8538 §4). With a price of p seconds the year costs

    C(R) = n c (D + R) + r k p e^(-R/m),    C'(R) = n c - (r k p / m) e^(-R/m) = 0
    R* = m ln(r k p / (n c m)),             and 0, graceful restart off, if that is not positive.

C is convex, so the best R on a grid is next to R*. More node losses n shorten it, slower restarts m lengthen it as
long as m < R*, and a price that nobody knows moves it by its logarithm only.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from simbgp.study.advise.ledger import Ledger, Weighing, World
from simbgp.study.advise.settings import Setting

_SAME = 0.002
"""Settings whose costs differ by less of them are as good as each other: the one that changes less is taken."""


def best(ledger: Ledger, weighing: Weighing, settings: Sequence[Setting], world: World | None = None) -> Setting:
    """What weighs least; of those as good as that the one with the fewest changes, and the longest hold."""
    what = weighing.weighed()
    values = {setting: ledger.value(setting, what, world) for setting in settings}
    least = min(values.values())
    near = [setting for setting, value in values.items() if value <= least * (1 + _SAME)]
    return min(near, key=lambda setting: (setting.changes(), -(setting.hold or 0), values[setting]))


def front(ledger: Ledger, weighing: Weighing, settings: Sequence[Setting]) -> list[Setting]:
    """Those that no other beats in lost traffic without breaking more connections, from the fewest broken on; of
    equals the one that changes least."""
    lost, broken = weighing.lost_connection_s(), weighing.broken()
    points = {s: (ledger.value(s, broken), ledger.value(s, lost)) for s in settings}
    ordered = sorted(settings, key=lambda s: (*(round(each, 6) for each in points[s]), s.changes()))
    kept: list[Setting] = []
    least = math.inf
    for setting in ordered:
        if points[setting][1] < least - 1e-6:
            kept.append(setting)
            least = points[setting][1]
    return kept


@dataclass(frozen=True, slots=True)
class Prices:
    """Between which prices of a broken connection, in seconds of silence, a setting weighs least."""

    low_s: float
    high_s: float


def prices(ledger: Ledger, weighing: Weighing, chosen: Setting, settings: Sequence[Setting]) -> Prices:
    """Where ``chosen`` stays the least of ``settings`` (to what counts as equal); both ends may be the price itself."""
    lost, broken = weighing.lost_connection_s(), weighing.broken()
    mine = ledger.value(chosen, lost), ledger.value(chosen, broken)
    low_s, high_s = 0.0, math.inf
    for other in settings:
        dearer = ledger.value(other, lost) - mine[0]
        fewer = mine[1] - ledger.value(other, broken)
        if fewer > 1e-9 and dearer >= 0:
            high_s = min(high_s, dearer / fewer)
        elif fewer < -1e-9 and dearer <= 0:
            low_s = max(low_s, dearer / fewer)
    price = weighing.broken_connection_s
    return Prices(min(low_s, price), max(high_s, price))
