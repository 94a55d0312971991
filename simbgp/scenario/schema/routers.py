"""The ``routers`` and ``fabric`` parts: what stands upstream of the nodes."""

from typing import Annotated, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from simbgp.scenario.schema.base import (
    Addresses,
    Asn,
    Count,
    Duration,
    FixedDuration,
    HoldSeconds,
    Many,
    Name,
    Part,
    PositiveDuration,
    RestartSeconds,
    Seconds16,
    Text,
)
from simbgp.scenario.selectors import ALL, Selector, read_selector

_NAMES = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
_LABELS = {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1}
_SELECTOR = {
    "description": "a name, a list of names, worker-[1-20], {matchLabels: {key: value}}, all, {random: 2}",
    "anyOf": [
        *_NAMES["anyOf"],
        {
            "type": "object",
            "properties": {"matchLabels": _LABELS},
            "required": ["matchLabels"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"random": {"type": "integer", "minimum": 1}},
            "required": ["random"],
            "additionalProperties": False,
        },
    ],
}
HashSeed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Selected = Annotated[Selector, PlainValidator(read_selector), WithJsonSchema(_SELECTOR)]


class RouterTimers(Part):
    """The router's own timers, before negotiation."""

    hold_time_seconds: HoldSeconds | None = Field(None, description="without: the profile's")
    keep_alive_time_seconds: Seconds16 | None = Field(None, description="without: the profile's")


class Helper(Part):
    """Overrides of the profile's graceful restart."""

    helper: bool | None = Field(None, description="whether it keeps stale routes at all; without: as the profile")
    notification: bool | None = Field(None, description="the N bit (RFC 8538); without: as the profile")
    stale_path_time_seconds: RestartSeconds | None = Field(
        None, description="how long stale routes may wait for End-of-RIB; without: as the profile"
    )
    long_lived: bool | None = Field(
        None, description="whether it helps a long-lived graceful restart (RFC 9494) that a speaker offers"
    )
    preserve_forwarding: bool | None = Field(
        None, description="the router's own kernel routes survive a crash of its daemon until its peers are back"
    )


class Bfd(Part):
    """Bidirectional Forwarding Detection (RFC 5880), a what-if: no Cilium release has it."""

    enabled: bool = Field(description="whether both ends run it")
    interval: PositiveDuration = Field(0.3, description="between packets, either way")
    detect_multiplier: Annotated[int, Field(ge=1, le=255)] = Field(
        3, description="packets missed until the session is down"
    )
    control_plane_independent: bool = Field(
        False, description="the C bit: the node's BFD does not die with its agent (RFC 5882 §4.3)"
    )


class Ecmp(Part):
    """How the router spreads flows over next hops."""

    hash: Literal["modulo", "hash-threshold", "hrw", "resilient", "per-packet"] | None = Field(
        None, description="how flows are dealt to next hops; without: as the profile"
    )
    buckets: Annotated[int, Field(ge=1, le=65536)] | None = Field(None, description="of a resilient group")
    idle_timer: FixedDuration | None = Field(None, description="a bucket without packets for so long may move")
    unbalanced_timer: FixedDuration | None = Field(
        None, description="after so long out of balance buckets in use move too; 0s: never"
    )
    on_change: Literal["replace", "new-group"] | None = Field(
        None, description="replace: the group is edited in place; new-group: all is dealt again"
    )
    addition: Literal["idle", "at-once", "rehash"] | None = Field(
        None,
        description="what a next hop gets that joins a resilient group: idle buckets, its share at once, or all anew",
    )
    order: Literal["address", "arrival"] | None = Field(
        None, description="whether a next hop that returns has its old place in the group, or the last"
    )
    maximum_paths: Count | None = Field(None, description="next hops of a prefix at most")


class RouterSettings(Part):
    """What routers of one kind share."""

    profile: Text = Field("frr-8.4", description="one of `simbgp profiles`")
    asn: Asn = Field(65000, description="its autonomous system")
    timers: RouterTimers = Field(RouterTimers(), description="without: the profile's")
    graceful_restart: Helper = Field(Helper(), description="overrides of the profile")
    link: Literal["direct", "switched"] = Field(
        "switched", description="direct: the router sees the node's carrier; switched: it does not"
    )
    bfd: Bfd | None = Field(None, description="without: none")
    ecmp: Ecmp = Field(Ecmp(), description="overrides of the profile")
    neighbour_check: bool | None = Field(
        None, description="whether a next hop whose neighbour entry failed is skipped; without: as the profile"
    )
    families: Many[Literal["ipv4", "ipv6"]] = Field(
        ("ipv4", "ipv6"), min_length=1, description="the address families active on the router; default both"
    )
    hash_seed: HashSeed = Field(0, description="what its flow hash starts from; equal seeds hash alike")


class Router(RouterSettings):
    """One upstream router and the nodes that peer with it."""

    name: Name
    profile: Text = Field(description="one of `simbgp profiles`")
    address: Addresses | None = None
    nodes: Selected = ALL


class FabricRouter(Part):
    """A router of the second tier: clients enter at all of them in equal shares."""

    name: Name
    over: Many[Name] = Field(description="the routers below it, in the order of its next-hop groups")
    ecmp: Ecmp = Field(Ecmp(), description="how it spreads flows over the routers below")
    hash_seed: HashSeed = Field(0, description="unless it differs from that of the routers below, flows polarise")
    convergence: Duration | None = Field(
        None, description="from a router's change until this one follows; 50ms if not written"
    )
