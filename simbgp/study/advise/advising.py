"""`simbgp.advise`: the grid is looked over with few failures, its best settings are played in full, and one is chosen.

A look plays one failure for each stratum. What weighs least and what is on the front then get runs of their own, so
that a setting which was merely lucky in the look is not flattered by it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from simbgp.profiles import RouterProfile, SpeakerProfile
from simbgp.scenario import Plan, Scenario
from simbgp.study.advise.advised import Advised
from simbgp.study.advise.choice import best, front
from simbgp.study.advise.classes import ASSUMED_CONNECTIONS, FailureClass, classes_of, healthy, looked_at
from simbgp.study.advise.ledger import Ledger, Weighing
from simbgp.study.advise.play import Trials
from simbgp.study.advise.restarts import restarts_of
from simbgp.study.advise.settings import Axis, AxisError, Setting, default_axes, grid, present, read_axis, turned
from simbgp.study.advise.units import Unit
from simbgp.study.command import advise_command
from simbgp.study.engines import Engine, engine_at
from simbgp.study.replicate import check_effort

RUNS = 20
"""Failures of each class, for each setting."""
MOST_SETTINGS = 20_000
_WITHOUT_A_LOOK = 40
_FINALISTS, _OF_FRONT = 5, 6
_TURNS = 3
_EACH = 2
"""Runs of each stratum: the fewest that have a variance."""
_OWN_LUCK = 1_000_000
"""Runs of a look have numbers from here on, so that their luck is not that of the others."""
Progress = Callable[[int, int], None]


class AdviceError(ValueError):
    """A scenario, or a grid, of which nothing can be advised."""


def advise(
    scenario: Scenario,
    vary: Mapping[str, Iterable[Any]] | None = None,
    runs: int | None = None,
    seed: int = 0,
    jobs: int = 1,
    *,
    availability: float | None = None,
    broken_connection_s: float | None = None,
    engine: str = "local",
    progress: Progress | None = None,
) -> Advised:
    """Which timers, for the failures of a year.

    Args:
        scenario: The cluster; its ``failures`` and ``background`` say what fails, its ``faults`` play no part.
        vary: Values by axis (``hold``, ``keepalive``, ``restart``, ``bfd``, ``hash``, ``balancer``, ``algorithm``,
            ``mode``, ``drain``) or dotted path; axes that are not named have values of their own, BFD none.
        runs: Failures of each class to play for each setting, 20 by default, two in each of ten strata.
        seed: Of all luck, which all settings share.
        jobs: Processes to use. Above 1 the calling module must be importable (``if __name__ == "__main__":``).
        availability: An SLO over a year, such as 0.9995, in place of the scenario's.
        broken_connection_s: What a broken connection weighs, in seconds of one connection's silence, likewise.
        engine: ``local``, or the address of a Dask scheduler.
        progress: Called with the runs done and to do.

    Raises:
        ValueError: No such axis or value, nothing to lose, or nothing that fails.
        ScenarioError: A value at a dotted path is not allowed.
        EngineError: The engine is not there, or lost.
        BrokenInvariantError: A run contradicts itself.
    """
    check_effort(runs, jobs)
    plan, given = scenario.plan(), dict(vary or {})
    lists = {name: list(values) for name, values in given.items()}
    now, weighing = present(plan), _weighing(plan, broken_connection_s)
    restarts = restarts_of(plan, seed)
    axes = [read_axis(name, values, scenario) for name, values in lists.items()]
    axes += default_axes(plan, now, restarts.covering(), [name for name, _ in axes])
    settings = grid(axes, now)
    _check(plan, settings, weighing)
    with engine_at(engine, jobs) as ready:
        search = _Search(scenario, plan, settings, axes, now, weighing, runs or RUNS, seed, ready, progress)
        chosen = search.chosen()
    return Advised(
        scenario=scenario,
        plan=plan,
        now=now,
        chosen=chosen,
        axes=tuple(axes),
        tried=len(settings),
        ledger=search.ledger,
        weighing=weighing,
        restarts=restarts,
        seed=seed,
        runs=len(search.ledger.units) // len(search.ledger.classes),
        availability=availability or plan.mix.availability,
        assumptions=(*_assumptions(plan), *plan.assumptions),
        reproduce=advise_command(scenario, lists, runs, seed, availability, broken_connection_s),
    )


def _weighing(plan: Plan, price_s: float | None) -> Weighing:
    open_to = {entry.service: float(entry.connections) for entry in healthy(plan).traffic}
    names = tuple(service.name for service in plan.services)
    connections = tuple(open_to.get(name, 0.0) for name in names)
    return Weighing(names, connections, price_s or plan.mix.broken_connection_s)


def _check(plan: Plan, settings: Sequence[Setting], weighing: Weighing) -> None:
    if not plan.services or not plan.peerings:
        raise AdviceError("the scenario has no services that nodes announce: there is nothing to lose")
    if not any(process.in_all for process in plan.mix.processes):
        raise AdviceError(
            "nothing fails: failures.assume is nothing, and no failures, log or background says otherwise"
        )
    if len(settings) > MOST_SETTINGS:
        raise AdviceError(f"{len(settings)} settings; allowed: {MOST_SETTINGS}. Vary less at once")
    if not any(weighing.connections):
        raise AdviceError("no service has connections open: traffic says that nobody comes")


def _assumptions(plan: Plan) -> list[str]:
    found = list(plan.mix.notes)
    if not plan.traffic:
        found.append(
            f"no traffic is written: {ASSUMED_CONNECTIONS} connections are open to each service, lifetimes lognormal "
            "with median 30 s and p99 20 m"
        )
    found.append("failures do not overlap: to first order in their rates they never meet")
    profiles: dict[str, SpeakerProfile | RouterProfile] = {plan.speaker.name: plan.speaker}
    profiles |= {router.profile.name: router.profile for router in plan.routers}
    for name, profile in profiles.items():
        for switch in profile.switches:
            found.append(f"{name} leaves open: {switch.name}; it is played as {switch.alternatives[0].label}")
    return list(dict.fromkeys(found))


class _Search:
    """Looks, plays, chooses."""

    def __init__(
        self,
        scenario: Scenario,
        plan: Plan,
        settings: Sequence[Setting],
        axes: Sequence[Axis],
        now: Setting,
        weighing: Weighing,
        runs: int,
        seed: int,
        engine: Engine,
        progress: Progress | None,
    ) -> None:
        self._scenario, self._settings, self._axes, self._now = scenario, settings, axes, now
        self._weighing, self._seed, self._engine, self._progress = weighing, seed, engine, progress
        paths = dict.fromkeys(setting.paths for setting in settings)
        self._plans = tuple((path, healthy(self._plan_at(path, plan))) for path in paths)
        holds = [setting.hold or 0 for setting in settings] + [p.hold_s for p in plan.peerings]
        restarts = [setting.restart or 0 for setting in settings]
        restarts += [p.restart.restart_time_s for p in plan.peerings if p.restart.enabled]
        classes = classes_of(plan, max(holds), max(restarts, default=0), max(2, runs // _EACH))
        self._done = self._total = 0
        self.ledger = Ledger(classes, _units(classes, _EACH))

    def _plan_at(self, paths: tuple[tuple[str, Any], ...], plan: Plan) -> Plan:
        return self._scenario.with_(**dict(paths)).plan() if paths else plan

    def chosen(self) -> Setting:
        """The advised setting, after all that is compared with it has been played."""
        self._play(self.ledger, self._finalists())
        for _ in range(_TURNS):
            found = best(self.ledger, self._weighing, list(self.ledger.costs))
            missing = [
                setting
                for axis in self._axes
                for setting in turned(axis, found, self._now)
                if setting not in self.ledger.costs and setting.paths in dict(self._plans)
            ]
            if not missing:
                break
            self._play(self.ledger, list(dict.fromkeys(missing)))
        return best(self.ledger, self._weighing, list(self.ledger.costs))

    def _finalists(self) -> list[Setting]:
        if len(self._settings) <= _WITHOUT_A_LOOK:
            return list(self._settings)
        classes = tuple(map(looked_at, self.ledger.classes))
        look = Ledger(classes, _units(classes, 1, _OWN_LUCK))
        self._play(look, self._settings)
        weighed = self._weighing.weighed()
        ranked = sorted(self._settings, key=lambda setting: look.value(setting, weighed))
        on_front = front(look, self._weighing, self._settings)
        step = max(1, -(-len(on_front) // _OF_FRONT))
        wanted = [Setting(), *islice(ranked, _FINALISTS), *on_front[::step]]
        return list(dict.fromkeys(wanted))

    def _play(self, ledger: Ledger, settings: Sequence[Setting]) -> None:
        trials = Trials(self._plans, ledger.classes, tuple(settings), ledger.units, self._seed)
        self._total += len(trials.units) * len(settings)
        found = [unit for part in self._engine.map(trials, trials.parts(), self._tick) for unit in part]
        ledger.add(settings, found)

    def _tick(self, more: int) -> None:
        self._done += more
        if self._progress is not None:
            self._progress(self._done, self._total)


def _units(classes: Sequence[FailureClass], each: int, first_run: int = 0) -> tuple[Unit, ...]:
    """``each`` runs of every stratum, one from each equal part of it, classes after one another."""
    return tuple(
        Unit(place, stratum, first_run + stratum * each + n, part=n, parts=each)
        for place, of in enumerate(classes)
        for stratum in range(len(of.strata))
        for n in range(each)
    )


__all__ = ["AdviceError", "AxisError", "advise"]
