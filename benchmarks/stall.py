"""A process gets no CPU while its kernel still acknowledges; which sessions live? ``python -m benchmarks.stall``.

How many sessions survived, and how often the end that was awake gave up first, are held against the binomial law of
the model's shares; the gap in the route is scored like every other duration.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from scipy.special import bdtr, bdtrc

from benchmarks import lab
from benchmarks.lab import AT_S, NODE, Row, Run, first
from benchmarks.score import Bar, Score, is_inside, print_table, quantiles
from benchmarks.score import crps as crps_of
from benchmarks.score import floor as floor_of

BAR = Bar(2.0, 0.1)
TAIL = 0.005
"""Each tail of the 99 % interval."""
PROFILES = {"frr": "frr-8.4", "bird": "bird-2.0", "gobgp": "gobgp-3.10", "obgpd": "openbgpd-7.7"}
NOT_SAID = {"gobgp3.36, gobgp4.8": "GoBGP releases as routers for which there is no profile"}
SEEN_S = 90.0
NODES = 8
Key = tuple[str, str, str, str, str, str]


@dataclass(frozen=True)
class Count:
    """How often something happened, and how probable the model says it is."""

    what: str
    cell: str
    happened: int
    of: int
    predicted: float

    @property
    def holds(self) -> bool:
        """Whether the count lies in the 99 % interval of the binomial law."""
        p = min(1.0, max(0.0, self.predicted))
        at_most = bdtr(self.happened, self.of, p)
        at_least = bdtrc(self.happened - 1, self.of, p) if self.happened else 1.0
        return bool(at_most >= TAIL and at_least >= TAIL)


def key(row: Row) -> Key:
    """The setting of one row, but for graceful restart, which decides over the route alone."""
    return row["router"], row["keepalive"], row["stalled"], row["cell"], row["stall_s"], row["gr"]


def play(cell: Key, runs: int) -> list[Run]:
    """The model's runs of one setting."""
    router, keepalive_s, stalled, kind, stall_s, restart_s = cell
    at_node = stalled.startswith("gobgpd")
    speaker = stalled.replace("gobgpd", "gobgp-") if at_node else "gobgp-3.36"
    cluster = lab.cluster(speaker, 9, int(float(keepalive_s)), NODES)
    target = {"node": NODE} if at_node else {"router": "tor-1"}
    plan = lab.plan_of(
        {
            "horizon": AT_S + SEEN_S + 60,
            "cluster": cluster | {"gracefulRestart": lab.graceful_restart(int(float(restart_s)))},
            "routers": [lab.router(PROFILES[router])],
            "faults": [{"at": AT_S, "kind": "stall", "stallFor": float(stall_s)} | target],
        }
    )
    if kind == "decoupled" and keepalive_s == "3":  # the router was told to send every second
        plan = lab.with_router(plan, keepalive_s=1, keepalive_third="capped")
    return lab.play(plan, runs)


@dataclass(frozen=True)
class Outcome:
    """What became of the session."""

    survived: bool
    peer_first: bool
    gap_s: float


def outcome(run: Run, cell: Key) -> Outcome:
    """One run's outcome."""
    at_node = cell[2].startswith("gobgpd")
    ends = {side: first(run.downs(side), SEEN_S) for side in ("node", "router")}
    stalled, peer = ends["node" if at_node else "router"], ends["router" if at_node else "node"]
    peer_first = peer is not None and (stalled is None or peer < stalled) and peer < float(cell[4])
    return Outcome(stalled is None and peer is None, peer_first, run.spent_s(("no-route",), SEEN_S))


def judge(cell: Key, rows: Sequence[Row], runs: int) -> tuple[list[Count], list[Score]]:
    """Counts and scores of one setting."""
    got = [outcome(run, cell) for run in play(cell, runs)]
    survived = [row["survived"] in ("1", "1.0") for row in rows]
    first_out = [row["peer_expired_first"] in ("1", "1.0") for row in rows]
    text = f"{cell[0]}: {cell[2]} stalled {float(cell[4]):g} s, {cell[3]}, keepalive {cell[1]}"
    counts = [
        Count("survived", text, sum(survived), len(rows), fmean(o.survived for o in got)),
        Count("peer first", text, sum(first_out), len(rows), fmean(o.peer_first for o in got)),
    ]
    return counts, _gaps(cell, text, rows, [o.gap_s for o in got])


def _gaps(cell: Key, text: str, rows: Sequence[Row], predicted: Sequence[float]) -> list[Score]:
    """Scores of the gap; one still open when the observation ended is compared up to there."""
    gaps = [float(row["route_gap_s"]) for row in rows]
    least = floor_of(gaps, gaps)
    end = "node" if cell[2].startswith("gobgpd") else "router"
    found = []
    for row, gap in zip(rows, gaps, strict=True):
        censored = row["gap_censored"] in ("1", "1.0")
        values = [min(gap, value) for value in predicted] if censored else list(predicted)
        group = (cell[0], f"{end} stalled")
        name = f"{text}, R {cell[5]}"
        got = crps_of(gap, values, SEEN_S)
        found.append(Score(group, name, "route_gap_s", gap, quantiles(values), got, least, is_inside(gap, values)))
    return found


def pooled(counts: Sequence[Count]) -> list[Count]:
    """The same setting with and without graceful restart as one."""
    found: dict[tuple[str, str], Count] = {}
    for count in counts:
        old = found.get((count.what, count.cell))
        if old is not None:
            total = old.of + count.of
            share = (old.predicted * old.of + count.predicted * count.of) / total
            count = replace(count, happened=old.happened + count.happened, of=total, predicted=share)
        found[count.what, count.cell] = count
    return sorted(found.values(), key=lambda count: (count.what, count.cell))


def cells(rows: Sequence[Row]) -> dict[Key, list[Row]]:
    """Rows by setting, without those of routers that have no profile."""
    return lab.cells((row for row in rows if row["router"] in PROFILES), key)


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--runs", type=int, default=400)
    ask.add_argument("--jobs", type=int, default=1)
    ask.add_argument("--worst", type=int, default=10)
    args = ask.parse_args()
    found = cells(lab.read("stall.csv"))
    judged = lab.in_parallel(judge, args.jobs, list(found), list(found.values()), [args.runs] * len(found))
    counts = pooled([count for some, _ in judged for count in some])
    for count in counts:
        print(
            f"{count.what:10} {count.happened:3}/{count.of:<3} model {count.predicted:6.1%} {count.cell}"
            f"{'' if count.holds else '  OUT'}"
        )
    out = sum(not count.holds for count in counts)
    print(f"{out} of {len(counts)} counts outside their binomial 99 % interval")
    held = print_table([score for _, scored in judged for score in scored], BAR, args.worst)
    for what, why in NOT_SAID.items():
        print(f"left out: {what}: {why}")
    return 0 if held and not out else 1


if __name__ == "__main__":
    sys.exit(main())
