"""The JSON Schema of a scenario: for editors, and for the reader's own words about what is allowed at a place."""

import copy
import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from simbgp.scenario.errors import Path
from simbgp.scenario.schema import Document
from simbgp.scenario.schema.base import SHARED_SCHEMAS

Schema = Mapping[str, Any]
_MOST_MEANT, _LONGEST_WORD = 1000, 100
_MOST_NAMED = 24
_DIGITS = re.compile(r"\d+")


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a scenario file, for ``# yaml-language-server: $schema=``."""
    return copy.deepcopy(dict(schema_of(Document)))


@cache
def schema_of(model: type[BaseModel]) -> Schema:
    """The schema of ``model``: empty values left out, what many fields share written once."""
    shared = {name: {"$ref": f"#/$defs/{name}"} for name in SHARED_SCHEMAS}
    raw = _tidy(model.model_json_schema(), shared)
    definitions = {name: _tidy(body, shared, keep=body) for name, body in SHARED_SCHEMAS.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:simbgp:scenario",
        **raw,
        "title": "simbgp scenario",
        "$defs": dict(sorted((raw.get("$defs", {}) | definitions).items())),
    }


def _tidy(node: Any, shared: Mapping[str, Schema], keep: Any = None) -> Any:
    """Without pydantic's generated titles, nulls and spelled-out defaults of whole mappings."""
    if isinstance(node, list):
        return [_tidy(item, shared) for item in node]
    if not isinstance(node, dict):
        return node
    for name, body in SHARED_SCHEMAS.items():
        if body is not keep and node.get("anyOf") == body["anyOf"]:
            own = node.get("description", body["description"])
            return shared[name] if own == body["description"] else {**shared[name], "description": own}
    tidy = {key: _tidy(value, shared) for key, value in node.items() if not _noise(key, value)}
    choices = [choice for choice in tidy.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        tidy = choices[0] | {key: value for key, value in tidy.items() if key != "anyOf"}
    elif choices:
        tidy["anyOf"] = choices
    return tidy


def _noise(key: str, value: Any) -> bool:
    return (key == "title" and isinstance(value, str)) or (key == "default" and (value is None or value in ({}, [])))


def at_path(root: Schema, path: Path, data: Any) -> list[Schema]:
    """Every schema that may hold at ``path``; where kinds differ, ``data`` says which. Empty: no such place."""
    found = list(_choices(root, root, data))
    for part in path:
        data = _step(data, part)
        found = [inner for schema in found for inner in _below(root, schema, part, data)]
    return found


def _step(data: Any, part: str | int) -> Any:
    if isinstance(data, dict):
        return data.get(part)
    return data[part] if isinstance(data, list) and isinstance(part, int) and part < len(data) else None


def _below(root: Schema, schema: Schema, part: str | int, data: Any) -> Iterable[Schema]:
    if isinstance(part, int):
        below = schema.get("items")
    else:
        below = schema.get("properties", {}).get(part, schema.get("additionalProperties"))
    return _choices(root, below, data) if isinstance(below, Mapping) else ()


def _choices(root: Schema, schema: Schema, data: Any) -> Iterable[Schema]:
    if "$ref" in schema:
        target = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
        yield from _choices(root, target, data)
        return
    options = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if "description" in schema and "anyOf" in schema:  # a value with forms of its own, as a duration: told as one
        yield schema
        return
    for option in options:
        yield from (choice for choice in _choices(root, option, data) if _fits(choice, data))
    if not options:
        yield schema


def _fits(schema: Schema, data: Any) -> bool:
    """Whether a mapping's fixed words (``kind``) are those of ``schema``, where both have them."""
    if not isinstance(data, dict):
        return True
    fixed = {key: inner["const"] for key, inner in schema.get("properties", {}).items() if "const" in inner}
    known = {key for key in fixed if data.get(key) == fixed[key]}
    return not fixed or len(known) == len(fixed)


def keys_at(root: Schema, path: Path, data: Any) -> list[str]:
    """The keys that a mapping at ``path`` may have."""
    return list(dict.fromkeys(key for schema in at_path(root, path, data) for key in schema.get("properties", {})))


def allowed_at(root: Schema, path: Path, data: Any, but: Collection[object] = ()) -> str:
    """What may stand at ``path``, in words; of a list of values without those in ``but``."""
    words = dict.fromkeys(_words(schema, but) for schema in at_path(root, path, data))
    return ", or ".join(words) or "nothing"


def _words(schema: Schema, but: Collection[object] = ()) -> str:
    kind = schema.get("type")
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return ", ".join(str(value) for value in values if value not in but)
    if kind == "integer" or (kind == "number" and "description" not in schema):
        return ("an integer" if kind == "integer" else "a number") + _bounds(schema)
    if kind == "boolean":
        return "true or false"
    if kind == "object":
        return "a mapping" + (
            f" with the keys {', '.join(keys)}" if (keys := list(schema.get("properties", {}))) else ""
        )
    if kind == "array":
        return "a list of at least one" if "minItems" in schema else "a list"
    return str(schema.get("description", "text"))


def _bounds(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f" from {low} to {high}"
    return f" from {low}" if low is not None else ""


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """``; did you mean 'frr-8.4'?`` or nothing; one number is no misspelling of another. Of thousands none is meant."""
    every = list(known)
    close = difflib.get_close_matches(str(word)[:_LONGEST_WORD], every, n=1) if len(every) <= _MOST_MEANT else []
    numbered = close and _DIGITS.sub("", close[0]) == _DIGITS.sub("", str(word))
    return f"; did you mean {close[0]!r}?" if close and not numbered else ""


def listed(names: Iterable[str]) -> str:
    """The names, at most a screenful of them."""
    every = list(names)
    more = f", ... ({len(every)} in all)" if len(every) > _MOST_NAMED else ""
    return ", ".join(every[:_MOST_NAMED]) + more if every else "none"
