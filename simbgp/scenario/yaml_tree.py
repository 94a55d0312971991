"""YAML to plain data that remembers where each value stands.

The parser is ruamel.yaml's; the plain values are those of the YAML 1.2 core schema (``no`` is text, ``0o17`` and
``0x1f`` are integers, ``1.20`` is a number). JSON is YAML 1.2. Keys are text always. Nothing in a file can make
anything but mappings, lists, text, numbers, booleans and null.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from simbgp.scenario.errors import Path, Problem, ScenarioError, dotted, not_yaml
from simbgp.scenario.limits import MAX_ALIASED, MAX_BYTES, MAX_DEPTH, MAX_LEVELS, MAX_VALUES, Most
from simbgp.scenario.positions import Place
from simbgp.scenario.scalars import joined, scalar_value

_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Tree:
    """One YAML document: plain ``data`` and the place of every value in it."""

    data: Any
    places: Mapping[Path, Place]
    file: str
    notes: tuple[str, ...] = ()
    """What followed from changes made after reading."""

    def place(self, path: Path) -> Place:
        """Where ``path`` stands, or the nearest of its parents that exists."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path) or Place(self.file, 1, 1, 1, 1)

    def problem(self, path: Path, message: str, *, at_key: bool = False) -> Problem:
        """A problem of the value at ``path``, or of its key."""
        place = self.place(path)
        line, column = (place.key_line, place.key_column) if at_key else (place.line, place.column)
        return Problem(place.file, line, column, dotted(path), message)

    def text(self, path: Path) -> str | None:
        """The scalar at ``path`` as it was written, None if there is none."""
        return self.places[path].text if path in self.places else None


class TooManyError(ScenarioError):
    """More bytes or values than are read here."""


@dataclass(slots=True)
class _Node:
    line: int
    column: int
    value: Any = None
    items: list["_Node"] | None = None
    pairs: dict[str, tuple["_Node", "_Node"]] | None = None
    text: str | None = None
    seen: bool = False


@dataclass
class _Reader:
    """Builds the nodes of one file from the parser's events."""

    file: str
    events: Iterator[Any]
    problems: list[Problem] = field(default_factory=list)
    values: int = 0
    levels: int = 0
    anchors: dict[str, _Node] = field(default_factory=dict)

    def documents(self) -> Iterator[_Node]:
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                self.anchors = {}
                yield self.node(next(self.events), ())

    def fail(self, node: _Node, path: Path, message: str) -> Problem:
        return Problem(self.file, node.line, node.column, dotted(path), message)

    def node(self, event: Any, path: Path) -> _Node:
        here = _Node(event.start_mark.line + 1, event.start_mark.column + 1)
        self.values += 1
        if self.values > MAX_VALUES:
            raise TooManyError([self.fail(here, path[:3], f"too many values; allowed: {MAX_VALUES} in a file")])
        self.levels += len(path)
        if self.levels > MAX_LEVELS:
            what = f"too many values nested too deep; allowed: {MAX_LEVELS} for the levels of all values together"
            raise TooManyError([self.fail(here, path[:3], what)])
        if isinstance(event, AliasEvent):
            if event.anchor not in self.anchors:
                raise ScenarioError([self.fail(here, path, f"*{event.anchor} names no anchor above it")])
            return self.anchors[event.anchor]
        if len(path) > MAX_DEPTH:
            raise ScenarioError([self.fail(here, path[:3], f"nested too deep; allowed: {MAX_DEPTH} levels")])
        if event.anchor is not None:
            self.anchors[event.anchor] = here
        if isinstance(event, ScalarEvent):
            self.scalar(here, event, path)
        elif isinstance(event, SequenceStartEvent):
            self.sequence(here, path)
        elif isinstance(event, MappingStartEvent):
            self.mapping(here, path)
        return here

    def scalar(self, node: _Node, event: Any, path: Path) -> None:
        tag = None if event.ctag is None else str(event.ctag)
        if tag is not None and tag not in ("!", f"{_TAG}str"):
            self.problems.append(self.fail(node, path, f"the tag {tag} is not allowed; allowed: none, or !!str"))
        plain = event.implicit[0] and tag is None
        try:
            node.text = joined(event.value)
            node.value = scalar_value(node.text) if plain else node.text
        except ValueError as error:
            self.problems.append(self.fail(node, path, str(error)))

    def sequence(self, node: _Node, path: Path) -> None:
        node.items = []
        for event in self.events:
            if isinstance(event, SequenceEndEvent):
                return
            node.items.append(self.node(event, (*path, len(node.items))))

    def mapping(self, node: _Node, path: Path) -> None:
        node.pairs = {}
        for event in self.events:
            if isinstance(event, MappingEndEvent):
                return
            key = self.node(event, (*path, "?"))
            name = key.text
            if name is None:
                self.problems.append(self.fail(key, path, "a key must be text, not a list or a mapping"))
                name = ""
            value = self.node(next(self.events), (*path, name))
            if name in node.pairs:
                first = node.pairs[name][0].line
                self.problems.append(self.fail(key, (*path, name), f"duplicate key; the first one is in line {first}"))
            else:
                node.pairs[name] = (key, value)


