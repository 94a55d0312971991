"""What moves the answer most: each input of the year at a lower and at a higher value, the others as told.

Rates and prices only reweigh what was played. So do durations: where restarts take twice as long, each stratum of them
is as likely as a restart half as long was, and what one restart of so many seconds costs stays the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from simbgp.measure.yearly import poisson_interval
from simbgp.profiles import Law
from simbgp.study.advise.choice import best
from simbgp.study.advise.classes import FailureClass
from simbgp.study.advise.ledger import Ledger, Weighing, World
from simbgp.study.advise.settings import Setting

_GUESSED, _WRITTEN = 3.0, 1.5
_SLOWER = 2.0
_PRICE = 3.0


@dataclass(frozen=True, slots=True)
class Swing:
    """One input: its values below and above, what the advised setting then weighs a year, and what would be advised.

    ``kind`` is ``rate``, ``duration`` or ``price``; ``of`` the class. ``guessed``: nobody counted or wrote it.
    """

    kind: str
    of: str
    low: str
    high: str
    at_low: float
    at_high: float
    best_at_low: Setting
    best_at_high: Setting
    guessed: bool

    @property
    def size(self) -> float:
        """How far the answer swings."""
        return abs(self.at_high - self.at_low)

    def turns(self, chosen: Setting) -> bool:
        """Whether another setting would be advised."""
        return self.best_at_low != chosen or self.best_at_high != chosen


def swings(ledger: Ledger, weighing: Weighing, chosen: Setting, settings: Sequence[Setting]) -> tuple[Swing, ...]:
    """Every input's swing, the greatest first."""
    told = ledger.as_told()
    found = [_price(ledger, weighing, chosen, settings)]
    for place, of in enumerate(ledger.classes):
        for kind, (low, high), worlds, guessed in _inputs(told, place, of):
            at_low, at_high = (ledger.value(chosen, weighing.weighed(), world) for world in worlds)
            best_low, best_high = (best(ledger, weighing, settings, world) for world in worlds)
            found.append(Swing(kind, of.name, low, high, at_low, at_high, best_low, best_high, guessed))
    return tuple(sorted(found, key=lambda swing: -swing.size))


def _price(ledger: Ledger, weighing: Weighing, chosen: Setting, settings: Sequence[Setting]) -> Swing:
    ends = []
    for factor in (1 / _PRICE, _PRICE):
        other = replace(weighing, broken_connection_s=weighing.broken_connection_s * factor)
        ends.append((other, ledger.value(chosen, other.weighed()), best(ledger, other, settings)))
    (low, at_low, best_low), (high, at_high, best_high) = ends
    shown = f"{low.broken_connection_s:g} s", f"{high.broken_connection_s:g} s"
    return Swing("price", "broken connection", *shown, at_low, at_high, best_low, best_high, guessed=True)


_Input = tuple[str, tuple[str, str], tuple[World, World], bool]


def _inputs(told: World, place: int, of: FailureClass) -> Iterator[_Input]:
    process = of.process
    if process.seen is not None:
        ends = [end / process.seen.years for end in poisson_interval(process.seen.count)]
    else:
        factor = _GUESSED if process.assumed else _WRITTEN
        ends = [process.per_year / factor, process.per_year * factor]
    rates = [_with_rate(told, place, end * process.targets) for end in ends]
    yield "rate", (f"{ends[0]:.2g}/y", f"{ends[1]:.2g}/y"), (rates[0], rates[1]), process.assumed
    if not of.lasts.is_constant:
        factor = _SLOWER if "planning assumption" in process.source else _WRITTEN
        lengths = [_with_lengths(told, place, of, scale) for scale in (1 / factor, factor)]
        shown = f"÷ {factor:g}", f"× {factor:g}"
        yield "duration", shown, (lengths[0], lengths[1]), factor == _SLOWER


def _with_rate(told: World, place: int, rate: float) -> World:
    return replace(told, rates=tuple(rate if at == place else each for at, each in enumerate(told.rates)))


def _with_lengths(told: World, place: int, of: FailureClass, scale: float) -> World:
    weights = reweighed(of.lasts, [stratum.high for stratum in of.strata], scale)
    return replace(told, weights=tuple(weights if at == place else each for at, each in enumerate(told.weights)))


def reweighed(law: Law, ends: Sequence[float], scale: float) -> tuple[float, ...]:
    """How likely the strata below the probabilities ``ends`` are where everything takes ``scale`` times as long.

    What is longer than all that was played counts as the longest stratum.
    """
    below = [law.below(law.quantile(end) / scale) for end in ends[:-1]] + [1.0]
    return tuple(max(0.0, high - low) for low, high in zip([0.0, *below], below, strict=False))
