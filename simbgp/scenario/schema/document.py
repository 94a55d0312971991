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
    description: Lines = ""
    horizon: PositiveDuration = Field(600.0, description="simulated time; a window still open there is censored")
    start: Literal["steady", "cold"] = "steady"
    up_for: FixedDuration = 3600.0
    cluster: Cluster
    routers: Many[Router] = ()
    fabric: Many[FabricRouter] = ()
    services: Many[Service] = ()
    traffic: Many[Traffic] = ()
    faults: Many[AnyFault] = ()
    background: Many[AnyProcess] = Field(
        (), description="what fails by chance, at random moments between time 0 and the horizon"
    )
    failures: AnyFailures | None = None
    slo: Many[Slo] = ()
