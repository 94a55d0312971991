"""Outcomes of connections against measured shares, closed forms and exact cases."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from traffic_worlds import SECOND, VIP, clients, plan, pod_names, timeline

from simbgp import profiles
from simbgp.profiles import Law
from simbgp.scenario.plan import GracefulRestartPlan, LoadBalancerPlan, PeeringPlan, Plan
from simbgp.timeline import (
    BackendChanged,
    ConntrackLost,
    Fact,
    FaultBegan,
    ForwardingChanged,
    NeighbourChanged,
    PathChanged,
    RouteChanged,
    Start,
    Timeline,
    ViewChanged,
)
from simbgp.traffic import ServiceOutcome, outcomes, summarise

OUTCOMES = ("unaffected", "delayed", "reset", "timed_out", "not_opened")
SNAT = LoadBalancerPlan("random", "snat")
DSR_MAGLEV = LoadBalancerPlan("maglev", "dsr", table_size=251)
DSR_RANDOM = LoadBalancerPlan("random", "dsr")
ONE_WAY = {"to_node": 1.0, "to_router": 0.0}
MANY = 20_000
MOMENTARY = Law.constant(0.0)
"""One request and no more."""


def at(seconds: float) -> int:
    return round(seconds * SECOND)


def withdrawn(seconds: float, node: str = "n1") -> RouteChanged:
    return RouteChanged(at(seconds), "tor-1", VIP, node, "withdrawn")


def added(seconds: float, node: str = "n1") -> RouteChanged:
    return RouteChanged(at(seconds), "tor-1", VIP, node, "added")


def cut(seconds: float, until: float | None = None, node: str = "n1", **ways: float) -> list[Fact]:
    hole: list[Fact] = [PathChanged(at(seconds), "tor-1", node, 1.0, **ways)]
    return hole if until is None else [*hole, PathChanged(at(until), "tor-1", node, 0.0)]


def run(world: Plan, *facts: Fact, seed: int = 1, number: int = 0) -> ServiceOutcome:
    return outcomes(world, timeline(world, *facts), seed, number)[0]


def within(count: int, share: float, of: int, sigmas: float = 4.0) -> bool:
    return abs(count - share * of) <= sigmas * (of * share * (1 - share)) ** 0.5


def test_without_facts_everybody_is_unaffected() -> None:
    row = run(plan(traffic=clients(1000, 5.0)))
    assert row.unaffected == row.total
    assert within(row.total - 1000, 0.5, 6000, sigmas=6)  # Poisson of 5/s for 600 s: 3000 ± 55


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_a_withdrawal_moves_the_fraction_of_rfc_2992_and_snat_resets_all_of_them(k: int) -> None:
    # N = 4: 1/2, 1/3, 1/3, 1/2; every moved connection meets a tuple that its pod does not know
    row = run(plan(traffic=clients(MANY), balancer=SNAT), withdrawn(60, f"n{k}"))
    assert within(row.moved, {1: 1 / 2, 2: 1 / 3, 3: 1 / 3, 4: 1 / 2}[k], MANY)
    assert (row.reset, row.unaffected) == (row.moved, MANY - row.moved)


def test_maglev_saves_nobody_under_snat() -> None:
    row = run(plan(traffic=clients(MANY), balancer=LoadBalancerPlan("maglev", "snat", 251)), withdrawn(60))
    assert row.reset == row.moved > 0


def test_policy_local_resets_all_that_moved() -> None:
    row = run(plan(traffic=clients(MANY), policy="Local", balancer=DSR_MAGLEV), withdrawn(60))
    assert row.reset == row.moved > 0


def test_dsr_with_maglev_loses_no_connection() -> None:
    row = run(plan(traffic=clients(MANY), balancer=DSR_MAGLEV), withdrawn(60))
    assert row.moved > 0
    assert row.unaffected == MANY


@pytest.mark.parametrize("backends", [2, 8])
def test_dsr_with_random_keeps_one_in_the_number_of_backends(backends: int) -> None:
    # measured 7738 of 8814 reset with 8 backends: 0.878, rule 1 - 1/8
    row = run(plan(traffic=clients(MANY), backends=backends, balancer=DSR_RANDOM), withdrawn(60))
    assert within(row.reset, 1 - 1 / backends, row.moved)


def test_a_dsr_client_that_cannot_hear_the_reset_times_out() -> None:
    deaf = replace(profiles.speaker("1.20"), dsr_reset_reaches_client=False)
    world = plan(traffic=clients(MANY), balancer=DSR_RANDOM, speaker=deaf)
    row = run(world, withdrawn(60))
    assert row.reset == 0
    assert within(row.timed_out, 7 / 8, row.moved)


def test_survivors_of_a_withdrawal_do_not_move_back() -> None:
    # n1 of 4 leaves and returns: those that are left never moved, so the reset share stays 1/2
    row = run(plan(traffic=clients(MANY), balancer=SNAT), withdrawn(60), added(90))
    assert row.reset == row.moved
    assert within(row.reset, 1 / 2, MANY)


@pytest.mark.parametrize("away_s", [0.2, 0.5])
def test_a_short_flap_breaks_only_those_that_send_meanwhile(away_s: float) -> None:
    # broken = moved * min(1, F/I) with I = 1 s
    row = run(plan(traffic=clients(MANY), balancer=SNAT), withdrawn(60), added(60 + away_s))
    assert within(row.moved, 1 / 2, MANY)
    assert within(row.reset, away_s, row.moved)
    assert row.unaffected == MANY - row.reset


@pytest.mark.parametrize(
    ("hole_s", "stall_s"),
    # 0.209 * 2^k, the smallest that reaches from a send in the first 10 ms of the hole over its end; measured
    # 0.425, 1.69, 3.35, 13.4 s
    [(0.3, 0.418), (1.0, 1.672), (3.0, 3.344), (10.0, 13.376)],
)
def test_a_hole_is_felt_longer_than_it_lasts(hole_s: float, stall_s: float) -> None:
    world = plan(traffic=clients(2000, interval_s=0.01), balancer=SNAT)
    row = run(world, *cut(60, 60 + hole_s))
    assert within(row.delayed, 1 / 4, 2000)
    assert set(row.delay_s.tolist()) == {stall_s}
    assert row.unaffected == 2000 - row.delayed


def test_those_that_send_nothing_in_a_hole_do_not_notice_it() -> None:
    # T = 1 s, I = 2 s: half of a quarter
    row = run(plan(traffic=clients(MANY, interval_s=2.0), balancer=SNAT), *cut(60, 61))
    assert within(row.delayed, 1 / 8, MANY)


def test_a_send_at_the_end_of_a_hole_passes_and_one_just_before_waits() -> None:
    # every connection sends at each whole second and phase; the hole [60, 61) catches each exactly once
    row = run(plan(traffic=clients(2000), balancer=SNAT), *cut(60, 61))
    assert within(row.delayed, 1 / 4, 2000)
    shortest, longest = row.delay_s.min(), row.delay_s.max()
    assert (shortest, longest) == (0.209, 1.672)


def test_a_hole_that_ends_by_withdrawal_resets_its_connections_on_the_grid() -> None:
    # the 1/4 on n1 stall and are reset, the 1/4 that move besides are reset at their next send: 1/2
    row = run(plan(traffic=clients(MANY), balancer=SNAT), *cut(60), withdrawn(63))
    assert within(row.reset, 1 / 2, MANY)
    assert row.delayed == 0


def test_a_hole_that_ends_by_withdrawal_delays_connections_of_dsr_and_maglev() -> None:
    world = plan(traffic=clients(MANY, interval_s=0.01), balancer=DSR_MAGLEV)
    row = run(world, *cut(60, **ONE_WAY), withdrawn(63))
    assert within(row.delayed, 1 / 4, MANY)
    assert row.unaffected == MANY - row.delayed
    assert set(row.delay_s.tolist()) == {3.344}


def test_an_application_gives_up_before_a_retransmission_that_comes_too_late() -> None:
    # sends in [60, 60.01), repair at 63: answered after 3.344 s; 3.344 s of patience suffice, 3.343 s do not
    world = plan(traffic=clients(2000, interval_s=0.01, request_timeout_s=3.344))
    impatient = plan(traffic=clients(2000, interval_s=0.01, request_timeout_s=3.343))
    patient_row, impatient_row = run(world, *cut(60, 63)), run(impatient, *cut(60, 63))
    assert (patient_row.delayed, patient_row.timed_out) == (impatient_row.timed_out, impatient_row.delayed)
    assert (patient_row.timed_out, patient_row.delayed > 0) == (0, True)


def test_the_kernel_gives_up_on_a_hole_after_934_s() -> None:
    # the last retransmission of a send at 60.0 leaves 814.016 s later, at 874.016 s
    world = plan(traffic=clients(2000, interval_s=0.001), horizon_s=2000)
    assert run(world, *cut(60, 874)).timed_out == 0
    assert run(world, *cut(60, 875)).delayed == 0


@pytest.mark.parametrize(
    ("hole_s", "latencies_s"),
    [(0.5, {1.0}), (2.5, {1.0, 2.0, 3.0}), (6.0, {1.0, 2.0, 3.0, 4.0, 5.0, 7.0})],
)
def test_new_connections_open_at_the_first_syn_after_the_hole(hole_s: float, latencies_s: set[float]) -> None:
    # measured: 0.5 -> 1.02, 2.5 -> 3.06, 6 -> 7.13 s for the first of the hole
    row = run(plan(traffic=clients(0, 200.0, lifetime=MOMENTARY), horizon_s=60), *cut(10, 10 + hole_s))
    assert set(row.connect_delay_s.tolist()) == latencies_s
    assert within(row.delayed, hole_s / 60 / 4, row.total)
    assert row.not_opened == 0


def test_a_connect_timeout_of_3_s_fails_those_who_dial_more_than_3_s_before_the_end() -> None:
    # attempts at 0, 1, 2, 3 s: of a hole of 10 s the first 7 s fail, the last 3 s are late
    world = plan(traffic=clients(0, 400.0, connect_timeout_s=3.0, lifetime=MOMENTARY), horizon_s=60)
    row = run(world, *cut(10, 20))
    assert within(row.not_opened, 7 / 60 / 4, row.total)
    assert within(row.delayed, 3 / 60 / 4, row.total)


def lossy(share: float, seconds: float = 0, until: float | None = None, node: str = "n1") -> list[Fact]:
    return [replace(fact, lost_share=share * fact.lost_share) for fact in cut(seconds, until, node)]  # type: ignore[attr-defined,call-arg]


@pytest.mark.parametrize("share", [0.02, 0.3])
def test_of_ten_requests_over_a_lossy_path_none_is_lost_with_the_tenth_power(share: float) -> None:
    row = run(plan(traffic=clients(MANY), balancer=SNAT), *lossy(share, 60, 70))
    assert within(row.delayed, 1 / 4 * (1 - (1 - share) ** 10), MANY)
    assert (row.moved, row.unaffected) == (0, MANY - row.delayed)


def test_poisson_requests_over_a_lossy_path_are_lost_as_a_thinned_stream() -> None:
    # one request a second for 10 s, a tenth of them lost: 1 - e^-1
    row = run(plan(traffic=clients(MANY, poisson_requests=True)), *lossy(0.1, 60, 70))
    assert within(row.delayed, 1 / 4 * (1 - math.exp(-1)), MANY)


def test_a_lost_request_waits_for_the_first_of_its_copies_that_passes() -> None:
    # one request each, no horizon in sight: after k lost copies 0.209 * 2^(k-1) s, with share^k (1 - share)
    row = run(plan(traffic=clients(0, 50.0, lifetime=MOMENTARY)), *lossy(0.4, 0, 500))
    waits = Counter(row.delay_s.tolist())
    for copies in range(1, 6):
        share = 0.4**copies * 0.6 / 4
        assert within(waits[0.209 * 2 ** (copies - 1)], share * 500 / 600, row.total)


def test_a_lost_syn_is_sent_again_until_one_passes() -> None:
    row = run(plan(traffic=clients(0, 50.0, lifetime=MOMENTARY)), *lossy(0.4, 0, 500))
    dials = Counter(row.connect_delay_s.tolist())
    for attempt, after_s in enumerate((1.0, 2.0, 3.0, 4.0, 5.0, 7.0), 1):
        assert within(dials[after_s], 0.4**attempt * 0.6 / 4 * 500 / 600, row.total)


def test_an_impatient_client_of_a_lossy_path_gives_up_when_all_its_copies_are_lost() -> None:
    # copies at 0, 0.209, 0.418 and 0.836 s within 1 s: 0.8^4; the SYNs get through in 67 s or, 0.8^11, do not
    patience = {"request_timeout_s": 1.0, "lifetime": MOMENTARY}
    row = run(plan(traffic=clients(0, 50.0, **patience)), *lossy(0.8, 0, 500))
    opened = 1 - 0.8**11
    assert within(row.timed_out, 0.8**4 * opened / 4 * 500 / 600, row.total)
    assert within(row.not_opened, 0.8**11 / 4 * 500 / 600, row.total, sigmas=5)


def test_a_moved_flow_whose_first_packet_is_lost_is_not_reset_by_it() -> None:
    # n1 is away for 0.2 s: a fifth of the moved send; to n2 go 1/4 and half of these are lost and sent again at home
    row = run(plan(traffic=clients(MANY), balancer=SNAT), withdrawn(60), *lossy(0.5, 60, 60.2, "n2"), added(60.2))
    assert within(row.reset, 0.2 * (1 / 4 / 2 + 1 / 4), MANY)


def test_a_lossy_path_is_put_down_to_the_fault_that_made_it_so() -> None:
    world = plan(traffic=clients(MANY))
    began = FaultBegan(at(60), "lossy", "link-loss", ("n1",), ("tor-1",))
    later = FaultBegan(at(65), "idle", "agent-crash", ("n2",), ())
    rows = {row.fault: row for row in outcomes(world, timeline(world, began, later, *lossy(0.5, 60, 70)), 1, 0)}
    assert rows["lossy"].delayed == rows[None].delayed > 0


def failed(seconds: float, node: str = "n1", reachable: bool = False) -> NeighbourChanged:
    return NeighbourChanged(at(seconds), "tor-1", node, reachable)


def test_a_failed_neighbour_moves_the_dead_nodes_flows_and_no_others() -> None:
    # measured in 28 topologies: none of the survivors' flows moved or lost a packet when the entry failed
    row = run(plan(traffic=clients(MANY), balancer=SNAT), ForwardingChanged(at(60), "n2", False), failed(85, "n2"))
    assert within(row.moved, 1 / 4, MANY)
    assert (row.reset, row.unaffected) == (row.moved, MANY - row.moved)


def test_a_failed_neighbour_delays_connections_of_dsr_and_maglev_until_it_fails() -> None:
    # sends in [60, 60.01): the first retransmission after 85 is that of 26.752 s
    world = plan(traffic=clients(2000, interval_s=0.01), balancer=DSR_MAGLEV)
    row = run(world, *cut(60, **ONE_WAY), failed(85), withdrawn(150))
    assert set(row.delay_s.tolist()) == {26.752}
    assert within(row.delayed, 1 / 4, 2000)


def test_the_withdrawal_of_a_skipped_next_hop_deals_anew() -> None:
    # all flows of n1 were n2's and stay so, 1/6 and 1/12 of the survivors' move (RFC 2992, k = 1 of 4: 1/2 with n1's)
    row = run(plan(traffic=clients(MANY), balancer=SNAT), failed(60), withdrawn(90))
    assert within(row.moved, 1 / 2, MANY)


def test_moves_by_a_failed_neighbour_are_put_down_to_the_fault_of_its_node() -> None:
    world = plan(traffic=clients(MANY), balancer=SNAT)
    lost, other = (FaultBegan(at(60), name, "node-down", (name,), ()) for name in ("n1", "n3"))
    rows = {row.fault: row for row in outcomes(world, timeline(world, lost, other, failed(85)), 1, 0)}
    assert rows["n1"].moved == rows["n1"].reset == rows[None].reset > 0
    assert rows["n3"].moved == 0


A, LAM, N, R = 1000, 50, 8, 0.1
"""Connections, new ones per second, nodes, requests per second of each connection."""


def attempts_up_to(grid: Sequence[float], limit: float) -> float:
    return max((instant for instant in grid if instant <= limit), default=0.0)


@pytest.mark.parametrize(("hole", "tau", "c"), [(1, 5, 10), (9, 5, 3), (75, 30, 10), (75, 30, 131), (195, 30, 10)])
def test_the_closed_forms_of_a_hole_with_poisson_requests(hole: float, tau: float, c: float) -> None:
    # last attempts G <= tau, Y <= c: not opened lam/N max(0, T - Y); timed out A/N (1 - e^-r max(0, T-G)),
    # and in the same proportion of the lam * 10 s that opened before the hole
    data = attempts_up_to([0.209 * 2**k for k in range(10)], tau)
    syn = attempts_up_to([0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67], c)
    patience = {"request_timeout_s": tau, "connect_timeout_s": c, "poisson_requests": True}
    world = plan(node_count=N, horizon_s=10.0 + hole, traffic=clients(A, LAM, 1 / R, **patience))
    facts, runs = timeline(world, *cut(10, 10.0 + hole)), 20
    rows = [outcomes(world, facts, 3, number)[0] for number in range(runs)]
    failed = runs * LAM / N * max(0.0, hole - syn)
    timed_out = runs * (A + 10 * LAM) / N * (1 - math.exp(-R * max(0.0, hole - data)))
    assert abs(sum(row.not_opened for row in rows) - failed) <= 4 * failed**0.5
    assert abs(sum(row.timed_out for row in rows) - timed_out) <= 4 * timed_out**0.5


def dead(world: Plan, node: str, seconds: float) -> list[Fact]:
    pods = [backend.name for backend in world.services[0].backends if backend.node == node]
    return [BackendChanged(at(seconds), "web", pod, False) for pod in pods]


def test_connections_of_a_dead_pod_through_healthy_nodes_time_out() -> None:
    # 8 backends on 4 nodes, those of n1 die: a quarter of all connections, and no view saves them
    world = plan(traffic=clients(MANY), horizon_s=1200)
    views = [ViewChanged(at(61), f"n{i}", "web", 1, pod_names(world)[1:4]) for i in (1, 2, 3, 4)]
    row = run(world, *dead(world, "n1", 60), *views)
    assert within(row.timed_out, 1 / 4, MANY)
    assert row.unaffected == MANY - row.timed_out


def test_a_pod_that_comes_back_resets_who_still_waits() -> None:
    world = plan(traffic=clients(MANY))
    back = [replace(fact, time_us=at(70), alive=True) for fact in dead(world, "n1", 60)]  # type: ignore[call-arg]
    row = run(world, *dead(world, "n1", 60), *back)
    assert within(row.reset, 1 / 4, MANY)
    assert row.timed_out == 0


def test_a_crashed_node_resets_quickly_under_policy_local() -> None:
    # measured 611 of 611 on the failed node reset, none stalls
    world = plan(traffic=clients(MANY), policy="Local")
    row = run(world, ForwardingChanged(at(60), "n1", False), *dead(world, "n1", 60), withdrawn(60.5))
    assert (row.reset, row.timed_out) == (row.moved, 0)
    assert within(row.reset, 1 / 2, MANY)


def test_a_rebooted_node_does_not_know_its_snat_connections() -> None:
    # n1 dark for 60-70 s, next hop throughout; its own pods (1/4) died, the others were elsewhere
    world = plan(traffic=clients(MANY), balancer=SNAT)
    facts = ForwardingChanged(at(60), "n1", False), ConntrackLost(at(70), "n1"), ForwardingChanged(at(70), "n1", True)
    row = run(world, *facts)
    assert within(row.reset, 1 / 4, MANY)
    assert row.delayed == 0


def test_a_node_without_backends_refuses_new_connections_at_once() -> None:
    world = plan(traffic=clients(0, 200.0), horizon_s=60)
    row = run(world, ViewChanged(at(30), "n1", "web", 1, ()))
    assert row.refused == row.not_opened
    assert within(row.refused, 30 / 60 / 4, row.total)


def test_a_connection_that_still_waits_for_a_hole_at_the_horizon_is_delayed() -> None:
    row = run(plan(traffic=clients(2000, interval_s=0.01), horizon_s=70), *cut(60))
    assert within(row.delayed, 1 / 4, 2000)
    assert row.delay_s.min() >= 9.99  # from a send in [60, 60.01) to 70


def test_a_connection_that_waits_for_a_dead_pod_at_the_horizon_is_timed_out() -> None:
    world = plan(traffic=clients(2000), horizon_s=70)
    row = run(world, *dead(world, "n1", 60))
    assert within(row.timed_out, 1 / 4, 2000)
    assert row.delayed == 0


def test_who_finds_no_route_at_time_0_dials_then() -> None:
    # nobody can have been connected; the route comes at 2.5 s, so all open with the SYN at 3 s
    world = plan(traffic=clients(500))
    record = Timeline(Start({"tor-1": {VIP: ()}}, {"web": pod_names(world)}), world.horizon_us)
    record.write(added(2.5))
    row = outcomes(world, record, 1, 0)[0]
    assert (row.delayed, set(row.connect_delay_s.tolist())) == (500, {3.0})


def test_a_service_that_nobody_announces_opens_no_connection() -> None:
    world = plan(traffic=clients(100, 1.0))
    row = outcomes(world, Timeline(Start(), world.horizon_us), 1, 0)[0]
    assert row.not_opened == row.total >= 100


def test_clients_enter_at_all_routers_in_equal_shares() -> None:
    # a withdrawal at one of two routers moves half of half
    row = run(plan(traffic=clients(MANY), routers=2), withdrawn(60))
    assert within(row.moved, 1 / 4, MANY)


def test_short_connections_are_hurt_only_if_they_live_long_enough() -> None:
    # residual life of a constant 100 s is uniform on (0, 100); those that send at all after 60 s: 39.5/100
    row = run(plan(traffic=clients(MANY, lifetime=Law.constant(100.0)), balancer=SNAT), withdrawn(60))
    assert within(row.reset, 0.5 * 0.395, MANY)


def test_the_row_of_a_fault_has_what_it_caused() -> None:
    world = plan(traffic=clients(MANY, interval_s=0.1), balancer=SNAT)
    facts = (
        FaultBegan(at(60), "hole", "link-loss", ("n4",), ("tor-1",)),
        *cut(60, 61, "n4"),
        FaultBegan(at(100), "crash", "agent-crash", ("n1",), ()),
        withdrawn(100, "n1"),
        FaultBegan(at(200), "idle", "agent-crash", ("n2",), ()),
    )
    rows = {row.fault: row for row in outcomes(world, timeline(world, *facts), 1, 0)}
    assert list(rows) == [None, "hole", "crash", "idle"]
    assert (rows["crash"].reset, rows["crash"].moved) == (rows[None].reset, rows[None].moved)
    assert (rows["hole"].reset, rows["hole"].delayed) == (0, rows[None].delayed)
    # of the quarter that waited at n4 those that moved later are reset, which is worse: delayed are the others
    assert rows["hole"].delayed > 0
    assert {getattr(rows["idle"], name) for name in OUTCOMES} == {0}
    assert {row.total for row in rows.values()} == {MANY}


def test_same_seed_and_run_give_the_same_and_others_do_not() -> None:
    world = plan(traffic=clients(MANY, 10.0))
    one, same, other_run, other_seed = (
        run(world, withdrawn(60), seed=seed, number=number) for seed, number in ((1, 0), (1, 0), (1, 1), (2, 0))
    )
    assert repr(one) == repr(same)
    assert len({repr(one), repr(other_run), repr(other_seed)}) == 3


def test_summaries_are_quantiles_linear_between_order_statistics() -> None:
    # of 0..100: the p-th percentile is p
    assert summarise(np.arange(101.0)) == {"p50": 50.0, "p90": 90.0, "p99": 99.0, "max": 100.0}
    assert summarise(np.empty(0)) is None


def test_in_a_cold_start_without_any_announcement_nobody_gets_in() -> None:
    peering = PeeringPlan("n1", "tor-1", 90, 30, 120, GracefulRestartPlan(False), (VIP,))
    world = plan(traffic=clients(100, 1.0), cold_start=True, peerings=(peering,))
    row = outcomes(world, Timeline(Start({}, {"web": pod_names(world)}), world.horizon_us), 1, 0)[0]
    assert (row.not_opened, row.refused) == (row.total, 0)


def test_a_service_without_backends_refuses_everybody() -> None:
    row = run(plan(traffic=clients(100, 1.0), backends=0))
    assert (row.not_opened, row.refused) == (row.total, row.total)


def test_a_node_sends_a_syn_again_to_the_dead_backend_that_it_picked_as_long_as_it_knows_it() -> None:
    """web-0 dies at 60 s; at 61.5 s web-7 leaves all views, so a new pick would be another one, and at 63 s web-0 does.

    SYNs come again after 1, 2, 3 s. Who dials in [60, 61) finds another at the third, in [61, 62) at the second, in
    [62, 63) at the first; one in eight of them picked web-0 until 61.5 s, and one in seven after that.
    """
    world = plan(traffic=clients(0, 1000.0, lifetime=MOMENTARY), horizon_s=70)
    names = pod_names(world)
    seen = [(61.5, names[:7]), (63, names[1:7])]
    changes = [
        ViewChanged(round(at_s * SECOND), f"n{i}", "web", revision, known)
        for revision, (at_s, known) in enumerate(seen, 2)
        for i in range(1, 5)
    ]
    row = run(world, BackendChanged(60 * SECOND, "web", "web-0", alive=False, resets=False), *changes)
    waits = Counter(row.connect_delay_s.tolist())
    assert set(waits) == {1.0, 2.0, 3.0}
    for after_s, in_all in ((3.0, 1 / 8), (2.0, 0.5 / 8 + 0.5 / 7), (1.0, 1 / 7)):
        assert within(waits[after_s], in_all / 70, row.total)


def test_who_dials_over_a_path_that_is_cut_for_good_fails_to_the_end() -> None:
    """Nothing changes any more after 60 of 600 s, and a quarter of those who dial until 597 s give up after 3 s."""
    row = run(plan(traffic=clients(0, 20.0, connect_timeout_s=3.0, lifetime=MOMENTARY)), *cut(60, None))
    assert within(row.not_opened, 537 / 600 / 4, row.total)


def test_a_node_that_forgot_its_connections_makes_no_other_node_remember_any() -> None:
    """n1 reboots at 10 s: its quarter is reset. n2 leaves at 60 s: its quarter is spread over the others (highest
    random weight), who do not know it, be they n1, which lost its conntrack once, or n3 and n4, which never did."""
    row = run(plan(traffic=clients(MANY), balancer=SNAT, hash="hrw"), ConntrackLost(at(10), "n1"), withdrawn(60, "n2"))
    assert within(row.reset, 1 / 2, MANY)
    assert row.unaffected + row.reset == MANY
