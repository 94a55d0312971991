"""The lab's calibration set, each router with each fault, measured again: ``python -m benchmarks.calibrate``.

Timers are small (hold 3, keepalive 1, restart 10), so that the whole set takes minutes. ``--write`` puts what was
measured into ``benchmarks/data/lab.jsonl``, a line for each repetition with its date and the releases; without the lab
(``--read``) the file is compared with the model as it is now. ``--questions`` is another set, of what was open before
the lab settled it (``scenarios/lab/questions``, ``benchmarks/data/lab_questions.jsonl``); there ``--write`` replaces
the cells that it measured. Needs Linux, root and the daemons (``docs/lab.md``).
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
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
from simbgp.lab.score import NOISE_S, Seen
from simbgp.scenario import Plan, Scenario, draw
from simbgp.study.replay import timeline

HERE = Path(__file__).resolve().parent
DATA, QUESTION_DATA = (HERE / "data" / name for name in ("lab.jsonl", "lab_questions.jsonl"))
SCENARIOS = HERE.parent / "scenarios" / "lab"
ROUTERS = ("frr-8.4", "bird-2.0", "gobgp-3.10", "openbgpd-7.7")
SHORT = (("frr-8.4", "agent-crash-within"), ("gobgp-3.10", "node-down"))
"""The two cells that CI measures."""
QUESTIONS = {
    "md5-reboot": ("frr-8.4", "bird-2.0"),
    "plain-reboot": ("frr-8.4", "bird-2.0"),
    "one-announcer": ("frr-8.4", "bird-2.0"),
    "long-lived-crash": ("bird-2.0", "frr-8.4"),
    "long-lived-silence": ("bird-2.0", "frr-8.4"),
    "long-lived-return": ("bird-2.0", "frr-8.4"),
    "three-routers": ("frr-8.4",),
    "plain-router": ("frr-8.4", "bird-2.0", "gobgp-3.10", "openbgpd-7.7"),
}
"""What was open, and the routers that answer. three-routers wants a gobgpd of release 4.6 or later first in PATH."""
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """One router with one fault."""

    router: str
    fault: str

    def scenario(self) -> Scenario:
        """The fault's file with this router; one of GoBGP helps only if it is told to."""
        found = scenario.load(self.file).with_(**{"routers.0.profile": self.router})
        if self._helps:
            found = found.with_(**{"routers.0.gracefulRestart": dict(self._helps)})
        return found

    @property
    def file(self) -> str:
        """The fault's scenario."""
        folder = SCENARIOS / "questions" if self.fault in QUESTIONS else SCENARIOS
        return str(folder / f"{self.fault}.yaml")

    @property
    def _helps(self) -> Mapping[str, bool]:
        if self.fault == "plain-router":
            return {}
        if self.router.startswith("gobgp"):
            return {"helper": True, "notification": True}
        return {"longLived": True} if self.router.startswith("frr") and self.fault.startswith("long-lived") else {}

    @property
    def settings(self) -> list[str]:
        """The same as options of the command line."""
        settings = [f"routers.0.profile={self.router}"]
        if self._helps:
            settings.append(f"routers.0.gracefulRestart={json.dumps(self._helps)}")
        return [word for setting in settings for word in ("--set", setting)]


def cells(only: Sequence[str] = (), short: bool = False, questions: bool = False) -> list[Cell]:
    """The set, or that of the questions; ``only`` keeps routers and faults of these names."""
    every = [(router, path.stem) for path in sorted(SCENARIOS.glob("*.yaml")) for router in ROUTERS]
    if questions:
        every = [(router, fault) for fault, routers in QUESTIONS.items() for router in routers]
    wanted = SHORT if short else [pair for pair in every if not only or set(pair) & set(only)]
    return [Cell(*pair) for pair in wanted]


