"""Drains and rollouts: what each order of steps loses, and what stands while the operator is away."""

from collections import defaultdict
from dataclasses import replace

import pytest
from belief_worlds import lost_s, with_clients
from hypothesis import given, settings
from hypothesis import strategies as st
from study_worlds import observed
from worlds import AT_S, VIP, cluster, fault, fib_log, instant, play, session_log, since_fault, steady

from simbgp.measure import value_of
from simbgp.measure.observed import Question
from simbgp.profiles import Law, router
from simbgp.scenario.plan import BackendPlan, GracefulRestartPlan, ServicePlan
from simbgp.timeline import (
    BackendAdded,
    BackendChanged,
    FaultBegan,
    FaultEnded,
    ForwardingChanged,
    ProcedureEnded,
    SessionChanged,
    ViewChanged,
)
from simbgp.traffic import outcomes, windows

GUIDE = ("drain", "unlabel", "wait", "poweroff")
FIRST_OUT = ("unlabel", "wait", "drain", "poweroff")
NO_WAIT = ("drain", "unlabel", "poweroff")
GR = GracefulRestartPlan(True, 120)
S = 1_000_000


def drained(*order, wait_s=None, **others):
    wait_us = None if wait_s is None else round(wait_s * 1e6)
    return fault("node-drain", options={"order": order, "wait_us": wait_us}, **others)


def of_policy(plan, policy):
    return replace(plan, services=(replace(plan.services[0], policy=policy),))


# The table of lost traffic of the VIP with four nodes, so that one has a share of 1/4: whoever waits loses nothing. A
# Local service leaves the FIB when its pod begins to terminate, 30 s before the power goes. Else the dead node is sent
# its share for D in (H - K, H] = (60, 90], and 120 s more where hold expiry keeps routes with the N bit (FRR, not
# BIRD). BIRD's hold time is 90 U[0.75, 1], so D in (37.5, 90], and its FIB follows up to 3 s late.
TABLE = [
    (GUIDE, "Cluster", "frr-8.4", True, (0, 0)),
    (GUIDE, "Cluster", "frr-8.4", False, (0, 0)),
    (GUIDE, "Cluster", "bird-2.0", True, (0, 0)),
    (GUIDE, "Local", "bird-2.0", True, (0, 0)),
    (FIRST_OUT, "Cluster", "frr-8.4", True, (0, 0)),
    (FIRST_OUT, "Cluster", "bird-2.0", False, (0, 0)),
    (FIRST_OUT, "Local", "frr-8.4", True, (0, 0)),
    (NO_WAIT, "Cluster", "frr-8.4", False, (60 / 4, 90.2 / 4)),
    (NO_WAIT, "Cluster", "frr-8.4", True, (180 / 4, 210.2 / 4)),
    (NO_WAIT, "Cluster", "bird-2.0", False, (37.5 / 4, 93.2 / 4)),
    (NO_WAIT, "Cluster", "bird-2.0", True, (37.5 / 4, 93.2 / 4)),
    (NO_WAIT, "Local", "frr-8.4", True, (0, 0)),
    (NO_WAIT, "Local", "bird-2.0", False, (0, 0)),
]


@pytest.mark.parametrize(("order", "policy", "make", "keeps", "lost"), TABLE)
def test_what_an_order_of_steps_loses(order, policy, make, keeps, lost):
    hardware = replace(router(make), neighbour_check=False)
    plan = cluster(4, (hardware,), steady("1.20"), restart=GR if keeps else None)
    plan = of_policy(plan, policy)
    for run in range(12):
        log = play(plan, drained(*order), run=run)
        holes = [hole for hole in windows(plan, log) if hole.prefix == VIP]
        assert lost[0] <= sum(hole.lost_traffic_us for hole in holes) / 1e6 <= lost[1]


def test_a_fixed_wait_shorter_than_the_restart_time_loses_the_rest():
    # GoBGP 3.10 says a plain 6/3 at once: routes kept 120 s from the drain's end at 30; power off at 30 + 20
    plan = cluster(4, (instant(),), steady("gobgp-3.10"), restart=GR)
    log = play(plan, drained(*GUIDE, wait_s=20.0))
    assert fib_log(log, VIP) == [(150.0, "withdrawn")]
    assert lost_s(plan, log, VIP, "dead-next-hop") == 100.0


