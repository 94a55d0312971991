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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simbgp.study.advise.ledger import Ledger, Weighing, World
from simbgp.study.advise.settings import Setting

_ALIKE = 0.02
"""Settings that weigh so little more than the least are as good as it, for rates are known to a factor at best: of them
the one with the fewest false hold expiries is taken, which weigh nothing but which somebody has to look into."""
_FEW = 1.0
"""False expiries a year that nobody minds."""
_SAME = 0.002
"""Of those again, what weighs so little more than the least is as good as it: the one that changes less is taken."""


@dataclass(frozen=True, slots=True)
class Point:
    """What a year with a setting costs in three currencies: seconds of one connection's silence, broken connections,
    sessions that stalls ended."""

    lost_s: float
    broken: float
    false_expiries: float

    def weighs_s(self, price_s: float) -> float:
        """Lost and broken in one currency."""
        return self.lost_s + price_s * self.broken

    def beats(self, other: "Point") -> bool:
        """Whether it is no worse in anything and better in something."""
        mine, its = ([round(x, 6) for x in (p.lost_s, p.broken, p.false_expiries)] for p in (self, other))
        return mine != its and all(a <= b for a, b in zip(mine, its, strict=True))


Points = Mapping[Setting, Point]


def points(ledger: Ledger, weighing: Weighing, settings: Sequence[Setting], world: World | None = None) -> Points:
    """What each setting costs."""
    whole, stalls = ledger.unit_weights(world), ledger.unit_weights(ledger.only(is_stall, world))
    lost, broken, sessions = weighing.lost_connection_s(), weighing.broken(), weighing.lost_sessions()
    found = {}
    for setting in settings:
        costs = ledger.costs[setting]
        found[setting] = Point(
            *(float(w @ (costs @ what)) for w, what in ((whole, lost), (whole, broken), (stalls, sessions)))
        )
    return found


def is_stall(kind: str) -> bool:
    """Whether a kind of fault leaves alive what it strikes, and silent: a hold timer that expires was wrong."""
    return kind == "stall"


def best(ledger: Ledger, weighing: Weighing, settings: Sequence[Setting], world: World | None = None) -> Setting:
    """What weighs least; of those as good as that the one with the fewest false expiries, then with the fewest changes,
    then with the longest hold."""
    return picked(points(ledger, weighing, settings, world), weighing.broken_connection_s)


def picked(costs: Points, price_s: float) -> Setting:
    """The same, from what settings cost and the price of a broken connection."""
    values = {setting: point.weighs_s(price_s) for setting, point in costs.items()}
    least = min(values.values())
    alike = [setting for setting, value in values.items() if value <= least * (1 + _ALIKE)]
    fewest = min(costs[setting].false_expiries for setting in alike)
    calm = [setting for setting in alike if costs[setting].false_expiries <= fewest + _FEW]
    least = min(values[setting] for setting in calm)
    near = [setting for setting in calm if values[setting] <= least * (1 + _SAME)]
    return min(near, key=lambda setting: (setting.changes(), -(setting.hold or 0), values[setting]))


def unbeaten(costs: Points) -> list[Setting]:
    """Those that no other beats in all three currencies, from the fewest broken connections on; of equals the one that
    changes least."""
    equal: dict[tuple[float, ...], Setting] = {}
    for setting in sorted(costs, key=lambda s: s.changes()):
        point = costs[setting]
        equal.setdefault((round(point.broken, 6), round(point.lost_s, 6), round(point.false_expiries, 6)), setting)
    kept = [s for s in equal.values() if not any(costs[other].beats(costs[s]) for other in equal.values())]
    return sorted(kept, key=lambda s: (costs[s].broken, costs[s].lost_s))


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
    """Between which prices of a broken connection, in seconds of silence, a setting is the answer."""

    low_s: float
    high_s: float


_FURTHEST, _STRIDE, _CLOSE = 1e4, 1.05, 1e-6


def prices(costs: Points, chosen: Setting, price_s: float) -> Prices:
    """How far the price can fall and rise until something else is picked; 0 and infinity where it never is."""
    ends = []
    for stride, never in ((1 / _STRIDE, 0.0), (_STRIDE, math.inf)):
        price = price_s
        while picked(costs, price) == chosen and 1 / _FURTHEST < price / price_s < _FURTHEST:
            price *= stride
        if picked(costs, price) == chosen:
            ends.append(never)
            continue
        other, mine = price, price / stride if price != price_s else price
        while abs(other - mine) > _CLOSE * mine:
            middle = (other + mine) / 2
            other, mine = (other, middle) if picked(costs, middle) == chosen else (middle, mine)
        ends.append(mine)
    return Prices(*ends)
