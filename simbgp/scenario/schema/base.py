"""What the parts of a scenario have in common: strictness, spelling, and the types of their values."""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, Strict, WithJsonSchema
from pydantic.alias_generators import to_camel

from simbgp.profiles.law import Law, parse_duration
from simbgp.scenario.printable import OnlyPrintable

T = TypeVar("T")
Many = Annotated[tuple[T, ...], Strict(False)]
"""A YAML list."""

_LONGEST_S = 100 * 365.25 * 86400
_SHORTEST_S = 1e-6
_DURATION_TEXT = r"^((\d+(\.\d+)?|\.\d+)(us|µs|ms|s|m|h))+$"
_MOST_PER_YEAR = 1e6
_YEARLY = re.compile(r"(\d+(?:\.\d+)?|\.\d+)/(y|w|d|h)")
_RATE = re.compile(r"(\d+(?:\.\d+)?|\.\d+)/(ms|s|m|h)")


class Part(BaseModel):
    """A mapping in a scenario: unknown keys are errors, nothing is converted in silence, nothing changes later."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, alias_generator=to_camel, defer_build=True)


def read_duration(value: object) -> float:
    """Seconds; ValueError for what is no duration or above a century."""
    seconds = parse_duration(value)
    if seconds > _LONGEST_S:
        raise ValueError(f"{value!r} is too long; allowed: durations up to 100 years")
    return seconds


def read_positive_duration(value: object) -> float:
    """The same, of at least a microsecond."""
    seconds = read_duration(value)
    if seconds < _SHORTEST_S:
        raise ValueError(f"{value!r} is too short; allowed: durations above 0")
    return seconds


def read_law(value: object) -> Law:
    """A duration or a distribution of durations; ValueError as above."""
    law = Law.parse(value)
    for parameter in law.parameters:
        read_duration(parameter)
    if law.kind in ("lognormal", "exponential"):
        read_positive_duration(law.parameters[0])
    return law


def read_share(value: object) -> float:
    """A share in 0..1, from a number or from percent in text; ValueError otherwise."""
    allowed = "allowed: a number from 0 to 1, or percent like 0.1%"
    number = value
    if isinstance(value, str) and re.fullmatch(r"(\d+(\.\d*)?|\.\d+) ?%", value):
        number = float(value.rstrip(" %")) / 100
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 1:
        raise ValueError(f"{value!r} is not a share; {allowed}")
    return float(number)


def read_count_or_percent(value: object) -> int | float:
    """A number of things, or their share (a float) from percent in text; ValueError otherwise."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100_000:
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{1,3}%", value) and int(value[:-1]) <= 100:
        return int(value[:-1]) / 100
    raise ValueError(f"{value!r} is no number of them; allowed: like 2, or percent like 25%")


def read_rate(value: object) -> float:
    """Per second, from ``1/s``, ``10/m`` or a number per second; ValueError otherwise."""
    allowed = "allowed: 1/s, 0.5/s, 10/m, 100/h"
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1e9:
        return float(value)
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a rate; {allowed}")
    rate = float(match[1]) / {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}[match[2]]
    if rate > 1e9:
        raise ValueError(f"{value!r} is too fast; allowed: at most 1000000000/s")
    return rate


def read_yearly(value: object) -> float:
    """Per year, from ``8/y``, ``2/w``, ``1/d`` or a number per year; ValueError otherwise."""
    allowed = "allowed: a number per year, or like 8/y, 1/w, 2/d, 1/h"
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _MOST_PER_YEAR:
        return float(value)
    match = _YEARLY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a rate of failures; {allowed}")
    rate = float(match[1]) * {"y": 1.0, "w": 365.25 / 7, "d": 365.25, "h": 8766.0}[match[2]]
    if rate > _MOST_PER_YEAR:
        raise ValueError(f"{value!r} is too often; allowed: at most {_MOST_PER_YEAR:g}/y")
    return rate


def read_address(value: object) -> str:
    """An IP address in canonical text (RFC 5952 for IPv6); ValueError otherwise."""
    try:
        if not isinstance(value, str) or "%" in value:
            raise ValueError
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError(f"{value!r} is not an IP address; allowed: like 192.0.2.10 or 2001:db8::10") from None


def read_cidr(value: object) -> str:
    """A prefix in canonical text; ValueError otherwise, also for host bits that are set."""
    try:
        if not isinstance(value, str) or "%" in value or "/" not in value:
            raise ValueError("like 10.244.1.0/24 or fd00:10:1::/64")
        return str(ipaddress.ip_network(value))
    except ValueError as error:
        hint = "host bits are zero, " if "host bits" in str(error) else ""
        raise ValueError(f"{value!r} is not a prefix; allowed: {hint}like 10.244.1.0/24 or fd00:10:1::/64") from None


def read_prefix(text: str) -> str:
    """A prefix, or an address as its /32 or /128, in canonical text; ValueError otherwise."""
    return read_cidr(text if "/" in text else f"{read_address(text)}/{128 if ':' in text else 32}")


