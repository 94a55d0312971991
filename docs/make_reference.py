"""Write the reference from the program itself: ``python docs/make_reference.py``."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from simbgp.cli.app import app
from simbgp.profiles import router, router_names, speaker, speaker_names
from simbgp.report.profiles import Profile, sheet_rows
from simbgp.scenario import json_schema

FOLDER = Path(__file__).parent / "reference"
_NOTE = "<!-- made by `python docs/make_reference.py`; do not edit -->"
_WIDTH = 100


def commands() -> str:
    """The help of every command."""
    root = click.Context(
        app, info_name="simbgp", max_content_width=_WIDTH, terminal_width=_WIDTH, **app.context_settings
    )
    parts = ["# Commands", _NOTE, _block(app.get_help(root))]
    for name in sorted(app.commands):
        command = app.commands[name]
        context = click.Context(command, root, info_name=name, max_content_width=_WIDTH, terminal_width=_WIDTH)
        parts += [f"## simbgp {name}", _block(command.get_help(context))]
        for part, inner in sorted(getattr(command, "commands", {}).items()):
            below = click.Context(inner, context, info_name=part, max_content_width=_WIDTH, terminal_width=_WIDTH)
            parts += [f"### simbgp {name} {part}", _block(inner.get_help(below))]
    return "\n\n".join(parts) + "\n"


def schema() -> str:
    """A table for every kind of object in a scenario."""
    whole = json_schema()
    parts = ["# The scenario file", _NOTE, "The JSON Schema that editors read is what `simbgp schema` prints."]
    parts += ["## The file itself", *_table(whole)]
    for name, part in sorted(whole.get("$defs", {}).items()):
        if part.get("properties"):
            parts += [f"## {name}", *([part["description"]] if "description" in part else []), *_table(part)]
    return "\n\n".join(parts) + "\n"


_PROFILES = """\
What each router and each speaker release does, as `simbgp profiles NAME` says it. A value is *measured* on a real
daemon, read in a *source*, *derived* from one of these, or *assumed*. An uncalibrated profile has no measurement of
its own; what is not known of it is a range or is played every way, and the result says so."""


def profiles() -> str:
    """Every profile with the source of each of its values; what one takes over from another is told once."""
    known: list[tuple[str, Profile]] = [("router", router(name)) for name in router_names()]
    known += [("speaker", speaker(name)) for name in speaker_names()]
    rows = [("", "profile", "", "calibrated on"), ("---",) * 4]
    rows += [
        (kind, f"[{each.name}](#{_anchor(kind, each.name)})", each.title, each.calibrated or "uncalibrated")
        for kind, each in known
    ]
    parts = ["# Profiles and their sources", _NOTE, _PROFILES, _markdown(rows)]
    for kind, profile in known:
        parts += _profile(kind, profile, [each.name for of, each in known if of == kind])
    return "\n\n".join(parts) + "\n"


def _profile(kind: str, profile: Profile, names: list[str]) -> Iterator[str]:
    yield f"## {kind.capitalize()} {profile.name}"
    yield f"{profile.title}. Calibrated on: {profile.calibrated or 'nothing, uncalibrated'}."
    said = [f"Unknown: {text}" for text in profile.unknowns]
    for switch in profile.switches:
        labels = " or ".join(alternative.label for alternative in switch.alternatives)
        said.append(f"Played every way: {switch.name}: {labels}. Find out: {switch.ask}. ({switch.source})")
    if said:
        yield "\n".join(f"- {text}" for text in said)
    head, *rows = sheet_rows(profile)
    bases = [_base(row[3], names) for row in rows]
    own = [row for row, base in zip(rows, bases, strict=True) if base is None]
    if own:
        yield _markdown([head, ("---",) * len(head), *((f"`{name}`", *rest) for name, *rest in own)])
    for base in dict.fromkeys(base for base in bases if base is not None):
        number = f"{bases.count(base)} {'further values are' if own else 'values are'}"
        yield f"{number} those of [{base}](#{_anchor(kind, base)}), *derived* here."


def _base(source: str, names: list[str]) -> str | None:
    """Which profile a line is taken over from, if it is."""
    found = source.removeprefix("as ").partition(":")[0] if source.startswith("as ") else None
    return found if found in names else None


def _anchor(kind: str, name: str) -> str:
    return f"{kind}-{name.replace('.', '')}"


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in rows)


def _table(part: dict[str, Any]) -> Iterator[str]:
    required = set(part.get("required", ()))
    lines = ["| key | value | default | |", "| --- | --- | --- | --- |"]
    for key, about in part.get("properties", {}).items():
        default = "required" if key in required else f"`{json.dumps(about['default'])}`" if "default" in about else ""
        default = "" if default == "`null`" else default
        said = " ".join(about.get("description", "this kind" if "const" in about else "").split())
        lines.append(f"| `{key}` | {_cell(_type(about))} | {_cell(default)} | {_cell(said)} |")
    yield "\n".join(lines)


def _type(about: dict[str, Any]) -> str:
    if "$ref" in about:
        return about["$ref"].rsplit("/", 1)[-1]
    if "const" in about:
        return f"`{about['const']}`"
    if "enum" in about:
        return " | ".join(f"`{value}`" for value in about["enum"])
    for several in ("anyOf", "oneOf", "allOf"):
        if several in about:
            kinds = dict.fromkeys(_type(each) for each in about[several])
            return " | ".join(kind for kind in kinds if kind != "null")
    if about.get("type") == "array":
        return f"list of {_type(about.get('items', {}))}"
    return str(about.get("type", "any"))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _block(text: str) -> str:
    return f"```text\n{text}\n```"


PAGES = {"commands.md": commands, "profiles.md": profiles, "scenario.md": schema}


def main() -> None:
    """Write all pages."""
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
