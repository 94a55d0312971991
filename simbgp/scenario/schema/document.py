"""The whole file."""

from typing import Literal

from pydantic import Field

from simbgp.scenario.printable import Lines
from simbgp.scenario.schema.base import FixedDuration, Many, Part, PositiveDuration, Text
from simbgp.scenario.schema.cluster import Cluster
from simbgp.scenario.schema.faults import AnyFault
from simbgp.scenario.schema.processes import AnyFailures, AnyProcess
from simbgp.scenario.schema.routers import FabricRouter, Router
from simbgp.scenario.schema.services import Service, Traffic
from simbgp.scenario.schema.slo import Slo


class Document(Part):
    """A scenario as it is written."""

    name: Text | None = Field(None, description="without: the name of the file")
    description: Lines = Field("", description="a sentence or two, shown with the result")
    horizon: PositiveDuration = Field(600.0, description="simulated time; a window still open there is censored")
    start: Literal["steady", "cold"] = Field(
        "steady", description="steady: a cluster long in steady state; cold: all agents start at 0"
    )
    up_for: FixedDuration = Field(3600.0, description="the age that `show` gives to what was up at time 0")
    cluster: Cluster = Field(description="nodes, speakers, timers, load balancing, and what is announced")
    routers: Many[Router] = Field((), description="what the nodes peer with; or as `cluster.racks`")
    fabric: Many[FabricRouter] = Field((), description="a second tier above the routers")
    services: Many[Service] = Field((), description="what clients ask for")
    traffic: Many[Traffic] = Field((), description="the clients of a service")
    faults: Many[AnyFault] = Field((), description="what fails, and when")
    background: Many[AnyProcess] = Field(
        (), description="what fails by chance, at random moments between time 0 and the horizon"
    )
    failures: AnyFailures | None = Field(None, description="the yearly mix of failures that `simbgp advise` weighs")
    slo: Many[Slo] = Field((), description="bounds on figures over the runs")
