"""`simbgp wait` on five scenarios against the quantile read off 10 000 runs of the scenario with its label changed.

The runs are read here by another way than the command's: from a table of all routes that point to the node, kept up to
date fact by fact, at the moment from which it stays empty. Orders of magnitude, by paper and pencil:

- Hard Reset: the label's way U[0.1, 1] s and FRR's FIB, 0.07 s in the median: 1.1 s at 99 %; tenths of a second behind
  a bare gobgpd, whose label has no way to go.
- GoBGP 3.10 with FRR: the restart time of 120 s and 0.06 s.
"""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from simbgp.model import simulate
from simbgp.profiles import Law
from simbgp.scenario import draw, load
from simbgp.scenario.plan import FaultPlan
from simbgp.study.wait import wait
from simbgp.timeline import RouteChanged

SCENARIOS = Path(__file__).parent.parent / "scenarios"
RUNS = 10_000
CASES = {
    "guide-drain": ({}, {"frr-8.4": (1.0, 1.2)}),
    "guide-drain-orders": ({"cluster.cilium": "gobgp-4.8"}, {"frr-8.4": (0.07, 0.21)}),
    "guide-drain-no-wait": ({"cluster.cilium": "gobgp-3.10"}, {"frr-8.4": (120.0, 120.2)}),
    "guide-agent-restart": ({"routers.0.profile": "bird-2.0"}, {"bird-2.0": (0.9, 1.1)}),
    "guide-drain-withdraw-first": (
        {"cluster.cilium": "1.19", "routers.0.profile": "openbgpd-7.7"},
        {"openbgpd-7.7": (1.0, 6.0)},
    ),
}


def read_off(scenario):
    """By router, the 99 % quantile of the time from the change of the label until nothing points to worker-1."""
    unlabel = FaultPlan("wait", "unlabel", Law.constant(60.0), ("worker-1",), (), None)
    plan = replace(scenario.plan(), faults=(unlabel,), traffic=(), slo=(), horizon_us=400_000_000)
    empty_s = {router.name: [] for router in plan.routers}
    for run in range(RUNS):
        log = simulate(draw(plan, 0, run))
        pointing = {
            (router, prefix)
            for router, table in log.start.next_hops.items()
            for prefix, nodes in table.items()
            if "worker-1" in nodes
        }
        since_us = dict.fromkeys(empty_s, math.inf)
        for fact in log.of(RouteChanged):
            if fact.node != "worker-1" or fact.event not in ("added", "withdrawn"):
                continue
            (pointing.add if fact.event == "added" else pointing.discard)((fact.router, fact.prefix))
            if all(router != fact.router for router, _ in pointing):
                since_us[fact.router] = fact.time_us
        for router, time_us in since_us.items():
            empty_s[router].append(time_us / 1e6 - 60)
    return {router: sorted(times)[math.ceil(0.99 * RUNS) - 1] for router, times in empty_s.items()}


@pytest.mark.parametrize("name", CASES)
def test_the_wait_is_the_quantile_read_off_10_000_runs(name):
    changes, expected = CASES[name]
    scenario = load(SCENARIOS / f"{name}.yaml").with_(**changes)
    found = {answer.profile: answer for answer in wait(scenario, p=99, runs=RUNS).ways[0].profiles}
    quantiles = read_off(scenario)
    assert found.keys() == expected.keys()
    for profile, (low, high) in expected.items():
        (router,) = found[profile].routers
        # between two neighbouring order statistics of 10 000, a ten-thousandth of a second apart
        assert found[profile].estimate.value == pytest.approx(quantiles[router], abs=0.01)
        assert low < found[profile].estimate.value < high
