"""Failures that meet, two routers, rolling restarts, flaps, one-way silence, router restarts:
``python -m benchmarks.compound``."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks import lab
from benchmarks.lab import AT_S, NODE, Row, Run, first
from benchmarks.score import Bar, Score, print_table, scores
from simbgp import scenario
from simbgp.model import simulate
from simbgp.profiles import Law
from simbgp.scenario.plan import Occurrence, Plan
from simbgp.timeline import ForwardingChanged, Timeline

BAR = Bar(2.0, 0.1)
NOT_SAID = {
    "2: halfopen, noeor, noeor-vip": "the second instance is a scripted speaker that stops in the middle of a session",
    "4: graceful-restart with bgpd alone killed": "zebra keeps the routes until the first peer of the new bgpd is "
    "back and then sweeps those of all others; a profile keeps each peer's own",
    "4: kernel graceful restart and SIGTERM": "all nodes' routes return together when BIRD's own deferral is over",
    "8": "families of one session have no times of their own; the measured differences are below 4 ms",
    "9: arpflush": "the neighbour entry of the router is deleted on every node as the router dies",
}
"""What the lab did and no scenario says; these rows are left out."""
PROFILES = {"frr": "frr-8.4", "bird": "bird-2.0", "gobgp": "gobgp-3.10", "openbgpd": "openbgpd-7.7"}
COMMON = ("t_session_down", "t_route_withdrawn", "t_reestablished", "t_route_back", "no_route_s", "lost_s")
NODE_ENDS = ("t_node_down", "t_node_up")
Read = Callable[[Run, float], Mapping[str, float | None]]


@dataclass(frozen=True)
class Asked:
    """One cell of the measurements: which values can be compared, and how the model is asked for them."""

    group: tuple[str, ...]
    names: tuple[str, ...]
    play: Callable[[int], list[Run]]
    read: Read = lab.values


@dataclass(frozen=True)
class Cell:
    """The setting that rows have in common."""

    experiment: str
    cell: str
    speaker: str
    hold_s: int
    restart_s: int
    notification: bool
    router: str

    @property
    def options(self) -> dict[str, str]:
        """The parts of ``cell`` that are ``key=value``."""
        return dict(part.split("=", 1) for part in self.cell.split(";") if "=" in part)

    def cluster(self, nodes: int = lab.NODES) -> dict[str, Any]:
        """The cluster of this setting; the keepalive interval is a third of the hold time."""
        restart = lab.graceful_restart(self.restart_s, self.notification)
        return lab.cluster(self.speaker, self.hold_s, self.hold_s // 3, nodes) | {"gracefulRestart": restart}

    def __str__(self) -> str:
        restart = f"R {self.restart_s}{' N' if self.notification else ''}" if self.restart_s else "GR off"
        return f"{self.cell} {self.speaker} H {self.hold_s} {restart}"


def cell_of(row: Row) -> Cell:
    """The setting of one row."""
    restart_s = 0 if row["restart_time_s"] == "off" else int(float(row["restart_time_s"]))
    speaker = {"gobgp-3.1": "gobgp-3.10"}.get(row["speaker"], row["speaker"])
    notification = row["notification_bit"] in ("1", "1.0")
    return Cell(
        row["experiment"], row["cell"], speaker, int(float(row["hold_s"])), restart_s, notification, row["router"]
    )


def at(after_s: float, kind: str, **fields: Any) -> dict[str, Any]:
    """A fault that begins so long after the first one; without a target it strikes the first node."""
    target = {} if "router" in fields else {"node": NODE}
    return {"at": AT_S + after_s, "kind": kind} | target | fields


def simple(c: Cell, seen_s: float, faults: list[dict[str, Any]], nodes: int = lab.NODES, **more: Any) -> Plan:
    """One router, the cell's cluster, these faults."""
    router = more.pop("routers", [lab.router(c.router, direct=more.pop("direct", False))])
    horizon = AT_S + seen_s + c.hold_s + c.restart_s + 30
    return lab.plan_of({"horizon": horizon, "cluster": c.cluster(nodes), "routers": router, "faults": faults} | more)


