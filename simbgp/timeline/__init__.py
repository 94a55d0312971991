"""What happened, in time order: the only thing that passes from the control plane to the data plane."""

from simbgp.timeline.facts import (
    BackendAdded,
    BackendChanged,
    ConntrackLost,
    Fact,
    FaultBegan,
    FaultEnded,
    ForwardingChanged,
    NeighbourChanged,
    PathChanged,
    ProcedureEnded,
    RouteChanged,
    SessionChanged,
    SpineChanged,
    Start,
    ViewChanged,
)
from simbgp.timeline.faults import FaultLog, touches
from simbgp.timeline.invariants import BrokenInvariantError, require
from simbgp.timeline.record import Timeline

__all__ = [
    "BackendAdded",
    "BackendChanged",
    "BrokenInvariantError",
    "ConntrackLost",
    "Fact",
    "FaultBegan",
    "FaultEnded",
    "FaultLog",
    "ForwardingChanged",
    "NeighbourChanged",
    "PathChanged",
    "ProcedureEnded",
    "RouteChanged",
    "SessionChanged",
    "SpineChanged",
    "Start",
    "Timeline",
    "ViewChanged",
    "require",
    "touches",
]
