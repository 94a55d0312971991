"""What one failure costs under every setting, run by run with the same luck."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from simbgp.measure import Observed, Question, value_of
from simbgp.scenario import Plan
from simbgp.study.advise.classes import FailureClass, struck
from simbgp.study.advise.settings import Setting, applied, with_order
from simbgp.study.advise.units import Cost, Unit
from simbgp.study.replay import timeline
from simbgp.study.shared import Shared
from simbgp.timeline import Timeline
from simbgp.traffic import ServiceOutcome, Window, lost_of_whole_us


@dataclass(frozen=True)
class Trials:
    """Failures to play, each under all settings. ``plans`` are healthy, by the dotted paths of a setting."""

    plans: "tuple[tuple[tuple[object, ...], Plan], ...]"
    classes: tuple[FailureClass, ...]
    settings: tuple[Setting, ...]
    units: tuple[Unit, ...]
    seed: int

    def play(self, part: range, tick: Callable[[int], None] | None = None) -> list[list[Cost]]:
        """For each unit of ``part`` the cost under each setting."""
        found = []
        for place in part:
            found.append(self._unit(self.units[place]))
            if tick is not None:
                tick(len(self.settings))
        return found

    def parts(self) -> list[range]:
        """The units in parts of the same work, whatever the number of workers."""
        size = max(1, min(4, len(self.units) // 16))
        return [range(first, min(first + size, len(self.units))) for first in range(0, len(self.units), size)]

    def _unit(self, unit: Unit) -> list[Cost]:
        """Settings that the control plane cannot tell apart share its facts, and those with the same facts and hashes
        their effect on traffic."""
        of, healthy = self.classes[unit.place], dict(self.plans)
        drains = of.process.fault.kind == "node-drain"
        shared, facts = Shared(self.seed, unit.run), dict[object, Timeline]()
        worlds: dict[object, int] = {}
        costs: dict[object, Cost] = {}
        found = []
        for setting in self.settings:
            control = (setting.control, setting.drain if drains else None)
            world = worlds.setdefault(setting.world, len(worlds))
            if (control, world) not in costs:
                process = with_order(of.process, setting)
                base = applied(healthy[setting.paths], setting)
                plan, scales = struck(base, of, process, of.strata[unit.stratum].part(unit.part, unit.parts))
                if control not in facts:
                    facts[control] = timeline(plan, self.seed, unit.run)
                costs[control, world] = self._cost(plan, world, facts[control], shared, unit.run, scales)
            found.append(costs[control, world])
        return found

    def _cost(
        self, plan: Plan, world: int, happened: Timeline, shared: Shared, run: int, scales: Sequence[float]
    ) -> Cost:
        effect = shared.effect(plan, world, happened)
        lost_us = dict.fromkeys((service.name for service in plan.services), 0.0)
        for service, lost in lost_of_whole_us(plan, happened, effect.windows, self.seed, run):
            lost_us[service] += lost
        lost_s = [lost_us[service.name] / 1e6 / max(1, len(service.prefixes)) for service in plan.services]
        broken = _broken(plan, effect.outcomes, scales)
        observed = Observed(replace(plan, slo=()), happened, effect.windows, effect.outcomes, self.seed, run)
        flaps = value_of(observed, Question("flaps"))
        return (*lost_s, broken, 0.0 if flaps is None else flaps.value, _dark_pods_s(plan, effect.windows))


def _dark_pods_s(plan: Plan, windows: Sequence[Window]) -> float:
    """Seconds that the prefixes of pods were dark, at one router of several for a part."""
    routers = Counter(prefix for peering in plan.peerings for prefix in peering.prefixes)
    nodes = Counter({(peering.node, prefix) for peering in plan.peerings for prefix in peering.prefixes})
    announcers = Counter(prefix for _, prefix in nodes)
    of_pods = (window for window in windows if window.service is None)
    return sum(w.lost_traffic_us * announcers[w.prefix] / routers[w.prefix] for w in of_pods) / 1e6


def _broken(plan: Plan, outcomes: Sequence[ServiceOutcome], scales: Sequence[float]) -> float:
    by_service = {row.service: row.reset + row.timed_out + row.not_opened for row in outcomes if row.fault is None}
    entries = zip(plan.traffic, scales, strict=True)
    return sum(by_service.get(entry.service, 0) * scale for entry, scale in entries)
