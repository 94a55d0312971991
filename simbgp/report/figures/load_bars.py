"""Whether the survivors carry it: what each node is sent before the failure, and at the most after it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from simbgp.report.figures.style import BLUE, INK, ORANGE, QUIET, RED, house_style, in_percent, new
from simbgp.report.numbers import count, percent
from simbgp.report.text import worst_run
from simbgp.study.result import Result
from simbgp.timeline import FaultBegan
from simbgp.traffic import load, node_loads

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MORE = 1.02
"""Shares that differ by less are alike."""
_NAMED = 24
"""More nodes are a histogram of their shares and not a bar each."""


@dataclass(frozen=True, slots=True)
class Loads:
    """Shares of all service traffic by node: just before the first fault, and the most of any moment from it on."""

    before: Mapping[str, float]
    peak: Mapping[str, float]

    @property
    def most(self) -> tuple[str, float]:
        """The node that is sent the most at any one moment, and how much."""
        return max(self.peak.items(), key=lambda pair: pair[1])

    @property
    def unevenness(self) -> float:
        """Greatest share over the mean of those that have any, before the failure."""
        shares = [share for share in self.before.values() if share]
        return max(shares) * len(shares) / sum(shares) if shares else 0.0


def load_bars(result: Result, run: int | None = None, capacity: float | None = None) -> "Figure":
    """What each node is sent of all service traffic before the first fault and at the most from then on.

    Args:
        result: What was played; the run is looked at once more.
        run: Which; by default the worst.
        capacity: The share that one node carries, to draw a line at.

    Raises:
        ValueError: No service has traffic.
    """
    number = worst_run(result) if run is None else run
    found = loads(result, number)
    if not any(found.before.values()) and not any(found.peak.values()):
        raise ValueError(f"{result.plan.name}: no node is sent traffic of a service")
    with house_style():
        few = len(found.peak) <= _NAMED
        figure, axes = new(1.45 + 0.3 * len(found.peak) if few else 3.2, _finding(result, found))
        (_bars if few else _histogram)(axes, found)
        _scale(axes, capacity)
        axes.set_xlabel(f"share of the service traffic (run {number})")
    return figure


def loads(result: Result, run: int) -> Loads:
    """The data of the figure."""
    timeline = result.timeline(run)
    first_us = next((fact.time_us for fact in timeline.of(FaultBegan)), timeline.horizon_us)
    before: dict[str, float] = {}
    peak: dict[str, float] = {}
    for time_us, now in node_loads(result.plan, load(result.plan, timeline, result.seed, run)):
        if time_us < first_us:
            before = dict(now)
        for node, share in (now if time_us >= first_us else {}).items():
            peak[node] = max(share, peak.get(node, before.get(node, 0.0)))
    nodes = [node.name for node in result.plan.nodes if node.name in before or node.name in peak]
    at_first = {node: before.get(node, 0.0) for node in nodes}
    return Loads(at_first, {node: max(peak.get(node, 0.0), at_first[node]) for node in nodes})


def _finding(result: Result, found: Loads) -> str:
    node, most = found.most
    was = found.before[node]
    if most <= was * _MORE:
        uneven = f", {found.unevenness:.2g} times the mean" if found.unevenness > _MORE else ""
        return f"{result.plan.name}: no node is sent more than before; the most is {percent(was)} ({node}){uneven}"
    alike = sum(share * _MORE > most for share in found.peak.values())
    who = f"{node} is" if alike == 1 else f"{count(alike)} nodes are"
    factor = f", {most / was:.3g} times as much as before" if was else ""
    return f"{result.plan.name}: {who} sent up to {percent(most)} of the service traffic{factor}"


def _bars(axes: "Axes", found: Loads) -> None:
    rows = range(len(found.peak) - 1, -1, -1)
    axes.barh(rows, list(found.peak.values()), height=0.66, color=ORANGE, edgecolor=INK, linewidth=0.4,
              label="the most from the first fault on")  # fmt: skip
    axes.barh(rows, list(found.before.values()), height=0.34, color=BLUE, edgecolor=INK, linewidth=0.4,
              label="before")  # fmt: skip
    for row, (node, peak) in zip(rows, found.peak.items(), strict=True):
        said = f"{percent(found.before[node])} → {percent(peak)}"
        axes.annotate(said, (1, row), xycoords=("axes fraction", "data"), xytext=(96, 0), annotation_clip=False,
                      textcoords="offset points", ha="right", va="center", fontsize=8.5)  # fmt: skip
    axes.set_yticks(list(rows), list(found.peak))
    axes.set_ylim(-0.6, len(found.peak) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _histogram(axes: "Axes", found: Loads) -> None:
    top = max(found.peak.values())
    edges = np.linspace(0, top * 1.0001, 41)
    parts: list[tuple[npt.NDArray[np.float64], str, str]] = [
        (np.array(list(found.peak.values())), ORANGE, "the most from the first fault on"),
        (np.array(list(found.before.values())), BLUE, "before"),
    ]
    for shares, colour, label in parts:
        axes.hist(shares, bins=edges.tolist(), histtype="step", linewidth=1.6, color=colour, label=label)
    axes.set_ylabel("nodes")
    mean = 1 / max(1, sum(share > 0 for share in found.before.values()))
    axes.axvline(mean, color=QUIET, linewidth=0.8, linestyle=(0, (2, 2)), zorder=0, label="an equal share")


def _scale(axes: "Axes", capacity: float | None) -> None:
    axes.set_xlim(left=0)
    in_percent(axes.xaxis)
    if capacity is not None:
        axes.set_xlim(right=max(capacity * 1.05, axes.get_xlim()[1]))
        axes.axvline(capacity, color=RED, linewidth=1.2, label=f"carries {percent(capacity)}")
    figure = axes.get_figure()
    assert figure is not None
    figure.legend(loc="outside lower left", ncols=3, fontsize=8, handlelength=1.4)
