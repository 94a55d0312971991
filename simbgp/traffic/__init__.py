"""What the facts of a timeline do to traffic: windows, one outcome per connection, and load on the nodes."""

from simbgp.traffic.breaks import breaks_us
from simbgp.traffic.ecmp import NextHops
from simbgp.traffic.entering import lost_of_whole_us
from simbgp.traffic.flowhash import maglev_slot
from simbgp.traffic.history import History
from simbgp.traffic.inflow import Inflow
from simbgp.traffic.load import LoadRow, load, node_loads
from simbgp.traffic.maglev import maglev_table
from simbgp.traffic.obstacles import NextHop, obstacles
from simbgp.traffic.outcomes import ServiceOutcome, outcomes, summarise
from simbgp.traffic.populations import settled
from simbgp.traffic.windows import Window, windows

__all__ = [
    "History",
    "Inflow",
    "LoadRow",
    "NextHop",
    "NextHops",
    "ServiceOutcome",
    "Window",
    "breaks_us",
    "load",
    "lost_of_whole_us",
    "maglev_slot",
    "maglev_table",
    "node_loads",
    "obstacles",
    "outcomes",
    "settled",
    "summarise",
    "windows",
]
