"""Statistics of runs: metrics, intervals, verdicts, and the closed forms they are held against."""

from simbgp.measure.closed_form import ClosedForm, closed_forms
from simbgp.measure.intervals import Estimate, estimate, wilson
from simbgp.measure.metrics import METRICS, value_of
from simbgp.measure.observed import Observed, Question, Value
from simbgp.measure.progress import ProgressRow, progress
from simbgp.measure.verdict import SloResult, Verdict, judge, overall

__all__ = [
    "METRICS",
    "ClosedForm",
    "Estimate",
    "Observed",
    "ProgressRow",
    "Question",
    "SloResult",
    "Value",
    "Verdict",
    "closed_forms",
    "estimate",
    "judge",
    "overall",
    "progress",
    "value_of",
    "wilson",
]
