"""``--set PATH=VALUE``: a scenario with one value changed, as if it had been written so."""

import copy
import dataclasses
from typing import Any

from simbgp.scenario.errors import Path, Problem, ScenarioError, dotted
from simbgp.scenario.messages import shown
from simbgp.scenario.positions import Place
from simbgp.scenario.schema import Document
from simbgp.scenario.schema_of_files import at_path, did_you_mean, keys_at, schema_of
from simbgp.scenario.yaml_tree import Tree, read_documents

SET = "--set"
_HOLD: Path = ("cluster", "timers", "holdTimeSeconds")
_KEEPALIVE: Path = ("cluster", "timers", "keepAliveTimeSeconds")


def apply_set(tree: Tree, assignment: str) -> Tree:
    """``tree`` with ``PATH=VALUE`` applied; VALUE is YAML 1.2. Raises `ScenarioError`."""
    path, equals, text = assignment.partition("=")
    if not equals or not path:
        raise ScenarioError([Problem(SET, 1, 1, "", f"{assignment!r} is not PATH=VALUE, e.g. cluster.nodes=8")])
    documents = read_documents(text, SET)
    value = documents[0].data if documents else None
    if len(documents) > 1:
        raise ScenarioError([Problem(SET, 1, 1, path, "the value is more than one YAML document")])
    return apply(tree, path, value, text=text.strip(), origin=SET)


def apply(tree: Tree, where: str, value: Any, *, text: str | None = None, origin: str = SET) -> Tree:
    """``tree`` with ``value`` at the dotted path ``where``; mappings on the way are made. Raises `ScenarioError`."""
    data = copy.deepcopy(tree.data)
    setter = _Setter(data, origin)
    path = setter.descend(where.split("."))
    if text is not None and not isinstance(value, dict | list | str) and setter.takes_text(path):
        value = text
    setter.put(path, value)
    places = {at: place for at, place in tree.places.items() if at[: len(path)] != path}
    places[path] = Place(origin, 1, 1, 1, 1, text)
    changed = dataclasses.replace(tree, data=data, places=places)
    return _lower_keepalive(changed) if path == _HOLD else changed


def _lower_keepalive(tree: Tree) -> Tree:
    """A hold time set from outside takes the file's own keepalive time with it: one key is enough to vary both."""
    timers = tree.data["cluster"]["timers"]
    hold, keepalive = timers["holdTimeSeconds"], timers.get("keepAliveTimeSeconds")
    mine = tree.place(_KEEPALIVE).file == tree.file
    if not (mine and isinstance(hold, int) and isinstance(keepalive, int) and hold >= 3 and 3 * keepalive > hold):
        return tree
    timers["keepAliveTimeSeconds"] = hold // 3
    note = (
        f"timers: keepAliveTimeSeconds {keepalive} lowered to {hold // 3}, a third of the holdTimeSeconds that was set"
    )
    return dataclasses.replace(tree, notes=(*tree.notes, note))


class _Setter:
    def __init__(self, data: Any, origin: str) -> None:
        self.data = data
        self.origin = origin
        self.root = schema_of(Document)

    def descend(self, parts: list[str]) -> Path:
        """The path that ``parts`` name; all but the last exist afterwards."""
        here = self.data
        path: Path = ()
        for place, part in enumerate(parts):
            key = self.key(here, path, part)
            path = (*path, key)
            if place < len(parts) - 1:
                here = self.enter(here, path)
        return path

    def key(self, here: Any, path: Path, part: str) -> str | int:
        if isinstance(here, list):
            if not part.isascii() or not part.isdigit() or len(part) > 9 or int(part) >= len(here):
                raise self.error((*path, part), f"no such place in the list; allowed: 0 to {len(here) - 1}")
            return int(part)
        if not isinstance(here, dict):
            raise self.error(path, f"{shown(here)} has nothing below it; set it whole")
        if part not in here and not at_path(self.root, (*path, part), self.data):
            keys = keys_at(self.root, path, self.data)
            allowed = ", ".join(keys) or ", ".join(here) or "nothing"
            raise self.error((*path, part), f"unknown key {part!r}{did_you_mean(part, keys)}; allowed: {allowed}")
        return part

    def enter(self, here: Any, path: Path) -> Any:
        key = path[-1]
        if isinstance(here, dict) and here.get(key) is None:
            if not any(schema.get("type") == "object" for schema in at_path(self.root, path, self.data)):
                raise self.error(path, "is not in the scenario; set it whole")
            here[key] = {}
        return here[key]

    def takes_text(self, path: Path) -> bool:
        schemas = at_path(self.root, path, self.data)
        return bool(schemas) and all(schema.get("type") == "string" for schema in schemas)

    def put(self, path: Path, value: Any) -> None:
        here = self.data
        for part in path[:-1]:
            here = here[part]
        here[path[-1]] = value

    def error(self, path: Path, message: str) -> ScenarioError:
        return ScenarioError([Problem(self.origin, 1, 1, dotted(path), message)])


def plain(value: Any) -> Any:
    """A Python value as YAML would hold it: tuples are lists, NumPy numbers are numbers."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if hasattr(value, "item") and not isinstance(value, str | int | float):
        return value.item()
    return value