def test_the_power_is_back_so_long_after_the_last_step():
    # 30 grace + 20 wait, then 60 without power
    log = play(cluster(4, (instant(),)), drained(*GUIDE, wait_s=20.0, down_s=60.0))
    assert [since_fault(fact.time_us) for fact in log.of(ForwardingChanged)] == [50.0, 110.0]
    assert [since_fault(fact.time_us) for fact in log.of(ProcedureEnded)] == [50.0]
    assert [since_fault(fact.time_us) for fact in log.of(FaultEnded)] == [110.0]
    assert session_log(log)[-1] == (112.0, "up")  # labelled again when the kernel forwards; first dial 2 s later


def test_a_drain_without_power_off_gives_the_node_back_at_once():
    log = play(cluster(4, (instant(),), node_s=60.0), drained("drain", "unlabel", down_s=100.0))
    assert log.of(ForwardingChanged) == []
    assert session_log(log) == [(30.0, "down"), (132.0, "up")]


def with_pods(count, least):
    """All pods of the service on worker-1, with a disruption budget."""
    plan = cluster(2, (instant(),), propagation_s=0.0)
    pods = tuple(BackendPlan(f"web-{i}", "worker-1", f"key-{i}") for i in range(1, count + 1))
    service = ServicePlan("web", (VIP,), "Cluster", pods, least)
    return replace(plan, services=(service,), pod_startup=Law.constant(7.0))


def test_a_disruption_budget_lets_pods_go_one_by_one():
    # kubectl asks every 5 s; a new pod is ready after 7: 3 of 4 must stay, so one goes at 0, 10, 20 and 30
    log = play(with_pods(4, least=3), drained("drain"))
    assert [since_fault(fact.time_us) for fact in log.of(BackendAdded)] == [7.0, 17.0, 27.0, 37.0]
    assert min(len(fact.backends) for fact in log.of(ViewChanged)) == 3
    assert since_fault(log.of(ProcedureEnded)[0].time_us) == 60.0  # 30 + the grace period


def test_a_budget_that_allows_nothing_holds_the_drain_for_ever():
    log = play(with_pods(2, least=2), drained("drain", "poweroff"))
    assert log.of(ProcedureEnded) == []
    assert log.of(ForwardingChanged) == []


def test_two_drains_at_once_share_a_budget():
    # two pods on each, three must stay: one goes whenever a new one is ready, at 7, 17, ..., and kubectl asks, at 5, 10
    plan = cluster(3, (instant(),), propagation_s=0.0)
    pods = tuple(BackendPlan(f"web-{i}", f"worker-{1 + i // 3}", f"key-{i}") for i in range(1, 5))
    service = ServicePlan("web", (VIP,), "Cluster", pods, 3)
    plan = replace(plan, services=(service,), pod_startup=Law.constant(7.0))
    log = play(plan, drained("drain"), drained("drain", node="worker-2"))
    assert [since_fault(fact.time_us) for fact in log.of(BackendAdded)] == [7.0, 17.0, 27.0, 37.0]
    assert {fact.node for fact in log.of(BackendAdded)} == {"worker-3"}
    assert [since_fault(fact.time_us) for fact in log.of(ProcedureEnded)] == [40.0, 60.0]  # 10 and 30, + the grace


def test_a_pod_that_is_evicted_from_a_dead_node_does_not_come_back_with_it():
    # dead from 0 to 20, evicted at 10: its name never answers again
    plan = cluster(2, (instant(),), propagation_s=0.0)
    log = play(plan, fault("node-down", 20.0), drained("drain", at_s=AT_S + 10))
    assert [(fact.backend, fact.alive) for fact in log.of(BackendChanged)] == [("web-1", False)]


