"""The advice: what was found for each setting that was played in full."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from simbgp._version import __version__
from simbgp.measure import Verdict
from simbgp.measure.yearly import Yearly, one_year_in
from simbgp.scenario import Plan, Scenario
from simbgp.scenario.trial import YEAR_S
from simbgp.study.advise.choice import Points, Prices, is_stall, points, prices, unbeaten
from simbgp.study.advise.ledger import Ledger, Weighing
from simbgp.study.advise.restarts import Restarts
from simbgp.study.advise.sensitivity import Swing, swings
from simbgp.study.advise.settings import Axis, Setting, applied, turned
from simbgp.study.advise.words import values_of

CUSTOMARY = 0.999
"""The availability against which a year is held where no SLO is written: 8.8 hours."""
_ONE_YEAR = 0.05
_DEAD = frozenset({"node-down", "node-drain"})
"""Kinds that take the pods with the node: no route would help them."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What a year is expected to cost: seconds of whole services, seconds of one connection's silence, broken
    connections, sessions that stalls cost although nothing was dead, seconds that routes to a living node's pods were
    dark, and the weighed sum in seconds, in which sessions and pods are not."""

    lost_vip_s: Yearly
    lost_connection_s: Yearly
    broken: Yearly
    false_expiries: Yearly
    dark_pods_s: Yearly
    weighs_s: Yearly


@dataclass(frozen=True, slots=True)
class Budget:
    """A service's year against an availability: seconds lost, seconds allowed."""

    service: str
    availability: float
    lost_s: Yearly
    allowed_s: float

    @property
    def used(self) -> float:
        """The share of the error budget that is used."""
        return self.lost_s.value / self.allowed_s

    @property
    def verdict(self) -> Verdict:
        """Whether the interval is within the budget."""
        low, high = self.lost_s.low, self.lost_s.high
        if low is None or high is None:
            return Verdict.INCONCLUSIVE
        return (
            Verdict.BREACHED
            if low > self.allowed_s
            else Verdict.MET
            if high <= self.allowed_s
            else Verdict.INCONCLUSIVE
        )


