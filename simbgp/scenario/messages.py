"""pydantic's errors in the words of the one who wrote the file, each with its place."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from simbgp.scenario.errors import Path, Problem
from simbgp.scenario.not_yet import waiting, waits
from simbgp.scenario.schema_of_files import Schema, allowed_at, did_you_mean, keys_at, schema_of
from simbgp.scenario.yaml_tree import Tree

M = TypeVar("M", bound=BaseModel)
Also = Callable[[ErrorDetails, Path], str | None]
"""What another has to say of a fault at a path."""
_LONGEST = 40


def validate(
    model: type[M], tree: Tree, data: Any, base: Path = (), also: Also | None = None
) -> tuple[M | None, list[tuple[Path, Problem]]]:
    """``data``, which stands at ``base`` in ``tree``, as a ``model``; else None and what is wrong where."""
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        root = schema_of(model)
        return None, list(_problems(error.errors(include_url=False), root, tree, data, base, also))


def _problems(
    errors: Sequence[ErrorDetails], root: Schema, tree: Tree, data: Any, base: Path, also: Also | None
) -> Iterator[tuple[Path, Problem]]:
    for error in errors:
        path = real_path(error["loc"], data)
        kind = error["type"]
        if kind == "too_short" and error["input"]:
            continue  # its items are wrong, and reported themselves
        if kind.startswith("union_tag"):
            path = (*path, error["ctx"]["discriminator"].strip("'"))
        message = _message(error, path, root, data, tree.text(base + path))
        more = also(error, path) if also is not None else None
        message = message if more is None else with_answer(message, more)
        yield path, tree.problem(base + path, message, at_key=kind == "extra_forbidden")


def with_answer(message: str, answer: str) -> str:
    """What is wrong, and then the API server's own words for it."""
    return f"{message}; the API server: {answer}"


def real_path(location: Sequence[str | int], data: Any) -> Path:
    """A pydantic location without the tags of unions, which are no keys of the file."""
    path: list[str | int] = []
    for place, part in enumerate(location):
        last = place == len(location) - 1
        if isinstance(data, dict) and isinstance(part, str) and (part in data or last):
            path.append(part)
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int):
            path.append(part)
            data = data[part] if part < len(data) else None
    return tuple(path)


def _message(error: ErrorDetails, path: Path, root: Schema, data: Any, text: str | None) -> str:
    kind = error["type"]
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind == "extra_forbidden":
        keys = [key for key in keys_at(root, path[:-1], data) if not waits((*path[:-1], key))]
        return f"unknown key {str(path[-1])!r}{did_you_mean(path[-1], keys)}; allowed: {', '.join(keys)}"
    if kind == "missing":
        return f"required key {str(path[-1])!r} is missing; allowed: {allowed_at(root, path, data)}"
    if kind.startswith("union_tag"):
        return _unknown_kind(error, path)
    if kind == "string_type" and text is not None and text != "":
        return f'{text} is {_kind(error["input"])}, not text; quote it: "{text}"{_float_hint(text)}'
    return f"{shown(error['input'], text)} is not allowed here; allowed: {allowed_at(root, path, data, waiting(path))}"


def _unknown_kind(error: ErrorDetails, path: Path) -> str:
    every = error["ctx"].get("expected_tags", "").replace("'", "").split(", ")
    known = [kind for kind in every if kind not in waiting(path)]
    tag = error["ctx"].get("tag")
    if tag is None:
        return "required key 'kind' is missing or not text"
    return f"unknown kind {tag!r}{did_you_mean(tag, known)}; allowed: {', '.join(known)}"


def _float_hint(text: str) -> str:
    return f" (YAML reads {float(text):g})" if text.count(".") == 1 and text.endswith("0") else ""


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "a truth value"
    return "a number" if isinstance(value, int | float) else "something else"


def shown(value: Any, text: str | None = None) -> str:
    """A value as the reader of a message knows it."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    if value is None:
        return "an empty value"
    written = repr(value) if isinstance(value, str) else (text or repr(value))
    return written if len(written) <= _LONGEST else written[: _LONGEST - 3] + "..."
