"""Very many values of YAML, read by libyaml: some 3 microseconds each, a thirtieth of what ruamel.yaml takes.

It reads what kubectl and its like print. What is seldom there, and whatever is wrong, is an `OddError`: the reader of
`yaml_tree` then says it, where the file is small enough.
"""

from array import array
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from simbgp.scenario.errors import Path, Problem, dotted, not_yaml
from simbgp.scenario.limits import MAX_BYTES, MAX_DEPTH, MAX_VALUES, Allowance
from simbgp.scenario.positions import Marks, Place, Positions
from simbgp.scenario.scalars import MAYBE_NO_TEXT, scalar_value

try:
    from yaml import CSafeLoader
except ImportError:  # PyYAML was built without libyaml
    CSafeLoader = None  # type: ignore[assignment,misc]
from yaml.error import YAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

_SMALL = f"{MAX_BYTES} bytes and {MAX_VALUES} values"


class OddError(Exception):
    """Something that is not read here; ``problem`` says what it is."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


class Bulk:
    """Builds plain data and `Marks` from the events of one file."""

    def __init__(self, text: str, file: str, allowance: Allowance) -> None:
        if CSafeLoader is None:
            raise OddError(
                Problem(
                    file, 1, 1, "", f"without libyaml there are limits; allowed: {_SMALL}, or a PyYAML with libyaml"
                )
            )
        self._file, self._allowance = file, allowance
        self._path: list[str | int] = []
        self._marks = Marks()
        self._words: dict[str, str] = {}
        try:
            self._next: Callable[[], Any] = CSafeLoader(text).get_event
        except UnicodeEncodeError:
            raise OddError(Problem(file, 1, 1, "", "not UTF-8 text")) from None

    def documents(self) -> Iterator[tuple[Any, Positions]]:
        """Each document and its places. Raises `OddError`, and `ScenarioError` beyond the allowance."""
        try:
            while type(event := self._next()) is not StreamEndEvent:
                if type(event) is DocumentStartEvent:
                    yield self._document(event)
        except (YAMLError, ValueError, OverflowError) as error:
            raise OddError(not_yaml(error, self._file)) from None

    def _document(self, start: Any) -> tuple[Any, Positions]:
        if start.version is not None or start.tags is not None:
            self._odd(start, f"a directive is read in a small file alone; allowed: {_SMALL}")
        self._marks = Marks()
        event, holder = self._next(), [None]
        self._count(event)
        value = self._value(event, holder, 0)
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        written = None if isinstance(value, dict | list) else event.value
        return value, Positions(self._file, value, Place(self._file, line, column, line, column, written), self._marks)

    def _value(self, event: Any, holder: Any, key: str | int) -> Any:
        """The value that begins with ``event``; it will be at ``key`` of ``holder``."""
        if (kind := type(event)) is ScalarEvent:
            text: str = event.value
            value: Any = text
            if event.implicit[0] and (not text or text[0] in MAYBE_NO_TEXT):
                value = self._meaning(event)
                if value is not text:
                    self._marks.text(holder, key, value, text)
        elif len(self._path) >= MAX_DEPTH:
            self._odd(event, f"nested too deep; allowed: {MAX_DEPTH} levels", self._path[:3])
        else:
            value = self._mapping() if kind is MappingStartEvent else self._sequence()
        return value

    def _count(self, event: Any) -> None:
        """One value more, without an anchor, an alias or a tag."""
        self._allowance.left -= 1
        if self._allowance.left < 0:
            raise self._allowance.error(self._problem(event, "", self._path[:3]))
        if type(event) is AliasEvent or event.anchor is not None or event.tag is not None:
            self._odd(event, f"anchors, aliases and tags are read in a small file alone; allowed: {_SMALL}")

    def _meaning(self, event: Any) -> Any:
        """What an unquoted word means."""
        try:
            return scalar_value(event.value)
        except ValueError as error:
            self._odd(event, str(error))

    def _sequence(self) -> list[Any]:
        found: list[Any] = []
        marks = array("I")
        self._path.append(0)
        while type(event := self._next()) is not SequenceEndEvent:
            self._path[-1] = len(found)
            self._count(event)
            at = event.start_mark
            line, column = at.line + 1, at.column + 1
            marks.extend((line, column, line, column))
            found.append(self._value(event, found, len(found)))
        self._path.pop()
        self._marks.of[id(found)] = marks
        return found

    def _mapping(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        marks = array("I")
        self._path.append("")
        while type(event := self._next()) is not MappingEndEvent:
            self._count(event)
            key = self._path[-1] = self._key(event, found, marks)
            at = event.start_mark
            line, column = at.line + 1, at.column + 1
            event = self._next()
            self._count(event)
            at = event.start_mark
            value = found[key] = self._value(event, found, key)
            nothing = value is None and not event.value
            marks.extend((line, column, line, column) if nothing else (at.line + 1, at.column + 1, line, column))
        self._path.pop()
        self._marks.of[id(found)] = marks
        return found

    def _key(self, event: Any, found: dict[str, Any], marks: "array[int]") -> str:
        if type(event) is not ScalarEvent:
            self._odd(event, "a key must be text, not a list or a mapping")
        key: str = event.value
        if event.implicit[0] and key[:1] in MAYBE_NO_TEXT:
            self._meaning(event)  # a number of a million digits is none as a key either
        if key in found:
            first = marks[4 * list(found).index(key) + 2]
            self._odd(event, f"duplicate key; the first one is in line {first}")
        return self._words.setdefault(key, key)

    def _odd(self, event: Any, what: str, path: list[str | int] | None = None) -> NoReturn:
        raise OddError(self._problem(event, what, self._path if path is None else path))

    def _problem(self, event: Any, what: str, path: list[str | int]) -> Problem:
        where: Path = tuple(path)
        at = event.start_mark
        return Problem(self._file, at.line + 1, at.column + 1, dotted(where), what)
