"""Every single failure that was measured, router by router: ``python -m benchmarks.control_plane``."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import lab
from benchmarks.score import Bar, Score, print_table, scores

BAR = Bar(1.5, 0.05)
KEY = [
    "router",
    "link",
    "scenario",
    "speaker",
    "hold_s",
    "keepalive_s",
    "restart_time_s",
    "notification_bit",
    "restart_and_forwarding_bits",
    "down_for_s",
]
FAULTS = {
    "kill": "agent-crash",
    "term": "agent-restart",
    "poweroff": "node-down",
    "silent": "link-loss",
    "linkdown": "link-down",
    "delpeer": "unlabel",
    "disable": "peer-shutdown",
    "reset": "session-reset",
}
NOT_SAID = {
    "late-inject": "routes handed to the speaker only after End-of-RIB: Cilium hands them over before",
    "subset": "one prefix not announced again after the restart",
}
"""Variants that no scenario describes."""
VALUES = [
    "t_session_down",
    "t_node_session_down",
    "t_route_withdrawn",
    "t_reestablished",
    "t_route_back",
    "lost_s",
    "rerouted_s",
]
SLACK_S = {"linkdown": {"lost_s": 0.65}}
"""After a carrier loss the last probes of a hole are answered late, out of the neighbour queue."""
Cell = tuple[str, ...]


def scenario_of(cell: Cell, observed_s: float) -> dict[str, Any]:
    """The scenario of one cell; its horizon is late enough to score a late prediction."""
    c = dict(zip(KEY, cell, strict=True))
    hold_s, restart_s = int(float(c["hold_s"])), int(float(c["restart_time_s"]))
    fault: dict[str, Any] = {"at": lab.AT_S, "kind": FAULTS[c["scenario"]], "node": lab.NODE}
    if c["scenario"] in ("silent", "linkdown", "reset", "disable"):
        fault["router"] = "tor-1"
    if c["down_for_s"]:
        fault["downFor"] = float(c["down_for_s"])
    bits = c["notification_bit"] == "1", c["restart_and_forwarding_bits"] == "1"
    cluster = lab.cluster(c["speaker"], hold_s, int(float(c["keepalive_s"])))
    return {
        "horizon": lab.AT_S + observed_s + hold_s + restart_s + 30,
        "cluster": cluster | {"gracefulRestart": lab.graceful_restart(restart_s, *bits)},
        "routers": [lab.router(c["router"], direct=c["link"] == "direct")],
        "faults": [fault],
    }


def names_of(cell: Cell) -> list[str]:
    """What can be compared: not the tail of an observation, nor the end that died."""
    c = dict(zip(KEY, cell, strict=True))
    left_out = [] if c["down_for_s"] else ["rerouted_s"]
    if c["scenario"] in ("kill", "term", "poweroff"):
        left_out.append("t_node_session_down")
    return [name for name in VALUES if name not in left_out]


def judge(cell: Cell, rows: Sequence[lab.Row], runs: int) -> list[Score]:
    """Score one cell."""
    names = names_of(cell)
    measured = lab.measured(rows, names)
    played = lab.play(lab.plan_of(scenario_of(cell, max(float(row["t_obs"]) for row in rows))), runs)

    def predict(seen_s: float) -> list[Mapping[str, float | None]]:
        return [as_in_the_file(lab.values(run, seen_s)) for run in played]

    text = "/".join(part or "-" for part in cell)
    return scores((cell[0], cell[2]), text, names, measured, predict, SLACK_S.get(cell[2]))


def as_in_the_file(values: dict[str, float | None]) -> dict[str, float | None]:
    """The values under the names of the file's columns."""
    return values | {"t_node_session_down": values["t_node_down"], "rerouted_s": values["no_route_s"]}


def cells(rows: Sequence[lab.Row], only: Sequence[str] = ()) -> dict[Cell, list[lab.Row]]:
    """The rows that a scenario describes, by cell; ``only`` are ``column=value`` that they must have."""
    wanted = [part.split("=", 1) for part in only]
    said = (row for row in rows if row["scenario"] in FAULTS and row["variant"] not in NOT_SAID)
    kept = (row for row in said if all(row[column] == value for column, value in wanted))
    return lab.cells(kept, lambda row: tuple(row[column] for column in KEY))


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--runs", type=int, default=200)
    ask.add_argument("--jobs", type=int, default=1)
    ask.add_argument("--only", action="append", default=[], metavar="COLUMN=VALUE")
    ask.add_argument("--worst", type=int, default=25)
    args = ask.parse_args()
    found = cells(lab.read("control_plane.csv"), args.only)
    judged = lab.in_parallel(judge, args.jobs, list(found), list(found.values()), [args.runs] * len(found))
    return 0 if print_table([score for scored in judged for score in scored], BAR, args.worst) else 1


if __name__ == "__main__":
    sys.exit(main())
