"""What is wrong with a scenario, and where."""

from collections.abc import Iterable
from dataclasses import dataclass

from simbgp.scenario.printable import printable

Path = tuple[str | int, ...]
"""Keys and list places from the root of a file: ``("routers", 0, "name")``."""
_LONGEST_PATH, _LONGEST_MESSAGE = 500, 4000


def dotted(path: Path) -> str:
    """The path as ``--set`` takes it: ``routers.0.name``."""
    return ".".join(str(part) for part in path)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, with its place; line and column count from 1."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{printable(self.file)}:{self.line}:{self.column}: "
        message = printable(self.message, most=_LONGEST_MESSAGE)
        return where + (f"{printable(self.path, most=_LONGEST_PATH)}: {message}" if self.path else message)


def not_yaml(error: Exception, file: str) -> Problem:
    """The problem that a parser tells of by its marks, as PyYAML and ruamel.yaml both do; without them at the top."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return Problem(file, 1, 1, "", f"not YAML: {' '.join(str(error).split()) or 'unreadable'}")
    said = (getattr(error, name, None) for name in ("context", "problem"))
    return Problem(file, mark.line + 1, mark.column + 1, "", f"not YAML: {', '.join(part for part in said if part)}")


class ScenarioError(Exception):
    """A scenario, or a file it names, cannot be used; ``problems`` are all of them in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type["ScenarioError"], tuple[tuple[Problem, ...]]]:
        return ScenarioError, (self.problems,)
