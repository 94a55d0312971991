"""Write the reference from the program itself: ``python docs/make_reference.py``."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from simbgp.cli.app import app
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


def _table(part: dict[str, Any]) -> Iterator[str]:
    required = set(part.get("required", ()))
    lines = ["| key | value | default | |", "| --- | --- | --- | --- |"]
    for key, about in part.get("properties", {}).items():
        default = "required" if key in required else f"`{json.dumps(about['default'])}`" if "default" in about else ""
        default = "" if default == "`null`" else default
        said = " ".join(about.get("description", "").split())
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


PAGES = {"commands.md": commands, "scenario.md": schema}


def main() -> None:
    """Write both pages."""
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
