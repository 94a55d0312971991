"""The table of docs/drain.md: each of its 24 cells against the closed form, worked out here by hand.

N = 10 000, mean life 600 s, so 16.67 new ones a second. Fractions of the hash space: the node's own 1/4, and as much
that moves among the others when the router deals anew. Pods on the node: 3 of 12. A connection is hurt only if it sends
after the change: with one request a second 1 - 0.5/600 of those that are open.
"""

import math
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import simbgp
from simbgp.cli.sweep import split_values
from simbgp.measure import Question

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "drain.md").read_text(encoding="utf-8")
RUNS = 20
N, LIFE_S, SENDS = 10_000, 600.0, 1 - 0.5 / 600
OUTLIVES = math.exp(-(30 - 0.55) / LIFE_S)
ORDER, POLICY, RESTART, ROUTER = (
    "faults.0.order",
    "services.0.externalTrafficPolicy",
    "cluster.gracefulRestart.enabled",
    "routers.0.profile",
)
NO_WAIT = "drain, unlabel, poweroff"


def vary():
    """The settings that the page's own command names."""
    command = re.search(r"\$ simbgp (sweep .*?)\n```", PAGE, re.DOTALL)[1].replace("\\\n", " ")
    words = shlex.split(command)
    assert words[1] == "scenarios/guide-drain-orders.yaml"
    given = [words[i + 1].partition("=") for i, word in enumerate(words) if word == "--vary"]
    return {path: [value(text) for text in split_values(texts)] for path, _, texts in given}


def value(text):
    if text.startswith("["):
        return text.strip("[]").split(",")
    return {"true": True, "false": False}.get(text, text)


@pytest.fixture(scope="module")
def grid():
    return simbgp.sweep(simbgp.load(ROOT / "scenarios" / "guide-drain-orders.yaml"), vary(), runs=RUNS)


@pytest.fixture(scope="module")
def without_clients():
    """What is lost depends on no client: many runs of the settings that lose anything."""
    scenario = simbgp.load(ROOT / "scenarios" / "guide-drain-orders.yaml")
    bare = scenario.with_(traffic=[], slo=[{"metric": "lost_traffic_s", "stat": "mean", "max": 0}])
    varied = {path: values for path, values in vary().items() if path not in (ORDER, POLICY)}
    return simbgp.sweep(bare.with_(**{ORDER: NO_WAIT.split(", ")}), varied, runs=1000)


def key(setting):
    return ", ".join(setting[ORDER]), setting[POLICY], setting[RESTART], setting[ROUTER]


def outage_s(restart, router):
    """From power-off until the router has withdrawn the node, in the mean."""
    if router == "bird-2.0":
        # 90 U[0.75, 1] - U[0, 30], and its next wake-up: the least of 3 s, three tickers of 30 s, three jittered ones
        rng = np.random.default_rng(1)
        gap_s = 30 * np.sqrt(rng.uniform(0.75**2, 1, (200_000, 3)))
        waits = np.hstack([rng.uniform(0, 30, (200_000, 3)), gap_s * rng.uniform(0, 1, (200_000, 3))])
        return 90 * 0.875 - 15 + float(np.minimum(waits.min(axis=1), 3.0).mean())
    # 90 - U[0, 30]; the restart time by the N bit; FRR's FIB 0.07 s after hold expiry, 0.06 s after the restart time
    return 90 - 15 + (120 + 0.06 if restart else 0.07)


def lost_s(order, policy, restart, router):
    return outage_s(restart, router) / 4 if order == NO_WAIT and policy == "Cluster" else 0.0


def broken(order, policy, restart, router):
    if policy == "Local":
        return N / 2 * SENDS
    if order != NO_WAIT:
        return N * (1 / 2 + OUTLIVES / 8) * SENDS
    outage = outage_s(restart, router)
    pods = N * OUTLIVES / 4
    at_dead_node = (N - pods) / 4
    dealt_anew = N / 4 - pods / 4 * math.exp(-outage / LIFE_S)
    never_opened = N / LIFE_S * (outage - 7) / 4
    return (pods + at_dead_node + dealt_anew) * SENDS + never_opened


def metric(result, name):
    return np.array([value.value for value in result.stats(Question(name)).values])


def test_all_24_cells_are_played(grid):
    assert len({key(setting) for setting, _ in grid}) == 24


def test_nothing_is_lost_in_any_run_but_without_a_wait_by_a_cluster_service(grid):
    for setting, result in grid:
        assert bool(metric(result, "lost_traffic_s").max() > 0) is (lost_s(*key(setting)) > 0), key(setting)


def test_the_broken_connections_are_those_of_the_closed_form(grid):
    for setting, result in grid:
        found, expected = metric(result, "broken_count"), broken(*key(setting))
        # 4 standard errors of the mean; a run's own: 10 000 coins of 0.5 to 0.7 make 50, W's 8.7 s make 67 more
        assert abs(found.mean() - expected) < 4 * max(found.std(ddof=1), 50) / math.sqrt(RUNS), key(setting)


def test_the_lost_traffic_is_a_quarter_of_the_outage(without_clients):
    for setting, result in without_clients:
        case = (NO_WAIT, "Cluster", setting[RESTART], setting[ROUTER])
        found = metric(result, "lost_traffic_s")
        assert abs(found.mean() - lost_s(*case)) < 4 * found.std(ddof=1) / math.sqrt(1000), case


def test_the_page_says_what_is_played_and_what_is_worked_out(grid):
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if "| frr" in line]
    rows += [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if "| bird" in line]
    said = {(order, policy, restart == "on", router): figures for order, policy, restart, router, *figures in rows}
    assert len(said) == 24
    for setting, result in grid:
        case = key(setting)
        lost, lost_played, broke, broke_played = (float(text.replace(" ", "")) for text in said[case])
        assert lost == round(lost_s(*case), 1)
        assert broke == round(broken(*case), -1)
        # 40 runs stand on the page, half of them are played here: half the error is common
        assert abs(lost_played - metric(result, "lost_traffic_s").mean()) <= 2.5
        assert abs(broke_played - metric(result, "broken_count").mean()) <= 60
