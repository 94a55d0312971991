"""The ``faults`` part: one model per kind, told apart by ``kind``."""

from typing import Annotated, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from simbgp.profiles.law import Law
from simbgp.scenario.schema.base import (
    CountOrPercent,
    Duration,
    Many,
    Name,
    Part,
    ServiceName,
    Share,
    Text,
    read_law,
)
from simbgp.scenario.schema.routers import Selected

Step = Literal["drain", "unlabel", "wait", "poweroff"]


def read_wait(value: object) -> Law | None:
    """A duration or a distribution, None for ``auto``; ValueError otherwise."""
    try:
        return None if value == "auto" else read_law(value)
    except ValueError as error:
        raise ValueError(f"{error}, or auto") from None


Wait = Annotated[
    Law | None,
    PlainValidator(read_wait),
    WithJsonSchema({"anyOf": [{"const": "auto"}, {"type": "string"}, {"type": "number"}, {"type": "object"}]}),
]


class Repeat(Part):
    """The same fault again: the k-th begins k × ``every`` after the first."""

    times: Annotated[int, Field(ge=1, le=100_000)] = Field(description="how often in all")
    every: Duration = Field(description="from one beginning to the next")


class Fault(Part):
    """What every fault has."""

    at: Duration = Field(description="when it begins, from time 0")
    name: Text | None = Field(None, description="text, as rows and SLOs call it; without: its place, from 0")
    repeat: Repeat | None = Field(None, description="the same fault again")


class AgentCrash(Fault):
    """The speaker is killed; the datapath stays up."""

    kind: Literal["agent-crash"]
    node: Selected
    down_for: Duration | None = Field(None, description="until the container starts again; without: for good")


class AgentRestart(Fault):
    """The speaker is stopped by SIGTERM: what goes on the wire depends on the release."""

    kind: Literal["agent-restart"]
    node: Selected
    down_for: Duration | None = Field(None, description="until the container starts again; without: for good")


class AgentUpgrade(Fault):
    """A DaemonSet rollout."""

    kind: Literal["agent-upgrade"]
    to: Text = Field(description='a release, like "1.20"')
    max_unavailable: CountOrPercent = Field(2, description="agents away at once; of the nodes, rounded up, in percent")
    min_ready_seconds: Annotated[int, Field(ge=0)] = Field(
        0, description="Ready for so long before an agent counts as available"
    )
    image_pull: Duration | None = Field(None, description="of each node, after its old agent has ended")
    pre_pulled: bool = Field(False, description="the images are on the nodes: imagePull costs nothing")
    ready_after: Duration | None = Field(
        None, description="container start to Ready, whatever BGP does; without: when the agent has started"
    )
    rollback_after: Duration | None = Field(
        None, description="from the beginning to a rollout undo, finished or not; nodes not yet taken are left alone"
    )


class NodeDown(Fault):
    """Power loss: silence."""

    kind: Literal["node-down"]
    node: Selected
    down_for: Duration | None = Field(None, description="until the power is back; without: for good")


class NodeDrain(Fault):
    """The maintenance procedure."""

    kind: Literal["node-drain"]
    node: Selected
    order: Annotated[Many[Step], Field(min_length=1)] = Field(
        ("drain", "unlabel", "wait", "poweroff"), description="the steps, one after the other"
    )
    wait: Wait = Field(None, description="a duration; auto: until no router forwards anything to the node")
    termination_grace_period_seconds: Annotated[int, Field(ge=0)] = Field(
        30, description="of the pods: SIGTERM until SIGKILL"
    )
    pre_stop: Duration | None = Field(None, description="how long the hook runs before SIGTERM; without: no hook")
    shutdown: Duration | None = Field(
        None, description="SIGTERM to the end; without: at once after a preStop, else the whole grace period"
    )
    down_for: Duration | None = Field(None, description="from the last step until the power is back; without: for good")


