"""What a scenario may say one day and may not say now: refused by name, never accepted and ignored."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from simbgp.profiles import speaker_names
from simbgp.scenario.errors import Path, Problem
from simbgp.scenario.yaml_tree import Tree


@dataclass(frozen=True, slots=True)
class NotYet:
    """A place (``*`` is every list entry), the values of it that wait (None: all), and what can be had instead."""

    place: str
    values: Collection[object] | None
    supported: str


_LATER_SPEAKERS = ("1.13", "1.14")
NOT_YET = (NotYet("cluster.cilium", _LATER_SPEAKERS, ", ".join(speaker_names())),)


def waiting(path: Path) -> Collection[object]:
    """The values at ``path`` that are refused."""
    return [value for entry in NOT_YET if _same(entry.place, path) for value in entry.values or ()]


def waits(path: Path) -> bool:
    """Whether whatever stands at ``path`` is refused."""
    return any(entry.values is None and _same(entry.place, path) for entry in NOT_YET)


def _same(place: str, path: Path) -> bool:
    parts = place.split(".")
    return len(parts) == len(path) and all(a in ("*", b) for a, b in zip(parts, path, strict=True))


def refuse(tree: Tree) -> Iterator[Problem]:
    """What of ``tree`` is not supported yet."""
    for entry in NOT_YET:
        for path, value in _find(tree.data, entry.place.split("."), ()):
            if entry.values is None and value not in (None, [], {}):
                yield _problem(tree, path, path[-1], entry.supported, at_key=True)
            elif entry.values is not None and isinstance(value, str | bool) and value in entry.values:
                yield _problem(tree, path, value, entry.supported)


def _problem(tree: Tree, path: Path, what: object, supported: str, *, at_key: bool = False) -> Problem:
    word = str(what).lower() if isinstance(what, bool) else what
    return tree.problem(path, f"'{word}' is not supported yet; supported: {supported}", at_key=at_key)


def _find(data: Any, place: list[str], path: Path) -> Iterator[tuple[Path, Any]]:
    if not place:
        yield path, data
    elif place[0] == "*" and isinstance(data, list):
        for i, item in enumerate(data):
            yield from _find(item, place[1:], (*path, i))
    elif isinstance(data, dict) and place[0] in data:
        yield from _find(data[place[0]], place[1:], (*path, place[0]))
