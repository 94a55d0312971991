"""From text to scenario."""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from simbgp.scenario.beneath import allowing
from simbgp.scenario.errors import Problem, ScenarioError
from simbgp.scenario.overrides import apply_set
from simbgp.scenario.scenario import Scenario, build
from simbgp.scenario.yaml_tree import Tree, read_documents, read_file


def load(path: str | Path, overrides: Iterable[str] = (), root: str | Path | None = None) -> Scenario:
    """The scenario in the YAML 1.2 (or JSON) file ``path``, with ``PATH=VALUE`` overrides applied in order.

    Files that it names lie beneath its folder, or anywhere beneath ``root`` if that is given. Raises `ScenarioError`
    with every problem found, each with file, line and column.
    """
    file = Path(path)
    with allowing(None if root is None else Path(root)):
        return loads(read_file(file, str(path)), str(path), file.parent, overrides)


def loads(text: str, name: str = "<text>", folder: str | Path | None = None, overrides: Iterable[str] = ()) -> Scenario:
    """The scenario in ``text``; ``name`` stands for its file in messages, its manifests lie beneath ``folder``."""
    trees = _read(text, name)
    if len(trees) != 1 or trees[0].data is None:
        what = f"{len(trees)} YAML documents" if len(trees) > 1 else "an empty file"
        raise ScenarioError([Problem(name, 1, 1, "", f"{what}; allowed: one scenario in each file")])
    tree = replace(trees[0], data=deepcopy(trees[0].data))
    problems: list[Problem] = []
    for assignment in overrides:
        try:
            tree = apply_set(tree, assignment)
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems)
    return build(tree, text, None if folder is None else Path(folder))


@lru_cache(maxsize=1)
def _read(text: str, name: str) -> tuple[Tree, ...]:
    """The documents in ``text``; the latest are kept, since the settings of a sweep read one text over and over."""
    return tuple(read_documents(text, name))
