"""The ``services`` and ``traffic`` parts: what clients ask for, and how."""

from typing import Annotated, Literal

from pydantic import Field, PlainValidator, Tag, WithJsonSchema

from simbgp.profiles import Law
from simbgp.scenario.schema.base import (
    LAW,
    Addresses,
    CountOrPercent,
    Many,
    Name,
    Part,
    PositiveDuration,
    Rate,
    ServiceName,
    Text,
    read_law,
    read_rate,
)
from simbgp.scenario.schema.cluster import CountOrList
from simbgp.scenario.workloads import WORKLOADS, workload


class Backend(Part):
    """A pod by hand."""

    node: Name
    name: Name | None = None


Backends = Annotated[
    Annotated[int, Field(ge=1, le=100_000), Tag("count")]
    | Annotated[Many[Backend], Field(min_length=1, max_length=100_000), Tag("list")],
    CountOrList,
]


AffinitySeconds = Annotated[int, Field(ge=1, le=86400)]


class ClientIpConfig(Part):
    """``clientIP`` of a sessionAffinityConfig."""

    timeout_seconds: AffinitySeconds = Field(10800, description="silence of a client until its backend is forgotten")


class SessionAffinityConfig(Part):
    """How long a node keeps the backend of a client that is silent."""

    client_ip: ClientIpConfig = Field(ClientIpConfig(), alias="clientIP", description="its time-out")


class Service(Part):
    """A LoadBalancer service."""

    name: ServiceName
    vip: Addresses
    external_traffic_policy: Literal["Cluster", "Local"] = Field(
        "Cluster", description="Local: a node passes packets only to its own pods"
    )
    backends: Backends = Field(description="how many, spread over the nodes, or a list of {node, name}")
    session_affinity: Literal["None", "ClientIP"] = Field(
        "None", description="ClientIP: each node gives all connections of a client address to one backend"
    )
    session_affinity_config: SessionAffinityConfig | None = Field(None, description="of sessionAffinity ClientIP")
    min_available: CountOrPercent = Field(0, description="its PodDisruptionBudget: evictions leave so many ready")


class Requests(Part):
    """Requests with exponential gaps."""

    poisson: Rate = Field(description="how many in a time, like 1/s")


def read_requests(value: object) -> "float | Requests":
    """Requests per second: periodic from ``1/s``, with exponential gaps from ``{poisson: 1/s}``."""
    poisson = isinstance(value, dict) and set(value) == {"poisson"}
    rate = read_rate(value["poisson"] if poisson else value)  # type: ignore[index]
    if rate <= 0:
        raise ValueError(f"{value!r} is not a rate of requests; allowed: above 0, like 1/s, 10/m, {{poisson: 1/s}}")
    return Requests(poisson=rate) if poisson else rate


def read_lifetime(value: object) -> Law:
    """A law, or that of a workload by its name."""
    return workload(value) if isinstance(value, str) and value in WORKLOADS else read_law(value)


_LIFETIME = {"description": "a duration, a distribution, or a workload", "anyOf": [{"enum": list(WORKLOADS)}, LAW]}


class Client(Part):
    """What the client's kernel and program do; without time-outs the kernel's own apply."""

    profile: Text = Field("linux-6.5", description="a TCP, like linux-6.5")
    connect_timeout: PositiveDuration | None = Field(None, description="of the program; without: the kernel's, 131 s")
    request_timeout: PositiveDuration | None = Field(
        None, description="of the program; without: the kernel's, some 924 s"
    )
    tcp_retries2: Annotated[int, Field(ge=0, le=255)] = Field(15, description="net.ipv4.tcp_retries2")
    user_timeout: PositiveDuration | None = Field(None, description="TCP_USER_TIMEOUT")
    reconnect: bool = Field(
        True, description="whose connection was reset or timed out dials again at once; counted in columns of its own"
    )


_REQUESTS = {
    "description": "a rate like 1/s, 0.5/s, 10/m, or {poisson: 1/s}",
    "anyOf": [
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "string", "pattern": r"^[\d.]+/(ms|s|m|h)$"},
        {
            "type": "object",
            "properties": {"poisson": {"type": "string"}},
            "required": ["poisson"],
            "additionalProperties": False,
        },
    ],
}


class Traffic(Part):
    """The clients of one service; two of connections, arrivals and lifetime, the third follows (Little's law)."""

    service: ServiceName
    connections: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = Field(None, description="open at time 0")
    arrivals: Rate | None = Field(None, description="new connections in a time, like 100/s")
    lifetime: Annotated[Law, PlainValidator(read_lifetime), WithJsonSchema(_LIFETIME)] | None = None
    requests: Annotated[float | Requests, PlainValidator(read_requests), WithJsonSchema(_REQUESTS)] = 1.0
    client: Client = Field(Client(), description="time-outs and retries")
    clients: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = Field(
        None, description="addresses from which the connections come, for sessionAffinity; default one for each"
    )
