"""Reads the profile files under ``data/``.

A file is TOML: ``name``, ``title``, optional ``calibrated``, optional ``like`` (the profile whose values it takes
over), optional ``unknowns``, and ``[values]`` with one line per field of the record::

    hold_s = {is = 180, sure = "source", from = "FRR bgpd/bgpd.h BGP_DEFAULT_HOLDTIME"}

A file that lacks a field, has one too many, or a line without a source does not load. What was measured on one profile
is *derived* for those that take it over. A file that is ``abstract`` is only there to be ``like``.

What is not known and has few answers is a switch instead of a line; the profile has its first alternative::

    [[switches]]
    name = "N bit"
    field = "notification"              # or several: then each of values is a list
    values = [false, true]
    labels = ["without the N bit", "with the N bit"]
    ask = "`show ip bgp neighbors`: ..."
    source = "..."
    faults = ["router-restart"]         # optional: the only kinds of fault that show it
    needs_restart = true                # optional: graceful restart alone shows it
    needs_long_lived = true             # optional: long-lived graceful restart alone shows it
    resilient = true                    # optional: resilient next-hop groups alone show it
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any, TypeVar

from simbgp.profiles.cited import CONFIDENCES, Cited
from simbgp.profiles.law import Law
from simbgp.profiles.router import IdleAfter, KeepsStale, RouterProfile
from simbgp.profiles.speaker import SpeakerProfile
from simbgp.profiles.switch import Alternative, Switch

P = TypeVar("P", RouterProfile, SpeakerProfile)
_HEAD = ("name", "title", "calibrated", "unknowns", "citations", "switches")


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
    return tuple(name for name, data in _files("routers").items() if not data.get("abstract"))


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
    if name not in router_names():
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
    lines, switches = _lines(known, name), tuple(_switches(known, name))
    for switch in switches:
        lines |= _answered(switch, switch.alternatives[0])
    wanted = {field.name for field in fields(record)} - set(_HEAD)
    given = {line.split(".")[0] for line in lines}
    if given != wanted:
        raise ValueError(f"profile {name}: lacks {sorted(wanted - given)}, has unknown {sorted(given - wanted)}")
    return record(
        name=data["name"],
        title=data["title"],
        calibrated=data.get("calibrated"),
        unknowns=tuple(data.get("unknowns", ())),
        citations=lines,
        switches=switches,
        **_values(record, lines, wanted),
    )


def _values(record: type[P], lines: Mapping[str, Cited], wanted: set[str]) -> dict[str, Any]:
    return {field.name: _value(lines, field.name, str(field.type)) for field in fields(record) if field.name in wanted}


def _lines(known: Mapping[str, Mapping[str, Any]], name: str) -> dict[str, Cited]:
    """The lines of a file over those of the one it is like, without what a switch leaves open."""
    data = known[name]
    taken_over = _lines(known, data["like"]) if "like" in data else {}
    own = {place: _cited(name, place, line) for place, line in data.get("values", {}).items()}
    return {place: _second_hand(line, data["like"]) for place, line in taken_over.items()} | own


def _second_hand(line: Cited, origin: str) -> Cited:
    """A line as it stands in a profile that takes it over: a measurement speaks of what was measured only."""
    return Cited(line.value, f"as {origin}: {line.source}", "derived") if line.confidence == "measured" else line


def _switches(known: Mapping[str, Mapping[str, Any]], name: str) -> Iterator[Switch]:
    """What ``name`` leaves open: its own switches, and those of the file it is like where it says nothing itself."""
    data = known[name]
    own = [_switch(name, table) for table in data.get("switches", ())]
    said = set(data.get("values", ())) | {field for switch in own for field in switch.fields}
    if len(said) < len(data.get("values", ())) + sum(len(switch.fields) for switch in own):
        raise ValueError(f"profile {name}: a field has two switches, or a switch and a value")
    yield from own
    if "like" in data:
        yield from (switch for switch in _switches(known, data["like"]) if not switch.fields & said)


def _switch(name: str, table: Mapping[str, Any]) -> Switch:
    needed = {"name", "field", "values", "labels", "ask", "source"}
    optional = {"faults", "needs_restart", "needs_long_lived", "resilient"}
    if set(table) - optional != needed or not all(table[key] for key in needed):
        raise ValueError(f"profile {name}: a switch needs {', '.join(sorted(needed))}; has {', '.join(sorted(table))}")
    several = isinstance(table["field"], list)
    places = table["field"] if several else [table["field"]]
    answers = [answer if several else [answer] for answer in table["values"]]
    if len(answers) < 2 or len(answers) != len(table["labels"]):
        raise ValueError(f"profile {name}: switch {table['name']} needs two values or more, and a label for each")
    alternatives = tuple(
        Alternative(label, dict(zip(places, answer, strict=True)))
        for label, answer in zip(table["labels"], answers, strict=True)
    )
    return Switch(
        table["name"],
        alternatives,
        table["ask"],
        table["source"],
        faults=tuple(table.get("faults", ())),
        needs_restart=table.get("needs_restart", False),
        needs_long_lived=table.get("needs_long_lived", False),
        resilient=table.get("resilient", False),
    )


def _answered(switch: Switch, alternative: Alternative) -> dict[str, Cited]:
    return {place: Cited(value, switch.source, "unknown") for place, value in alternative.values.items()}


def switched(profile: P, switch: Switch, alternative: Alternative) -> P:
    """``profile`` with one of its switches set to ``alternative``."""
    lines = {**profile.citations, **_answered(switch, alternative)}
    changed = {place.split(".")[0] for place in switch.fields}
    return replace(profile, citations=lines, **_values(type(profile), lines, changed))


def settled(profile: P, known: Mapping[str, object]) -> P:
    """``profile`` without the questions that ``known`` values of its fields answer.

    Of a switch that hangs on a known field only the alternatives that agree are left; the first of them is taken.
    """
    open_still = []
    for switch in profile.switches:
        agreeing = tuple(
            alternative
            for alternative in switch.alternatives
            if all(known.get(place, value) == value for place, value in alternative.values.items())
        )
        if agreeing and agreeing[0] != switch.alternatives[0]:
            profile = switched(profile, switch, agreeing[0])
        if len(agreeing) > 1:
            open_still.append(replace(switch, alternatives=agreeing))
    return replace(profile, switches=tuple(open_still))


def alternatives(profile: P) -> list[tuple[str, P]]:
    """Every way the profile's switches can stand, labelled, the profile itself first.

    The label names what differs from the profile itself; its own names what is taken, and is empty without switches.
    """
    ways = []
    for answers in product(*(switch.alternatives for switch in profile.switches)):
        turned = [
            (switch, answer)
            for switch, answer in zip(profile.switches, answers, strict=True)
            if answer is not switch.alternatives[0]
        ]
        way = profile
        for switch, answer in turned:
            way = switched(way, switch, answer)
        named = [answer for _, answer in turned] or answers
        ways.append((" and ".join(answer.label for answer in named), way))
    return ways


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
