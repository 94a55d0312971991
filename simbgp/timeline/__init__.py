"""What happened, in time order: the only thing that passes from the control plane to the data plane."""

from simbgp.timeline.facts import (
    AddressGiven,
    AgentChanged,
    BackendAdded,
    BackendChanged,
    ConntrackLost,
    Fact,
    FaultBegan,
    FaultEnded,
    ForwardingChanged,
    NeighbourChanged,
    NodeConfigChanged,
    OperatorChanged,
    PathChanged,
    ProcedureEnded,
    RolloutAdvanced,
    RouteChanged,
    ServiceAdded,
    SessionChanged,
    SpineChanged,
    Start,
    ViewChanged,
)
from simbgp.timeline.faults import FaultLog, touches
from simbgp.timeline.invariants import BrokenInvariantError, require
from simbgp.timeline.reasons import Reason
from simbgp.timeline.record import Timeline

__all__ = [
    "AddressGiven",
    "AgentChanged",
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
    "NodeConfigChanged",
    "OperatorChanged",
    "PathChanged",
    "ProcedureEnded",
    "Reason",
    "RolloutAdvanced",
    "RouteChanged",
    "ServiceAdded",
    "SessionChanged",
    "SpineChanged",
    "Start",
    "Timeline",
    "ViewChanged",
    "require",
    "touches",
]
