"""What a rollout over 500 nodes costs 1 000 000 connections, and the CPU: ``python -m benchmarks.rollout``."""

import time
from pathlib import Path
from typing import Any

import simbgp

SCENARIO = Path(__file__).parents[1] / "scenarios" / "guide-upgrade-500.yaml"
CPU_S = 30.0
SETTINGS: dict[str, dict[str, Any]] = {
    "pulled during the rollout": {},
    "pulled before": {"faults.0.prePulled": True},
    "no graceful restart": {"cluster.gracefulRestart.enabled": False},
    "every pull 150 s": {"faults.0.imagePull": "150s", "horizon": "12h"},
}
TABLES = ("windows", "connections", "progress")


def main() -> int:
    """Play each setting once. Exit code 1 if one of them takes more CPU than it may."""
    slow = False
    for name, changes in SETTINGS.items():
        began_s = time.process_time()
        result = simbgp.run(simbgp.load(SCENARIO).with_(**changes), runs=1, tables=TABLES)
        connections, took_s = result.connections, result.procedure_s().mean
        cpu_s = time.process_time() - began_s
        pods_s = result.windows[result.windows.cause == "no-route"].duration_s.sum()
        print(
            f"{name:<26} {connections.reset[0]:>9} resets, {connections.total[0]} connections; VIP without next hops "
            f"{result.zero_next_hop_s('web').mean:g} s, PodCIDRs {pods_s:.0f} s; least next hops "
            f"{result.progress.min_next_hops.min()}, sessions {result.progress.min_sessions.min()}; "
            f"takes {took_s / 3600:.1f} h; {cpu_s:.1f} s of CPU"
        )
        slow |= cpu_s > CPU_S
    return int(slow)


if __name__ == "__main__":
    raise SystemExit(main())
