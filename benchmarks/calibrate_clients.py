"""The lab's clients measured again: ``python -m benchmarks.calibrate --clients``.

1 000 real TCP connections to four nodes, one of which leaves BGP and comes back: hash-threshold and resilient groups,
nodes that pick at random and by Maglev, answers by the same node (snat) and past it (dsr). ``--write`` keeps a line
for each repetition in ``benchmarks/data/lab_clients.jsonl``; ``--read`` compares that file with the model as it is.
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

from simbgp import scenario
from simbgp.lab.needs import lacking
from simbgp.lab.shares import OUTCOMES, Share
from simbgp.scenario import Scenario
from simbgp.study.replay import timeline
from simbgp.traffic import outcomes

HERE = Path(__file__).resolve().parent
DATA = HERE / "data" / "lab_clients.jsonl"
FILE = HERE.parent / "scenarios" / "lab" / "clients" / "withdrawal-and-return.yaml"
CLOSE = 0.03
"""How far the mean of the measured shares may lie from that of the predicted ones."""
_COUNTS = ("total", *OUTCOMES, "reconnected", "elsewhere", "broken_again")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """One combination of router and nodes; its place decides the seed, so that no two have the same flows."""

    place: int
    ecmp: str
    algorithm: str
    mode: str

    @property
    def name(self) -> str:
        return f"{self.ecmp} {self.algorithm} {self.mode}"

    @property
    def settings(self) -> dict[str, str]:
        balancer = "cluster.loadBalancer"
        return {
            "routers.0.ecmp.hash": self.ecmp,
            f"{balancer}.algorithm": self.algorithm,
            f"{balancer}.mode": self.mode,
        }

    def scenario(self) -> Scenario:
        return scenario.load(str(FILE)).with_(**self.settings)


def cells(only: Sequence[str] = ()) -> list[Cell]:
    """The eight; ``only`` keeps those that have each of these words."""
    every = product(("hash-threshold", "resilient"), ("random", "maglev"), ("snat", "dsr"))
    return [Cell(n, *words) for n, words in enumerate(every) if set(only) <= set(words)]


def measure(cell: Cell, repeat: int) -> list[dict[str, Any]]:
    """Measure one cell in a driver of its own; a row for each repetition."""
    sets = [word for path, value in cell.settings.items() for word in ("--set", f"{path}={value}")]
    asked = [sys.executable, "-m", "simbgp", "lab", "run", str(FILE), *sets, "--seed", str(cell.place)]
    begun = time.monotonic()
    done = subprocess.run(
        [*asked, "--repeat", str(repeat), "--format", "json", "--quiet"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"{cell.name}: {done.stderr.strip()}", file=sys.stderr)
        return []
    said = json.loads(done.stdout)
    about = {"ecmp": cell.ecmp, "algorithm": cell.algorithm, "mode": cell.mode}
    about |= {"measured": said["measured"], "versions": said["versions"], "seed": said["seed"]}
    about |= {"real_s": round((time.monotonic() - begun) / repeat, 1)}
    whole = [row for row in said["connections"] if row["fault"] is None]
    return [about | {"run": row["run"]} | {name: row[name] for name in _COUNTS} for row in whole]


def judged(cell: Cell, rows: Sequence[Row], runs: int) -> list[Share]:
    """Each outcome of a cell that somebody met: its rows against the model as it is now."""
    plan = cell.scenario().plan()
    played = [outcomes(plan, timeline(plan, cell.place, n), cell.place, n)[0] for n in range(runs)]
    found = []
    for name in OUTCOMES:
        predicted = tuple(getattr(row, name) / row.total for row in played)
        share = Share("web", name, predicted, tuple(row[name] / row["total"] for row in rows))
        if any((*share.predicted, *share.measured)):
            found.append(share)
    return found


def table(rows: Sequence[Row], runs: int) -> bool:
    """Print each share of each cell; whether all means are close."""
    far, values, inside = [], 0, 0
    print(f"{'':30} {'':17} predicted mean and 99 %   measured mean, least .. most   apart")
    for cell in cells():
        mine = [row for row in rows if (row["ecmp"], row["algorithm"], row["mode"]) == tuple(cell.name.split())]
        for share in judged(cell, mine, runs) if mine else ():
            low, high = (100 * end for end in share.interval)
            mean, least, most = (100 * of(share.measured) for of in (fmean, min, max))
            said = f"{100 * fmean(share.predicted):6.2f}  {low:6.2f} .. {high:6.2f}"
            found = f"{mean:6.2f}  {least:6.2f} .. {most:6.2f}"
            print(f"{cell.name:30} {OUTCOMES[share.name]:17} {said:24}   {found:26} {100 * share.apart:+7.2f}")
            values, inside = values + len(share.measured), inside + share.inside
            far += [f"{cell.name}: {share.name}"] if abs(share.apart) > CLOSE else []
    print(f"inside of the predicted 99 %: {inside}/{values} = {inside / max(1, values):.1%}")
    print(f"farther apart than {CLOSE:.0%}: {', '.join(far) or 'none'}")
    return not far


def main(repeat: int, runs: int, jobs: int, only: Sequence[str], read: bool, write: bool) -> int:
    """Measure, or read what was measured, and compare."""
    if read:
        return 0 if table([json.loads(line) for line in DATA.read_text().splitlines()], runs) else 1
    chosen = cells(only)
    missing = list(dict.fromkeys(line for cell in chosen for line in lacking(cell.scenario().plan())))
    if missing:
        print(f"skipped, nothing was measured: {'; '.join(missing)}")
        return 0
    with ThreadPoolExecutor(jobs) as pool:
        rows = [row for rows in pool.map(lambda cell: measure(cell, repeat), chosen) for row in rows]
    if write:
        DATA.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return 0 if rows and table(rows, runs) else 1
