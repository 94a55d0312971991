"""Figures: one call each, from a result or a frame; the title is the finding. Matplotlib is loaded when one is made.

Every function returns a `matplotlib.figure.Figure` that no window owns; `save` writes it, the same bytes for the same
data.
"""

from simbgp.report.figures.calibration import calibration
from simbgp.report.figures.heat_map import heat_map
from simbgp.report.figures.strip import timeline_strip
from simbgp.report.figures.style import save, writable

__all__ = ["calibration", "heat_map", "save", "timeline_strip", "writable"]
