"""The same figures, read off many runs of the model and off some repetitions on real daemons."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from simbgp.lab.comparison import Comparison, Figure
from simbgp.lab.driver import Measured
from simbgp.lab.readings import FIGURES, Place, measured, places, predicted
from simbgp.lab.score import Seen
from simbgp.lab.shares import shares
from simbgp.scenario import Plan, draw
from simbgp.study.replay import timeline
from simbgp.traffic import ServiceOutcome, outcomes


def compare(plan: Plan, repetitions: Sequence[Measured], runs: int, seed: int = 0) -> Comparison:
    """Read the same figures off ``runs`` runs of the model and off every repetition.

    Each is relative to the first fault of its own run. Raises ValueError without a fault or a repetition.
    """
    firsts = [repetition.trial.occurrences for repetition in repetitions]
    if not firsts or not all(firsts):
        raise ValueError("nothing to compare: there is no fault before the horizon")
    here = list(places(plan, firsts[0][0]))
    plan = as_young(plan, fmean(repetition.up_s for repetition in repetitions))
    read = [_reading_of_run(plan, seed, run, here) for run in range(runs)]
    played = [figures for figures, _ in read]
    seen = [
        {place: measured(repetition, repetition.trial.occurrences[0], place) for place in here}
        for repetition in repetitions
    ]
    seen_s = (plan.horizon_us - firsts[0][0].at_us) / 1e6
    figures = [
        Figure(
            place,
            name,
            tuple(run[place][name] for run in played),
            tuple(repetition[place][name] for repetition in seen),
            seen_s,
        )
        for place in here
        for name in FIGURES
        if all(name in repetition[place] for repetition in [*seen, *played])
    ]
    ends = shares(plan, [rows for _, rows in read], [repetition.outcomes for repetition in repetitions])
    return Comparison(plan, runs, tuple(figures), tuple(ends))


def as_young(plan: Plan, up_s: float) -> Plan:
    """The plan with daemons of this age at time 0: a router of the lab was started for it, and says so in its OPEN."""
    return replace(plan, up_for_us=round(up_s * 1e6))


def _reading_of_run(
    plan: Plan, seed: int, run: int, here: Sequence[Place]
) -> tuple[Mapping[Place, Mapping[str, Seen]], Sequence[ServiceOutcome]]:
    happened, fault = timeline(plan, seed, run), draw(plan, seed, run).occurrences[0]
    return {place: predicted(plan, happened, fault, place) for place in here}, outcomes(plan, happened, seed, run)