def one_or_many(read: Callable[[object], T]) -> Callable[[object], tuple[T, ...]]:
    """Reads one value, or a list of at least one."""

    def read_all(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            return (read(value),)
        if not value:
            raise ValueError("the list is empty; allowed: at least one entry")
        return tuple(read(item) for item in value)

    return read_all


def read_hash_seed(value: object) -> str:
    """Cilium's ``maglev.hashSeed``: base64 of 12 bytes; ValueError otherwise."""
    try:
        if isinstance(value, str) and len(base64.b64decode(value, validate=True)) == 12:
            return value
    except (binascii.Error, ValueError):
        pass
    raise ValueError(f"{value!r} is not a hash seed; allowed: base64 of 12 bytes, as JLfvgnHc2kaSUFaI")


_DURATION: dict[str, Any] = {
    "description": "seconds (90, 0.5) or a string like 500ms, 90s, 2m, 1h30m",
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": _DURATION_TEXT}],
}


def _law(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {kind: body}, "required": [kind], "additionalProperties": False}


def _parameters(*names: str) -> dict[str, Any]:
    properties = dict.fromkeys(names, _DURATION)
    return {"type": "object", "properties": properties, "required": list(names), "additionalProperties": False}


_LIST = {"type": "array", "items": _DURATION, "minItems": 1}
LAW: dict[str, Any] = {
    "description": "a duration (90, 90s, 1h30m), or a distribution of durations",
    "anyOf": [
        *_DURATION["anyOf"],
        _law("uniform", {"type": "array", "items": _DURATION, "minItems": 2, "maxItems": 2}),
        _law("normal", _parameters("mean", "sd")),
        _law("lognormal", _parameters("median", "p99")),
        _law("exponential", _parameters("mean")),
        _law("empirical", _LIST),
        _law("choice", _LIST),
    ],
}
_SHARE = {
    "description": "a number from 0 to 1, or percent like 0.1%",
    "anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string", "pattern": r"^\d*\.?\d* ?%$"}],
}
_RATE_SCHEMA = {
    "description": "a rate like 1/s, 0.5/s, 10/m, or a number per second",
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^[\d.]+/(ms|s|m|h)$"}],
}
_YEARLY_SCHEMA = {
    "description": "how often: a number per year, or like 8/y, 1/w, 2/d",
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^[\d.]+/(y|w|d|h)$"}],
}
_COUNT_OR_PERCENT = {
    "description": "a number, or percent like 25%",
    "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^\d{1,3}%$"}],
}
_ONE_ADDRESS = {"type": "string", "description": "an IP address"}
_ONE_CIDR = {"type": "string", "description": "a prefix like 10.244.1.0/24"}


SHARED_SCHEMAS: dict[str, dict[str, Any]] = {
    "FixedDuration": _DURATION,
    "Duration": LAW,
    "Share": _SHARE,
    "Rate": _RATE_SCHEMA,
    "Yearly": _YEARLY_SCHEMA,
}
"""What many fields share; written once in the JSON Schema of a scenario."""


def _listed(one: dict[str, Any], allowed: str) -> dict[str, Any]:
    return {"description": allowed, "anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


Duration = Annotated[Law, PlainValidator(read_law), WithJsonSchema(LAW)]
FixedDuration = Annotated[float, PlainValidator(read_duration), WithJsonSchema(_DURATION)]
PositiveDuration = Annotated[float, PlainValidator(read_positive_duration), WithJsonSchema(_DURATION)]
Share = Annotated[float, PlainValidator(read_share), WithJsonSchema(_SHARE)]
Rate = Annotated[float, PlainValidator(read_rate), WithJsonSchema(_RATE_SCHEMA)]
Yearly = Annotated[float, PlainValidator(read_yearly), WithJsonSchema(_YEARLY_SCHEMA)]
CountOrPercent = Annotated[int | float, PlainValidator(read_count_or_percent), WithJsonSchema(_COUNT_OR_PERCENT)]
Addresses = Annotated[
    tuple[str, ...],
    PlainValidator(one_or_many(read_address)),
    WithJsonSchema(_listed(_ONE_ADDRESS, "an IP address, or a list of them")),
]
Cidr = Annotated[str, PlainValidator(read_cidr), WithJsonSchema(_ONE_CIDR)]
Cidrs = Annotated[
    tuple[str, ...],
    PlainValidator(one_or_many(read_cidr)),
    WithJsonSchema(_listed(_ONE_CIDR, "a prefix like 10.244.1.0/24, or a list of them")),
]
HashSeed = Annotated[
    str, PlainValidator(read_hash_seed), WithJsonSchema({"type": "string", "description": "base64 of 12 bytes"})
]

_LABEL = r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
Name = Annotated[str, Field(pattern=rf"^{_LABEL}$", max_length=253, description="letters, digits, '-', '_' and '.'")]
ServiceName = Annotated[
    str, Field(pattern=rf"^({_LABEL}/)?{_LABEL}$", max_length=400, description="name, or namespace/name")
]
Text = Annotated[str, Field(min_length=1, max_length=1000), OnlyPrintable]
Asn = Annotated[int, Field(ge=1, le=4294967295)]
Seconds16 = Annotated[int, Field(ge=1, le=65535)]
HoldSeconds = Annotated[int, Field(ge=3, le=65535)]
RestartSeconds = Annotated[int, Field(ge=1, le=4095)]
LongLivedSeconds = Annotated[int, Field(ge=1, le=16_777_215)]
"""24 bits, RFC 9494 §3."""
Count = Annotated[int, Field(ge=1)]