@pytest.mark.parametrize(
    ("grace_s", "hook_s", "shutdown_s", "lives_s"),
    [
        (30, None, None, 30),  # SIGTERM is ignored: SIGKILL
        (30, 10, None, 10),  # it ends at SIGTERM, when the hook is done
        (30, None, 5, 5),
        (30, None, 31, 30),
        (30, 10, 19, 29),
        (30, 10, 21, 30),
        (30, 40, None, 30),  # the hook is cut off
        (30, 40, 1, 31),  # then SIGTERM, and 2 s before SIGKILL, no less
        (30, 40, 9, 32),
        (30, 29, 9, 31),
        (0, 40, None, 0),
    ],
)
def test_a_pod_lives_until_its_process_ends_or_is_killed(grace_s, hook_s, shutdown_s, lives_s):
    options = {
        "grace_us": grace_s * S,
        "pre_stop_us": None if hook_s is None else hook_s * S,
        "shutdown_us": None if shutdown_s is None else shutdown_s * S,
        "order": ("drain",),
    }
    log = play(cluster(2, (instant(),), propagation_s=0.0), fault("node-drain", options=options))
    gone = [since_fault(fact.time_us) for fact in log.of(BackendChanged) if not fact.alive]
    assert gone == [lives_s]


def test_a_pod_that_was_going_when_its_node_lost_power_does_not_come_back():
    plan = cluster(2, (instant(),), propagation_s=0.0)
    log = play(plan, drained("drain"), fault("node-down", 5.0, at_s=AT_S + 10))
    assert [(fact.backend, fact.alive) for fact in log.of(BackendChanged)] == [("web-1", False)]


def test_nothing_happens_while_the_operator_is_away_and_then_all_of_it_in_order():
    plan = cluster(2, (instant(),), steady("1.20", unlabel=Law.constant(0.0)))
    asked = [fault("unlabel", at_s=AT_S + 20), fault("unlabel", at_s=AT_S + 10, node="worker-2")]
    log = play(plan, fault("operator-down", 50.0), *asked)
    lost = [f for f in log.of(SessionChanged) if f.side == "router" and f.from_state == "established"]
    assert [(since_fault(f.time_us), f.node) for f in lost] == [(50.0, "worker-2"), (50.0, "worker-1")]


def test_an_agent_that_is_down_when_its_node_is_unlabelled_never_peers_again():
    # dead from 0 to 60, unlabelled at 10: the kept routes go with the restart time, for no session comes back
    plan = cluster(2, (instant(),), restart=GR)
    log = play(plan, fault("agent-crash", 60.0), fault("unlabel", at_s=AT_S + 10))
    assert session_log(log) == [(0.0, "down")]
    assert fib_log(log, VIP) == [(120.0, "withdrawn")]


def test_an_agent_that_dies_unlabelled_and_is_labelled_again_before_it_is_back_peers_as_ever():
    log = play(cluster(2, (instant(),)), fault("agent-crash", 60.0), fault("unlabel", 30.0, at_s=AT_S + 10))
    assert session_log(log) == [(0.0, "down"), (62.0, "up")]


def test_without_the_operator_an_agent_comes_back_with_the_configuration_it_had():
    # dead until 20, dialling at 22 as ever; the operator learns of the label only at 50, and the peer goes then
    asked = [fault("agent-crash", 20.0), fault("operator-down", 50.0), fault("unlabel", at_s=AT_S + 10)]
    log = play(cluster(2, (instant(),), steady("1.20", unlabel=Law.constant(0.0))), *asked)
    assert session_log(log) == [(0.0, "down"), (22.0, "up"), (50.0, "down")]


def test_a_label_that_is_back_before_the_operator_was_never_gone():
    log = play(
        cluster(2, (instant(),), steady("1.20", unlabel=Law.constant(0.0))),
        fault("operator-down", 50.0),
        fault("unlabel", 20.0, at_s=AT_S + 10),
    )
    assert log.of(SessionChanged) == []


def test_a_drain_that_waits_for_the_routers_waits_for_the_operator_too():
    log = play(
        cluster(2, (instant(),), steady("1.20", unlabel=Law.constant(0.0))),
        fault("operator-down", 51.0, at_s=AT_S - 1),
        drained(*FIRST_OUT),
    )
    assert session_log(log)[0] == (50.0, "down")
    assert since_fault(log.of(ProcedureEnded)[0].time_us) == 80.1  # the look after 50.0, and 30 of grace


