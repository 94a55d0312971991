"""Whether the intervals of studies hold, whether they survive, and how long they take.

``python -m benchmarks.studies``, or a part of it by name. What they cost by engine: ``benchmarks.study_cost``.
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from simbgp.measure import Value, Verdict, estimate, judge, wilson
from simbgp.scenario import load
from simbgp.scenario.plan import SloPlan
from simbgp.study.compare import compare

ROOT = Path(__file__).parents[1]
STUDIES = 1_000
HOLD = "cluster.timers.holdTimeSeconds=3,6,9,15,30,60,90,180"
PAIRS = (
    ("node-down", "node-down-gr", "blackhole_s"),
    ("node-down", "guide-link-switched", "detection_s"),
    ("guide-drain", "guide-drain-withdraw-first", "procedure_s"),
)
RESTART = "cluster.gracefulRestart.restartTimeSeconds=5,10,15,20,30,45,60,90,120,150,180,240"


def coverage() -> bool:
    """Repeat small studies of a known law, detection uniform in 60 to 90 s, and count intervals that hold the truth."""
    good = True
    for runs, high in ((50, "p90"), (400, "p99")):
        samples = np.random.default_rng(runs).uniform(60, 90, (STUDIES, runs))
        p = float(high[1:]) / 100
        for stat, truth, least, most in (("mean", 75, 0.93, 0.97), ("p50", 75, 0.94, 1), (high, 60 + 30 * p, 0.94, 1)):
            held = sum(_holds(stat, sample, study, truth) for study, sample in enumerate(samples)) / STUDIES
            good &= _say(f"{stat} of {runs} runs", held, least, most)
        shares = [wilson(int((sample < 66).sum()), runs) for sample in samples]
        held = sum((each.low or 0) <= 0.2 <= (each.high or 1) for each in shares) / STUDIES
        good &= _say(f"share of {runs} runs", held, 0.93, 0.97)
    return too_few() and good


def _holds(stat: str, sample: Sequence[float], study: int, truth: float) -> bool:
    found = estimate(stat, [Value(float(value)) for value in sample], seed=study, purpose=stat)
    low, high = (-np.inf if found.low is None else found.low), (np.inf if found.high is None else found.high)
    return bool(low <= truth <= high)


def too_few() -> bool:
    """With too few runs an interval has one end or none, and the verdict is open although every run meets the bound."""
    good = True
    for stat, runs in (("p50", 5), ("p90", 29), ("p99", 299), ("p99.9", 2995)):
        slo = SloPlan("blackhole_s", stat, max_value=90.0, min_value=None)
        for count in (runs - 1, runs):
            found = judge(slo, [Value(60 + 20 * n / count) for n in range(count)], seed=0)
            of = found.estimate
            ends = "no upper end" if of is None or of.high is None else "an upper end"
            print(f"  {stat:<6} of {count:4} runs, all within the bound: {ends}, {found.verdict}")
            good &= found.verdict is (Verdict.MET if count == runs else Verdict.INCONCLUSIVE)
    return good


def pairs(runs: int = 100) -> bool:
    """Compare shipped scenarios as they are; of each pair the figure that pairing narrows least of those it must."""
    narrow = True
    for one, other, metric in PAIRS:
        slo = [{"metric": metric, "stat": "mean", "max": "1s"}]
        first, second = (load(ROOT / f"scenarios/{name}.yaml").with_(slo=slo) for name in (one, other))
        found = compare(first, second, runs=runs).rows[0].found
        if found is None or found.low is None or found.high is None or found.unpaired_width is None:
            print(f"  {other} against {one}: no interval for {metric}")
            return False
        width = found.high - found.low
        print(
            f"  {other} against {one}: mean {metric} {found.value:+.2f} s, interval {width:.3f} s wide, "
            f"{found.unpaired_width:.3f} s without pairs ({width / found.unpaired_width:.3f}; asked at most 0.5)"
        )
        narrow &= width <= found.unpaired_width / 2
    return narrow


def _say(what: str, held: float, least: float, most: float) -> bool:
    print(f"  {what:<22} {held:6.1%}  of {STUDIES} intervals hold the truth; asked {least:.0%} to {most:.0%}")
    return least <= held <= most


def kill(times: int = 20) -> bool:
    """Kill a study at random moments, resume it each time, and compare its files with those of an undisturbed one."""
    chance, quiet = random.Random(0), subprocess.DEVNULL
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"
        line = [sys.executable, "-m", "simbgp", "run", "scenarios/node-down.yaml", "--runs", "200", "--quiet"]
        began = time.monotonic()
        subprocess.run([*line, "--to", str(whole)], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
        lasts_s = time.monotonic() - began
        same = 0
        for _ in range(times):
            shutil.rmtree(killed, ignore_errors=True)
            process = subprocess.Popen(
                [*line, "--jobs", "2", "--to", str(killed)], cwd=ROOT, stdout=quiet, stderr=quiet
            )
            time.sleep(chance.uniform(0, lasts_s))
            process.kill()
            process.wait()
            again = [*line, "--to", str(killed), "--resume"]
            subprocess.run(again, cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
            same += contents(killed) == contents(whole)
    print(f"  {same} of {times} killed and resumed studies have the bytes of an undisturbed one")
    return same == times


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a study."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def speed(runs: int = 200) -> bool:
    """Sweep 8 hold times and 12 restart times on two cores, for the loss of a node and for an agent that restarts."""
    fast = True
    with tempfile.TemporaryDirectory() as folder:
        for file in swept(Path(folder)):
            began = time.monotonic()
            sweep(file, runs, "--jobs", "2")
            took_s = time.monotonic() - began
            print(f"  {file.stem:<16} 96 settings x {runs} runs: {took_s:5.0f} s; asked under 180 s for 200 runs")
            fast &= took_s < 180 * runs / 200
    return fast


def swept(folder: Path) -> list[Path]:
    """What is swept: the loss of a node, an agent that restarts, and the loss with graceful restart."""
    restart = folder / "agent-restart.yaml"
    text = (ROOT / "scenarios/agent-crash-gr.yaml").read_text().replace("agent-crash", "agent-restart")
    restart.write_text(text)
    return [ROOT / "scenarios/node-down.yaml", restart, ROOT / "scenarios/node-down-gr.yaml"]


def sweep(file: Path, runs: int, *more: str) -> None:
    """Sweep a file over the 96 settings."""
    subprocess.run(sweep_line(file, runs, *more), cwd=ROOT, stdout=subprocess.DEVNULL, check=False)


def sweep_line(file: Path, runs: int, *more: str) -> list[str]:
    """The command that does so."""
    line = [sys.executable, "-m", "simbgp", "sweep", str(file), "--vary", HOLD, "--vary", RESTART]
    return [*line, "--runs", str(runs), "--quiet", *more]


_ALL: dict[str, Callable[[], bool]] = {"coverage": coverage, "pairs": pairs, "kill": kill, "speed": speed}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", nargs="*", choices=[*_ALL, []], default=[])
    results = []
    for name in parser.parse_args().which or _ALL:
        print(name)
        results.append(_ALL[name]())
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
