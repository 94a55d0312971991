"""Whether the runs meet a bound, in words that do not say more than the runs do."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from simbgp.measure.intervals import FEWEST_FOR_BOOTSTRAP, Estimate, estimate, quantile_of, runs_for_quantile
from simbgp.measure.observed import Value
from simbgp.scenario.plan import SloPlan


class Verdict(StrEnum):
    """What can be said of an SLO, or of all of them together."""

    MET = "MET"
    BREACHED = "BREACHED"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    NO_SLO = "NO_SLO"


@dataclass(frozen=True, slots=True)
class SloResult:
    """One SLO judged. ``runs_needed`` estimates how many more runs would settle an INCONCLUSIVE one; None: no number
    would, because the horizon censors the value or because it lies on the bound."""

    slo: SloPlan
    estimate: Estimate | None
    verdict: Verdict
    runs_needed: int | None = None


def bound_of(slo: SloPlan) -> float:
    """The greatest or, of a ``min`` SLO, the least value that ``slo`` allows."""
    if slo.max_value is not None:
        return slo.max_value
    return -math.inf if slo.min_value is None else slo.min_value


def judge(slo: SloPlan, values: Sequence[Value | None], *, seed: int, exact: bool = False) -> SloResult:
    """Judge ``slo`` by its metric's value in each run; None is a run in which what it speaks of never happened.

    MET if the interval's worse end is within the bound, BREACHED if its better end is outside, else INCONCLUSIVE. A
    censored value is a lower bound: it can breach a ``max``, never meet it.
    """
    happened = [value for value in values if value is not None]
    if not happened:
        return SloResult(slo, None, Verdict.NOT_APPLICABLE)
    purpose = f"{slo.metric}/{slo.stat}"
    found = estimate(slo.stat, happened, seed=seed, purpose=purpose, exact=exact, bound=bound_of(slo))
    verdict = _verdict(slo, found)
    needed = _runs_needed(slo, found) if verdict is Verdict.INCONCLUSIVE else None
    return SloResult(slo, found, verdict, needed)


def overall(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict of several: the worst of BREACHED, INCONCLUSIVE, NOT_APPLICABLE, MET; NO_SLO of none."""
    order = (Verdict.BREACHED, Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE, Verdict.MET)
    return next((verdict for verdict in order if verdict in verdicts), Verdict.NO_SLO)


def within(slo: SloPlan, value: Value) -> bool:
    """Whether one run is within the bound; a censored value is not within a ``max``, whatever it is."""
    least = -math.inf if slo.min_value is None else slo.min_value
    most = math.inf if slo.max_value is None else slo.max_value
    return least <= value.value <= most and not (value.censored and slo.max_value is not None)


def _verdict(slo: SloPlan, found: Estimate) -> Verdict:
    low = -math.inf if found.low is None else found.low
    high = math.inf if found.high is None else found.high
    least = -math.inf if slo.min_value is None else slo.min_value
    most = math.inf if slo.max_value is None else slo.max_value
    if low > most or high < least:
        return Verdict.BREACHED
    return Verdict.MET if least <= low and high <= most else Verdict.INCONCLUSIVE


def _runs_needed(slo: SloPlan, found: Estimate) -> int | None:
    """More runs until the interval exists and, shrinking as 1/sqrt(runs), leaves the bound on one side."""
    if found.censored:
        return None
    p = quantile_of(slo.stat)
    exists = FEWEST_FOR_BOOTSTRAP if p is None else runs_for_quantile(p)
    if found.runs < exists:
        return exists - found.runs
    distance = bound_of(slo) - found.value
    end = found.high if distance > 0 else found.low
    if not distance or end is None:
        return None
    return max(1, math.ceil(found.runs * ((end - found.value) / distance) ** 2) - found.runs)
