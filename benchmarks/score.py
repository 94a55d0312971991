"""How well a predicted distribution fits measured values.

Two scores, in the units of the value, seconds:

* the continuous ranked probability score (Gneiting & Raftery 2007, eq. 20): E|X - x| - E|X - X'| / 2 for a predicted X
  and a measured x. A prediction that is too wide loses, and so does a sharp one beside the truth. The *floor* is what
  the true distribution would score on average: half the mean difference between measurements of the same cell.
* inside: the share of measured values between the 0.5 % and the 99.5 % quantile of the prediction, ±0.15 s (the noise
  of the machine that measured).

What did not happen while somebody looked counts as the end of the observation.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from statistics import fmean

import numpy as np

NOISE_S = 0.15
_QUANTILES = (0.005, 0.5, 0.995)
Values = Mapping[str, float | None]
"""What was measured or predicted by name; None: not seen."""


@dataclass(frozen=True, slots=True)
class Score:
    """One measured value of one cell against its prediction; ``floor`` is None in a cell of one row.

    ``spread`` are the 0.5 %, 50 % and 99.5 % quantiles of the prediction, None where it says that it may not happen.
    """

    group: tuple[str, ...]
    cell: str
    value: str
    measured: float | None
    predicted: str
    crps: float
    floor: float | None
    inside: bool
    spread: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """Allowed CRPS: ``times`` the floor plus ``plus_s``."""

    times: float
    plus_s: float


@dataclass(frozen=True, slots=True)
class Summary:
    """The scores of one group, on average over the values that have a floor."""

    crps: float
    floor: float
    inside: int
    total: int

    def holds(self, bar: Bar) -> bool:
        """Whether the group is within ``bar``."""
        return self.crps <= bar.times * self.floor + bar.plus_s


def crps(measured: float | None, predicted: Sequence[float | None], seen_s: float) -> float:
    """Continuous ranked probability score of one value."""
    x = seen_s if measured is None else measured
    v = np.sort([seen_s if p is None else p for p in predicted])
    n = len(v)
    return float(np.abs(v - x).mean() - ((2 * np.arange(n) - n + 1) * v).sum() / n**2)


def floor(measured: Sequence[float | None], seen_s: Sequence[float]) -> float | None:
    """What the true distribution would score on average; None from a single value."""
    v = [seen if m is None else m for m, seen in zip(measured, seen_s, strict=True)]
    pairs = [abs(a - b) for i, a in enumerate(v) for b in v[:i]]
    return fmean(pairs) / 2 if pairs else None


def is_inside(measured: float | None, predicted: Sequence[float | None], slack_s: float = 0.0) -> bool:
    """Whether the value lies in the central 99 % of the prediction, ±`NOISE_S`, and ``slack_s`` more below."""
    v = sorted(inf if p is None else p for p in predicted)
    low, high = v[int(0.005 * (len(v) - 1))], v[min(len(v) - 1, int(0.995 * (len(v) - 1)) + 1)]
    return low - NOISE_S - slack_s <= (inf if measured is None else measured) <= high + NOISE_S


def scores(
    group: tuple[str, ...],
    cell: str,
    names: Iterable[str],
    rows: Sequence[Values],
    predict: Callable[[float], Sequence[Values]],
    slack_s: Mapping[str, float] | None = None,
) -> list[Score]:
    """The scores of one cell: ``rows`` measured it, each with its ``t_obs``; ``predict(seen_s)`` are the runs of the
    model as somebody would have noted them who stopped looking ``seen_s`` after the failure.

    ``slack_s`` is, by name, by how much a measurement is known to fall short.
    """
    seen = [float(row["t_obs"] or 0.0) for row in rows]
    predicted = {seen_s: predict(seen_s) for seen_s in dict.fromkeys(seen)}
    found = []
    for name in names:
        measured = [row[name] for row in rows]
        least, slack = floor(measured, seen), (slack_s or {}).get(name, 0.0)
        for value, seen_s in zip(measured, seen, strict=True):
            values = [run[name] for run in predicted[seen_s]]
            got = max(0.0, crps(value, values, seen_s) - slack)
            ok = is_inside(value, values, slack)
            found.append(Score(group, cell, name, value, quantiles(values), got, least, ok, spread(values)))
    return found


def quantiles(values: Sequence[float | None]) -> str:
    """0.5 %, 50 % and 99.5 % of what was predicted, and how often it was at all."""
    seen = [v for v in values if v is not None]
    if not seen:
        return "never"
    text = "..".join(f"{quantile:.2f}" for quantile in spread(seen) or ())
    return text if len(seen) == len(values) else f"{text} in {len(seen) / len(values):.0%}"


def spread(values: Sequence[float | None]) -> tuple[float, ...] | None:
    """0.5 %, 50 % and 99.5 % of what was predicted; None unless it was every time."""
    seen = sorted(v for v in values if v is not None)
    return tuple(seen[int(q * (len(seen) - 1))] for q in _QUANTILES) if len(seen) == len(values) else None


def summary(found: Iterable[Score]) -> Summary:
    """The scores on average."""
    every = list(found)
    known = [score for score in every if score.floor is not None]
    got = fmean([score.crps for score in known]) if known else 0.0
    least = fmean([score.floor or 0.0 for score in known]) if known else 0.0
    return Summary(got, least, sum(score.inside for score in every), len(every))


def by_group(found: Iterable[Score]) -> dict[tuple[str, ...], list[Score]]:
    """The scores by group, in the order of their names."""
    groups: dict[tuple[str, ...], list[Score]] = {}
    for score in found:
        groups.setdefault(score.group, []).append(score)
    return dict(sorted(groups.items()))


def print_table(found: Sequence[Score], bar: Bar, worst: int) -> bool:
    """Print every group, then the ``worst`` cells. Returns whether every group is within ``bar``."""
    width = max((len("  ".join(group)) for group in by_group(found)), default=5)
    print(f"{'':{width}}     CRPS    floor   ratio     inside")
    held = [_print_line(group, scored, bar, width) for group, scored in by_group(found).items()]
    total = summary(found)
    print(
        f"{'all':{width}} {total.crps:7.3f}s {total.floor:7.3f}s {_ratio(total)} {total.inside:5}/{total.total:<5} "
        f"{total.inside / max(1, total.total):.1%}; {held.count(False)} of {len(held)} groups over "
        f"{bar.times} x floor + {bar.plus_s} s"
    )
    for excess, scored in worst_cells(found)[:worst]:
        first = max(scored, key=lambda score: score.crps)
        measured = sorted((score.measured is None, score.measured or 0.0) for score in scored)
        seen = ", ".join("never" if never else f"{value:.2f}" for never, value in measured)
        print(
            f"+{excess:.2f} s {' '.join(first.group)} {first.cell}: {first.value} measured {seen}; "
            f"predicted {first.predicted}"
        )
    return all(held)


def worst_cells(found: Iterable[Score]) -> list[tuple[float, list[Score]]]:
    """Each value of each cell with its mean CRPS above the floor, the largest first."""
    cells: dict[tuple[object, ...], list[Score]] = {}
    for score in found:
        cells.setdefault((score.group, score.cell, score.value), []).append(score)
    excess = [(fmean(s.crps for s in scored) - (scored[0].floor or 0.0), scored) for scored in cells.values()]
    return sorted(excess, key=lambda pair: -pair[0])


def _print_line(group: tuple[str, ...], scored: list[Score], bar: Bar, width: int) -> bool:
    line = summary(scored)
    held = line.holds(bar)
    print(
        f"{'  '.join(group):{width}} {line.crps:7.3f}s {line.floor:7.3f}s {_ratio(line)} "
        f"{line.inside:5}/{line.total:<5} {line.inside / line.total:6.1%}{'' if held else '  OVER'}"
    )
    return held


def _ratio(line: Summary) -> str:
    return f"{line.crps / line.floor:7.2f}" if line.floor else "      -"