# the experiments


def two_routers(c: Cell, seen_s: float) -> Asked:
    """1: the agent is killed and comes back; one of its two routers may have fallen silent in between."""
    o = c.options
    makes = dict(zip("AB", o["pair"].split("+"), strict=True))
    place = c.router.split()[1]
    faults = [at(0, "agent-crash", downFor=float(o["agent_back"]))]
    if o["dead_router"] != "none":
        faults.append(at(0.5, "link-loss") | {"router": f"tor-{o['dead_router']}"})
    routers = [lab.router(PROFILES[make], f"tor-{name}") for name, make in makes.items()]
    plan = simple(c, seen_s, faults, routers=routers)
    plan = replace(plan, speaker=replace(plan.speaker, deferral_s=float(o["deferral"])))
    names = tuple(name for name in COMMON if name != "no_route_s" or o["dead_router"] != place)
    return Asked(
        ("1", "two routers", makes[place]),
        names,
        lambda runs: lab.play(plan, runs),
        lambda run, seen: lab.values(run, seen, f"tor-{place}"),
    )


def second_restart(c: Cell, seen_s: float) -> Asked | None:
    """2: the second instance is killed some time after it is Established, a third may follow.

    When that is differs from run to run; a first pass over the same tape tells.
    """
    o = c.options
    if o["second"] != "aftereor":
        return None
    life_s = float(o["life"]) + 0.01
    third = o["third_start_after"]
    plan = simple(c, seen_s, [at(0, "agent-crash", downFor=2.0)])

    third_s = None if third == "None" else float(third)

    def play(runs: int) -> list[Run]:
        return [_killed_again(plan, trial, life_s, third_s) for trial in lab.trials(plan, runs)]

    names = tuple(name for name in COMMON if name != "no_route_s" or third != "None")
    return Asked(("2", "second restart", c.router), names, play)


def _killed_again(plan: Plan, trial: scenario.Trial, life_s: float, third_s: float | None) -> Run:
    once = Run(plan, simulate(trial))
    up = first(once.ups("router"), 1e9)
    if up is None:
        return once
    down_for_us = None if third_s is None else round(third_s * 1e6)
    again = Occurrence(1, "agent-crash", round((AT_S + up + life_s) * 1e6), (NODE,), (), (down_for_us,), {})
    return Run(plan, simulate(replace(trial, occurrences=(*trial.occurrences, again))))


def crash_and_power(c: Cell, seen_s: float) -> Asked:
    """3: a crash and then a power-off; or a power-off, the kernel back and, later, the agent.

    The lab took the VIP off the node until the agent was back: its datapath came with the agent, which the runs
    are made to say.
    """
    words = c.cell.replace(",", "").split()
    if c.cell.startswith("crash"):
        faults, agent_at = [at(0, "agent-crash"), at(float(words[3]), "node-down")], None
    else:
        node_at, agent_at = float(words[4]), float(words[6])
        faults = [at(0, "node-down", downFor=node_at)]
    plan = simple(c, seen_s, faults)
    if agent_at is not None:
        cluster = c.cluster() | {"startup": {"node": "0s", "agent": agent_at - node_at}}
        plan = simple(c, seen_s, faults, cluster=cluster)
    names = tuple(name for name in COMMON if name != "no_route_s" or agent_at is not None)
    return Asked(
        ("3", "crash and power-off", c.router),
        names,
        lambda runs: [_datapath_with_agent(run, agent_at) for run in lab.play(plan, runs)],
    )