def measure(cell: Cell, repeat: int) -> list[dict[str, Any]]:
    """Measure one cell in a driver of its own; a row for each repetition and router."""
    asked = [sys.executable, "-m", "simbgp", "lab", "compare", cell.file, *cell.settings]
    begun = time.monotonic()
    done = run(
        [*asked, "--repeat", str(repeat), "--runs", "1", "--format", "json", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1) or not done.stdout:
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
    rows = []
    for at in dict.fromkeys(figure["router"] for figure in said["figures"]):
        values = {figure["figure"]: figure["measured"] for figure in said["figures"] if figure["router"] == at}
        for n, up_s in enumerate(said["measurement"]["up_s"]):
            rows.append(about | {"at": at, "up_s": up_s} | {name: values[name][n] for name in values})
    return rows


def judged(cell: Cell, rows: Sequence[Row], runs: int) -> Iterator[Figure]:
    """The figures of one cell: its rows against the model as it is now."""
    plan = as_young(cell.scenario().plan(), fmean(row.get("up_s", SETUP_S) for row in rows))
    first = draw(plan, 0, 0).occurrences[0]
    here = list(places(plan, first))
    played = [_played(plan, n, here) for n in range(runs)]
    for place in here:
        mine = [row for row in rows if row.get("at", place.router) == place.router]
        for name in (name for name in FIGURES if mine and name in mine[0]):
            values, seen_s = tuple(row[name] for row in mine), (plan.horizon_us - first.at_us) / 1e6
            yield Figure(place, name, tuple(each[place][name] for each in played), values, seen_s)


def _played(plan: Plan, run: int, here: Sequence[Place]) -> Mapping[Place, Mapping[str, Seen]]:
    happened, fault = timeline(plan, 0, run), draw(plan, 0, run).occurrences[0]
    return {place: predicted(plan, happened, fault, place) for place in here}


@dataclass
class Tally:
    """How many values lie inside, of how many; a value that is outside for a known reason is outside."""

    inside: int = 0
    values: int = 0
    strictly: int = 0
    """Inside without the allowance for the machine's noise."""
    happened: int = 0
    """Measured or predicted to happen at all, at a moment that is not the fault's own: what says something."""
    happened_inside: int = 0

    def add(self, figure: Figure) -> None:
        """Count one figure's values."""
        low, high = (figure.seen_s if end is None else end for end in figure.interval)
        for value, away in zip(figure.measured, figure.beside, strict=True):
            at = figure.seen_s if value is None else value
            told = (value or 0.0) > NOISE_S or (value is None and low < figure.seen_s) or (value == 0 and high > 0)
            self.values, self.inside = self.values + 1, self.inside + (away == 0)
            self.strictly += low <= at <= high
            self.happened, self.happened_inside = self.happened + told, self.happened_inside + (told and away == 0)

    def __str__(self) -> str:
        said = f"{self.inside}/{self.values} = {self.inside / max(1, self.values):.1%} inside of the predicted 99 %"
        said += f" +-{NOISE_S:g} s; of those that say that something happened {self.happened_inside}/{self.happened}"
        return f"{said} = {self.happened_inside / max(1, self.happened):.1%}; without that allowance {self.strictly}"


def table(rows: Sequence[Row], runs: int) -> bool:
    """Print each cell and each value outside; whether enough of all values are inside."""
    every, begun = Tally(), time.monotonic()
    for cell in dict.fromkeys(Cell(row["router"], row["fault"]) for row in rows):
        own = Tally()
        figures = list(judged(cell, [row for row in rows if (row["router"], row["fault"]) == astuple(cell)], runs))
        for figure in figures:
            own.add(figure)
            every.add(figure)
        print(f"{cell.router:14} {cell.fault:22} {own.inside:3}/{own.values}")
        for figure in figures:
            if figure.inside < len(figure.measured):
                low, high = figure.interval
                print(f"{'':14} {figure.name} at {figure.place.router}: {figure.measured}, predicted {low} .. {high}")
    simulated_s = (time.monotonic() - begun) / max(1, runs)
    print(f"all: {every}")
    real_s = _once_s(rows)
    print(f"the set once takes {real_s:.0f} s real and {simulated_s:.2f} s simulated: {real_s / simulated_s:.0f} to 1")
    return every.inside >= INSIDE * every.values


def _once_s(rows: Sequence[Row]) -> float:
    """Real time of one repetition of each cell, one after the other."""
    took: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        took.setdefault((row["router"], row["fault"]), []).append(row["real_s"])
    return sum(map(fmean, took.values()))


def kept(data: Path) -> list[Row]:
    """The rows of a file of measurements."""
    return [json.loads(line) for line in data.read_text().splitlines()] if data.exists() else []


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--repeat", type=int, default=2)
    ask.add_argument("--runs", type=int, default=200)
    ask.add_argument("--jobs", type=int, default=1, help="cells measured at once")
    ask.add_argument("--only", action="append", default=[], metavar="ROUTER|FAULT")
    ask.add_argument("--read", action="store_true", help="measure nothing: compare the file")
    ask.add_argument("--write", action="store_true", help="keep what is measured in the file")
    ask.add_argument("--clients", action="store_true", help="the eight kinds of data plane under 1 000 connections")
    ask.add_argument("--questions", action="store_true", help="the set of what was open")
    args = ask.parse_args()
    if args.clients:
        from benchmarks.calibrate_clients import main as clients

        return clients(args.repeat, args.runs, args.jobs, args.only, args.read, args.write)
    data = QUESTION_DATA if args.questions else DATA
    if args.read:
        return 0 if table(kept(data), args.runs) else 1
    chosen = cells(args.only, questions=args.questions)
    missing = list(dict.fromkeys(line for cell in chosen for line in lacking(cell.scenario().plan())))
    if missing:
        print(f"skipped, nothing was measured: {'; '.join(missing)}")
        return 0
    with ThreadPoolExecutor(args.jobs) as pool:
        found = pool.map(lambda cell: measure(cell, args.repeat), chosen)
        rows = [row for rows in found for row in rows]
    if args.write:
        fresh = {(row["router"], row["fault"]) for row in rows}
        old = [row for row in kept(data) if args.questions and (row["router"], row["fault"]) not in fresh]
        data.write_text("".join(json.dumps(row) + "\n" for row in [*old, *rows]))
    return 0 if rows and table(rows, args.runs) else 1


if __name__ == "__main__":
    sys.exit(main())
