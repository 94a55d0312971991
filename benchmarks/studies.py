"""What many runs cost and whether their intervals hold: ``python -m benchmarks.studies [coverage|kill|speed]``."""

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

from simbgp.measure import Value, estimate, wilson

ROOT = Path(__file__).parents[1]
STUDIES, RUNS = 1_000, 400
HOLD = "cluster.timers.holdTimeSeconds=3,6,9,15,30,60,90,180"
RESTART = "cluster.gracefulRestart.restartTimeSeconds=5,10,15,20,30,45,60,90,120,150,180,240"


def coverage() -> bool:
    """Repeat small studies of a known law, detection uniform in 60 to 90 s, and count intervals that hold the truth."""
    samples = np.random.default_rng(0).uniform(60, 90, (STUDIES, RUNS))
    good = True
    for stat, truth, least, most in (("mean", 75.0, 0.93, 0.97), ("p50", 75.0, 0.94, 1.0), ("p99", 89.7, 0.94, 1.0)):
        held = sum(_holds(stat, sample, study, truth) for study, sample in enumerate(samples)) / STUDIES
        good &= _say(f"{stat} of {RUNS} runs", held, least, most)
    shares = [wilson(int((sample < 66).sum()), RUNS) for sample in samples]
    held = sum((each.low or 0) <= 0.2 <= (each.high or 1) for each in shares) / STUDIES
    return _say(f"share of {RUNS} runs", held, 0.93, 0.97) and good


def _holds(stat: str, sample: Sequence[float], study: int, truth: float) -> bool:
    found = estimate(stat, [Value(float(value)) for value in sample], seed=study, purpose=stat)
    low, high = (-np.inf if found.low is None else found.low), (np.inf if found.high is None else found.high)
    return bool(low <= truth <= high)


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
            same += _contents(killed) == _contents(whole)
    print(f"  {same} of {times} killed and resumed studies have the bytes of an undisturbed one")
    return same == times


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def speed(runs: int = 200) -> bool:
    """Sweep 8 hold times and 12 restart times on two cores, for the loss of a node and for an agent that restarts."""
    fast = True
    with tempfile.TemporaryDirectory() as folder:
        restart = Path(folder) / "agent-restart.yaml"
        text = (ROOT / "scenarios/agent-crash-gr.yaml").read_text().replace("agent-crash", "agent-restart")
        restart.write_text(text)
        for file in (ROOT / "scenarios/node-down.yaml", restart, ROOT / "scenarios/node-down-gr.yaml"):
            line = [sys.executable, "-m", "simbgp", "sweep", str(file), "--vary", HOLD, "--vary", RESTART]
            began = time.monotonic()
            more = ["--runs", str(runs), "--jobs", "2", "--quiet"]
            subprocess.run([*line, *more], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
            took_s = time.monotonic() - began
            print(f"  {file.stem:<16} 96 settings x {runs} runs: {took_s:5.0f} s; asked under 180 s for 200 runs")
            fast &= took_s < 180 * runs / 200
    return fast


_ALL: dict[str, Callable[[], bool]] = {"coverage": coverage, "kill": kill, "speed": speed}


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