class Unlabel(Fault):
    """The node leaves the BGP selection."""

    kind: Literal["unlabel"]
    node: Selected
    relabel_after: Duration | None = Field(None, description="without: for good")


class PeerShutdown(Fault):
    """The speaker shuts the peer down (Cease 6/2)."""

    kind: Literal["peer-shutdown"]
    node: Selected
    router: Selected | None = Field(None, description="without: every router of the node")
    down_for: Duration | None = Field(None, description="until the peer is enabled again; without: for good")


class SessionReset(Fault):
    """A timer or peer configuration change (Cease 6/4)."""

    kind: Literal["session-reset"]
    node: Selected
    router: Selected | None = None


class LinkDown(Fault):
    """Carrier lost."""

    kind: Literal["link-down"]
    node: Selected
    router: Selected | None = None
    down_for: Duration | None = Field(None, description="until the carrier is back; without: for good")


class LinkLoss(Fault):
    """Packets vanish, carrier stays."""

    kind: Literal["link-loss"]
    node: Selected
    router: Selected | None = Field(None, description="without: every router of the node")
    share: Share = Field(1.0, description="of the packets, like 0.2 or 20%")
    direction: Literal["both", "to-node", "to-router"] = Field("both", description="which way packets vanish")
    down_for: Duration | None = Field(None, description="until all packets pass again; without: for good")


class RouterDown(Fault):
    """An upstream router dies."""

    kind: Literal["router-down"]
    router: Selected
    down_for: Duration | None = Field(None, description="until it is back; without: for good")
    host: Literal["silent", "refusing"] = Field(
        "silent", description="silent: nobody answers for it; refusing: its address answers with RST"
    )


class RouterRestart(Fault):
    """A router's control plane restarts."""

    kind: Literal["router-restart"]
    router: Selected
    down_for: Duration | None = Field(None, description="until its daemon runs again; without: for good")
    how: Literal["crash", "stop"] = Field("crash", description="crash: killed; stop: by its own shutdown")


class OperatorDown(Fault):
    """Nothing is given or taken by the operator."""

    kind: Literal["operator-down"]
    down_for: Duration | None = Field(None, description="without: for good")
    how: Literal["away", "crash", "stop"] = Field(
        "away",
        description="away: no operator acts for downFor; crash, stop: the leading replica ends (stop gives its lease "
        "back), another acts when it has the lease, and downFor is until the container starts again",
    )


class BackendsDown(Fault):
    """All, or named, backends of a service fail."""

    kind: Literal["backends-down"]
    service: ServiceName
    backends: Many[Name] | None = Field(None, description="names; without: all of the service")
    down_for: Duration | None = Field(None, description="until they are back; without: for good")
    how: Literal["gone", "crash", "unready"] = Field(
        "gone",
        description="gone: no longer in an EndpointSlice; crash: dead, and listed as not ready; unready: listed as not "
        "ready, and alive for whom it serves",
    )


class ServiceAdd(Fault):
    """A service is created: it is in the scenario like any other, and not there before."""

    kind: Literal["service-add"]
    service: ServiceName


class NodeJoin(Fault):
    """A new node is switched on: it is in the scenario like any other, and not there before."""

    kind: Literal["node-join"]
    node: Selected


class Stall(Fault):
    """A process is starved of CPU; its kernel still acknowledges."""

    kind: Literal["stall"]
    node: Selected | None = None
    router: Selected | None = None
    stall_for: Duration = Field(description="how long the process gets no CPU")


AnyFault = Annotated[
    AgentCrash
    | AgentRestart
    | AgentUpgrade
    | NodeDown
    | NodeDrain
    | NodeJoin
    | ServiceAdd
    | Unlabel
    | PeerShutdown
    | SessionReset
    | LinkDown
    | LinkLoss
    | RouterDown
    | RouterRestart
    | OperatorDown
    | BackendsDown
    | Stall,
    Field(discriminator="kind"),
]
