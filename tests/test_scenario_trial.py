from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_texts import small
from scipy import stats

from simbgp.scenario import Plan, Trial, draw

LAWS = ["20s", "{uniform: [10s, 40s]}", "{exponential: {mean: 30s}}", "{empirical: [12s, 13.5s, 41s]}"]


def plan_of(*faults: str) -> Plan:
    return small("faults:\n" + "".join(f"  - {{{fault}}}\n" for fault in faults)).plan()


def of(trial: Trial, name: str | int) -> list[tuple[object, ...]]:
    return [(one.at_us, one.nodes, one.down_for_us) for one in trial.occurrences if one.fault == name]


def test_constants_need_no_luck() -> None:
    trial = draw(plan_of("at: 60s, kind: agent-crash, node: worker-1, downFor: 20s"), seed=1, run=0)
    assert [(one.at_us, one.down_for_us) for one in trial.occurrences] == [(60_000_000, (20_000_000,))]
    assert trial.tape.used is False


def test_a_fault_without_end_is_for_good() -> None:
    trial = draw(plan_of("at: 1s, kind: node-down, node: [worker-1, worker-2]"), seed=1, run=0)
    assert trial.occurrences[0].down_for_us == (None, None)
    assert trial.occurrences[0].nodes == ("worker-1", "worker-2")


def test_repeats_follow_each_other_up_to_the_horizon() -> None:
    trial = draw(
        plan_of("at: 9m, kind: unlabel, node: worker-1, relabelAfter: 1s, repeat: {times: 5, every: 20s}"), 1, 0
    )
    # 540, 560, 580 s; the fourth would be at 600 s, the horizon
    assert [one.at_us for one in trial.occurrences] == [540_000_000, 560_000_000, 580_000_000]


def test_occurrences_come_in_time_order_and_then_in_that_of_the_file() -> None:
    plan = plan_of(
        "at: 60s, kind: unlabel, node: worker-1, name: b",
        "at: 30s, kind: unlabel, node: worker-1, name: late",
        "at: 60s, kind: unlabel, node: worker-2, name: a",
    )
    assert [one.fault for one in draw(plan, 1, 0).occurrences] == ["late", "b", "a"]


def test_each_target_and_occurrence_has_a_draw_of_its_own() -> None:
    fault = "at: 1s, kind: agent-crash, node: all, downFor: {uniform: [1s, 2s]}, repeat: {times: 3, every: 9s}"
    drawn = [time for one in draw(plan_of(fault), 1, 0).occurrences for time in one.down_for_us]
    assert len(drawn) == len(set(drawn)) == 3 * 4
    assert all(1_000_000 <= time <= 2_000_000 for time in drawn if time is not None)


def test_targets_with_a_drawn_moment_fail_each_at_their_own() -> None:
    occurrences = draw(plan_of("at: {uniform: [1s, 9s]}, kind: node-down, node: all"), 1, 0).occurrences
    assert sorted(one.nodes for one in occurrences) == [(f"worker-{i}",) for i in range(1, 5)]
    assert all(one.at_us < two.at_us for one, two in pairwise(occurrences))


def test_random_nodes_are_distinct_and_each_as_likely() -> None:
    plan = plan_of("at: 1s, kind: node-down, node: {random: 2}")
    picked = [draw(plan, 7, run).occurrences[0].nodes for run in range(2000)]
    assert all(len(set(nodes)) == 2 for nodes in picked)
    counts = [sum(f"worker-{i}" in nodes for nodes in picked) for i in range(1, 5)]
    # each of four nodes is one of the two with probability 1/2: binomial(2000, 1/2), within 5 standard deviations
    assert all(abs(count - 1000) < 5 * (2000 / 4) ** 0.5 for count in counts)


@given(st.sampled_from(LAWS), st.sampled_from(LAWS), st.integers(0, 2**64), st.integers(0, 1000))
def test_one_fault_more_changes_no_draw_of_another(law: str, other: str, seed: int, run: int) -> None:
    named = f"at: {law}, kind: node-down, node: all, downFor: {law}, name: named"
    more = (
        f"at: {other}, kind: agent-crash, node: all, downFor: {other}, name: more, repeat: {{times: 2, every: {other}}}"
    )
    alone, first, last = plan_of(named), plan_of(named, more), plan_of(more, named)
    assert (
        of(draw(alone, seed, run), "named") == of(draw(first, seed, run), "named") == of(draw(last, seed, run), "named")
    )


@given(st.integers(0, 2**64), st.integers(0, 1000))
def test_settings_share_their_luck(seed: int, run: int) -> None:
    low, high = (
        draw(plan_of(f"at: 1s, kind: agent-crash, node: worker-1, downFor: {{uniform: [{a}, {b}]}}"), seed, run)
        for a, b in (("0s", "10s"), ("10s", "30s"))
    )
    (u_low,), (u_high,) = low.occurrences[0].down_for_us, high.occurrences[0].down_for_us
    assert u_low is not None
    assert u_high is not None
    assert u_low / 10e6 == pytest.approx((u_high - 10e6) / 20e6, abs=1e-6)


def test_the_same_seed_and_run_give_the_same_draw_and_others_another() -> None:
    plan = plan_of("at: {uniform: [0s, 60s]}, kind: node-down, node: {random: 1}")
    assert draw(plan, 1, 2).occurrences == draw(plan, 1, 2).occurrences
    assert len({draw(plan, seed, run).occurrences[0].at_us for seed in range(5) for run in range(5)}) == 25


def test_durations_follow_their_law() -> None:
    plan = plan_of("at: 1s, kind: agent-crash, node: worker-1, downFor: {exponential: {mean: 30s}}")
    drawn = [draw(plan, 11, run).occurrences[0].down_for_us[0] for run in range(2000)]
    seconds = [time / 1e6 for time in drawn if time is not None]
    distance = stats.kstest(seconds, stats.expon(scale=30).cdf).statistic
    assert distance <= 1.95 / 2000**0.5  # the 0.1 % point of Kolmogorov's law
