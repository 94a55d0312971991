"""How often a perfect model would miss the bar of ``benchmarks.control_plane``: ``python -m benchmarks.power``.

A cell of two rows is a poor judge: if its true law is five values with equal chances, its two rows are the same in one
case of five, the floor is 0, and the truth itself is over the bar. So measurements are drawn again and again from the
model's own runs, as many as there are rows, and scored against other runs of it. Two shares are printed for each group:

* misses: the redraws in which the model, which is the truth here, is over the bar;
* as bad: the redraws whose excess over ``times`` x floor is at least that of the real measurements. A small share is
  evidence against the model, a large one is luck.
"""

import argparse
import sys
import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks import control_plane, lab
from benchmarks.score import Bar, Score, scores, summary

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Redrawn:
    """One cell: its own scores, and the sums of CRPS and of floor over its ``values``, each of shape (redraws,)."""

    own: list[Score]
    rows: int
    values: int
    crps_s: Floats
    floor_s: Floats


def crps_of_each(values: Sequence[float], predicted: Sequence[float]) -> Floats:
    """`benchmarks.score.crps` of each of ``values`` under one prediction."""
    v, x = np.sort(predicted), np.asarray(values, dtype=float)
    n = len(v)
    spread_s = float(((2 * np.arange(n) - n + 1) * v).sum() / n**2)
    return np.asarray(np.abs(v[:, None] - x[None, :]).mean(axis=0) - spread_s)


def floors(drawn: Floats) -> Floats:
    """`benchmarks.score.floor` of each redraw; ``drawn`` has shape (redraws, rows), rows at least 2."""
    rows = drawn.shape[1]
    pairs = [np.abs(drawn[:, i] - drawn[:, j]) for i in range(rows) for j in range(i)]
    return np.asarray(np.mean(pairs, axis=0) / 2)


def redraw(cell: control_plane.Cell, rows: Sequence[lab.Row], runs: int, redraws: int) -> Redrawn:
    """Play the cell twice ``runs`` times: the first half predicts, measurements are drawn from the second."""
    names, slack = control_plane.names_of(cell), control_plane.SLACK_S.get(cell[2], {})
    seen = [float(row["t_obs"]) for row in rows]
    played = lab.play(lab.plan_of(control_plane.scenario_of(cell, max(seen))), 2 * runs)
    noted = {s: [control_plane.as_in_the_file(lab.values(run, s)) for run in played] for s in dict.fromkeys(seen)}
    measured = lab.measured(rows, names)
    own = scores((cell[0], cell[2]), "/".join(cell), names, measured, lambda s: noted[s][:runs], slack)
    crps_s, floor_s = np.zeros(redraws), np.zeros(redraws)
    if len(rows) < 2:
        return Redrawn(own, len(rows), 0, crps_s, floor_s)
    generator = np.random.default_rng(zlib.crc32("/".join(cell).encode()))
    chosen = np.argsort(generator.random((redraws, runs)), axis=1)[:, : len(rows)]
    at = np.arange(len(rows))[None, :], chosen
    for name in names:
        table = np.array([[_seconds(run[name], s) for run in noted[s]] for s in seen])
        each = np.array([crps_of_each(row[runs:], row[:runs]) for row in table])
        crps_s += np.maximum(0.0, each - slack.get(name, 0.0))[at].sum(axis=1)
        floor_s += len(rows) * floors(table[:, runs:][at])
    return Redrawn(own, len(rows), len(rows) * len(names), crps_s, floor_s)


def _seconds(value: float | None, seen_s: float) -> float:
    return seen_s if value is None else value


def line(group: tuple[str, ...], cells: Sequence[Redrawn], bar: Bar) -> str:
    """One line of the table."""
    real = summary(score for cell in cells for score in cell.own)
    values = sum(cell.values for cell in cells)
    crps_s = sum((cell.crps_s for cell in cells), np.zeros(1)) / values
    floor_s = sum((cell.floor_s for cell in cells), np.zeros(1)) / values
    misses = np.mean(crps_s > bar.times * floor_s + bar.plus_s)
    as_bad = np.mean(crps_s - bar.times * floor_s >= real.crps - bar.times * real.floor)
    return (
        f"{'  '.join(group):24} {sum(cell.rows for cell in cells):5} {real.crps:8.3f} s "
        f"{bar.times * real.floor + bar.plus_s:8.3f} s {misses:8.1%} {as_bad:8.1%}{'' if real.holds(bar) else '  OVER'}"
    )


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--runs", type=int, default=200)
    ask.add_argument("--redraws", type=int, default=2000)
    ask.add_argument("--jobs", type=int, default=1)
    ask.add_argument("--only", action="append", default=[], metavar="COLUMN=VALUE")
    args = ask.parse_args()
    found = control_plane.cells(lab.read("control_plane.csv"), args.only)
    counts = [args.runs] * len(found), [args.redraws] * len(found)
    groups: dict[tuple[str, ...], list[Redrawn]] = defaultdict(list)
    for cell in lab.in_parallel(redraw, args.jobs, list(found), list(found.values()), *counts):
        groups[cell.own[0].group].append(cell)
    print(f"{'':24} {'rows':>5} {'CRPS':>10} {'bar':>10} {'misses':>8} {'as bad':>8}")
    for group, cells in sorted(groups.items()):
        print(line(group, cells, control_plane.BAR))
    return 0


if __name__ == "__main__":
    sys.exit(main())
