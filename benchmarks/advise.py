"""The advice against what it leaves out and against paper and pencil: ``python -m benchmarks.advise`` and a command.

``years``: 200 years of a small cluster played through, failures of all kinds at random moments and overlapping as they
may, against the sum of rate times cost of one failure. ``optimum``: 20 random settings with exponential restart times
against the closed form of the best restart time. ``wall``: how long the shipped scenario takes. Exit code 1 where
something is not as it should be.
"""

import math
import random
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from time import perf_counter

import click

import simbgp
from simbgp.scenario import Plan, Scenario, loads
from simbgp.study.advise import Setting
from simbgp.study.advise.classes import healthy
from simbgp.study.replay import timeline
from simbgp.traffic import lost_of_whole_us, outcomes, windows

SMALL = """\
name: three nodes for many years
cluster:
  cilium: "1.18"
  nodes: 3
  timers: {holdTimeSeconds: 90, keepAliveTimeSeconds: 30}
  gracefulRestart: {enabled: true, restartTimeSeconds: 60}
  startup: {node: 60s, agent: {uniform: [8s, 15s]}}
routers: [{name: tor-1, profile: rfc8538}]
services: [{name: web, vip: 192.0.2.10, backends: 6}]
traffic: [{service: web, connections: 30, lifetime: {exponential: {mean: 20m}}, requests: 1/s}]
failures:
  assume: nothing
  agent-restart: {rate: 8/y, downFor: {lognormal: {median: 25s, p99: 120s}}}
  agent-crash: {rate: 2/y, downFor: {exponential: {mean: 30s}}}
  node-down: {rate: 2/y, downFor: {uniform: [10m, 2h]}}
  link-down: {rate: 1/y, downFor: {lognormal: {median: 5m, p99: 30m}}}
  stall: {rate: 6/y, stallFor: {lognormal: {median: 30s, p99: 150s}}}
"""
PIECE_H = 730.5
"""A twelfth of a year: a piece begins healthy, which is what nearly every moment is."""


@dataclass(frozen=True)
class Years:
    """A year's cost both ways, lost seconds of the service and broken connections: value and standard error."""

    played: tuple[tuple[float, float], tuple[float, float]]
    advised: tuple[tuple[float, float], tuple[float, float]]
    pieces: int

    def agree(self) -> bool:
        """Whether the differences are within their 95 % intervals."""
        return all(
            abs(a[0] - b[0]) <= 1.96 * math.hypot(a[1], b[1]) for a, b in zip(self.played, self.advised, strict=True)
        )


def at_random(scenario: Scenario) -> Plan:
    """The plan of a piece of a year in which everything of the mix strikes by chance."""
    plan = scenario.plan()
    return replace(healthy(plan), background=plan.mix.processes, horizon_us=round(PIECE_H * 3600e6))


def piece(work: tuple[Plan, int]) -> tuple[float, float]:
    """What one piece of a year costs."""
    plan, run = work
    happened = timeline(plan, 1, run)
    lost = windows(plan, happened, 1, run)
    seconds = sum(us for _, us in lost_of_whole_us(plan, happened, lost, 1, run)) / 1e6
    rows = [row for row in outcomes(plan, happened, 1, run) if row.fault is None]
    return seconds, float(sum(row.reset + row.timed_out + row.not_opened for row in rows))


def compare_years(years: int, runs: int, jobs: int = 1, text: str = SMALL) -> Years:
    """Both ways of reckoning a year."""
    scenario = loads(text)
    plan, pieces = at_random(scenario), 12 * years
    work = [(plan, run) for run in range(pieces)]
    if jobs == 1:
        found = [piece(each) for each in work]
    else:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            found = list(pool.map(piece, work, chunksize=20))
    played = []
    for column in zip(*found, strict=True):
        mean = sum(column) / pieces
        variance = sum((each - mean) ** 2 for each in column) / (pieces - 1)
        played.append((12 * mean, 12 * math.sqrt(variance / pieces)))
    only = {"hold": [90], "restart": [60], "hash": ["hash-threshold"], "balancer": ["random/snat"]}
    costs = simbgp.advise(scenario, only, runs=runs, jobs=jobs).costs(Setting())
    told = []
    for each in (costs.lost_vip_s, costs.broken):
        assert each.high is not None
        told.append((each.value, (each.high - each.value) / 1.96))
    return Years(tuple(played), tuple(told), pieces)  # type: ignore[arg-type]


OPTIMUM = """\
name: exponential restarts
cluster:
  cilium: gobgp-3.36
  nodes: 4
  timers: {holdTimeSeconds: 9, keepAliveTimeSeconds: 3}
  gracefulRestart: {enabled: true, restartTimeSeconds: 15}
  startup: {node: 1s, agent: 5s}
routers: [{name: tor-1, profile: rfc8538, ecmp: {hash: resilient, buckets: 128, idleTimer: 2h}}]
services: [{name: web, vip: 192.0.2.10, backends: 4}]
traffic: [{service: web, connections: 400, lifetime: 20h, requests: 1/s}]
failures:
  assume: nothing
  brokenConnection: PRICEs
  agent-crash: {rate: RESTARTS, downFor: {exponential: {mean: MEANs}}}
  node-down: {rate: LOSSES}
"""
GRID = tuple(range(15, 136, 15))
SHIFT_S = 6.56
"""5 s to start, 1 to 2 s to the first dial, 60 ms for the exchange of OPENs."""


