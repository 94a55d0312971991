"""The lab's calibration set, each router with each fault, measured again: ``python -m benchmarks.calibrate``.

Timers are small (hold 3, keepalive 1, restart 10), so that the whole set takes minutes. ``--write`` puts what was
measured into ``benchmarks/data/lab.jsonl``, a line for each repetition with its date and the releases; without the lab
(``--read``) the file is compared with the model as it is now. Needs Linux, root and the daemons (``docs/lab.md``).
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from subprocess import run
from typing import Any

from simbgp import scenario
from simbgp.lab.compare import as_young
from simbgp.lab.comparison import INSIDE, Figure
from simbgp.lab.driver import SETUP_S
from simbgp.lab.needs import lacking
from simbgp.lab.readings import FIGURES, Place, places, predicted
from simbgp.scenario import Scenario, draw
from simbgp.study.replay import timeline

HERE = Path(__file__).resolve().parent
DATA = HERE / "data" / "lab.jsonl"
SCENARIOS = HERE.parent / "scenarios" / "lab"
ROUTERS = ("frr-8.4", "bird-2.0", "gobgp-3.10", "openbgpd-7.7")
SHORT = (("frr-8.4", "agent-crash-within"), ("gobgp-3.10", "node-down"))
"""The two cells that CI measures."""
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """One router with one fault."""

    router: str
    fault: str

    def scenario(self) -> Scenario:
        """The fault's file with this router; one of GoBGP helps only if it is told to."""
        found = scenario.load(str(SCENARIOS / f"{self.fault}.yaml")).with_(**{"routers.0.profile": self.router})
        if self.router.startswith("gobgp"):
            found = found.with_(**{"routers.0.gracefulRestart": {"helper": True, "notification": True}})
        return found

    @property
    def settings(self) -> list[str]:
        """The same as options of the command line."""
        settings = [f"routers.0.profile={self.router}"]
        if self.router.startswith("gobgp"):
            settings.append("routers.0.gracefulRestart={helper: true, notification: true}")
        return [word for setting in settings for word in ("--set", setting)]


def cells(only: Sequence[str] = (), short: bool = False) -> list[Cell]:
    """The set; ``only`` keeps routers and faults of these names."""
    every = [(router, path.stem) for path in sorted(SCENARIOS.glob("*.yaml")) for router in ROUTERS]
    wanted = SHORT if short else [pair for pair in every if not only or set(pair) & set(only)]
    return [Cell(*pair) for pair in wanted]


def measure(cell: Cell, repeat: int) -> list[dict[str, Any]]:
    """Measure one cell in a driver of its own; a row for each repetition."""
    file = str(SCENARIOS / f"{cell.fault}.yaml")
    asked = [sys.executable, "-m", "simbgp", "lab", "compare", file, *cell.settings]
    begun = time.monotonic()
    done = run(
        [*asked, "--repeat", str(repeat), "--runs", "1", "--format", "json", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        print(f"{cell.router} {cell.fault}: {done.stderr.strip()}", file=sys.stderr)
        return []
    said = json.loads(done.stdout)
    about = {
        "router": cell.router,
        "fault": cell.fault,
        "measured": said["measurement"]["measured"],
        "versions": said["measurement"]["versions"],
        "real_s": round((time.monotonic() - begun) / repeat, 1),
    }
    values = {figure["figure"]: figure["measured"] for figure in said["figures"]}
    return [about | {name: values[name][n] for name in FIGURES if name in values} for n in range(repeat)]


def judged(cell: Cell, rows: Sequence[Row], runs: int) -> Iterator[Figure]:
    """The figures of one cell: its rows against the model as it is now."""
    plan = as_young(cell.scenario().plan(), fmean(row.get("up_s", SETUP_S) for row in rows))
    first = draw(plan, 0, 0).occurrences[0]
    place: Place = next(places(plan, first))
    played = [predicted(plan, timeline(plan, 0, n), draw(plan, 0, n).occurrences[0], place) for n in range(runs)]
    for name in FIGURES:
        if name in rows[0]:
            values = tuple(row[name] for row in rows)
            seen_s = (plan.horizon_us - first.at_us) / 1e6
            yield Figure(place, name, tuple(each[name] for each in played), values, seen_s)


def table(rows: Sequence[Row], runs: int) -> bool:
    """Print each cell and each value outside; whether enough of all values are inside."""
    inside = total = 0
    begun = time.monotonic()
    for cell in dict.fromkeys(Cell(row["router"], row["fault"]) for row in rows):
        mine = [row for row in rows if (row["router"], row["fault"]) == (cell.router, cell.fault)]
        figures = list(judged(cell, mine, runs))
        got, of = sum(figure.inside for figure in figures), sum(len(figure.measured) for figure in figures)
        inside, total = inside + got, total + of
        print(f"{cell.router:14} {cell.fault:22} {got:3}/{of}")
        for figure in figures:
            if figure.inside < len(figure.measured):
                low, high = figure.interval
                print(f"{'':14} {figure.name}: measured {figure.measured}, predicted {low} .. {high}")
    simulated_s = (time.monotonic() - begun) / max(1, runs)
    real_s = sum(row["real_s"] for row in rows) / max(1, len(rows)) * len({(r["router"], r["fault"]) for r in rows})
    share = inside / max(1, total)
    print(f"all: {inside}/{total} = {share:.1%} inside")
    print(f"the set once takes {real_s:.0f} s real and {simulated_s:.2f} s simulated: {real_s / simulated_s:.0f} to 1")
    return share >= INSIDE


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--repeat", type=int, default=2)
    ask.add_argument("--runs", type=int, default=200)
    ask.add_argument("--jobs", type=int, default=1, help="cells measured at once")
    ask.add_argument("--only", action="append", default=[], metavar="ROUTER|FAULT")
    ask.add_argument("--short", action="store_true", help="two routers, two faults, once: under 3 minutes")
    ask.add_argument("--read", action="store_true", help="measure nothing: compare the file")
    ask.add_argument("--write", action="store_true", help="keep what is measured in the file")
    ask.add_argument("--clients", action="store_true", help="the eight kinds of data plane under 1 000 connections")
    args = ask.parse_args()
    if args.clients:
        from benchmarks.calibrate_clients import main as clients

        return clients(args.repeat, args.runs, args.jobs, args.only, args.read, args.write)
    if args.read:
        kept = [json.loads(line) for line in DATA.read_text().splitlines()]
        return 0 if table(kept, args.runs) else 1
    chosen = cells(args.only, args.short)
    missing = list(dict.fromkeys(line for cell in chosen for line in lacking(cell.scenario().plan())))
    if missing:
        print(f"skipped, nothing was measured: {'; '.join(missing)}")
        return 0
    with ThreadPoolExecutor(args.jobs) as pool:
        found = pool.map(lambda cell: measure(cell, 1 if args.short else args.repeat), chosen)
        rows = [row for rows in found for row in rows]
    if args.write:
        DATA.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return 0 if rows and table(rows, args.runs) else 1


if __name__ == "__main__":
    sys.exit(main())
