"""The ``slo`` part: bounds on statistics over the runs."""

from pydantic import Field

from simbgp.scenario.schema.base import Name, Part, ServiceName, Share, Text


class Slo(Part):
    """One bound; which text and numbers fit depends on the metric (`simbgp.scenario.metrics`)."""

    metric: Text = Field(description="a metric, like blackhole_s")
    stat: Text = Field(description="over the runs: mean, min, max, or a quantile like p99")
    max: float | str | None = Field(None, description="a duration, a share or a number, as the metric is")
    min: float | str | None = Field(None, description="a duration, a share or a number, as the metric is")
    service: ServiceName | None = None
    router: Name | None = None
    fault: str | int | None = Field(None, description="a fault's name, or its place from 0")
    prefix: Text | None = Field(None, description="a prefix; PodCIDRs count only so")
    min_share: Share = Field(0.0, alias="min_share", description="smaller holes are ignored")