@dataclass(frozen=True)
class Odds:
    """One setting of the closed form: restarts and node losses a year, the mean restart, the price; in seconds."""

    restarts: float
    losses: float
    mean_s: float
    price_s: float
    shift_s: float = 0.0

    @property
    def best_s(self) -> float:
        """R* = s + m ln(r k p / (n c m)), with as many connections on a lost node as break when its routes go (k = c),
        s being what a restart takes at least."""
        return self.shift_s + self.mean_s * math.log(self.restarts * self.price_s / (self.losses * self.mean_s))

    def text(self) -> str:
        """The scenario."""
        found = OPTIMUM.replace("RESTARTS", f"{self.restarts:.6f}").replace("LOSSES", f"{self.losses:.6f}")
        return found.replace("MEAN", f"{self.mean_s:.6f}").replace("PRICE", f"{self.price_s:.6f}")


def draw_odds(luck: random.Random, shift_s: float) -> Odds:
    """Odds whose best restart time lies well within the grid."""
    while True:
        odds = Odds(luck.uniform(2, 40), luck.uniform(0.05, 3), luck.uniform(12, 35), luck.uniform(5, 200), shift_s)
        if GRID[1] < odds.best_s < GRID[-2]:
            return odds


def within_a_step(odds: Odds, runs: int, jobs: int = 1) -> tuple[int, bool]:
    """The advised restart time, and whether it is within one step of the grid of the closed form's."""
    only = {"hold": [9], "restart": GRID, "hash": ["resilient"], "balancer": ["random/snat"]}
    found = simbgp.advise(loads(odds.text()), only, runs=runs, jobs=jobs)
    advised_s = found.chosen.restart if found.chosen.restart is not None else found.now.restart
    assert advised_s is not None
    return advised_s, abs(advised_s - odds.best_s) <= GRID[1] - GRID[0]


def next_to_it(odds: Odds, runs: int, jobs: int = 1) -> tuple[int, bool, list[int]]:
    """The same with the restart times that the program tries by itself, of which nobody says where the best one lies:
    the advised one, whether the closed form's lies between its neighbours, and all that were tried, 0 being off."""
    only = {"hold": [9], "hash": ["resilient"], "balancer": ["random/snat"]}
    found = simbgp.advise(loads(odds.text()), only, runs=runs, jobs=jobs)
    now_s = found.now.restart or 0
    tried = sorted({now_s if each.restart is None else each.restart for each in found.settings})
    advised_s = now_s if found.chosen.restart is None else found.chosen.restart
    place = tried.index(advised_s)
    low, high = tried[max(0, place - 1)], tried[min(len(tried) - 1, place + 1)]
    return advised_s, low <= odds.best_s <= high, tried


@click.group()
def main() -> None:
    """Hold the advice against what it leaves out."""


@main.command()
@click.option("--years", default=200, show_default=True)
@click.option("--runs", default=200, show_default=True)
@click.option("--jobs", default=2, show_default=True)
def years(years: int, runs: int, jobs: int) -> None:
    """Play years through."""
    found = compare_years(years, runs, jobs)
    print(f"{years} years of three nodes in {found.pieces} pieces, failures at random moments, overlapping as they may")
    names = ("seconds of the service", "broken connections")
    for name, a, b in zip(names, found.played, found.advised, strict=True):
        print(f"  {name} a year: played {a[0]:.1f} ± {1.96 * a[1]:.1f}, rate × cost {b[0]:.1f} ± {1.96 * b[1]:.1f}")
    sys.exit(0 if found.agree() else 1)


@main.command()
@click.option("--jobs", default=2, show_default=True)
def wall(jobs: int) -> None:
    """Time the advice on the shipped scenario of 16 nodes, which is to take less than 60 s on two quiet cores."""
    began = perf_counter()
    found = simbgp.advise(simbgp.load("scenarios/advise-16-nodes.yaml"), jobs=jobs)
    took_s = perf_counter() - began
    print(f"{found.tried} settings, {len(found.settings)} of them in full: {took_s:.1f} s with {jobs} workers")
    sys.exit(0 if took_s < 60 else 1)


@main.command()
@click.option("--runs", default=40, show_default=True)
@click.option("--jobs", default=2, show_default=True)
@click.option("--own-grid", is_flag=True, help="Restart times as the program tries them, in place of 15, 35 ... 135 s.")
def optimum(runs: int, jobs: int, own_grid: bool) -> None:
    """Twenty random settings against the closed form."""
    luck, good = random.Random(7), 0
    for _ in range(20):
        odds, tried = draw_odds(luck, SHIFT_S), list(GRID)
        if own_grid:
            advised_s, near, tried = next_to_it(odds, runs, jobs)
        else:
            advised_s, near = within_a_step(odds, runs, jobs)
        good += near
        print(
            f"  r {odds.restarts:5.1f}/y  n {odds.losses:4.2f}/y  m {odds.mean_s:4.1f} s  p {odds.price_s:5.1f} s: "
            f"closed form {odds.best_s:5.1f} s, advised {advised_s} s of {tried}"
            f"{'' if near else '  FAR'}",
            flush=True,
        )
    step = "the next restart time that is tried" if own_grid else f"one step of {GRID[1] - GRID[0]} s"
    print(f"{good} of 20 within {step}")
    sys.exit(0 if good == 20 else 1)


if __name__ == "__main__":
    main()