class _Flattener:
    """Turns nodes into plain data and places; an alias costs what it stands for, up to `MAX_ALIASED` values."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.places: dict[Path, Place] = {}
        self.aliased = 0

    def plain(self, node: _Node, path: Path, key: _Node) -> Any:
        self.count(node, path)
        empty = node.text == "" and node.value is None
        at = key if empty else node
        self.places[path] = Place(self.file, at.line, at.column, key.line, key.column, node.text)
        if node.items is not None:
            return [self.plain(item, (*path, i), item) for i, item in enumerate(node.items)]
        if node.pairs is not None:
            return {name: self.plain(value, (*path, name), at) for name, (at, value) in node.pairs.items()}
        return node.value

    def count(self, node: _Node, path: Path) -> None:
        self.aliased += node.seen
        node.seen = True
        if self.aliased > MAX_ALIASED or len(path) > MAX_DEPTH:
            what = f"aliases stand for too much; allowed: {MAX_ALIASED} values, {MAX_DEPTH} levels"
            raise ScenarioError([Problem(self.file, node.line, node.column, dotted(path[:3]), what)])


def read_documents(text: str, file: str) -> list[Tree]:
    """Every document in ``text``. Raises `ScenarioError` with what is not YAML or beyond the limits."""
    if len(text) > MAX_BYTES:
        raise TooManyError([Problem(file, 1, 1, "", f"the file is too big; allowed: {MAX_BYTES} bytes")])
    reader = _Reader(file, iter(()))
    trees = []
    try:
        reader.events = YAML(typ="safe", pure=True).parse(text)
        for root in reader.documents():
            flattener = _Flattener(file)
            trees.append(Tree(flattener.plain(root, (), root), flattener.places, file))
    except YAMLError as error:
        raise ScenarioError([*reader.problems, not_yaml(error, file)]) from None
    except (ValueError, OverflowError, RecursionError):  # an escape or a version number beyond all bounds
        raise ScenarioError([*reader.problems, Problem(file, 1, 1, "", "this is not YAML 1.2")]) from None
    if reader.problems:
        raise ScenarioError(sorted(reader.problems))
    return trees


def read_file(path: FilePath, shown: str, most: Most | None = None) -> str:
    """The text of a file, UTF-8. Raises `ScenarioError` if it cannot be read, is too big or is not UTF-8."""
    allowed, advice = (most.bytes, most.advice) if most is not None else (MAX_BYTES, "")
    try:
        with path.open("rb") as file:  # a pipe has no size, and /dev/zero no end
            read = file.read(allowed + 1)
        if len(read) > allowed:
            raise ScenarioError([Problem(shown, 1, 1, "", f"the file is too big; allowed: {allowed} bytes{advice}")])
        return read.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        what = "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else _reason(error)
        raise ScenarioError([Problem(shown, 1, 1, "", what)]) from None


def _reason(error: Exception) -> str:
    return f"cannot be read: {getattr(error, 'strerror', None) or error}"
