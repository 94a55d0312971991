"""Figures: one call each, from a result or a frame; the title is the finding. Matplotlib is loaded when one is made.

Every function returns a `matplotlib.figure.Figure` that no window owns; `save` writes it, the same bytes for the same
data.
"""

from simbgp.report.figures.advice import advice
from simbgp.report.figures.calibration import calibration
from simbgp.report.figures.convergence import convergence
from simbgp.report.figures.ecdf import ecdf
from simbgp.report.figures.heat_map import heat_map
from simbgp.report.figures.lab_calibration import lab_calibration
from simbgp.report.figures.load_bars import load_bars
from simbgp.report.figures.outcome_bars import outcome_bars
from simbgp.report.figures.patch_rates import patch_rates
from simbgp.report.figures.strip import timeline_strip
from simbgp.report.figures.style import save, writable
from simbgp.report.figures.upgrade_fan import upgrade_fan
from simbgp.report.figures.wait_curve import wait_curve

__all__ = [
    "advice",
    "calibration",
    "convergence",
    "ecdf",
    "heat_map",
    "lab_calibration",
    "load_bars",
    "outcome_bars",
    "patch_rates",
    "save",
    "timeline_strip",
    "upgrade_fan",
    "wait_curve",
    "writable",
]
