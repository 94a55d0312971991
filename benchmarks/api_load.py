"""Status patches per second of 10 to 5 000 nodes: ``python -m benchmarks.api_load [--figure FILE]``.

Quiet, under churn (one agent crashes every 30 s, so the route counts of all nodes change), and while the report is
switched off by a rollout, each with the report on and off.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import simbgp
from simbgp.report.figures import patch_rates, save

SCENARIO = Path(__file__).parents[1] / "scenarios" / "status-report.yaml"
NODES = (10, 100, 1000, 5000)
ROLLOUT = {"at": "60s", "kind": "agent-upgrade", "to": "1.19", "maxUnavailable": "10%", "prePulled": True}
WORLDS: dict[str, dict[str, Any]] = {
    "quiet, report on": {"faults": []},
    "quiet, report off": {"faults": [], "cluster.statusReport.enabled": False},
    "churn, report on": {},
    "churn, report off": {"cluster.statusReport.enabled": False},
    "rollout, report on": {"faults": [ROLLOUT], "horizon": "10m"},
    "rollout that switches it off": {"faults": [ROLLOUT], "horizon": "10m", "cluster.statusReport.enabled": False},
}


def main() -> int:
    """Print patches in all and in the busiest second, run 0; draw the figure if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figure", metavar="FILE", help=".png, .svg or .pdf")
    parser.add_argument("--nodes", type=int, nargs="+", default=NODES, metavar="N")
    arguments = parser.parse_args()
    found = {}
    for name, changes in WORLDS.items():
        found[name] = []
        for nodes in arguments.nodes:
            began_s = time.process_time()
            scenario = simbgp.load(SCENARIO).with_(**{"cluster.nodes": nodes, **changes})
            result = simbgp.run(scenario, runs=1, tables=("patches",))
            total, busiest = result.api_patches().mean, result.api_patches_per_s().mean
            cpu_s = time.process_time() - began_s
            print(
                f"{name:<30} {nodes:>5} nodes: {total:>8.0f} patches, {busiest:>6.0f} in the busiest second "
                f"(a fifth of the nodes: {nodes / 5:g}); {cpu_s:.1f} s of CPU"
            )
            found[name].append(result)
    if arguments.figure:
        save(patch_rates(found), arguments.figure)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