def _datapath_with_agent(run: Run, agent_at: float | None) -> Run:
    if agent_at is None:
        return run
    agent_us = round((AT_S + agent_at) * 1e6)
    late = [
        replace(fact, time_us=agent_us) if isinstance(fact, ForwardingChanged) and fact.up else fact
        for fact in run.timeline
    ]
    timeline = Timeline(run.timeline.start, run.timeline.horizon_us)
    for fact in sorted(late, key=lambda fact: fact.time_us):
        timeline.write(fact)
    return Run(run.plan, timeline)


def router_restart(c: Cell, seen_s: float) -> Asked | None:
    """4: the router's daemon is killed or stopped; its FIB follows its configuration."""
    how, killed, signal, back = (part.split("=")[-1] for part in c.cell.split(";"))
    graceful = "graceful restart on" in how or "graceful-restart" in how
    kept = "zebra -K" in how or "kernel graceful restart" in how
    stop = signal == "SIGTERM"
    if (graceful and killed == "bgpd" and c.router == "frr-8.4" and not stop) or (kept and stop):
        return None
    fault = {"router": "tor-1", "downFor": float(back), "how": "stop" if stop else "crash"}
    plan = simple(c, seen_s, [at(0, "router-restart", **fault)], nodes=8)
    if graceful:  # as the lab configured it
        plan = lab.with_router(plan, restart_time_s=20)
    if kept:
        plan = lab.with_router(plan, fib_after_crash="kept")
    elif killed == "all":
        plan = lab.with_router(plan, fib_after_crash="swept", fib_daemon=Law.constant(0.04))
    group = "kept" if kept else "stopped" if stop else "swept" if killed == "all" or "bird" in c.router else "dropped"
    return Asked(("4", f"router restart, FIB {group}", c.router), COMMON + NODE_ENDS, lambda runs: lab.play(plan, runs))


def rolling(c: Cell, seen_s: float) -> Asked:
    """5: three nodes announce one VIP, their agents restart half a second apart."""
    gap_s, down_s = float(c.options["gap"]), float(c.options["agent_down"])
    faults = [at(i * gap_s, "agent-crash", node=f"worker-{i + 1}", downFor=down_s) for i in range(3)]
    service = {"name": "web", "vip": "192.0.2.10", "backends": 3}
    plan = simple(c, seen_s, faults, nodes=3, services=[service])
    return Asked(("5", "rolling", c.router), COMMON, lambda runs: lab.play(plan, runs), _rolling_values)


def _rolling_values(run: Run, seen_s: float) -> dict[str, float | None]:
    """First loss and withdrawal of any node, last return of any."""
    nodes, vip = [f"worker-{i}" for i in (1, 2, 3)], "192.0.2.10/32"
    gone = first(run.routes("withdrawn", prefix=vip), seen_s)
    back = [since for since in run.routes("added", prefix=vip) if since <= seen_s]
    return {
        "t_session_down": first(run.downs("router", nodes=nodes), seen_s),
        "t_route_withdrawn": gone,
        "t_reestablished": max((up for up in run.ups("router", nodes=nodes) if up <= seen_s), default=None),
        "t_route_back": max(back, default=None) if gone is not None else None,
        "lost_s": run.spent_s(lab.LOST, seen_s, prefix=vip),
        "no_route_s": run.spent_s(("no-route",), seen_s, prefix=vip),
    }


def flaps(c: Cell, seen_s: float) -> Asked:
    """6: the carrier of the direct link goes and comes."""
    pairs = c.cell.split(" at ")[1].strip("[]").split("], [")
    spans = [tuple(float(moment) for moment in pair.split(", ")) for pair in pairs]
    faults = [at(down, "link-down", router="tor-1", node=NODE, downFor=round(up - down, 6)) for down, up in spans]
    plan = simple(c, seen_s, faults, direct=True)
    group = ("6", "carrier flaps", c.router)
    return Asked(group, COMMON + NODE_ENDS, lambda runs: lab.play(plan, runs), _flap_values)


