"""The lab: a scenario played on real BGP daemons in network namespaces of one Linux machine, and compared.

Nothing of it touches the host's own routes, firewall or daemons: everything runs in namespaces that the lab makes,
under names of its own, and goes when the measurement ends.
"""

from simbgp.lab.compare import compare
from simbgp.lab.comparison import Comparison, hint
from simbgp.lab.dataplane.schedule import scaled
from simbgp.lab.errors import LabError
from simbgp.lab.result import LabResult, play

__all__ = ["Comparison", "LabError", "LabResult", "compare", "hint", "play", "scaled"]
