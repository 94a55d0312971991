"""Routers that skip a next hop whose neighbour entry failed. Times in seconds after the fault."""

import pytest
from worlds import AT_S, cluster, fault, instant, play

from simbgp.timeline import NeighbourChanged


def failures(timers, runs, profile="frr-8.4", down_s=None):
    plan = cluster(timers=timers, routers=(instant(profile),), horizon_s=400)
    logs = [play(plan, fault("node-down", down_s), run=run) for run in range(runs)]
    return [[(f.time_us / 1e6 - AT_S, f.reachable) for f in log.of(NeighbourChanged)] for log in logs]


@pytest.mark.parametrize(
    ("timers", "low_s", "high_s", "seen"),
    [
        ((30, 10), 13, 65, (35.4, 42.0)),  # FRR 30/10: 24.6 to 56.9 in 12 topologies, medians 35.4 and 42.0
        ((90, 30), 3, 85, (18.6, 29.4)),  # 90/30: 5.1 to 49.4 in 16 topologies, medians 18.6 to 29
    ],
)
def test_the_entry_of_a_dead_node_fails_within_the_kernels_bounds(timers, low_s, high_s, seen):
    times = sorted(log[0][0] for log in failures(timers, 300))
    assert low_s <= times[0] < times[-1] <= high_s
    assert seen[0] - 4 <= times[150] <= seen[1] + 4


def test_a_node_that_answers_again_is_reachable_again():
    for log in failures((90, 30), 20, down_s=120):
        assert [reachable for _, reachable in log] == [False, True]
        assert log[1][0] == 120


def test_a_router_that_does_not_check_never_tells():
    assert failures((90, 30), 3, profile="bird-2.0") == [[], [], []]


def test_a_short_silence_leaves_the_entry_alone():
    assert all(log == [] for log in failures((90, 30), 20, down_s=2))