def _flap_values(run: Run, seen_s: float) -> dict[str, float | None]:
    """The route's last return is noted, of all else the first."""
    back = [since for since in run.routes("added") if since <= seen_s]
    return lab.values(run, seen_s) | {"t_route_back": max(back, default=None)}


def one_way(c: Cell, seen_s: float) -> Asked:
    """7: one direction of the link is silent."""
    direction = {"node->router": "to-router", "router->node": "to-node"}[c.options["lost"]]
    plan = simple(c, seen_s, [at(0, "link-loss", direction=direction, downFor=float(c.options["for"]))])
    return Asked(("7", f"silent {direction}", c.router), COMMON + NODE_ENDS, lambda runs: lab.play(plan, runs))


def router_away(c: Cell, seen_s: float) -> Asked | None:
    """9: the router is down for half a minute, its host with it or not."""
    variant = c.options["variant"]
    if variant == "arpflush":
        return None
    host = "refusing" if variant == "refused" else "silent"
    fault = {"at": AT_S, "kind": "router-down", "router": "tor-1", "host": host, "downFor": 30.0}
    plan = simple(c, seen_s, [fault])
    names = ("t_reestablished", "t_route_back", *NODE_ENDS)
    return Asked(("9", f"router away, {host}", c.router), names, lambda runs: lab.play(plan, runs))


def idle_loop(c: Cell, seen_s: float) -> Asked:
    """10: nothing but a timer wakes a BIRD with so many other sessions."""
    kind, others = c.cell.split(";other_sessions_on_the_router=")
    fault = at(0, "agent-crash") if kind == "crash" else at(0, "link-loss")
    plan = simple(c, seen_s, [fault], nodes=1 + int(others))
    names = ("t_session_down", "t_route_withdrawn") + (() if kind == "crash" else ("t_node_down", "lost_s"))
    return Asked(("10", f"idle loop, {others} others", c.router), names, lambda runs: lab.play(plan, runs))


EXPERIMENTS: Mapping[str, Callable[[Cell, float], Asked | None]] = {
    "1": two_routers,
    "2": second_restart,
    "3": crash_and_power,
    "4": router_restart,
    "5": rolling,
    "6": flaps,
    "7": one_way,
    "9": router_away,
    "10": idle_loop,
}


def judge(c: Cell, rows: Sequence[Row], runs: int) -> list[Score] | None:
    """Score one cell; None if no scenario says what was done."""
    ask = EXPERIMENTS.get(c.experiment)
    asked = ask(c, max(float(row["t_obs"]) for row in rows)) if ask else None
    if asked is None:
        return None
    played = asked.play(runs)
    measured = lab.measured(rows, asked.names)
    return scores(
        asked.group, str(c), asked.names, measured, lambda seen_s: [asked.read(run, seen_s) for run in played]
    )


def cells(rows: Sequence[Row], only: Sequence[str] = ()) -> dict[Cell, list[Row]]:
    """Rows by setting; those of the first, overloaded pass of the lab are left out, as its own tables do."""
    wanted = [part.split("=", 1) for part in only]
    kept = (row for row in rows if "LOADED MACHINE" not in row["notes"])
    return lab.cells((row for row in kept if all(row[column] == value for column, value in wanted)), cell_of)


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--runs", type=int, default=200)
    ask.add_argument("--jobs", type=int, default=1)
    ask.add_argument("--only", action="append", default=[], metavar="COLUMN=VALUE")
    ask.add_argument("--worst", type=int, default=25)
    args = ask.parse_args()
    found = cells(lab.read("compound.csv"), args.only)
    judged = lab.in_parallel(judge, args.jobs, list(found), list(found.values()), [args.runs] * len(found))
    scored = [score for part in judged if part is not None for score in part]
    held = print_table(scored, BAR, args.worst)
    by_experiment = [replace(score, group=score.group[:1]) for score in scored]
    held = print_table(by_experiment, BAR, 0) and held
    for what, why in NOT_SAID.items():
        print(f"left out: {what}: {why}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
