"""What a scenario may say: pydantic models of the YAML, one module per part of the file."""

from simbgp.scenario.schema.base import Part
from simbgp.scenario.schema.cluster import Cluster, LoadBalancer, Node, Racks, Timers
from simbgp.scenario.schema.document import Document
from simbgp.scenario.schema.faults import AnyFault, Fault
from simbgp.scenario.schema.processes import FailuresBase, MixEntry, Process, mix_entries
from simbgp.scenario.schema.routers import Router, RouterSettings
from simbgp.scenario.schema.services import Requests, Service, Traffic
from simbgp.scenario.schema.slo import Slo

__all__ = [
    "AnyFault",
    "Cluster",
    "Document",
    "FailuresBase",
    "Fault",
    "LoadBalancer",
    "MixEntry",
    "Node",
    "Part",
    "Process",
    "Racks",
    "Requests",
    "Router",
    "RouterSettings",
    "Service",
    "Slo",
    "Timers",
    "Traffic",
    "mix_entries",
]
