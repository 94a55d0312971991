"""The same bytes from several Pythons: ``python -m benchmarks.pythons PYTHON...``, interpreters that have simbgp.

Each plays shipped scenarios with 1 and with 8 workers, each time with another hash seed; the first is the measure. A
NumPy of another release may round a sum otherwise: then the first difference says where.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from simbgp.study.determinism import first_difference

ROOT = Path(__file__).parents[1]
SCENARIOS = ("agent-crash", "node-down-gr", "guide-drain", "two-tier-router-down")
RUNS = 20


def _output(python: str, scenario: str, jobs: int, hash_seed: int) -> str:
    line = [python, "-m", "simbgp", "run", str(ROOT / f"scenarios/{scenario}.yaml"), "--runs", str(RUNS), "--jobs"]
    line += [str(jobs), "--format", "json", "--quiet"]
    with tempfile.TemporaryDirectory() as elsewhere:  # so that an installed simbgp is the one that is played
        environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
        done = subprocess.run(line, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False)
    if not done.stdout:
        sys.exit(f"{python}: {done.stderr}")
    return done.stdout


def main() -> int:
    """Say for each scenario, Python and number of workers whether it is the same; 1 if one is not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pythons", description=__doc__)
    parser.add_argument("pythons", nargs="+", metavar="PYTHON")
    asked = parser.parse_args()
    different = 0
    for scenario in SCENARIOS:
        reference: str | None = None
        for hash_seed, python in enumerate(asked.pythons):
            for jobs in (1, 8):
                found = _output(python, scenario, jobs, 10 * hash_seed + jobs)
                reference = found if reference is None else reference
                same = found == reference
                different += not same
                where = "" if same else first_difference(json.loads(reference), json.loads(found))
                said = "the same" if same else f"differs: {where}"
                print(f"{scenario:<24} {python} --jobs {jobs}: {said}", flush=True)
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main())