def test_a_rollout_takes_so_many_nodes_at_once_and_waits_until_they_are_ready():
    # pull 30, agent 8, minReady 10: the next two begin at 48
    options = {"nodes": tuple(f"worker-{i}" for i in (1, 2, 3, 4)), "max_unavailable": 2, "min_ready_us": 10 * S}
    rollout = fault("agent-upgrade", options=options | {"image_pull": Law.constant(30.0)})
    log = play(cluster(4, (instant(),), agent_s=8.0), rollout)
    began = [(since_fault(fact.time_us), *fact.nodes) for fact in log.of(FaultBegan)]
    assert began == [(0.0, "worker-1"), (0.0, "worker-2"), (48.0, "worker-3"), (48.0, "worker-4")]
    assert [since_fault(fact.time_us) for fact in log.of(ProcedureEnded)] == [96.0]


def test_a_procedure_lasts_from_its_first_node_to_its_last_step():
    plan = cluster(2)
    began = [
        FaultBegan(at * S, "up", "agent-upgrade", (node,), ()) for at, node in ((10, "worker-1"), (40, "worker-2"))
    ]
    done = observed(plan, *began, ProcedureEnded(90 * S, "up"))
    assert value_of(done, Question("procedure_s")) == (80.0, False)
    assert value_of(observed(plan, *began), Question("procedure_s")) == (990.0, True)  # horizon 1000
    assert value_of(observed(plan), Question("procedure_s")) is None


def test_the_slowest_of_the_nodes_that_are_drained_together_counts():
    plan = cluster(2)
    began = FaultBegan(10 * S, 0, "node-drain", ("worker-1", "worker-2"), ())
    both = observed(plan, began, ProcedureEnded(50 * S, 0), ProcedureEnded(75 * S, 0))
    assert value_of(both, Question("procedure_s")) == (65.0, False)
    one = observed(plan, began, ProcedureEnded(50 * S, 0))
    assert value_of(one, Question("procedure_s")) == (990.0, True)


times = st.floats(0, 200, allow_nan=False).map(lambda s: round(s, 3))
nodes = st.sampled_from(["worker-1", "worker-2"])
orders = st.permutations(GUIDE).flatmap(lambda order: st.integers(1, 4).map(lambda count: tuple(order[:count])))
drains = st.builds(
    lambda order, wait_s, at_s, down_s, node: drained(*order, wait_s=wait_s, at_s=at_s, down_s=down_s, node=node),
    orders,
    st.none() | times,
    times,
    st.none() | times,
    nodes,
)
rollouts = st.builds(
    lambda at_s, options: fault("agent-upgrade", at_s=at_s, options=options),
    times,
    st.fixed_dictionaries(
        {
            "to": st.sampled_from(["1.20", "1.19"]),
            "max_unavailable": st.integers(1, 3),
            "image_pull": st.none() | times.map(Law.constant),
            "ready_after": st.none() | st.just(Law.constant(3.0)),
            "rollback_after_us": st.none() | times.map(lambda s: round(s * S)),
        }
    ),
)
losses = st.builds(
    lambda kind, down_s, at_s, node: fault(kind, down_s, at_s, node),
    st.sampled_from(["node-down", "agent-crash", "agent-restart", "operator-down", "unlabel", "backends-down"]),
    st.none() | times,
    times,
    nodes,
)
PLAN = cluster(3, (router("frr-8.4"),), steady("1.20"), restart=GR, agent_s=8.0, node_s=30.0)


@settings(max_examples=500, deadline=None)
@given(st.lists(drains | rollouts | losses, min_size=2, max_size=5))
def test_overlapping_procedures_keep_the_invariants_and_every_connection_ends_once(happened):
    plan = with_clients(PLAN, 40)
    log = play(plan, *happened)
    ends = defaultdict(int)
    for hole in sorted(windows(plan, log), key=lambda hole: hole.start_us):
        assert hole.start_us >= ends[hole.prefix]
        assert hole.duration_us > 0
        ends[hole.prefix] = hole.start_us + hole.duration_us
    (whole, *_) = (row for row in outcomes(plan, log, 1, 0) if row.fault is None)
    assert whole.total == 40
    assert whole.unaffected + whole.delayed + whole.reset + whole.timed_out + whole.not_opened == 40
    alive = {backend.name: True for backend in PLAN.services[0].backends}
    for fact in log:
        if isinstance(fact, BackendAdded):
            assert fact.backend not in alive
            alive[fact.backend] = True
        if isinstance(fact, BackendChanged):
            assert alive[fact.backend] is not fact.alive
            alive[fact.backend] = fact.alive
