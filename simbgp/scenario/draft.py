"""A file's sound part: what is wrong in one place must not hide what is wrong in another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from simbgp.scenario.errors import Path, Problem
from simbgp.scenario.messages import validate
from simbgp.scenario.schema import Document
from simbgp.scenario.yaml_tree import Tree

LISTS = ("routers", "fabric", "services", "traffic", "faults", "background", "slo")


@dataclass(frozen=True)
class Draft:
    """A document without what is wrong in it; ``unsound`` parts (``routers``, ``cluster.nodes``) lack something."""

    document: Document
    tree: Tree
    rows: dict[str, list[int]] = field(default_factory=dict)
    unsound: frozenset[str] = frozenset()

    def sound(self, *parts: str) -> bool:
        """Whether nothing was left out of ``parts``."""
        return self.unsound.isdisjoint({*parts, *(part.split(".")[0] for part in parts if part.startswith("cluster."))})

    def items(self, section: str) -> Iterator[tuple[Path, Any]]:
        """The entries of a list with their paths in the file."""
        entries: Sequence[Any] = getattr(self.document, section)
        rows = self.rows.get(section, range(len(entries)))
        return (((section, row), entry) for row, entry in zip(rows, entries, strict=True))

    def problem(self, path: Path, message: str, *, at_key: bool = False) -> Problem:
        """A problem of the value at a path of the file, or of its key."""
        return self.tree.problem(path, message, at_key=at_key)


def read_draft(tree: Tree) -> tuple[Draft | None, list[Problem]]:
    """The sound part of a document, None if there is none, and all that the schema has against the rest."""
    document, wrong = validate(Document, tree, tree.data)
    if document is not None:
        return Draft(document, tree), []
    problems = [problem for _, problem in wrong]
    if not isinstance(tree.data, dict):
        return None, problems
    data, rows, unsound = _without(tree.data, [path for path, _ in wrong])
    rest, _ = validate(Document, tree, data)
    return (Draft(rest, tree, rows, unsound) if rest is not None else None), problems


def _without(
    data: dict[str, Any], paths: Sequence[Path]
) -> tuple[dict[str, Any], dict[str, list[int]], frozenset[str]]:
    """``data`` without the list entries, the keys of ``cluster`` and the top keys that ``paths`` lie in."""
    entries = {path[:2] for path in paths if path[0] in LISTS and len(path) > 1}
    cluster = {path[1] for path in paths if path[0] == "cluster" and len(path) > 1}
    top = {path[0] for path in paths if path and path[:2] not in entries and not (path[0] == "cluster" and path[1:])}
    kept = {key: value for key, value in data.items() if key not in top}
    if isinstance(kept.get("cluster", {}), dict):
        kept["cluster"] = {key: value for key, value in kept.get("cluster", {}).items() if key not in cluster}
    rows = {}
    for name in LISTS:
        if isinstance(kept.get(name), list):
            rows[name] = [i for i in range(len(kept[name])) if (name, i) not in entries]
            kept[name] = [kept[name][i] for i in rows[name]]
    unsound = {str(path[0]) for path in paths if (path[0] in top or path[:2] in entries)}
    return kept, rows, frozenset(unsound | {f"cluster.{key}" for key in cluster})
