"""The ``background`` and ``failures`` parts: what fails by chance, and how often.

A process is a fault without ``at``: it strikes one of its targets after the other at random moments (a Poisson
process), ``rate`` times a year each. The models are those of the faults, so a fault and its process cannot part ways.
"""

import copy
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Union

from pydantic import Field, create_model

from simbgp.scenario.schema import faults
from simbgp.scenario.schema.base import Duration, Part, PositiveDuration, Share, Text, Yearly
from simbgp.scenario.schema.routers import Selected

_ASSUMED = "how often it strikes, and for how long; without: a planning assumption"
_PER_TARGET = "of each node, router or, of what has neither, cluster"


class Process(Part):
    """What every process has."""

    kind: str
    name: Text | None = Field(None, description="text, as rows call it")
    rate: Yearly = Field(description=f"how often a year, {_PER_TARGET}")


class MixEntry(Part):
    """One kind of failure in the yearly mix; what is not written stays as it is assumed."""

    kind: ClassVar[str]
    rate: Yearly | None = Field(None, description=f"how often a year, {_PER_TARGET}")


KINDS: dict[str, type[faults.Fault]] = {
    "agent-crash": faults.AgentCrash,
    "agent-restart": faults.AgentRestart,
    "agent-upgrade": faults.AgentUpgrade,
    "node-down": faults.NodeDown,
    "node-drain": faults.NodeDrain,
    "unlabel": faults.Unlabel,
    "peer-shutdown": faults.PeerShutdown,
    "session-reset": faults.SessionReset,
    "link-down": faults.LinkDown,
    "link-loss": faults.LinkLoss,
    "router-down": faults.RouterDown,
    "router-restart": faults.RouterRestart,
    "operator-down": faults.OperatorDown,
    "backends-down": faults.BackendsDown,
    "stall": faults.Stall,
}
"""Faults that come again and again. A service or a node joins once, and not by chance."""
MIX: dict[str, str] = {
    "agent-restart": "agent-restart",
    "agent-crash": "agent-crash",
    "node-down": "node-down",
    "node-drain": "node-drain",
    "link-down": "link-down",
    "router-restart": "router-restart",
    "router-down": "router-down",
    "operator-down": "operator-down",
    "stall": "stall",
    "router-stall": "stall",
}
"""The entries of the yearly mix, and the kind of each."""
_TARGETS = {
    "node": "which of the nodes it strikes, one at a time; without: each",
    "router": "which of the routers; {random: 1}: one of the node's links at a time; without: each, or all of a node's",
}
_PULL: dict[str, Any] = {
    "image_pull": (Duration | None, Field(None, description="what a pull of the image adds to downFor")),
    "pulled": (Share, Field(1.0, description="which share of the restarts pull: upgrades do, new settings do not")),
}


def _fields(of: str, kind: str, *, of_mix: bool) -> dict[str, Any]:
    """The fields of a fault that its process has: all targets, unless it says which."""
    found: dict[str, Any] = dict(_PULL) if kind in ("agent-restart", "agent-crash") else {}
    for name, about in KINDS[kind].model_fields.items():
        if name in ("at", "name", "repeat") or (of_mix and name == "kind"):
            continue
        field = copy.copy(about)
        if of_mix and kind == "stall" and name != ("router" if of == "router-stall" else "node") and name in _TARGETS:
            continue
        if name in _TARGETS:
            found[name] = (Selected | None, Field(None, description=_TARGETS[name]))
            continue
        if of_mix and name in ("stall_for",):
            found[name] = (Duration | None, Field(None, description="how long the process gets no CPU"))
            continue
        found[name] = (field.annotation, field)
    return found


def _process(kind: str) -> Any:
    title = KINDS[kind].__name__
    doc = (KINDS[kind].__doc__ or "").replace("\n", " ")
    return create_model(f"Background{title}", __base__=Process, __doc__=doc, **_fields(kind, kind, of_mix=False))


def _entry(name: str) -> Any:
    title = "".join(part.capitalize() for part in name.split("-"))
    doc = f"``{name}`` in the yearly mix."
    fields = {"kind": (ClassVar[str], MIX[name]), **_fields(name, MIX[name], of_mix=True)}
    return create_model(f"Mix{title}", __base__=MixEntry, __doc__=doc, **fields)


if TYPE_CHECKING:
    AnyProcess = Process
else:
    AnyProcess = Annotated[Union[tuple(_process(kind) for kind in KINDS)], Field(discriminator="kind")]  # noqa: UP007


class IncidentLog(Part):
    """Failures as they were written down: a CSV file with the columns at, kind, node, duration and, if any, router."""

    file: Text = Field(description="a file beside the scenario")
    since: Text | None = Field(None, description="when the log begins, as 2025-01-31; without: at its first row")
    until: Text | None = Field(None, description="when it ends, that day included; without: at its last row")


class FailuresBase(Part):
    """The yearly mix that `simbgp advise` weighs; a kind that is not written is a planning assumption."""

    assume: Literal["planning", "nothing"] = Field(
        "planning", description="nothing: only what is written here, in the log and in background happens"
    )
    log: IncidentLog | None = Field(None, description="failures as they were written down, in a CSV file")
    availability: Share | None = Field(None, description="the SLO over a year, like 99.95%; without: none is judged")
    broken_connection: PositiveDuration = Field(
        30.0, description="a broken connection weighs as much as one connection's silence of this length"
    )


MIX_MODELS: dict[str, type[MixEntry]] = {name: _entry(name) for name in MIX}
_ENTRIES: dict[str, Any] = {
    name.replace("-", "_"): (model | None, Field(None, alias=name, description=_ASSUMED))
    for name, model in MIX_MODELS.items()
}
Failures: Any = create_model("Failures", __base__=FailuresBase, __doc__=FailuresBase.__doc__, **_ENTRIES)
"""`FailuresBase` with an optional entry for each kind of the mix."""
if TYPE_CHECKING:
    AnyFailures = FailuresBase
else:
    AnyFailures = Failures


def mix_entries(failures: FailuresBase | None) -> dict[str, MixEntry]:
    """The entries that are written, by name."""
    found = {name: getattr(failures, name.replace("-", "_"), None) for name in MIX}
    return {name: entry for name, entry in found.items() if entry is not None}
