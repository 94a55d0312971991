"""What a figure of several results compares: each with its label."""

from collections.abc import Mapping

from simbgp.study.grid import Grid
from simbgp.study.result import Result

Cases = Result | Grid | Mapping[str, Result]
"""One result, a sweep, or results by name."""


def cases(of: Cases) -> list[tuple[str, Result]]:
    """Label and result of each; those of a sweep are named by the values set, ``hrw · maglev``: see `heading`.

    Raises ValueError if there is none.
    """
    if isinstance(of, Result):
        return [(of.plan.name, of)]
    if isinstance(of, Grid):
        return [(" · ".join(map(_said, setting.values())), result) for setting, result in of]
    if not of:
        raise ValueError("a figure needs a result to show")
    return list(of.items())


def heading(of: Cases) -> str:
    """What the labels of a sweep are values of: the last words of its paths."""
    return " · ".join(path.rsplit(".", 1)[-1] for path in of.paths) if isinstance(of, Grid) else ""


def name_of(found: list[tuple[str, Result]]) -> str:
    """The scenario, if all are of one."""
    names = {result.plan.name for _, result in found}
    return names.pop() if len(names) == 1 else f"{len(names)} scenarios"


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
