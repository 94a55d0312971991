"""Failures by chance: how often, whom they strike, and what the schema refuses."""

from itertools import pairwise
from statistics import mean

import pytest

from simbgp.scenario import ScenarioError, draw, loads

TEXT = """\
horizon: 720h
cluster: {nodes: 4}
routers: [{name: tor-1, profile: rfc8538}, {name: tor-2, profile: rfc8538, nodes: worker-1}]
services: [{name: web, vip: 192.0.2.10, backends: 4}]
background:
  - {kind: node-down, rate: 73.05/y, downFor: 1m}
"""


def occurrences(text: str, runs: int = 200):
    plan = loads(text).plan()
    return [draw(plan, 0, run).occurrences for run in range(runs)]


def test_a_process_strikes_each_of_its_targets_at_its_rate():
    # 73.05/y on 4 nodes over 30 of 365.25 days: 24 a run; the mean of 200 runs has a standard error of 0.35
    found = occurrences(TEXT)
    assert mean(map(len, found)) == pytest.approx(24, abs=4 * 0.35)
    struck = [occurrence.nodes for run in found for occurrence in run]
    shares = [struck.count((f"worker-{n}",)) / len(struck) for n in range(1, 5)]
    assert shares == pytest.approx([0.25] * 4, abs=0.03)


def test_gaps_are_exponential():
    # as many below the median as above it: 24 a run in 720 h are 30 h apart in the mean, median 30 ln 2 = 20.8 h
    found = occurrences(TEXT)
    gaps = [b.at_us - a.at_us for run in found for a, b in pairwise(run)]
    below = sum(gap < 20.8 * 3600e6 for gap in gaps) / len(gaps)
    assert below == pytest.approx(0.5, abs=0.03)


def test_one_more_process_shifts_no_draw_of_another():
    alone = occurrences(TEXT, 5)
    both = occurrences(TEXT + "  - {kind: stall, rate: 100, stallFor: 1s}\n", 5)
    assert alone == [tuple(o for o in run if o.kind == "node-down") for run in both]


def test_one_link_at_a_time_is_one_that_exists():
    text = TEXT.replace("node-down, rate", "link-down, router: {random: 1}, rate")
    links = {(*o.nodes, *o.routers) for run in occurrences(text, 50) for o in run}
    assert links == {("worker-1", "tor-1"), ("worker-1", "tor-2")} | {(f"worker-{n}", "tor-1") for n in (2, 3, 4)}


def test_a_run_plays_what_strikes_by_chance():
    import simbgp

    result = simbgp.run(loads(TEXT), runs=3)
    assert {row[1] for row in result.rows("windows")} == {"node-down"}
    assert result.blackhole_s("web", fault="node-down").max > 60


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{kind: node-down, rate: often}", "background.0.rate: 'often' is not a rate of failures"),
        ("{kind: node-down}", "background.0.rate: required key 'rate' is missing"),
        ("{kind: node-join, rate: 1}", "background.0.kind: unknown kind 'node-join'"),
        ("{kind: node-down, rate: 1, node: worker-9}", "background.0.node: unknown node 'worker-9'"),
        ("{kind: node-down, rate: 1, node: {random: 2}}", "a process strikes one node at a time"),
        ("{kind: link-down, rate: 1, router: {random: 2}}", "allowed: {random: 1}"),
        ("{kind: stall, rate: 1, stallFor: 1s, node: worker-1, router: tor-1}", "a stall takes one process"),
        ("{kind: node-down, rate: 1, at: 60s}", "background.0.at: unknown key 'at'"),
        ("{kind: node-down, rate: 3/s}", "allowed: a number per year, or like 8/y"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(entry, said):
    with pytest.raises(ScenarioError, match="<text>:6:") as error:
        loads(TEXT.replace("{kind: node-down, rate: 73.05/y, downFor: 1m}", entry))
    assert said in str(error.value)


def test_names_are_their_own():
    text = TEXT + "  - {kind: node-down, rate: 1}\n  - {kind: node-down, rate: 1, name: node-down-2}\n"
    names = [process.fault.name for process in loads(text).plan().background]
    assert len(set(names)) == 3
    assert names[0] == "node-down"
