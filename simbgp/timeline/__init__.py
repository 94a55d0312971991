"""What happened, in time order: the only thing that passes from the control plane to the data plane."""

from simbgp.timeline.facts import (
    BackendChanged,
    ConntrackLost,
    Fact,
    FaultBegan,
    FaultEnded,
    ForwardingChanged,
    PathChanged,
    RouteChanged,
    SessionChanged,
    Start,
    ViewChanged,
)
from simbgp.timeline.invariants import BrokenInvariantError, require
from simbgp.timeline.record import Timeline

__all__ = [
    "BackendChanged",
    "BrokenInvariantError",
    "ConntrackLost",
    "Fact",
    "FaultBegan",
    "FaultEnded",
    "ForwardingChanged",
    "PathChanged",
    "RouteChanged",
    "SessionChanged",
    "Start",
    "Timeline",
    "ViewChanged",
    "require",
]
