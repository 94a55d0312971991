"""Status patches over the size of the cluster: what the report costs the API server, quiet and under churn."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from simbgp.measure.api_load import INTERVAL_S
from simbgp.report.figures.style import BLUE, GREEN, ORANGE, PURPLE, QUIET, RED, SKY, house_style, new
from simbgp.report.numbers import count
from simbgp.study.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY)
_MARKS = "osD^vP"
_FEW_POWERS = 3
"""Powers of ten up to which 2 and 5 of each are written too."""


def patch_rates(results: Mapping[str, Sequence[Result]]) -> "Figure":
    """A line for each name: the mean busiest second of its results, over their numbers of nodes.

    Args:
        results: Results of clusters of different sizes, by what they have in common ("churn, report on").

    Raises:
        ValueError: There is nothing to show.
    """
    lines = {name: _points(several) for name, several in results.items() if several}
    if not lines:
        raise ValueError("patch_rates: no results")
    with house_style():
        figure, axes = new(3.6, _finding(lines))
        sizes = sorted({nodes for points in lines.values() for nodes, _ in points})
        bound = [nodes / INTERVAL_S for nodes in sizes]
        axes.plot(sizes, bound, "--", color=QUIET, linewidth=1, label=f"each agent once in {INTERVAL_S:g} s")
        for place, (name, points) in enumerate(lines.items()):
            colour, mark = _COLOURS[place % len(_COLOURS)], _MARKS[place % len(_MARKS)]
            size = 4 + 1.5 * (len(lines) - place - 1)  # what is drawn later lets the same figures before it be seen
            x, y = zip(*points, strict=True)
            axes.plot(x, y, color=colour, marker=mark, markersize=size, linewidth=size / 3, label=name)
        axes.set_xscale("log")
        axes.set_yscale("symlog", linthresh=1)
        axes.set_xticks(sizes, [count(nodes) for nodes in sizes])
        most = max(1.0, *bound, *(value for points in lines.values() for _, value in points))
        powers = [10**power for power in range(int(math.log10(most)) + 1)]
        parts = (1, 2, 5) if len(powers) <= _FEW_POWERS else (1,)
        steps = [0, *(part * power for power in powers for part in parts if part * power <= most)]
        axes.set_yticks(steps, [count(step) for step in steps])
        axes.minorticks_off()
        axes.set_xlabel("nodes")
        axes.set_ylabel("status patches in the busiest second")
        axes.set_ylim(-0.2, most * 1.5)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _points(several: Sequence[Result]) -> list[tuple[int, float]]:
    """Nodes and patches in the busiest second, the smallest cluster first."""
    points = []
    for result in several:
        estimate = result.api_patches_per_s().estimate("mean")
        points.append((len(result.plan.nodes), 0.0 if estimate is None else estimate.value))
    return sorted(points)


def _finding(lines: Mapping[str, list[tuple[int, float]]]) -> str:
    """The worst line in a sentence."""
    name, points = max(lines.items(), key=lambda line: line[1][-1][1])
    nodes, most = points[-1]
    if most == 0:
        return "The API server gets no status patch, however large the cluster"
    return f"{name}: {count(most)} status patches in the busiest second at {count(nodes)} nodes"
