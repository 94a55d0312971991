"""How likely traffic still arrives at a node, so many seconds after its label is gone."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from simbgp.report.figures.style import INK, LINES, QUIET, house_style, in_percent, new
from simbgp.report.numbers import count, seconds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from simbgp.study.waiting import OfProfile, Waiting

_QUANTILES = (("p99", 0.01), ("p99.9", 0.001))
_FOREVER_S = 7200.0
"""So long the answer of a router that never forgets was looked for."""


def wait_curve(found: "Waiting") -> "Figure":
    """P(some router still forwards to the node) against seconds after unlabelling, a curve per answer that differs.

    The steps are those of the runs: below one run in so many there is nothing to see.

    Raises:
        ValueError: No router has a session with the node.
    """
    curves = _curves(found)
    if not curves:
        raise ValueError("no router has a session with the node: there is nothing to wait for")
    with house_style():
        figure, axes = new(3.4, _finding(found))
        _draw(axes, curves, found.whole_seconds)
        axes.set_xlabel(f"seconds after {found.ways[0].node} lost its label")
        axes.set_ylabel("probability that traffic\nstill arrives")
    return figure


def still_held(found: "OfProfile") -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """At which seconds the probability falls, and to what; a router that never forgets keeps it up."""
    ended = np.sort([value.value for value in found.values if not value.censored])
    return ended, 1 - np.arange(1, len(ended) + 1) / max(1, len(found.values))


def _curves(found: "Waiting") -> "list[tuple[str, OfProfile]]":
    """The worst profile of each way, ways of the same answer once."""
    curves: dict[tuple[float, ...], tuple[str, OfProfile]] = {}
    for way in found.ways:
        for profile in way.profiles:
            label = profile.profile
            if way.choices:
                label += ": " + " and ".join(choice.alternative.label for choice in way.choices)
            curves.setdefault(tuple(value.value for value in profile.values), (label, profile))
    return list(curves.values())[: len(LINES)]


def _finding(found: "Waiting") -> str:
    whole, node = found.whole_seconds, found.ways[0].node
    if whole is None:
        return f"Some router never forgets {node}: do not switch it off by the clock"
    kept = [each for each in found.ways if each.profiles]
    longest = max(kept, key=lambda way: way.worst.estimate.value)
    shortest = min(kept, key=lambda way: way.worst.estimate.value)
    text = f"Wait {seconds(whole)} after {node} lost its label: then traffic still arrives in at most {_rare(found.p)}"
    if longest.worst.estimate.value > 2 * shortest.worst.estimate.value + 1:
        text += f"; {seconds(shortest.worst.estimate.value)} would do if the open question goes the other way"
    return text


def _rare(p: float) -> str:
    return f"1 case of {count(round(1 / (1 - p / 100)))}"


def _draw(axes: "Axes", curves: "list[tuple[str, OfProfile]]", answer_s: float | None) -> None:
    last = max([float(still_held(profile)[0][-1:].sum()) for _, profile in curves] + [answer_s or 0.0])
    right = max(1.0, last * 1.15)
    fewest = min(1 / max(1000, len(profile.values)) for _, profile in curves)
    axes.set_yscale("log")
    axes.set_ylim(fewest / 2, 1.6)
    axes.set_xlim(0, right)
    for (label, profile), (colour, dashes) in zip(curves, LINES, strict=False):
        at, held = still_held(profile)
        x = np.concatenate([[0.0], at, [right]])
        y = np.concatenate([[1.0], np.maximum(held, fewest / 10), [held[-1] if len(held) else 1.0]])
        axes.step(
            x, np.maximum(y, fewest / 10), where="post", color=colour, linestyle=dashes, linewidth=1.6, label=label
        )
        _mark(axes, profile, colour)
    for name, share in _QUANTILES:
        axes.axhline(share, color=QUIET, linewidth=0.6, linestyle=(0, (2, 2)), zorder=0)
        axes.annotate(name, (1, share), xycoords=("axes fraction", "data"), xytext=(3, 0), textcoords="offset points",
                      va="center", fontsize=8, color=QUIET)  # fmt: skip
    in_percent(axes.yaxis)
    if answer_s is not None:
        axes.axvline(answer_s, color=INK, linewidth=1.2)
        axes.annotate(f"wait {seconds(answer_s)}", (answer_s, 1), xycoords=("data", "axes fraction"), xytext=(0, 2),
                      textcoords="offset points", ha="center", va="bottom", fontsize=8.5)  # fmt: skip
    if len(curves) > 1:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), fontsize=8, borderaxespad=0, ncols=2)


def _mark(axes: "Axes", found: "OfProfile", colour: str) -> None:
    """A dot where the curve has come down to each quantile, with its seconds; too few runs know of none."""
    at, held = still_held(found)
    for place, (_, share) in enumerate(_QUANTILES):
        below = np.flatnonzero(held <= share + 1e-12)
        if len(below) and (len(found.values) * share >= 1 or len(found.values) == 1):
            x = float(at[below[0]])
            axes.plot([x], [share], "o", color=colour, markersize=4, clip_on=False)
            axes.annotate(seconds(x), (x, share), xytext=(-5, -4 - 2 * place), textcoords="offset points", ha="right",
                          va="top", fontsize=8, color=colour)  # fmt: skip
