"""Files of manifests, which may be large: JSON by the json module, YAML by libyaml, what is odd by ruamel.yaml.

All three give the same data and the same places; only how long it takes differs. A dump of JSON is worth the most:
half a microsecond a value. Where its values stand is read when something is wrong with one.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any, NoReturn

from simbgp.scenario.errors import Path, Problem, ScenarioError
from simbgp.scenario.libyaml import Bulk, OddError
from simbgp.scenario.limits import JSON_FOR_ONE, MAX_DEPTH, Allowance
from simbgp.scenario.positions import Place
from simbgp.scenario.scalars import scalar_value
from simbgp.scenario.yaml_tree import TooManyError, Tree, read_documents

_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""Half a character, as JSON may write it: with its other half it is one."""

_COUNTED_OTHERWISE = "\ufeff\x85\u2028\u2029"
"""Line ends and marks of Unicode: libyaml counts lines and columns in another way there."""


def read_many(text: str, file: str, allowance: Allowance) -> list[Tree]:
    """Every document in ``text``, whose values are taken from ``allowance``. Raises `ScenarioError` like
    `read_documents`, and beyond the allowance."""
    if (tree := _of_json(text, file, allowance)) is not None:
        return [tree]
    if not text.isascii() and any(sign in text for sign in _COUNTED_OTHERWISE):
        with suppress(TooManyError):
            return _small(text, file, allowance)
    left = allowance.left
    try:
        return [Tree(data, places, file) for data, places in Bulk(text, file, allowance).documents()]
    except OddError as odd:
        allowance.left = left
        try:
            return _small(text, file, allowance)
        except TooManyError:
            raise ScenarioError([odd.problem]) from None


def _small(text: str, file: str, allowance: Allowance) -> list[Tree]:
    """The same by the reader that knows all of YAML. Raises `TooManyError` for a file that is too large for it."""
    trees = read_documents(text, file)
    allowance.left -= sum(len(tree.places) for tree in trees)
    if allowance.left < 0:
        raise allowance.error(Problem(file, 1, 1, "", ""))
    return trees


def _of_json(text: str, file: str, allowance: Allowance) -> Tree | None:
    """The one document of a file of JSON; None if it is something else, or anything is wrong with it."""
    if text[:1] not in ("{", "["):
        return None
    most = 1 + sum(map(text.count, ":,{["))  # in texts, too, so there may be fewer values
    if most > JSON_FOR_ONE * allowance.left:
        return None
    try:
        data = json.loads(text, object_pairs_hook=_mapping, parse_constant=_refuse, parse_int=scalar_value)
        if _HALF.search(text):
            json.dumps(data, ensure_ascii=False).encode()
        allowance.left -= _count(data) // JSON_FOR_ONE
    except (ValueError, RecursionError):
        return None
    return Tree(data, _Later(text, file), file)


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _count(data: Any) -> int:
    """How many values and keys. ValueError if they are nested too deep."""
    level, count = [data], 0
    for _ in range(MAX_DEPTH + 1):
        if not level:
            return count
        count += len(level) + sum(len(one) for one in level if isinstance(one, dict))
        level = [
            value
            for one in level
            if isinstance(one, dict | list)
            for value in (one.values() if isinstance(one, dict) else one)
        ]
    if level:
        raise ValueError("nested too deep")
    return count


class _Later(Mapping[Path, Place]):
    """The places in a file of JSON, read when the first is asked for."""

    def __init__(self, text: str, file: str) -> None:
        self._text, self._file = text, file

    @cached_property
    def _read(self) -> Mapping[Path, Place]:
        if not self._text:
            return {}
        try:
            return next(Bulk(self._text, self._file, Allowance.without_end()).documents())[1]
        except OddError as odd:
            try:
                return read_documents(self._text, self._file)[0].places
            except ScenarioError:
                return {(): Place(self._file, odd.problem.line, 1, odd.problem.line, 1)}

    def __getitem__(self, path: Path) -> Place:
        return self._read[path]

    def __iter__(self) -> Iterator[Path]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._read)
