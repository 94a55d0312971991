"""A silent node behind a router whose kernel watches its neighbours: ``python -m benchmarks.neighbour``.

Two or three nodes announce one VIP and one of them loses power. Its flows come back when the router's neighbour entry
fails, where the next-hop group asks for it, or when BGP takes the route away, whichever is first.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks import lab
from benchmarks.lab import AT_S, NODE, Row, Run, first
from benchmarks.score import Bar, Score, print_table, scores
from simbgp import timeline

BAR = Bar(2.0, 0.1)
KS_BAR = 1.95
"""D × √n beyond which a law is not the measured one, at 0.1 %."""
SEEN_S = 300.0
VIP = "192.0.2.10/32"
PROBES_S = 0.23
"""From the end of the hole to the first answer of the last flow: probes went out four times a second."""
Key = tuple[str, str, str, str, str, str]


def key(row: Row) -> Key:
    """The setting of one row."""
    return row["router"], row["nodes"], row["use_neigh"], row["hold"], row["keepalive"], row["gr"]


def checked(cell: Key) -> bool:
    """Whether the next-hop group skips a failed neighbour: always in FRR's, in legacy routes if the kernel is told."""
    return cell[0] == "frr" or float(cell[2]) == 1.0


def play(cell: Key, runs: int) -> list[Run]:
    """The model's runs of one setting."""
    router, nodes, _, hold_s, keepalive_s, restart_s = cell
    count = int(float(nodes))
    cluster = lab.cluster("gobgp-3.36", int(hold_s), int(keepalive_s), count)
    found = lab.router({"frr": "frr-8.4", "bird": "bird-2.0"}[router]) | {"neighbourCheck": checked(cell)}
    plan = lab.plan_of(
        {
            "horizon": AT_S + SEEN_S,
            "cluster": cluster | {"gracefulRestart": lab.graceful_restart(int(float(restart_s)))},
            "routers": [found],
            "services": [{"name": "web", "vip": "192.0.2.10", "backends": count, "externalTrafficPolicy": "Local"}],
            "faults": [{"at": AT_S, "kind": "node-down", "node": NODE}],
        }
    )
    return lab.play(plan, runs)


def values(run: Run) -> dict[str, float | None]:
    """What the lab noted."""
    failed = [lab.since(f.time_us) for f in run.timeline.of(timeline.NeighbourChanged) if not f.reachable]
    hole_s = run.spent_s(lab.LOST, SEEN_S, prefix=VIP)
    return {
        "t_neigh_failed": first(failed, SEEN_S),
        "t_fib_change": first(run.routes("withdrawn", prefix=VIP), SEEN_S),
        "t_session_down": first(run.downs("router"), SEEN_S),
        "last_recovered": hole_s + PROBES_S if hole_s < SEEN_S else None,
    }


def judge(cell: Key, rows: Sequence[Row], runs: int) -> tuple[list[Score], list[Mapping[str, float | None]]]:
    """Scores of one setting, and its predictions."""
    names = ["t_fib_change", "t_session_down", "last_recovered"] + ["t_neigh_failed"] * checked(cell)
    measured = [{name: lab.number(row[name]) for name in names} | {"t_obs": SEEN_S} for row in rows]
    predicted = [values(run) for run in play(cell, runs)]
    text = f"{cell[1]} nodes, use_neigh {cell[2]}, hold {cell[3]}/{cell[4]}, R {cell[5]}"
    return scores((cell[0],), text, names, measured, lambda _: predicted), predicted


def distance(measured: Sequence[float], predicted: Sequence[float]) -> float:
    """Kolmogorov and Smirnov's D between measurements and a large sample of the prediction."""
    v = np.sort(predicted)
    x = np.sort(measured)
    law = np.searchsorted(v, x, side="right") / len(v)
    n = len(x)
    return float(max(np.max(np.arange(1, n + 1) / n - law), np.max(law - np.arange(n) / n)))


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--runs", type=int, default=1000)
    ask.add_argument("--jobs", type=int, default=1)
    ask.add_argument("--worst", type=int, default=10)
    args = ask.parse_args()
    found = lab.cells(lab.read("neighbour.csv"), key)
    judged = lab.in_parallel(judge, args.jobs, list(found), list(found.values()), [args.runs] * len(found))
    held = print_table([score for scored, _ in judged for score in scored], BAR, args.worst)
    by_keepalive: dict[str, list[tuple[list[float], list[float]]]] = {}
    for (cell, rows), (_, predicted) in zip(found.items(), judged, strict=True):
        if checked(cell):
            failed = [run["t_neigh_failed"] for run in predicted if run["t_neigh_failed"] is not None]
            pair = [float(row["t_neigh_failed"]) for row in rows], failed
            by_keepalive.setdefault(cell[4], []).append(pair)
    for keepalive_s, pairs in sorted(by_keepalive.items()):
        measured = [value for some, _ in pairs for value in some]
        law = [value for _, some in pairs for value in some]
        d = distance(measured, law)
        within = d <= KS_BAR / len(measured) ** 0.5
        held = held and within
        print(
            f"neighbour FAILED, keepalive {keepalive_s}: n {len(measured)}, KS D {d:.3f} "
            f"(bar {KS_BAR / len(measured) ** 0.5:.3f}), measured {min(measured):.1f}..{max(measured):.1f}, "
            f"model {min(law):.1f}..{max(law):.1f}{'' if within else '  OVER'}"
        )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