@dataclass(frozen=True, eq=False)
class Advised:
    """Made by `simbgp.advise`: the present setting, the advised one, and all that was weighed."""

    scenario: Scenario
    plan: Plan
    now: Setting
    """The values in force; None where sessions or routers differ."""
    chosen: Setting
    axes: tuple[Axis, ...]
    tried: int
    """How many settings were looked at; those in `settings` were played in full."""
    ledger: Ledger
    weighing: Weighing
    restarts: Restarts
    seed: int
    runs: int
    """Failures played of each class, for each setting."""
    availability: float | None
    assumptions: tuple[str, ...]
    reproduce: str

    @property
    def settings(self) -> list[Setting]:
        """All that were played in full, the present one first."""
        return list(self.ledger.costs)

    def costs(self, setting: Setting, less: Setting | None = None) -> Costs:
        """What a year costs, or by how much more than with another setting, with paired intervals."""
        weighing = self.weighing
        stalls = self.ledger.only(is_stall)
        alive = self.ledger.only(lambda kind: kind not in _DEAD)
        return Costs(
            lost_vip_s=self.ledger.a_year(setting, weighing.lost_vip_s(), less=less),
            lost_connection_s=self.ledger.a_year(setting, weighing.lost_connection_s(), less=less),
            broken=self.ledger.a_year(setting, weighing.broken(), less=less),
            false_expiries=self.ledger.a_year(setting, weighing.lost_sessions(), stalls, less),
            dark_pods_s=self.ledger.a_year(setting, weighing.dark_pods_s(), alive, less),
            weighs_s=self.ledger.a_year(setting, weighing.weighed(), less=less),
        )

    @cached_property
    def points(self) -> Points:
        """What a year costs with each, without intervals."""
        return points(self.ledger, self.weighing, self.settings)

    @cached_property
    def front(self) -> list[Setting]:
        """Settings that no other beats in lost traffic, broken connections and false expiries, from the fewest broken
        connections on."""
        return unbeaten(self.points)

    @cached_property
    def prices(self) -> Prices:
        """Between which prices of a broken connection the advice stands."""
        return prices(self.points, self.chosen, self.weighing.broken_connection_s)

    @property
    def least(self) -> Setting:
        """What weighs least, which another as good with fewer false expiries may have been preferred to."""
        price_s = self.weighing.broken_connection_s
        return min(self.points, key=lambda setting: self.points[setting].weighs_s(price_s))

    @cached_property
    def swings(self) -> tuple[Swing, ...]:
        """What moves the answer, the most first."""
        return swings(self.ledger, self.weighing, self.chosen, self.settings)

    def neighbours(self) -> dict[str, list[Setting]]:
        """By axis the advised setting with that one thing changed, in the order of its values; itself among them."""
        return {name: turned(axis, self.chosen, self.now) for axis in self.axes for name in [axis[0]]}

    def one_year_in_20(self, setting: Setting) -> float:
        """Seconds of whole services that one year in twenty loses or more."""
        samples = self.ledger.samples(setting, self.weighing.lost_vip_s())
        return one_year_in(samples, _ONE_YEAR, seed=self.seed, purpose="advise/year")

    def budgets(self, setting: Setting) -> list[Budget]:
        """Each service against the SLO, or against the customary 99.9 % where none is written; the worst first."""
        availability = self.availability or CUSTOMARY
        allowed_s = (1 - availability) * YEAR_S
        found = [
            Budget(service, availability, self.ledger.a_year(setting, self.weighing.lost_of(service)), allowed_s)
            for service in self.weighing.services
        ]
        return sorted(found, key=lambda budget: -budget.used)

    @property
    def verdict(self) -> Verdict:
        """Whether the advised setting keeps every service within the SLO's budget."""
        if self.availability is None:
            return Verdict.NO_SLO
        found = {budget.verdict for budget in self.budgets(self.chosen)}
        order = (Verdict.BREACHED, Verdict.INCONCLUSIVE, Verdict.MET)
        return next((verdict for verdict in order if verdict in found), Verdict.NO_SLO)

    def advised_plan(self) -> Plan:
        """The scenario's plan with the advised setting."""
        with_paths = self.scenario.with_(**dict(self.chosen.paths)).plan() if self.chosen.paths else self.plan
        return applied(with_paths, self.chosen)

    def to_dict(self) -> dict[str, Any]:
        """All of it as a JSON object; times in seconds, amounts a year."""
        return {
            "simbgp": __version__,
            "scenario": self.scenario.name,
            "seed": str(self.seed),
            "runs": self.runs,
            "verdict": str(self.verdict),
            "reproduce": self.reproduce,
            "now": self._setting(Setting()),
            "advised": self._setting(self.chosen),
            "difference": _costs(self.costs(self.chosen, less=Setting())),
            "price_s": self.weighing.broken_connection_s,
            "price_low_s": round(self.prices.low_s, 6),
            "price_high_s": None if self.prices.high_s == float("inf") else round(self.prices.high_s, 6),
            "failures": [self._class(place) for place in range(len(self.ledger.classes))],
            "front": [self._setting(setting) for setting in self.front],
            "neighbours": {
                axis: [self._setting(setting) for setting in settings] for axis, settings in self.neighbours().items()
            },
            "tornado": [self._swing(swing) for swing in self.swings],
            "tried": self.tried,
            "assumptions": list(self.assumptions),
            "warnings": list(self.scenario.warnings),
        }

    def _setting(self, setting: Setting) -> dict[str, Any]:
        restart = self.now.restart if setting.restart is None else setting.restart
        return {
            "set": values_of(setting, self.now),
            "changes": values_of(setting, Setting()),
            **_costs(self.costs(setting)),
            "restarts_covered": None if restart is None else round(self.restarts.covered(restart), 6),
            "lost_vip_s_one_year_in_20": round(self.one_year_in_20(setting), 6),
            "budgets": [
                {
                    "service": budget.service,
                    "availability": round(budget.availability, 9),
                    "lost_s": _yearly(budget.lost_s),
                    "allowed_s": round(budget.allowed_s, 6),
                    "used": round(budget.used, 9),
                }
                for budget in self.budgets(setting)
            ],
        }

    def _class(self, place: int) -> dict[str, Any]:
        of = self.ledger.classes[place]
        process, what = of.process, self.weighing
        parts = {
            "lost_vip_s": what.lost_vip_s(),
            "lost_connection_s": what.lost_connection_s(),
            "broken": what.broken(),
        }
        return {
            "name": of.name,
            "kind": process.fault.kind,
            "per_year": process.per_year,
            "targets": process.targets,
            "in_all": process.in_all,
            "counted": None if process.seen is None else process.seen.count,
            "assumed": process.assumed,
            "source": process.source,
            "lasts": str(of.lasts),
            **{
                when: {key: _yearly(self.ledger.by_class(setting, each)[of.name]) for key, each in parts.items()}
                for when, setting in (("now", Setting()), ("advised", self.chosen))
            },
        }

    def _swing(self, swing: Swing) -> dict[str, Any]:
        return {
            "kind": swing.kind,
            "of": swing.of,
            "low": swing.low,
            "high": swing.high,
            "weighs_s_at_low": round(swing.at_low, 6),
            "weighs_s_at_high": round(swing.at_high, 6),
            "advised_at_low": values_of(swing.best_at_low, Setting()),
            "advised_at_high": values_of(swing.best_at_high, Setting()),
            "guessed": swing.guessed,
        }


def _costs(costs: Costs) -> dict[str, Any]:
    return {name: _yearly(getattr(costs, name)) for name in Costs.__dataclass_fields__}


def _yearly(found: Yearly) -> dict[str, float | None]:
    return {"value": round(found.value, 6), "low": _rounded(found.low), "high": _rounded(found.high)}


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 6)
