"""What was played, kept by setting and class, and what a year of it costs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simbgp.measure.yearly import Floats, Sample, Yearly, yearly
from simbgp.study.advise.classes import FailureClass
from simbgp.study.advise.settings import Setting
from simbgp.study.advise.units import Cost, Unit


@dataclass(frozen=True)
class Weighing:
    """How costs of different kinds are added, once each has been shown: connections open to each service, and how many
    seconds of one connection's silence a broken one weighs."""

    services: tuple[str, ...]
    connections: tuple[float, ...]
    broken_connection_s: float

    def lost_vip_s(self) -> Floats:
        """Seconds of a service's whole traffic, added over the services."""
        return np.array([1.0] * len(self.services) + [0.0] * 3)

    def lost_of(self, service: str) -> Floats:
        """The same of one service."""
        return np.array([float(name == service) for name in self.services] + [0.0] * 3)

    def lost_connection_s(self) -> Floats:
        """Seconds of one connection's silence."""
        return np.array([*self.connections, 0.0, 0.0, 0.0])

    def broken(self) -> Floats:
        """Broken connections."""
        return np.array([0.0] * len(self.services) + [1.0, 0.0, 0.0])

    def lost_sessions(self) -> Floats:
        """Sessions that a router lost."""
        return np.array([0.0] * len(self.services) + [0.0, 1.0, 0.0])

    def dark_pods_s(self) -> Floats:
        """Seconds that the routes to one node's pods were dark."""
        return np.array([0.0] * len(self.services) + [0.0, 0.0, 1.0])

    def weighed(self, price_s: float | None = None) -> Floats:
        """All of it, in seconds of one connection's silence."""
        price = self.broken_connection_s if price_s is None else price_s
        return self.lost_connection_s() + price * self.broken()


@dataclass(frozen=True, slots=True)
class World:
    """A year as it might be: failures a year of each class, and how likely each of its strata is."""

    rates: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]


@dataclass
class Ledger:
    """The costs of settings that were played with the same failures."""

    classes: tuple[FailureClass, ...]
    units: tuple[Unit, ...]
    costs: dict[Setting, Floats] = field(default_factory=dict)
    """By setting an array (units, columns of a cost)."""

    def add(self, settings: Sequence[Setting], found: Sequence[Sequence[Cost]]) -> None:
        """Take what the units gave, unit by unit, for some settings."""
        for place, setting in enumerate(settings):
            self.costs[setting] = np.array([of_unit[place] for of_unit in found], dtype=np.float64)

    def as_told(self) -> World:
        """The year of the mix."""
        return World(
            tuple(of.process.in_all for of in self.classes),
            tuple(tuple(stratum.weight for stratum in of.strata) for of in self.classes),
        )

    def only(self, wanted: Callable[[str], bool], world: World | None = None) -> World:
        """The year in which nothing happens but faults of the kinds that are wanted."""
        world = world or self.as_told()
        rates = (r if wanted(of.process.fault.kind) else 0.0 for r, of in zip(world.rates, self.classes, strict=True))
        return World(tuple(rates), world.weights)

    def samples(
        self, setting: Setting, what: Floats, world: World | None = None, less: Setting | None = None
    ) -> list[Sample]:
        """By class what its failures cost, ``what`` being how much each column counts; ``less`` another setting's."""
        world = world or self.as_told()
        costs = self.costs[setting] if less is None else self.costs[setting] - self.costs[less]
        found = []
        for place, of in enumerate(self.classes):
            rows = [row for row, unit in enumerate(self.units) if unit.place == place]
            seen = of.process.seen
            found.append(
                Sample(
                    rate=world.rates[place],
                    costs=costs[rows] @ what,
                    strata=np.array([self.units[row].stratum for row in rows], dtype=np.int64),
                    weights=np.array(world.weights[place]),
                    counted=None if seen is None else seen.count,
                )
            )
        return found

    def a_year(self, setting: Setting, what: Floats, world: World | None = None, less: Setting | None = None) -> Yearly:
        """The expected amount a year."""
        return yearly(self.samples(setting, what, world, less))

    def value(self, setting: Setting, what: Floats, world: World | None = None) -> float:
        """The same without its interval, which takes longer."""
        return float(self.unit_weights(world) @ (self.costs[setting] @ what))

    def unit_weights(self, world: World | None = None) -> Floats:
        """How much a unit counts in a year."""
        world = world or self.as_told()
        numbers: dict[tuple[int, int], int] = {}
        for unit in self.units:
            numbers[unit.place, unit.stratum] = numbers.get((unit.place, unit.stratum), 0) + 1
        return np.array(
            [world.rates[u.place] * world.weights[u.place][u.stratum] / numbers[u.place, u.stratum] for u in self.units]
        )

    def by_class(self, setting: Setting, what: Floats) -> Mapping[str, Yearly]:
        """The expected amount a year of each class alone."""
        return {of.name: yearly([sample]) for of, sample in zip(self.classes, self.samples(setting, what), strict=True)}
