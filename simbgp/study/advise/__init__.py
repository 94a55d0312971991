"""Advice: which timers, for the failures of a year."""

from simbgp.study.advise.advised import Advised, Budget, Costs
from simbgp.study.advise.advising import AdviceError, advise
from simbgp.study.advise.settings import AxisError, Setting

__all__ = ["AdviceError", "Advised", "AxisError", "Budget", "Costs", "Setting", "advise"]
