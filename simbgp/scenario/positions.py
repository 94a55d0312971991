"""Where values stand: one value's `Place`, and the places of very many in little memory."""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simbgp.scenario.errors import Path

_USUAL = {True: "true", False: "false", None: "null"}
_PER_CHILD = 4


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: line and column (from 1) of the value and of its key, and a scalar as it was written."""

    file: str
    line: int
    column: int
    key_line: int
    key_column: int
    text: str | None = None


class Marks:
    """What a reader notes while it builds plain data: 16 bytes a value, kept by container."""

    def __init__(self) -> None:
        self.of: dict[int, array[int]] = {}
        """By the id of a mapping or list: line and column of each value, then of its key, in order; from 1."""
        self.texts: dict[tuple[int, str | int], str] = {}
        """By container and key: scalars that are not text, where they are not written as usual."""

    def text(self, holder: Any, key: str | int, value: Any, written: str) -> None:
        """Note how a scalar is written, unless that can be told from its value."""
        if usual(value) != written:
            self.texts[id(holder), key] = written


def usual(value: Any) -> str:
    """A scalar as it is commonly written."""
    return _USUAL[value] if value is None or isinstance(value, bool) else str(value)


class Positions(Mapping[Path, Place]):
    """The places of all values in ``data``, worked out from `Marks` when one is asked for."""

    def __init__(self, file: str, data: Any, root: Place, marks: Marks) -> None:
        self._file, self._data, self._root, self._marks = file, data, root, marks

    def __getitem__(self, path: Path) -> Place:
        here, place = self._data, self._root
        for key in path:
            keys = range(len(here)) if isinstance(here, list) else here if isinstance(here, dict) else ()
            if key not in keys:
                raise KeyError(path)
            at = key if isinstance(key, int) else list(keys).index(key)
            place = self._child(here, key, at)
            here = here[key]
        return place

    def _child(self, holder: Any, key: str | int, at: int) -> Place:
        line, column, key_line, key_column = self._marks.of[id(holder)][_PER_CHILD * at : _PER_CHILD * (at + 1)]
        value = holder[key]
        written = None if isinstance(value, dict | list) else self._marks.texts.get((id(holder), key), usual(value))
        return Place(self._file, line, column, key_line, key_column, written)

    def __iter__(self) -> Iterator[Path]:
        waiting: list[tuple[Path, Any]] = [((), self._data)]
        while waiting:
            path, here = waiting.pop()
            yield path
            keys = range(len(here)) if isinstance(here, list) else here if isinstance(here, dict) else ()
            waiting.extend(((*path, key), here[key]) for key in reversed(keys))

    def __len__(self) -> int:
        return sum(1 for _ in self)
