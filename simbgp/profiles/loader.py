"""Reads the profile files under ``data/``.

A file is TOML: ``name``, ``title``, optional ``calibrated``, optional ``like`` (the profile whose values it takes
over), optional ``unknowns``, and ``[values]`` with one line per field of the record::

    hold_s = {is = 180, sure = "source", from = "FRR bgpd/bgpd.h BGP_DEFAULT_HOLDTIME"}

A file that lacks a field, has one too many, or a line without a source does not load.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from simbgp.profiles.cited import CONFIDENCES, Cited
from simbgp.profiles.law import Law
from simbgp.profiles.router import IdleAfter, KeepsStale, RouterProfile
from simbgp.profiles.speaker import SpeakerProfile

P = TypeVar("P", RouterProfile, SpeakerProfile)
_HEAD = ("name", "title", "calibrated", "unknowns", "citations")


class UnknownProfileError(KeyError):
    """No profile of that name; ``args[0]`` says which there are."""

    def __str__(self) -> str:
        return str(self.args[0])


@cache
def _files(kind: str) -> Mapping[str, Mapping[str, Any]]:
    folder = files("simbgp.profiles") / "data" / kind
    read = [tomllib.loads(entry.read_text("utf-8")) for entry in folder.iterdir() if entry.name.endswith(".toml")]
    return {data["name"]: data for data in sorted(read, key=lambda data: str(data["name"]))}


def router_names() -> tuple[str, ...]:
    """Every router profile, in alphabetical order."""
    return tuple(_files("routers"))


def speaker_names() -> tuple[str, ...]:
    """Every speaker profile: Cilium minor releases oldest first, then bare GoBGP releases."""
    return tuple(sorted(_files("speakers"), key=_release))


def newest_speaker() -> str:
    """The newest Cilium release that has a profile: the default of a scenario."""
    return max((name for name in _files("speakers") if name[0].isdigit()), key=_release)


def _release(name: str) -> tuple[bool, list[int]]:
    return not name[0].isdigit(), [int(part) for part in name.removeprefix("gobgp-").split(".")]


@cache
def router(name: str) -> RouterProfile:
    """The profile of a router. Raises `UnknownProfileError`."""
    if name not in _files("routers"):
        raise UnknownProfileError(f"unknown router profile {name!r}; allowed: {', '.join(router_names())}")
    return _build(RouterProfile, _files("routers"), name)


@cache
def speaker(name: str) -> SpeakerProfile:
    """The profile of a speaker; a Cilium patch release (``1.20.3``) has its minor's. Raises `UnknownProfileError`."""
    known = _files("speakers")
    minor = ".".join(name.split(".")[:2]) if name[:1].isdigit() else name
    if minor not in known:
        raise UnknownProfileError(f"unknown Cilium or GoBGP release {name!r}; allowed: {', '.join(speaker_names())}")
    return _build(SpeakerProfile, known, minor)


def _build(record: type[P], known: Mapping[str, Mapping[str, Any]], name: str) -> P:
    data = known[name]
    lines = _lines(known, name)
    wanted = {field.name for field in fields(record)} - set(_HEAD)
    given = {line.split(".")[0] for line in lines}
    if given != wanted:
        raise ValueError(f"profile {name}: lacks {sorted(wanted - given)}, has unknown {sorted(given - wanted)}")
    values = {
        field.name: _value(lines, field.name, str(field.type)) for field in fields(record) if field.name in wanted
    }
    return record(
        name=data["name"],
        title=data["title"],
        calibrated=data.get("calibrated"),
        unknowns=tuple(data.get("unknowns", ())),
        citations=lines,
        **values,
    )


def _lines(known: Mapping[str, Mapping[str, Any]], name: str) -> dict[str, Cited]:
    data = known[name]
    lines = _lines(known, data["like"]) if "like" in data else {}
    return lines | {place: _cited(name, place, line) for place, line in data["values"].items()}


def _cited(name: str, place: str, line: Mapping[str, Any]) -> Cited:
    if set(line) != {"is", "sure", "from"} or line["sure"] not in CONFIDENCES or not line["from"]:
        raise ValueError(f"profile {name}: {place} needs exactly is, sure ({', '.join(CONFIDENCES)}) and from")
    return Cited(line["is"], line["from"], line["sure"])


def _value(lines: Mapping[str, Cited], field: str, type_name: str) -> Any:
    if field == "keeps_stale":
        return KeepsStale(**{part.name: lines[f"{field}.{part.name}"].value for part in fields(KeepsStale)})  # type: ignore[arg-type]
    if field == "idle_after":
        return IdleAfter(**{part.name: Law.parse(lines[f"{field}.{part.name}"].value) for part in fields(IdleAfter)})
    value = lines[field].value
    if "Law" in type_name:
        return Law.parse(value)
    if value == "none":  # TOML has no null
        return None
    return tuple(value) if isinstance(value, list) else value
